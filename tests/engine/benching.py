"""A bench and the clock that the tests move."""

from __future__ import annotations

from typing import Any, Final

from engine.bench import Bench
from engine.stay import Block, Sentence, State, Terms, Ticket, Transition, TrialTakenBy

START_S: Final = 100.0
TERMS: Final = Terms(60.0, growth=2.0, longest_s=600.0)


class Clock:
    def __init__(self) -> None:
        self.now = START_S

    def __call__(self) -> float:
        return self.now


def sentence(**facts: Any) -> Sentence:
    """An ordinary one: 60 s, twice as long each time, at most 600 s."""
    return Sentence("overloaded", TERMS)._replace(**facts)


class Scene:
    """A bench at second 100."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.bench = Bench(self.clock)

    def at(self, now: float) -> list[Transition]:
        """Moves the clock; what ended by itself meanwhile."""
        self.clock.now = now
        return self.bench.expire()

    def fail(self, name: str = "p/m", **facts: Any) -> list[Transition]:
        """The failure of an attempt that began this moment, no trial."""
        return self.bench.failed(self.bench.ticket(name), sentence(**facts))

    def succeed(self, name: str = "p/m") -> list[Transition]:
        """The success of an attempt that began this moment, no trial."""
        return self.bench.succeeded(self.bench.ticket(name))

    def take(self, name: str = "p/m", by: TrialTakenBy = "request", lease_s: float = 30.0) -> Ticket:
        """Begins a trial."""
        return self.bench.take_trial(name, by, lease_s)[0]

    def state(self, name: str = "p/m") -> State:
        block = self.bench.block(name)
        return block.state if block else "live"

    def block(self, name: str = "p/m") -> Block:
        """What keeps a name out; something does."""
        block = self.bench.block(name)
        assert block is not None
        return block

    def length_s(self, name: str = "p/m") -> float | None:
        """How long the stay lasts that keeps a name out."""
        return self.block(name).stay.length_s
