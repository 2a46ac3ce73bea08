"""Three engines' benches at one store, step by step in any order, in a time that the test moves.

Between an engine and the store are two queues, as the clerk's thread has them: steps on their way there, and
what came of them on its way back. Each moves one place at a time, when the test says so.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.bus import Bus
from engine.entry import Entry
from engine.shared_bench import Outcome, SharedBench
from engine.sideline import Sideline
from engine.stay import Benched, Due, Sentence, Terms, Ticket, Transition, Trial, Unbenched
from engine.steps import ORDERS, Expired, Mended, PutBack, Replayed, Taken, TrialTaken
from engine.store.base import StoreError
from engine.store.listener import Job
from engine.store.memory import MemoryStore
from engine.store.rows import read_entry
from tests.scripted import Heard

EPOCH = 100_000.0
NAMES = ("p/a", "p/b", "p/*", "p#k")
TERMS = Terms(8.0, 2.0, 64.0)
LEASE_S = 6.0


class Attempt(NamedTuple):
    """An upstream call under way.

    Attributes:
        ticket: Its ticket.
        ours: Whether it is a trial of its engine's, as soon as that is known; None for no trial.
    """

    ticket: Ticket
    ours: asyncio.Future[bool] | None


class Member(SharedBench):
    """One engine, and the two queues between it and the store."""

    def __init__(self, number: int, now: Callable[[], float], store: MemoryStore) -> None:
        self.heard = Heard()
        bus = Bus(f"e{number}", lambda: now() + EPOCH)
        bus.observe(self.heard.append)
        self._now = now
        self._ahead_s = 1000.0 * number  # each clock has its own beginning
        self.sideline = Sideline(bus, self.clock, lambda _: None, lambda: now() + EPOCH)
        super().__init__(self.sideline, self.clock, self._queue)
        self.sideline.join(self, self)
        self.store = store
        self.there: deque[tuple[Taken, bool, Job[Any]]] = deque()
        self.back: deque[tuple[Callable[[], object], list[Transition]]] = deque()
        self.attempts: list[Attempt] = []
        self.version = 0
        self.is_cut = False
        self._now_sent: tuple[Taken, bool] | None = None

    def clock(self) -> float:
        return self._now() + self._ahead_s

    async def ready(self) -> None:
        """As a door has it."""

    def catch_up(self) -> None:
        """As a door has it."""

    def submit(self, step: Taken, transitions: Sequence[Transition], *, told: bool, **rest: Any) -> None:
        self._now_sent = step, told
        super().submit(step, transitions, told=told, **rest)

    def claims(self, attempts: Sequence[Attempt] | None = None) -> list[Attempt]:
        """The trials of which it is not known yet whose they are."""
        return [each for each in attempts or self.attempts if each.ours is not None and not each.ours.done()]

    def _queue(self, job: Job[Any]) -> None:
        assert self._now_sent is not None
        self.there.append((*self._now_sent, job))

    @property
    def bench(self) -> Any:
        return self.sideline.bench


class Fleet(RuleBasedStateMachine):
    """Whatever three engines do, in any order."""

    loses_its_store = False

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.now = 0.0
        space = MemoryStore(lambda: self.now + EPOCH)
        self.store = space
        self.all = [Member(number, lambda: self.now, space.another()) for number in (1, 2, 3)]
        self.announced: Counter[Any] = Counter()

    def teardown(self) -> None:
        if hasattr(self, "all"):
            self.deliver_all()
            self.loop.close()

    # What engines do

    @rule(who=st.integers(0, 2), name=st.sampled_from(["p/a", "p/b", "p#k"]))
    def begins(self, who: int, name: str) -> None:
        one = self.all[who]
        one.sideline.expire()
        if one.bench.may_take_trial(name, "request"):
            one.sideline._trial += 1
            step = TrialTaken(name, "request", LEASE_S, one.sideline._trial)
            ticket, transitions = one.bench.take_trial(name, "request", LEASE_S, step.number)
            ours = self.loop.create_future()
            one.submit(step, transitions, told=False, answer=ours)
            one.attempts.append(Attempt(ticket, ours))
        elif one.bench.block(name) is None:
            one.attempts.append(Attempt(one.bench.ticket(name), None))

    @precondition(lambda self: any(one.attempts for one in self.all))
    @rule(
        data=st.data(), how=st.sampled_from(["fail", "fail", "succeed", "give back"]), after=st.integers(1, 2)
    )
    def ends(self, data: st.DataObject, how: str, after: int) -> None:
        one = data.draw(st.sampled_from([one for one in self.all if one.attempts]), label="engine")
        attempt = one.attempts.pop(data.draw(st.integers(0, len(one.attempts) - 1), label="attempt"))
        one.sideline.expire()
        if attempt.ours is not None and attempt.ours.done() and not attempt.ours.result():
            return  # another engine has the trial
        match how if attempt not in one.claims([attempt]) else "is cancelled":
            case "fail":
                one.sideline.settle(*one.sideline.failed(attempt.ticket, Sentence("bad", TERMS, after=after)))
                one.sideline.give_back(attempt.ticket)
            case "succeed":
                one.sideline.succeeded([attempt.ticket])
            case _:
                one.sideline.give_back(attempt.ticket)

    @precondition(lambda self: any(one.claims() for one in self.all))
    @rule(data=st.data())
    def waits_no_longer_for_a_trial(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([one for one in self.all if one.claims()]), label="engine")
        attempt = data.draw(st.sampled_from(one.claims()), label="attempt")
        assert attempt.ours is not None
        attempt.ours.cancel()
        one.attempts.remove(attempt)

    @rule(who=st.integers(0, 2), name=st.sampled_from(NAMES), length=st.sampled_from([None, 5.0, 40.0]))
    def holds(self, who: int, name: str, length: float | None) -> None:
        with self.orders(who):
            self.all[who].sideline.hold(name, length, "why", f"op{who}")

    @rule(who=st.integers(0, 2), name=st.sampled_from(NAMES))
    def unbenches(self, who: int, name: str) -> None:
        with self.orders(who):
            self.all[who].sideline.unbench(name, f"op{who}")

    def orders(self, who: int) -> Any:
        self.all[who].sideline.expire()
        return _Ordered(self.all[who])

    @rule(by=st.sampled_from([1.0, 3.0, 10.0, 100.0]))
    def time_passes(self, by: float) -> None:
        self.now += by

    @rule(who=st.integers(0, 2))
    def expires(self, who: int) -> None:
        self.all[who].sideline.expire()

    # What is on its way

    @precondition(lambda self: any(one.there for one in self.all))
    @rule(data=st.data())
    def a_step_arrives(self, data: st.DataObject) -> None:
        self.serve(data.draw(st.sampled_from([one for one in self.all if one.there]), label="engine"))

    @rule(who=st.integers(0, 2))
    def somebody_looks(self, who: int) -> None:
        self.look(self.all[who])

    @precondition(lambda self: any(one.back for one in self.all))
    @rule(data=st.data())
    def an_answer_arrives(self, data: st.DataObject) -> None:
        self.hear(data.draw(st.sampled_from([one for one in self.all if one.back]), label="engine"))

    @precondition(lambda self: self.loses_its_store)
    @rule(who=st.integers(0, 2))
    def the_store_is_lost(self, who: int) -> None:
        one = self.all[who]
        if not one.is_cut:
            one.is_cut = True
            self.refuse(one)
            one.back.append((lambda: _set_there(one, value=False), []))

    @precondition(lambda self: self.loses_its_store and any(one.is_cut for one in self.all))
    @rule(data=st.data())
    def the_store_is_found(self, data: st.DataObject) -> None:
        self.find(data.draw(st.sampled_from([one for one in self.all if one.is_cut]), label="engine"))

    @rule()
    def all_arrives(self) -> None:
        self.deliver_all()

    def deliver_all(self) -> None:
        """When nothing is on its way any more, all know what the store knows."""
        for one in self.all:
            self.find(one)
        while any(one.there or one.back for one in self.all):
            for one in self.all:
                while one.there or one.back:
                    self.serve(one)
                    self.look(one)
                    while one.back:
                        self.hear(one)
        for one in self.all:
            self.look(one)
            while one.back:
                self.hear(one)
            assert not one.there
            assert not one.is_waiting
        rows = self.store.rows()
        for one in self.all:
            shift = one.clock() - rows.now
            known = {entry.name: _facts(entry) for entry in one.bench.entries()}
            stored = {}
            for name, _, text in rows.rows:
                read = read_entry(name, text, rows.now)
                assert read is not None
                assert not read.mended
                stored[name] = _facts(read.entry.shifted(shift))
            assert known == stored

    @invariant()
    def nothing_keeps_a_name_out_for_longer_than_it_was_benched_for(self) -> None:
        for one in getattr(self, "all", []):
            for entry in one.bench.entries():
                for stay in (entry.auto, entry.hold):
                    assert stay is None or stay.since <= one.clock()
                assert entry.lease is None or entry.lease.until <= one.clock() + LEASE_S

    # How it moves

    def serve(self, one: Member) -> None:
        if not one.there:
            return
        step, told, job = one.there.popleft()
        if one.is_cut:
            one.back.append((lambda: job.failed(StoreError("lost")), []))
            return
        was_there = step.name in {row.name for row in self.store.rows().rows}
        before = self.row(step.name)
        outcome: Outcome = job.run(one.store)
        after = self.row(step.name)
        self.check(step, before, after, outcome.transitions, was_there=was_there)
        one.back.append((lambda: job.done(outcome), [] if told else outcome.transitions))

    def look(self, one: Member) -> None:
        if one.is_cut:
            return
        changes = one.store.rows(one.version)
        one.version = changes.version
        shift = one.clock() - changes.now
        if changes.rows:
            one.back.append((lambda: one.changed(changes, shift), []))

    def hear(self, one: Member) -> None:
        act, transitions = one.back.popleft()
        told = len(one.heard)
        act()
        if self.loses_its_store:
            return  # what is refused is told here
        assert [_kind(event) for event in one.heard[told:]] == [_kind_of(each) for each in transitions]

    def refuse(self, one: Member) -> None:
        while one.there:
            _, _, job = one.there.popleft()
            one.back.append((partial(job.failed, StoreError("lost")), []))

    def find(self, one: Member) -> None:
        if not one.is_cut:
            return
        self.refuse(one)
        one.is_cut = False
        changes = one.store.rows()
        one.version = changes.version
        shift = one.clock() - changes.now

        def opened() -> None:
            one.is_there = True
            one.match(changes, shift)

        one.back.append((opened, []))

    def row(self, name: str) -> Entry:
        texts = {row.name: row.state for row in self.store.rows().rows}
        read = read_entry(name, texts[name], self.now + EPOCH) if name in texts else None
        return read.entry if read else Entry(name)

    def check(
        self, step: Taken, before: Entry, after: Entry, transitions: list[Transition], *, was_there: bool
    ) -> None:
        """One step in the store: what changed is what is told, and nothing else changed."""
        if before.hold != after.hold:
            is_over = before.hold is not None and before.hold.is_over(self.now + EPOCH)
            assert isinstance(step, (*ORDERS, PutBack, Replayed)) or (isinstance(step, Expired) and is_over)
        if isinstance(step, PutBack):
            assert not was_there or (before.hold, before.auto) == (after.hold, after.auto)
        if isinstance(step, PutBack | Replayed):
            assert transitions == []
            return
        assert not isinstance(step, Mended)
        is_live = before.lease is not None and before.lease.until > self.now + EPOCH
        if is_live and after.lease is not None:
            assert before.lease is not None
            assert after.lease.number == before.lease.number
        if isinstance(step, ORDERS):
            return
        changed = Counter[str]()
        changed["benched"] = after.auto is not None and after.auto != before.auto
        changed["unbenched"] = (before.auto is not None and after.auto is None) + (
            before.hold is not None and after.hold is None
        )
        changed["due"] = after.is_told_due and not before.is_told_due
        numbers = (before.lease and before.lease.number, after.lease and after.lease.number)
        changed["trial"] = numbers[1] is not None and numbers[0] != numbers[1]
        changed["settled"] = numbers[0] is not None and numbers[0] != numbers[1]
        assert +changed == Counter(map(_kind_of, transitions))


class _Ordered:
    """What an operator does is told by his engine at once; nothing else is."""

    def __init__(self, one: Member) -> None:
        self._one = one

    def __enter__(self) -> None:
        self._told = len(self._one.heard)

    def __exit__(self, *_: object) -> None:
        told = self._one.heard[self._told :]
        assert all(event.event.endswith(("benched", "trial")) for event in told)
        assert not any(getattr(event, "by", "") is None for event in told)


def _set_there(one: Member, *, value: bool) -> None:
    one.is_there = value


def _facts(entry: Entry) -> tuple[Any, ...]:
    return tuple(getattr(entry, name) for name in Entry.__slots__)


def _kind_of(transition: Transition) -> str:
    match transition:
        case Benched():
            return "benched"
        case Unbenched():
            return "unbenched"
        case Due():
            return "due"
        case Trial():
            return "trial" if transition.outcome is None else "settled"


def _kind(event: Any) -> str:
    kind: str = event.event.partition(".")[2]
    return "settled" if kind == "trial" and event.outcome is not None else kind


async def test_whoever_waits_waits_for_the_steps_so_far_and_for_no_later_ones() -> None:
    space = MemoryStore()
    one = Member(1, lambda: 0.0, space)
    first, second = (one.sideline.failed(Ticket(name, 0), Sentence("bad", TERMS)) for name in ("p/a", "p/b"))
    one.sideline.settle(*first)
    waiting = asyncio.create_task(one.sideline.settled())
    await asyncio.sleep(0)
    one.sideline.settle(*second)
    assert one.heard == []
    _, _, job = one.there.popleft()
    job.done(job.run(space))
    await waiting
    assert one.heard.facts("model") == [("model.benched", "p/a")]
    assert len(one.there) == 1
    assert not one._is_late


def test_an_engine_that_was_away_learns_also_what_it_only_asked_about() -> None:
    """An operator brought a model back where nothing was known of a hold of its provider."""
    space = MemoryStore()
    one, other = Member(1, lambda: 0.0, space), Member(2, lambda: 0.0, space)
    one.is_there = False
    one.sideline.unbench("p/a", "op")
    other.sideline.hold("p/*", None, "why", "op")
    _, _, job = other.there.popleft()
    job.run(space)
    one.is_there = True
    one.match(space.rows(), 0.0)
    assert one.bench.block("p/b") is not None


async def test_where_waiting_was_in_vain_nobody_waits_until_those_steps_are_taken() -> None:
    space = MemoryStore()
    one = Member(1, lambda: 0.0, space)
    one.sideline.settle(*one.sideline.failed(Ticket("p/a", 0), Sentence("bad", TERMS)))
    begun = time.monotonic()
    await one.sideline.settled()
    assert 0.2 < time.monotonic() - begun < 1
    begun = time.monotonic()
    for _ in range(100):
        await one.sideline.settled()
    assert time.monotonic() - begun < 0.2
    one.sideline.settle(*one.sideline.failed(Ticket("p/b", 0), Sentence("bad", TERMS)))
    _, _, job = one.there.popleft()
    job.done(job.run(space))
    assert not one._is_late
    assert one.is_waiting


def test_three_engines_and_their_store_agree_in_the_end() -> None:
    run_state_machine_as_test(
        Fleet, settings=settings(max_examples=40, stateful_step_count=60, deadline=None)
    )


def test_they_agree_also_when_the_store_comes_and_goes() -> None:
    machine = type("Lossy", (Fleet,), {"loses_its_store": True})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=40, stateful_step_count=60, deadline=None)
    )
