"""Per-model figures, derived from events: rate, success, latency, last reason, the last minutes."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

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

    It keeps no event, and of the models it hears of the 1000 last active.

    Args:
        window_s: Seconds that success, latency and series look back, in whole buckets of a 60th.
        clock: Monotonic seconds.
    """

    def __init__(self, window_s: float = 600.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.bucket_s: Final = window_s / BUCKETS
        self._clock = clock
        self._models: OrderedDict[str, _Tally] = OrderedDict()
        self._servers: OrderedDict[str, tuple[str, bool]] = OrderedDict()
        self._takes: dict[type[Event], Callable[[Any], None]] = {
            AttemptStarted: self._started,
            AttemptSucceeded: self._succeeded,
            AttemptFailed: self._failed,
            RequestSucceeded: self._served,
            RequestFailed: self._unserved,
        }

    def __call__(self, event: Event) -> None:
        """Takes an event in."""
        take = self._takes.get(type(event))
        if take is not None:
            take(event)

    def of(self, model: str, now: float | None = None) -> ModelFigures:
        """A model's figures; all empty for one that nothing was heard of.

        Args:
            model: As `provider/model`.
            now: The clock's time; None asks the clock.
        """
        serving = {chain: took_over for chain, (name, took_over) in self._servers.items() if name == model}
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

    def _started(self, event: AttemptStarted) -> None:
        self._tally(event.model).started.count(int(self._clock()))

    def _succeeded(self, event: AttemptSucceeded) -> None:
        tally, now = self._tally(event.model), self._clock()
        tally.succeeded.count(int(now // self.bucket_s))
        latency = event.elapsed_s if event.first_token_s is None else event.first_token_s
        tally.latencies.append((now, latency))
        tally.spend(event.input_tokens, event.output_tokens)

    def _failed(self, event: AttemptFailed) -> None:
        tally, now = self._tally(event.model), self._clock()
        tally.failed.count(int(now // self.bucket_s))
        tally.last_failure = now, event.reason
        tally.spend(event.input_tokens, event.output_tokens)

    def _served(self, event: RequestSucceeded) -> None:
        if event.chain is not None:
            self._servers[event.chain] = event.model, event.fallback
            self._servers.move_to_end(event.chain)
            if len(self._servers) > _MOST_NAMES:
                self._servers.popitem(last=False)

    def _unserved(self, event: RequestFailed) -> None:
        if event.chain is not None:
            self._servers.pop(event.chain, None)


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
            per_minute=sum(self.started.until(int(now))),
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
        self._head = 0

    def count(self, bucket: int) -> None:
        """One more in this bucket, which is not older than the last."""
        if bucket > self._head:
            self._turn_to(bucket)
        self._counts[bucket % len(self._counts)] += 1

    def until(self, bucket: int) -> list[int]:
        """The latest counts up to this bucket, oldest first."""
        size = len(self._counts)
        gone = max(0, min(bucket - self._head, size))
        first = (self._head + 1) % size
        return (self._counts[first:] + self._counts[:first])[gone:] + [0] * gone

    def _turn_to(self, bucket: int) -> None:
        size = len(self._counts)
        for passed in range(max(self._head + 1, bucket - size + 1), bucket + 1):
            self._counts[passed % size] = 0
        self._head = bucket


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile of sorted values."""
    return ordered[(len(ordered) * percent + 99) // 100 - 1] if ordered else None
