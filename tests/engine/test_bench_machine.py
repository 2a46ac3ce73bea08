"""Whatever happens in whatever order: the bench against a log that is read from its beginning each time.

`python -m tests.engine.test_bench_machine [EXAMPLES]` runs it at length and says what it reached.
"""

from __future__ import annotations

import math
import sys
from typing import Final, get_args

from hypothesis import Phase, settings, strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from engine.stay import Outcome, Sentence, Terms, TrialTakenBy, Unbenched
from tests.engine.bench_watched import ALSO, KEYS, MODELS, NAMES, TALLY, Flight, WatchedBench

# All times are multiples of an eighth, so that sums and products are exact, and ends are met to the second.
TERMS: Final = st.builds(
    Terms,
    st.sampled_from([8.0, 16.0, 300.0]),
    st.sampled_from([1.0, 2.0, 3.0, 1e200]),
    st.sampled_from([16.0, 64.0, 3600.0]),
    st.sampled_from([False, False, True]),
)
SENTENCES: Final = st.builds(
    Sentence,
    st.sampled_from(["overloaded", "rate_limited", "timeout"]),
    TERMS,
    st.sampled_from([None, None, None, 4.0, 40.0, 5000.0]),
    st.sampled_from([0.0, 0.0, 20.0, 5000.0]),
    st.sampled_from([1, 1, 1, 2, 3]),
    st.sampled_from([False, False, False, True]),
)
LEASES: Final = st.sampled_from([4.0, 30.0, 310.0])
FATES: Final = st.sampled_from(
    ["success", "stumble", "failure", "given_back", "lapsed", "late_failure", "late_success", "left_open"]
)
PICKS: Final = st.integers(0, 100)


class BenchMachine(WatchedBench):
    """Attempts, operators and time do as they like with six names."""

    # Attempts

    @rule(name=st.sampled_from((*MODELS, *KEYS)), lease_s=LEASES)
    def begin(self, name: str, lease_s: float) -> None:
        self._begin(name, lease_s)

    @precondition(lambda self: self._due())
    @rule(pick=PICKS, by=st.sampled_from(["request", "probe"]), lease_s=LEASES)
    def try_one_that_is_due(self, pick: int, by: TrialTakenBy, lease_s: float) -> None:
        due = self._due()
        name = due[pick % len(due)]
        if self.bench.block(name).awaits_probe and by == "request":  # type: ignore[union-attr]  # it is due
            self._take_in_vain(name)
        else:
            self._take(name, by, lease_s)

    @rule(name=st.sampled_from(MODELS), sentence=SENTENCES)
    def fail_at_once(self, name: str, sentence: Sentence) -> None:
        flight = self._begin(name, 30.0)
        if flight:
            self._fail(flight, sentence)

    @precondition(lambda self: self.flights)
    @rule(pick=PICKS, sentence=SENTENCES)
    def fail(self, pick: int, sentence: Sentence) -> None:
        self._fail(self._pick(pick), sentence)

    @precondition(lambda self: self.flights)
    @rule(pick=PICKS)
    def succeed(self, pick: int) -> None:
        self._succeed(self._pick(pick))

    @precondition(lambda self: self.flights)
    @rule(pick=PICKS, again=st.booleans())
    def give_back(self, pick: int, again: bool) -> None:
        flight = self._pick(pick)
        self._give_back(flight)
        if again:  # somebody else settles it, too
            self.flights.append(flight)

    @precondition(lambda self: self.flights)
    @rule(pick=PICKS)
    def drop(self, pick: int) -> None:
        """Nobody ever settles it."""
        self._pick(pick)

    @initialize(
        name=st.sampled_from(MODELS), sentence=SENTENCES, fates=st.lists(FATES, min_size=1, max_size=3)
    )
    def begin_with_a_round(self, name: str, sentence: Sentence, fates: list[str]) -> None:
        self.go_round(name, sentence, fates)

    @rule(name=st.sampled_from(MODELS), sentence=SENTENCES, fates=st.lists(FATES, min_size=1, max_size=3))
    def go_round(self, name: str, sentence: Sentence, fates: list[str]) -> None:
        """Benched, due, tried, and again: all that would be rare if chance alone led there."""
        for _ in range(sentence.after):
            self.fail_at_once(name, sentence)
        for fate in fates:
            block = self.bench.block(name)
            if block and block.state == "benched":
                self.clock.now = block.ends
                self._check()
            if name not in self._due():
                return
            flight = self._take(name, "probe" if self.bench.block(name).awaits_probe else "request", 30.0)  # type: ignore[union-attr]  # it is due
            self._check()
            self._meet(fate, flight, sentence)
            self._check()

    def _meet(self, fate: str, flight: Flight, sentence: Sentence) -> None:
        if fate in ("lapsed", "late_failure", "late_success"):
            self.clock.now += 30.0
        match fate:
            case "success" | "late_success":
                self._succeed(flight)
            case "stumble":
                self._succeed(flight)
                self.stumble(flight.ticket.name, sentence, 4.0)
            case "failure" | "late_failure":
                self._fail(flight, sentence)
            case "given_back":
                self._give_back(flight)

    @rule(name=st.sampled_from((*MODELS, *KEYS)), sentence=SENTENCES, healthy_s=st.sampled_from([4.0, 12.0]))
    def stumble(self, name: str, sentence: Sentence, healthy_s: float) -> None:
        """A failure that benches nobody, between two stretches of health."""
        self.clock.now += healthy_s
        flight = self._begin(name, 30.0)
        if flight:
            self._fail(flight, sentence._replace(after=3))
            self.clock.now += healthy_s

    # Operators

    @rule(name=st.sampled_from((*NAMES, "p/*", "p/*")), length_s=st.sampled_from([None, 4.0, 40.0, 1000.0]))
    def hold(self, name: str, length_s: float | None) -> None:
        self._expire()
        self._tell(self.bench.hold(name, length_s, "by hand", "alice"))
        self.model.hold(name, length_s, "by hand", self.clock.now)

    @rule(name=st.sampled_from(NAMES))
    def unbench(self, name: str) -> None:
        self._expire()
        was_out = [each for each in self._unbenched_with(name) if self.bench.block(each)]
        told = self.bench.unbench(name, "bob", ALSO.get(name, ()))
        self.model.unbench(name, ALSO.get(name, ()), self.clock.now)
        self._tell(told)
        assert [each.name for each in told if isinstance(each, Unbenched)] == sorted(was_out)
        assert not any(self.bench.block(each) for each in was_out)

    @precondition(lambda self: self._out())
    @rule(pick=PICKS)
    def unbench_what_is_out(self, pick: int) -> None:
        out = self._out()
        self.unbench(out[pick % len(out)])

    @rule(name=st.sampled_from(MODELS), whole=st.booleans(), sentence=SENTENCES, ends_well=st.booleans())
    def unbench_with_an_attempt_in_flight(
        self, name: str, whole: bool, sentence: Sentence, ends_well: bool
    ) -> None:
        flight = self._begin(name, 30.0)
        self.unbench("p/*" if whole else name)
        if flight and ends_well:
            self._succeed(flight)
        elif flight:
            self._fail(flight, sentence)

    @rule(name=st.sampled_from(MODELS), own=st.booleans())
    def unbench_out_of_a_provider_hold(self, name: str, own: bool) -> None:
        self.hold("p/*", 40.0)
        if own:
            self.hold(name, 40.0)
        self.unbench(name)

    @precondition(lambda self: self._due())
    @rule()
    def hold_what_is_due_for_a_while(self) -> None:
        self.hold(self._due()[0], 4.0)

    # Time, and what is no matter of the bench

    @rule(eighths=st.integers(1, 40))
    def wait(self, eighths: int) -> None:
        self.clock.now += eighths / 8

    @precondition(lambda self: self.bench.next_end() < math.inf)
    @rule(more_s=st.sampled_from([0.0, 0.0, 0.125, 20.0]), is_told=st.booleans())
    def wait_for_the_next_end(self, more_s: float, is_told: bool) -> None:
        self.clock.now = max(self.clock.now, self.bench.next_end()) + more_s
        if is_told:
            self._expire()

    @rule()
    def wait_long(self) -> None:
        self.clock.now += 4000.0

    @rule()
    def expire(self) -> None:
        self._expire()
        assert self.bench.expire() == []

    @rule()
    def reload(self) -> None:
        before = self._inside()
        self.configs.reverse()
        self.roster.replace(self.configs[0])
        assert self._inside() == before


def test_the_bench_does_what_its_log_says_and_most_runs_reach_a_trial() -> None:
    TALLY.clear()
    # To explain a failure takes minutes here, and says little.
    run_state_machine_as_test(BenchMachine, settings=settings(phases=set(Phase) - {Phase.explain}))
    assert TALLY["reached on trial"] >= TALLY["examples"] / 2


def main() -> None:
    """Runs the machine and says what it reached."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    run_state_machine_as_test(BenchMachine, settings=settings(max_examples=examples, deadline=None))
    reached = TALLY["reached on trial"]
    print(f"{TALLY['examples']} examples, {TALLY['steps']} steps")
    print(f"reached on trial: {reached} examples, {reached / TALLY['examples']:.0%}")
    print("trials:", ", ".join(f"{TALLY[outcome]} {outcome}" for outcome in get_args(Outcome)))


if __name__ == "__main__":
    main()
