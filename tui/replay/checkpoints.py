"""How things stood at some moments of a recording, so that one gets to any moment from one nearby."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from engine import Event, Figures, RequestStarted
from tui.feed import Drained, Feed
from tui.replay.stand import Stand

EVERY: Final = 2000
"""How many events there are between two checkpoints; more where there would be too many checkpoints."""

_HEAVIEST: Final = 1_000_000  # lines, all together: they are the same objects, so this is about 60 MB
_A_MODEL_WEIGHS: Final = 50


class Checkpoint(NamedTuple):
    """How things stood; copy it before going on from it.

    Attributes:
        taken: After how many events.
        stand: How models, keys and chains stood.
        feed: What had been told.
    """

    taken: int
    stand: Stand
    feed: Feed

    def copy(self) -> Checkpoint:
        """One to go on from."""
        return Checkpoint(self.taken, self.stand.copy(), self.feed.copy())

    def go_on(self, events: Sequence[Event], times: Sequence[float], end: int) -> tuple[Checkpoint, Drained]:
        """Takes events in, up to a number of them. Stand and feed are the same, changed.

        Args:
            events: All of the recording.
            times: When each happened.
            end: After how many of them to stop.
        """
        some = events[self.taken : end]
        take = self.stand.take
        for event in some:
            take(event)
        drained = self.feed.take(tuple(zip(times[self.taken : end], some, strict=True)))
        return self._replace(taken=end), drained

    @property
    def weight(self) -> int:
        """About how much it holds."""
        return len(self.feed.ring) + _A_MODEL_WEIGHS * len(self.stand.models)


class Checkpoints:
    """Goes through a whole recording once, and keeps how things stood on the way.

    Args:
        events: All of them, in order.
        times: When each happened.
        clock: The clock of the figures.
        every: How many events there shall be between two.
        heaviest: Most that they may weigh together; beyond it every second one goes.
        told: Is told from time to time which share is done.

    Attributes:
        every: How many events there are between two.
        chains: Each chain as its first request had it.
        models: Every model that is named.
    """

    def __init__(
        self,
        events: Sequence[Event],
        times: Sequence[float],
        clock: Callable[[], float],
        *,
        every: int = EVERY,
        heaviest: int = _HEAVIEST,
        told: Callable[[float], object] | None = None,
    ) -> None:
        self.every = every
        self.chains: dict[str, tuple[str, ...]] = {}
        now = Checkpoint(0, Stand(), Feed(Figures(clock=clock, wall=clock)))
        self._kept = [now.copy()]
        while now.taken < len(events):
            now, _ = now.go_on(events, times, min(now.taken + self.every, len(events)))
            self._kept.append(now.copy())
            self._thin_out(heaviest)
            if told is not None:
                told(now.taken / len(events))
        for event in events:
            if type(event) is RequestStarted and event.chain:
                self.chains.setdefault(event.chain, event.models)
        self.models = tuple(now.stand.models)

    def __len__(self) -> int:
        return len(self._kept)

    def before(self, count: int) -> Checkpoint:
        """The last one after at most so many events; there is one after none."""
        return self._kept[bisect_right(self._kept, count, key=_taken) - 1]

    def _thin_out(self, heaviest: int) -> None:
        if sum(each.weight for each in self._kept) > heaviest:
            del self._kept[1::2]
            self.every *= 2


def _taken(checkpoint: Checkpoint) -> int:
    return checkpoint.taken
