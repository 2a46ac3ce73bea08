"""This engine's steps on the bench that all engines at one store share.

The engine answers from its own bench in memory. A step is taken there at once; the clerk takes the same step
in the store, where the first of many engines counts, and what comes of it is adopted here. Whoever's step
changed the store tells of it, so that each turn is one event among all engines.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from engine.entry import Entry
from engine.names import whole_provider
from engine.sideline import Sideline
from engine.stay import Benched, Stay, Ticket, Transition
from engine.steps import Late, Mended, PutBack, Replayed, Taken, TrialTaken, take
from engine.store.base import Changes, Store
from engine.store.listener import Job
from engine.store.rows import read_entry, write_entry
from engine.store.shift import Shift

T = TypeVar("T")

WAITS_S: Final = 0.25
"""The longest that a request waits for the store, once."""
_SAME_TIME_S: Final = 0.005
_MOST_MISSED: Final = 1000


class Outcome(NamedTuple):
    """What came of a step in the store, on the engine's clock, and the version of its row."""

    entry: Entry | None
    transitions: list[Transition]
    version: int


class SharedBench:
    """Takes this engine's steps in the store, and others' here.

    Args:
        sideline: The engine's bench.
        clock: The engine's clock, seconds.
        send: Has the clerk do something.

    Attributes:
        is_there: False while the store can't be used; steps then count here alone.
        missed: Such steps, by name.
    """

    def __init__(
        self, sideline: Sideline, clock: Callable[[], float], send: Callable[[Job[Any]], None]
    ) -> None:
        self._sideline = sideline
        self._clock = clock
        self._send = send
        self._shift = Shift(clock)
        self._sent = self._taken = 0  # steps, ever
        self._late_till = 0  # not waited for until so many are taken
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._pending: Counter[str] = Counter()
        self._versions: dict[str, int] = {}  # of the rows as they were last seen
        self._incarnation = ""
        self.is_there = True
        self.missed: dict[str, tuple[Late, ...]] = {}

    @property
    def is_waiting(self) -> bool:
        """True while steps are on their way to the store."""
        return bool(self._pending)

    async def settled(self) -> None:
        """Waits until the steps so far are taken; not long, and not at all where that was in vain."""
        if self._is_late:
            return
        taken = asyncio.get_running_loop().create_future()
        self._waiting.append((self._sent, taken))
        await asyncio.wait((taken,), timeout=WAITS_S)
        if not taken.done():
            self._late_till = self._sent

    async def all_taken(self) -> None:
        """Waits until the steps so far are taken, however long that is."""
        if self._pending:
            taken = asyncio.get_running_loop().create_future()
            self._waiting.append((self._sent, taken))
            await taken

    @property
    def _is_late(self) -> bool:
        return self._taken < self._late_till

    def submit(
        self,
        step: Taken,
        transitions: Sequence[Transition],
        *,
        told: bool,
        answer: asyncio.Future[bool] | None = None,
    ) -> None:
        """Has a step that was taken here taken in the store.

        Args:
            step: The step.
            transitions: What came of it here.
            told: True if that was told already; else it is told of what comes of it in the store.
            answer: Gets True if the step changed anything in the store, or the store can't say. Once it is
                cancelled, nobody wants the trial any more.
        """

        def taken_here() -> None:
            self._miss(step, at)
            if not told:
                self._sideline.announce(transitions)
            resolve(answer, True)

        def failed(_: Exception) -> None:
            self._settle(step.name)
            taken_here()
            self._free(step, answer)

        def done(outcome: Outcome) -> None:
            self._settle(step.name)
            known = outcome.entry is not None  # if not, the store has lost it, and what is known here counts
            self._versions[step.name] = outcome.version
            self._adopt(outcome.entry)
            if not told:
                self._sideline.announce(outcome.transitions if known else transitions)
            self._free(step, answer)
            resolve(answer, not known or bool(outcome.transitions))

        at = self._clock()
        if not self.is_there:
            taken_here()
            return
        self._pending[step.name] += 1
        self._sent += 1

        def run(store: Store) -> Outcome:
            is_wanted = answer is None or not answer.cancelled()
            return self._take(store, step if is_wanted else Mended(step.name), at)

        self._send(Job(run, done, failed))

    async def claim(self, step: Taken, transitions: Sequence[Transition]) -> bool:
        """Has a trial that was taken here taken in the store.

        Returns:
            True if it is this engine's, also if the store can't be used; False if another has it, or if it
            takes too long to know.
        """
        answer = asyncio.get_running_loop().create_future()
        self.submit(step, transitions, told=False, answer=answer)
        if not answer.done():
            await asyncio.wait((answer,), timeout=0.0 if self._is_late else WAITS_S)
        if not answer.done():
            self._late_till = self._sent
            answer.cancel()
        return not answer.cancelled() and answer.result()

    def _free(self, step: Taken, answer: asyncio.Future[bool] | None) -> None:
        """Frees a trial that has come after all, when nobody wants it any more."""
        if isinstance(step, TrialTaken) and answer is not None and answer.cancelled():
            self._sideline.give_back(Ticket(step.name, 0, step.number))

    def _take(self, store: Store, step: Taken, at: float) -> Outcome:
        """Takes a step in the store, as of when it was taken here. In the clerk's thread."""
        transitions: list[Transition] = []
        asked = self._clock()

        def change(texts: Mapping[str, str], now: float) -> str | None:
            shift = -self._shift.seen(asked, now)
            if isinstance(step, PutBack | Replayed) and step.over and texts.get(step.name) == step.over:
                texts = {name: text for name, text in texts.items() if name != step.name}
            reads = {name: read for name, text in texts.items() if (read := read_entry(name, text, now))}
            read = reads.get(step.name)
            before = write_entry(read.entry, now) if read else None
            own = step.shifted(shift) if isinstance(step, PutBack | Replayed) else step
            entry, transitions[:] = take(own, (each.entry for each in reads.values()), at + shift)
            after = write_entry(entry, now) if entry else None
            return after if after != before or (read and read.mended) else None

        update = store.update(step.name, [whole_provider(step.name)], change)
        shift = self._shift.seen(asked, update.now)
        read = read_entry(step.name, update.row.state, update.now)
        entry = read.entry.shifted(shift) if read else None
        return Outcome(entry, [_shifted(each, shift) for each in transitions], update.row.version)

    def _settle(self, name: str) -> None:
        self._pending[name] -= 1
        if not self._pending[name]:
            del self._pending[name]
        self._taken += 1
        while self._waiting and self._waiting[0][0] <= self._taken:
            resolve(self._waiting.popleft()[1], None)

    # What comes from the store

    def changed(self, changes: Changes, shift_s: float) -> None:
        """Somebody changed rows."""
        self._adopt(*self._read(changes, shift_s))

    def _adopt(self, *entries: Entry | None) -> None:
        """Takes over what the store knows, unless steps of this engine are on their way there."""
        known = self._sideline.bench.entry
        self._sideline.adopt(
            [_steady(each, known(each.name)) for each in entries if each and each.name not in self._pending]
        )

    def match(self, changes: Changes, shift_s: float) -> bool:
        """Makes this engine's bench and the store's one, after they were apart.

        Returns:
            True if the store came back as it was some time ago: what was changed since is put back.
        """
        older = self._older(changes)
        there = {entry.name: entry for entry in self._read(changes, shift_s)}
        missed, self.missed = self.missed, {}
        known = self._sideline.bench.entry
        ours_counts = {name for name in (*missed, *older) if known(name) is not None}
        self._adopt(*(each for name, each in there.items() if name not in ours_counts))
        for name, steps in missed.items():
            ours = known(name)
            over = older.get(name, "")
            self.submit(Replayed(name, steps, ours and ours.shifted(0.0), over), (), told=True)
        for entry in self._sideline.bench.entries():
            name = entry.name
            is_lost = name in older or not (entry.is_blank or name in there)
            if is_lost and name not in self._pending:
                self.submit(PutBack(entry.shifted(0.0), older.get(name, "")), (), told=True)
        return bool(older)

    def _older(self, changes: Changes) -> dict[str, str]:
        """The texts of rows that are older than what this engine has seen of them, by name.

        A server that was killed, or a file from a backup, may come back without what was written last.
        """
        if changes.incarnation != self._incarnation:  # nothing that was seen is of this one
            self._incarnation = changes.incarnation
            self._versions.clear()
        seen = self._versions
        return {row.name: row.state for row in changes.rows if row.version < seen.get(row.name, 0)}

    def _miss(self, step: Taken, at: float) -> None:
        """Keeps a step that the store must yet take; what is put back is known anyhow."""
        if isinstance(step, PutBack):
            return
        before = step.steps if isinstance(step, Replayed) else self.missed.get(step.name, ())
        after = self.missed.get(step.name, ()) if isinstance(step, Replayed) else (Late(step, at),)
        self.missed[step.name] = (*before, *after)[-_MOST_MISSED:]

    def _read(self, changes: Changes, shift_s: float) -> list[Entry]:
        """Rows as entries on the engine's clock."""
        entries = []
        for name, version, state in changes.rows:
            self._versions[name] = version
            read = read_entry(name, state, changes.now)
            if read is None:
                continue
            entries.append(read.entry.shifted(shift_s))
            if read.mended:
                self.submit(Mended(name), (), told=True)
        return entries


def resolve(answer: asyncio.Future[T] | None, value: T) -> None:
    """Gives a future its result, if somebody still waits for it."""
    if answer is not None and not answer.done() and not answer.get_loop().is_closed():
        answer.set_result(value)


def _shifted(transition: Transition, by_s: float) -> Transition:
    if isinstance(transition, Benched):
        return transition._replace(stay=transition.stay.shifted(by_s))
    return transition


def _steady(entry: Entry, known: Entry | None) -> Entry:
    """An entry whose stays, where they are those known already, keep the times they have here."""
    if known is not None:
        entry.auto = _same(entry.auto, known.auto)
        entry.hold = _same(entry.hold, known.hold)
    return entry


def _same(stay: Stay | None, known: Stay | None) -> Stay | None:
    if stay is None or known is None or abs(stay.since - known.since) > _SAME_TIME_S:
        return stay
    return known if stay._replace(since=known.since) == known else stay
