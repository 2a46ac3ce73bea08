"""Per-model figures, derived from events: rate, success, latency, last reason, the last minutes."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from engine.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    RequestFailed,
    RequestSucceeded,
)

BUCKETS: Final = 60
"""How many points a series has."""

_MINUTE_S: Final = 60
_MOST_SAMPLES: Final = 256
_MOST_NAMES: Final = 1000


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What one model has been doing.

    Attributes:
        per_minute: Attempts started in the last minute, to the second.
        success: Share of the window's attempts that succeeded, in [0, 1]; None if none has ended.
        first_token_p50_s: Median seconds until the first token, of the window's latest 256 successes;
            for a plain call the seconds until the answer. None if there is none.
        first_token_p95_s: The same, 95th percentile.
        last_reason: Why the last failed attempt failed; None if none has.
        last_failure_ago_s: Seconds since then.
        series: `(succeeded, failed)` attempts, oldest first; the last pair is still filling.
        serving: Chains whose last request it served.
        took_over: Those of them that it serves in place of a model before it.
        input_tokens: Tokens of all its attempts, where the provider counted them.
        output_tokens: The same, of answers.
    """

    per_minute: int = 0
    success: float | None = None
    first_token_p50_s: float | None = None
    first_token_p95_s: float | None = None
    last_reason: str | None = None
    last_failure_ago_s: float | None = None
    series: tuple[tuple[int, int], ...] = ((0, 0),) * BUCKETS
    serving: frozenset[str] = frozenset()
    took_over: frozenset[str] = frozenset()
    input_tokens: int = 0
    output_tokens: int = 0


class Figures:
    """An observer: call it with each event, ask it for a model's figures.

    Events count when they happened, not when they are heard of: those of other engines arrive late and out
    of order, and a journal's are long past. It keeps no event, and of the models it hears of the 1000 last
    active.

    Args:
        window_s: Seconds that success, latency and series look back, in whole buckets of a 60th.
        clock: Monotonic seconds.
        wall: Seconds since the epoch, to tell how long ago an event was.
    """

    def __init__(
        self,
        window_s: float = 600.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.bucket_s: Final = window_s / BUCKETS
        self._window_s = window_s
        self._clock = clock
        self._wall = wall
        self._parsed: tuple[str, float] = ("", 0.0)
        self._models: OrderedDict[str, _Tally] = OrderedDict()
        self._servers: OrderedDict[str, _Server] = OrderedDict()
        self._takes: dict[type[Event], Callable[[Any, float], None]] = {
            AttemptStarted: self._started,
            AttemptSucceeded: self._succeeded,
            AttemptFailed: self._failed,
            RequestSucceeded: self._served,
            RequestFailed: self._unserved,
        }

    def copy(self) -> Figures:
        """Figures of the same events, with the same clocks; from now on each goes its own way."""
        copy = Figures(self._window_s, clock=self._clock, wall=self._wall)
        for model, tally in self._models.items():
            copy._models[model] = tally.copy()
        copy._servers = self._servers.copy()
        return copy

    def __call__(self, event: Event) -> None:
        """Takes an event in."""
        self.take(event, self.when(event))

    def take(self, event: Event, when: float) -> None:
        """Takes an event in.

        Args:
            event: Any event.
            when: When it happened, on the clock.
        """
        take = self._takes.get(type(event))
        if take is not None:
            take(event, when)

    def when(self, event: Event) -> float:
        """When an event happened, on the clock: never later than now, whatever another machine's clock says.

        An event that does not tell its time happens now.
        """
        now = self._clock()
        if not event.at:
            return now
        if event.at != self._parsed[0]:  # many events share a millisecond
            self._parsed = event.at, datetime.fromisoformat(event.at).timestamp()
        return now - max(0.0, self._wall() - self._parsed[1])

    def of(self, model: str, now: float | None = None) -> ModelFigures:
        """A model's figures; all empty for one that nothing was heard of.

        Args:
            model: As `provider/model`.
            now: The clock's time; None asks the clock.
        """
        serving = {chain: by.took_over for chain, by in self._servers.items() if by.model == model}
        tally = self._models.get(model) or _Tally()
        return tally.figures(
            self._clock() if now is None else now,
            self.bucket_s,
            serving=frozenset(serving),
            took_over=frozenset(chain for chain, took_over in serving.items() if took_over),
        )

    def _tally(self, model: str) -> _Tally:
        tally = self._models.get(model)
        if tally is None:
            tally = self._models[model] = _Tally()
            if len(self._models) > _MOST_NAMES:
                self._models.popitem(last=False)
        else:
            self._models.move_to_end(model)
        return tally

    def _started(self, event: AttemptStarted, when: float) -> None:
        self._tally(event.model).started.count(math.floor(when))

    def _succeeded(self, event: AttemptSucceeded, when: float) -> None:
        tally = self._tally(event.model)
        tally.succeeded.count(int(when // self.bucket_s))
        latency = event.elapsed_s if event.first_token_s is None else event.first_token_s
        tally.latencies.append((when, latency))
        tally.spend(event.input_tokens, event.output_tokens)

    def _failed(self, event: AttemptFailed, when: float) -> None:
        tally = self._tally(event.model)
        tally.failed.count(int(when // self.bucket_s))
        if tally.last_failure is None or when >= tally.last_failure[0]:
            tally.last_failure = when, event.reason
        tally.spend(event.input_tokens, event.output_tokens)

    def _served(self, event: RequestSucceeded, when: float) -> None:
        self._serve(event.chain, _Server(when, event.model, event.fallback))

    def _unserved(self, event: RequestFailed, when: float) -> None:
        self._serve(event.chain, _Server(when))

    def _serve(self, chain: str | None, by: _Server) -> None:
        if chain is None or (chain in self._servers and self._servers[chain].when > by.when):
            return
        self._servers[chain] = by
        self._servers.move_to_end(chain)
        if len(self._servers) > _MOST_NAMES:
            self._servers.popitem(last=False)


class _Server(NamedTuple):
    """Whom a chain's last request was served by, and when; nobody, if it failed."""

    when: float
    model: str = ""
    took_over: bool = False


class _Tally:
    """What is counted for one model."""

    __slots__ = (
        "failed",
        "input_tokens",
        "last_failure",
        "latencies",
        "output_tokens",
        "started",
        "succeeded",
    )

    def __init__(self) -> None:
        self.started = _Ring(_MINUTE_S)
        self.succeeded = _Ring(BUCKETS)
        self.failed = _Ring(BUCKETS)
        self.latencies: deque[tuple[float, float]] = deque(maxlen=_MOST_SAMPLES)
        self.last_failure: tuple[float, str] | None = None
        self.input_tokens = 0
        self.output_tokens = 0

    def copy(self) -> _Tally:
        copy = _Tally()
        copy.started, copy.succeeded = self.started.copy(), self.succeeded.copy()
        copy.failed = self.failed.copy()
        copy.latencies = self.latencies.copy()
        copy.last_failure = self.last_failure
        copy.input_tokens, copy.output_tokens = self.input_tokens, self.output_tokens
        return copy

    def spend(self, input_tokens: int | None, output_tokens: int | None) -> None:
        self.input_tokens += input_tokens or 0
        self.output_tokens += output_tokens or 0

    def figures(
        self, now: float, bucket_s: float, *, serving: frozenset[str], took_over: frozenset[str]
    ) -> ModelFigures:
        bucket = int(now // bucket_s)
        succeeded, failed = self.succeeded.until(bucket), self.failed.until(bucket)
        ended = sum(succeeded) + sum(failed)
        oldest = (bucket - BUCKETS + 1) * bucket_s
        latencies = sorted(latency for at, latency in self.latencies if at >= oldest)
        when, reason = self.last_failure or (None, None)
        return ModelFigures(
            per_minute=sum(self.started.until(math.floor(now))),
            success=sum(succeeded) / ended if ended else None,
            first_token_p50_s=_percentile(latencies, 50),
            first_token_p95_s=_percentile(latencies, 95),
            last_reason=reason,
            last_failure_ago_s=None if when is None else max(0.0, now - when),
            series=tuple(zip(succeeded, failed, strict=True)),
            serving=serving,
            took_over=took_over,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )


class _Ring:
    """Counts in consecutive buckets, the latest few of them."""

    __slots__ = ("_counts", "_head")

    def __init__(self, size: int) -> None:
        self._counts = [0] * size
        self._head: int | None = None

    def copy(self) -> _Ring:
        copy = _Ring(0)
        copy._counts, copy._head = self._counts.copy(), self._head
        return copy

    def count(self, bucket: int) -> None:
        """One more in this bucket, if it is not older than all that are kept."""
        if self._head is None or bucket > self._head:
            self._turn_to(bucket)
        elif bucket <= self._head - len(self._counts):
            return
        self._counts[bucket % len(self._counts)] += 1

    def until(self, bucket: int) -> list[int]:
        """The latest counts up to this bucket, oldest first."""
        size = len(self._counts)
        if self._head is None:
            return [0] * size
        gone = max(0, min(bucket - self._head, size))
        first = (self._head + 1) % size
        return (self._counts[first:] + self._counts[:first])[gone:] + [0] * gone

    def _turn_to(self, bucket: int) -> None:
        size = len(self._counts)
        first = bucket - size + 1 if self._head is None else max(self._head + 1, bucket - size + 1)
        for passed in range(first, bucket + 1):
            self._counts[passed % size] = 0
        self._head = bucket


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile of sorted values."""
    return ordered[(len(ordered) * percent + 99) // 100 - 1] if ordered else None
