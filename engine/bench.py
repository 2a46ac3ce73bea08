"""The bench: who is out of play, since when, until when, and why. Pure: no I/O, an injected clock.

A name on the bench is a model (`provider/model`), all models of a provider (`provider/*`), a key
(`provider#name`) or a key on one model (`provider#name/model`). Two layers lie over each other. One is
the automatic bench:

    live ── failures ──▶ benched ── time ──▶ due ── trial taken ──▶ on trial
      ▲                     ▲                 ▲                        │
      │                     ├──── failure ────┼────────────────────────┤
      │                                       ├── given back, lapsed ──┤
      └───────────────── success, unbench ────┴────────────────────────┘

A key's has no trial: its end brings it back. The other is the manual hold, which only an operator or its
own end lifts. Every method returns the transitions that took place, each exactly once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from engine.entry import Entry, Lease
from engine.names import is_model, provider_of, whole_provider
from engine.stay import Benched, Block, Sentence, Stay, Ticket, Transition, Trial, TrialTakenBy, Unbenched

_MOST_ENTRIES: Final = 10_000


class Bench:
    """The state machine of every name.

    Args:
        clock: Seconds that only ever grow, as `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        self._next_end = math.inf
        self._most_entries = _MOST_ENTRIES
        self._trials = 0
        self._first_generation = 0  # of an entry that is new

    # Looking

    def block(self, name: str) -> Block | None:
        """What keeps a name out of play now, None if it may play. Asks for its provider, too."""
        own = self._block(name)
        if own is not None and own.manual:
            return own
        if is_model(name):
            whole = self._entries.get(whole_provider(name))
            if whole is not None and name not in whole.spared:
                return whole.block(self._clock()) or own
        return own

    def blocks(self) -> list[Block]:
        """Every name that is not live, in the order of the names."""
        found = (self._block(name) for name in sorted(self._entries))
        return [block for block in found if block is not None]

    def knows(self, name: str) -> bool:
        """True if anything is remembered of a name, or, for `provider/*`, of anything of the provider."""
        provider, _, model = name.partition("/")
        if model == "*":
            return any(each.startswith((f"{provider}/", f"{provider}#")) for each in self._entries)
        return name in self._entries or self.block(name) is not None

    def failures(self, name: str) -> int:
        """Requests in a row that exhausted their attempts on the name."""
        entry = self._entries.get(name)
        return entry.failures if entry else 0

    def level(self, name: str) -> int:
        """Benches that still count against the name: each makes the next one longer."""
        entry = self._entries.get(name)
        return entry.level(self._clock()) if entry else 0

    def next_end(self) -> float:
        """When a stay or a lease may end next, on the bench's clock; infinite if none does."""
        return self._next_end

    # Attempts

    def ticket(self, name: str) -> Ticket:
        """What an attempt takes along when it begins."""
        return Ticket(name, self._generation(name))

    def may_take_trial(self, name: str, by: TrialTakenBy) -> bool:
        """True if a model is due, and this is who may try it."""
        block = self.block(name)
        return block is not None and (block.is_open or (by == "probe" and block.state == "due"))

    def take_trial(
        self, name: str, by: TrialTakenBy, lease_s: float, number: int | None = None
    ) -> tuple[Ticket, list[Transition]]:
        """Begins the one attempt that may try a model whose bench has run out.

        Args:
            name: The model; it must be due.
            by: Who tries it.
            lease_s: Seconds after which the trial lapses if nobody settles it.
            number: Tells it from every other trial; not 0. The bench counts its own if it is left out.

        Returns:
            The attempt's ticket, and what took place.

        Raises:
            ValueError: The model is not due, or waits for a probe, and this is none.
        """
        if not self.may_take_trial(name, by):
            raise ValueError(f"{name} is not due")
        entry = self._entries[name]
        now = self._clock()
        self._trials += 1
        lease = Lease(number or self._trials, by, now + lease_s)
        transitions = entry.take(lease, now)
        self._note_end(entry)
        return Ticket(name, entry.generation, lease.number), transitions

    def succeeded(self, ticket: Ticket) -> list[Transition]:
        """An attempt brought an answer: failures and automatic bench are cleared, a hold is not."""
        entry = self._entries.get(ticket.name)
        if entry is None or entry.generation != ticket.generation:
            return []
        entry.failures = 0
        if entry.auto is None:
            return []
        now = self._clock()
        settled = entry.settle("success" if entry.is_trial(ticket, now) else "given_back", now)
        return [*settled, entry.lift(now, "success")]

    def failed(self, ticket: Ticket, sentence: Sentence) -> list[Transition]:
        """A request gave up on a name: one failure more, and the bench once there are enough.

        Args:
            ticket: From the attempt's beginning.
            sentence: What it asks for.

        Returns:
            The bench, or nothing: too few failures; benched already, and this was not the trial; or the
            attempt began before a bench or unbench and is no longer heard.
        """
        if self._generation(ticket.name) != ticket.generation:
            return []
        entry = self._entry(ticket.name)
        now = self._clock()
        settled: list[Transition] = []
        after = sentence.after
        if entry.auto is not None:
            if not entry.is_trial(ticket, now):
                return []
            settled = entry.settle("failure", now)
            after = 1
        if not entry.fail(after, now):
            return []
        benched = entry.bench(sentence, now)
        self._note_end(entry)
        return [*settled, benched]

    def give_back(self, ticket: Ticket, *, unasked: bool = False) -> list[Transition]:
        """An attempt ended without telling anything of the model: its trial, if it was one, is free again.

        Args:
            ticket: From the attempt's beginning.
            unasked: True if the model was not asked to the end, so that a probe may still tell.
        """
        entry = self._entries.get(ticket.name)
        now = self._clock()
        if entry is None or not entry.is_trial(ticket, now):
            return []
        return entry.settle("given_back", now, unasked=unasked)

    def extend(self, ticket: Ticket, more_s: float) -> None:
        """Gives the trial under way more time before it lapses; nothing if the ticket is not its own."""
        entry = self._entries.get(ticket.name)
        if entry is not None and entry.lease is not None and entry.is_trial(ticket, self._clock()):
            entry.lease = replace(entry.lease, until=entry.lease.until + more_s)

    # Operators

    def hold(self, name: str, length_s: float | None, reason: str, by: str) -> list[Transition]:
        """An operator takes a name out of play, whatever its state; a hold that stands is replaced."""
        entry = self._entry(name)
        now = self._clock()
        entry.hold = Stay(now, length_s, reason, by)
        entry.spared = frozenset()
        self._note_end(entry)
        return [Benched(name, entry.hold, manual=True, level=entry.level(now), failures=entry.failures)]

    def unbench(self, name: str, by: str, also: Iterable[str] = ()) -> list[Transition]:
        """An operator brings a name back: hold, automatic bench, failures and level are cleared.

        Args:
            name: A model, `provider/*`, or a key. For `provider/*` every model and key of the
                provider comes back, too.
            by: Who.
            also: Other names that keep this one out, as a model's keys.

        Returns:
            What came back; nothing if nothing was out.
        """
        gone = [each for name in self.lifted_with(name, also) for each in self.clear(name, by)]
        if is_model(name):
            spared = self.spare(name, by)
            if spared:  # the model comes back once, whatever else kept it out
                gone = [each for each in gone if each.name != name or isinstance(each, Trial)]
            gone += spared
        return gone

    def lifted_with(self, name: str, also: Iterable[str] = ()) -> list[str]:
        """The names that an unbench of this one clears, in their order."""
        names = {name, *also}
        if name == whole_provider(name):
            provider = provider_of(name)
            names |= {n for n in self._entries if n.startswith((f"{provider}/", f"{provider}#"))}
        return sorted(names)

    def clear(self, name: str, by: str) -> list[Transition]:
        """An operator lifts everything that keeps this one name out itself, and what counts against it."""
        # An entry, even if blank: what is in flight is fenced off.
        return self._entry(name).clear(self._clock(), by)

    def spare(self, model: str, by: str) -> list[Transition]:
        """An operator takes one model out of the hold of its whole provider."""
        entry = self._entries.get(whole_provider(model))
        if entry is None or entry.block(self._clock()) is None or model in entry.spared:
            return []
        entry.spared |= {model}
        return [Unbenched(model, manual=True, why="operator", by=by)]

    # Time

    def expire(self) -> list[Transition]:
        """Ends the stays and leases whose time is over."""
        now = self._clock()
        if now < self._next_end:
            return []
        gone = [transition for entry in self._entries.values() for transition in entry.expire(now)]
        self._next_end = min((entry.next_end() for entry in self._entries.values()), default=math.inf)
        return gone

    # Entries, as a store keeps them

    def entry(self, name: str) -> Entry | None:
        """What is known of a name; not to be changed."""
        return self._entries.get(name)

    def entries(self) -> list[Entry]:
        """What is known of every name; not to be changed."""
        return list(self._entries.values())

    def put(self, entries: Iterable[Entry]) -> None:
        """Takes over what somebody else knows of some names; nobody else may go on changing it."""
        for entry in entries:
            if entry.name not in self._entries:
                self._make_room()
            self._entries[entry.name] = entry
            self._note_end(entry)

    # Inside

    def _block(self, name: str) -> Block | None:
        entry = self._entries.get(name)
        return entry.block(self._clock()) if entry else None

    def _entry(self, name: str) -> Entry:
        entry = self._entries.get(name)
        if entry is None:
            self._make_room()
            entry = self._entries[name] = Entry(name, self._generation(name))
        return entry

    def _generation(self, name: str) -> int:
        """A name's generation, also of one without an entry."""
        entry = self._entries.get(name)
        if entry is not None:
            return entry.generation
        # Its provider's, so that an unbench of the whole provider fences it off, too.
        whole = self._entries.get(whole_provider(name))
        return max(self._first_generation, whole.generation) if whole else self._first_generation

    def _make_room(self) -> None:
        """Callers may ask for any number of models that don't exist: those that nobody asks for go."""
        if len(self._entries) < self._most_entries:
            return
        idle = [entry for entry in self._entries.values() if entry.is_idle]
        for entry in idle[: _MOST_ENTRIES // 2]:
            del self._entries[entry.name]
            # Whatever is new begins above it, so that no ticket of old is heard again.
            self._first_generation = max(self._first_generation, entry.generation + 1)
        # Where few were idle, more come in before all are looked at again.
        self._most_entries = max(_MOST_ENTRIES, len(self._entries) * 11 // 10)

    def _note_end(self, entry: Entry) -> None:
        self._next_end = min(self._next_end, entry.next_end())
