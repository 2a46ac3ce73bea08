"""The bench under watch: what the machine does to it, and what must hold after each step."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from hypothesis import event
from hypothesis.stateful import RuleBasedStateMachine, invariant

from engine.bench import Bench
from engine.config.model import Config, ProviderConfig
from engine.roster import Roster
from engine.stay import HIGHEST_LEVEL, Block, Sentence, Stay, Ticket, Transition, Trial, TrialTakenBy
from tests.engine.bench_listener import Listener
from tests.engine.bench_model import Model, Seen
from tests.engine.benching import Clock

MODELS: Final = ("p/a", "p/b", "q/a")
KEYS: Final = ("p#k", "p#k/a")
NAMES: Final = (*MODELS, *KEYS, "p/*")
ALSO: Final = {"p/a": ("p#k", "p#k/a"), "p/b": ("p#k",)}  # the keys that keep a model out

TALLY: Counter[str] = Counter()


class Flight(NamedTuple):
    """An attempt that nobody has settled: its ticket, and how long the name's log was when it began."""

    ticket: Ticket
    mark: int


def _seen(block: Block | None) -> Seen | None:
    if block is None:
        return None
    name, state, stay, level, failures, ends, waits = block
    assert stay.end == (math.inf if stay.until is None else stay.until)
    return Seen(name, state, ends, stay.end, level, failures, stay.reason, waits)


class WatchedBench(RuleBasedStateMachine):
    """A bench, the log of what was done to it, and somebody who hears what it tells."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.bench = Bench(self.clock)
        self.model = Model(NAMES)
        self.listener = Listener(NAMES)
        self.flights: list[Flight] = []
        self.trials = 0
        self.configs = [Config({"p": ProviderConfig("p")}), Config({"q": ProviderConfig("q")})]
        self.roster = Roster(self.configs[0], self.bench, _never_built)
        TALLY["examples"] += 1

    # What always holds

    @invariant()
    def every_name_is_as_the_log_says(self) -> None:
        for name in NAMES:
            assert _seen(self.bench.block(name)) == self.model.seen(name, self.clock.now)
            assert self.bench.level(name) == self.model.known[name].level(self.clock.now)
            assert self.bench.failures(name) == self.model.known[name].failures

    @invariant()
    def count(self) -> None:
        TALLY["steps"] += 1

    @invariant()
    def looking_changes_nothing(self) -> None:
        before = self._inside()
        blocks = [self.bench.block(name) for name in NAMES]
        own = {block.name: block for block in self.bench.blocks()}
        assert blocks == [self.bench.block(name) for name in NAMES]
        assert list(own) == sorted(own)
        assert all(block is None or own[block.name] == block for block in blocks)
        assert self._inside() == before

    @invariant()
    def benches_are_as_long_as_they_may_be(self) -> None:
        for entry in self.bench._entries.values():
            assert 0 <= entry.level(self.clock.now) <= HIGHEST_LEVEL
            if entry.auto:
                assert entry.auto.terms is not None
                assert entry.auto.length_s is not None
                assert 0 < entry.auto.length_s <= entry.auto.terms.longest_s

    @invariant()
    def the_next_end_is_never_missed(self) -> None:
        pending = [entry.next_end() for entry in self.bench._entries.values()]
        assert self.bench.next_end() <= min(pending, default=math.inf)

    @invariant()
    def whoever_only_listens_knows_it_all(self) -> None:
        """That a model is due may not have been told yet; `expire` does."""
        for name, heard in self.listener.heard.items():
            known = self.model.known[name]
            assert heard.out == (known.auto is not None)
            assert heard.held == (known.hold is not None)
            assert heard.tried_by == (known.trial.word if known.trial else None)
            assert heard.spared == (name in self.model.known["p/*"].spared)
            assert not heard.due or known.is_over(self.clock.now)

    @invariant()
    def every_trial_is_settled_once_or_under_way(self) -> None:
        under_way = sum(heard.tried_by is not None for heard in self.listener.heard.values())
        assert self.listener.taken == self.trials
        assert self.listener.taken - self.listener.settled == under_way

    def teardown(self) -> None:
        """Long after, every trial has been settled and everything with an end has ended."""
        self.clock.now += 1e6
        self._expire()
        self.every_name_is_as_the_log_says()
        assert self.listener.taken == self.listener.settled == self.trials
        assert self.bench.next_end() == math.inf
        TALLY["reached on trial"] += bool(self.trials)
        event("reached on_trial" if self.trials else "never on_trial")
        for outcome in sorted(self.listener.outcomes):
            event(f"a trial settled: {outcome}")

    # Steps

    def _check(self) -> None:
        """Between the steps of one rule: the whole truth."""
        self.every_name_is_as_the_log_says()
        self.looking_changes_nothing()
        self.whoever_only_listens_knows_it_all()
        self.every_trial_is_settled_once_or_under_way()

    def _begin(self, name: str, lease_s: float) -> Flight | None:
        """As the loop does: the trial if it is open, past an automatic bench, never past a hold."""
        self._expire()
        block = self.bench.block(name)
        if block and block.is_open:
            return self._take(name, "request", lease_s)
        if name in MODELS:
            self._take_in_vain(name)
        if block and block.manual:
            return None
        self.flights.append(Flight(self.bench.ticket(name), len(self.model.known[name].log)))
        return self.flights[-1]

    def _take(self, name: str, by: TrialTakenBy, lease_s: float) -> Flight:
        ticket, told = self.bench.take_trial(name, by, lease_s)
        self.trials += 1
        self.model.take(name, by, ticket.trial, self.clock.now + lease_s, self.clock.now)
        self._tell(told)
        assert self.bench.block(name).state == "on_trial"  # type: ignore[union-attr]  # it is
        self.flights.append(Flight(ticket, len(self.model.known[name].log)))
        return self.flights[-1]

    def _take_in_vain(self, name: str) -> None:
        before = self._inside()
        try:
            self.bench.take_trial(name, "request", 30.0)
        except ValueError:
            assert self._inside() == before
        else:
            raise AssertionError(f"{name} took a second trial")

    def _settle(self, flight: Flight, outcome: Callable[[Ticket], list[Transition]]) -> list[Transition]:
        """What an attempt that is not heard changes: nothing. What any changes of a hold: nothing."""
        ticket, mark = flight
        if flight in self.flights:
            self.flights.remove(flight)
        heard = self.model.known[ticket.name].is_heard(mark)
        before, holds = self._inside(), self._holds()
        told = outcome(ticket)
        assert heard or (told == [] and self._inside() == before)
        assert self._holds() == holds
        self._tell(told)
        return told

    def _succeed(self, flight: Flight) -> None:
        self._settle(flight, self.bench.succeeded)
        self.model.succeed(flight.ticket.name, flight.mark, self.clock.now)

    def _give_back(self, flight: Flight) -> None:
        ticket = flight.ticket
        was_open = self.model.trial_open(ticket.name, ticket.trial, self.clock.now)
        before = self._inside()
        told = self._settle(flight, self.bench.give_back)
        self.model.give_back(ticket.name, ticket.trial, self.clock.now)
        assert was_open == bool(told)
        assert was_open or self._inside() == before

    def _fail(self, flight: Flight, sentence: Sentence) -> None:
        """The one way onto the bench; it never brings an end nearer."""
        ticket = flight.ticket
        before = self.model.known[ticket.name].auto
        self._settle(flight, lambda ticket: self.bench.failed(ticket, sentence))
        self.model.fail(ticket.name, flight.mark, ticket.trial, sentence, self.clock.now)
        after = self.model.known[ticket.name].auto
        assert before is None or (after is not None and after.until >= before.until)

    def _pick(self, pick: int) -> Flight:
        return self.flights.pop(pick % len(self.flights))

    def _due(self) -> list[str]:
        blocks = [(name, self.bench.block(name)) for name in MODELS]
        return [name for name, block in blocks if block and block.state == "due"]

    def _out(self) -> list[str]:
        return [name for name in NAMES if self.bench.block(name)]

    def _unbenched_with(self, name: str) -> set[str]:
        """The names that come back with one: its own blocks, not those of a provider that stays held."""
        if name == "p/*":
            return {each for each in NAMES if each.startswith("p") and self._own(each)}
        return {name, *ALSO.get(name, ())}

    def _own(self, name: str) -> bool:
        return any(block.name == name for block in self.bench.blocks())

    def _expire(self) -> None:
        self._tell(self.bench.expire())
        self.model.expire(self.clock.now)
        for name, heard in self.listener.heard.items():
            assert heard.due == self.model.known[name].is_over(self.clock.now)

    def _tell(self, told: list[Transition]) -> None:
        self.listener.hear(told)
        TALLY.update(each.outcome for each in told if isinstance(each, Trial) and each.outcome)

    def _holds(self) -> dict[str, Stay]:
        return {block.name: block.stay for block in self.bench.blocks() if block.manual}

    def _inside(self) -> list[tuple[Any, ...]]:
        return [tuple(getattr(entry, slot.name) for slot in dataclasses.fields(entry))
                for entry in self.bench._entries.values()]  # fmt: skip


def _never_built(_: ProviderConfig) -> Any:
    raise AssertionError("nobody calls")
