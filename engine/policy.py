"""How patient a request is: immutable values, changed by making new ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

WhenAllBenched = Literal["try", "wait", "fail"]
TrialBy = Literal["request", "probe"]
OnAuthError = Literal["bench", "raise"]
OnRequestError = Literal["next", "raise"]
OnContentFilter = Literal["raise", "next"]
MidStream = Literal["raise", "append", "continue", "restart"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter.

    The wait before try n+1 is uniform in [0, min(cap, base * 2**(n-1))] (the "full jitter" of the
    AWS Architecture Blog, "Exponential Backoff and Jitter").

    Attributes:
        base: Seconds; the bound of the first wait. 0 means no wait at all.
        cap: Seconds; no bound is larger.
    """

    base: float = 0.2
    cap: float = 10.0

    def bound(self, attempt: int) -> float:
        """The longest wait, in seconds, after the given attempt (counted from 1)."""
        # The exponent is clamped: 2.0**1024 overflows, and the cap has long been reached.
        return min(self.cap, self.base * 2.0 ** min(attempt - 1, 64))


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one attempt, in seconds.

    Attributes:
        connect: Until the connection stands.
        first_token: Until the first token of a stream; a plain call has none.
        idle: Between two signs of life of a stream, pings included.
        attempt: For the attempt as a whole.
    """

    connect: float = 10.0
    first_token: float = 60.0
    idle: float = 60.0
    attempt: float = 300.0


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides how a request behaves when models fail.

    Attributes:
        attempts: Attempts per model on transient and unknown errors, at least 1.
        backoff: A `Backoff`, or a function from the attempt just failed (from 1) to seconds to wait.
        cooldown: Seconds; length of an automatic bench.
        cooldown_growth: Factor by which each further bench of the same model is longer.
        max_cooldown: Seconds; the longest automatic bench.
        bench_after: Requests in a row that must exhaust their attempts before the model is benched.
        timeouts: Limits of one attempt.
        deadline: Seconds for the whole request, every attempt and sleep included.
        retry_after_patience: Seconds; a Retry-After up to this is waited out on the same model.
        max_wait: Seconds; no single sleep is longer.
        when_all_benched: What to do when no model of the request may play.
        trial: Who tries a model whose bench ran out.
        on_auth_error: `bench` and go on, or `raise`.
        on_request_error: `next` model, or `raise`.
        on_content_filter: `raise`, or `next` model.
        mid_stream: What to do when a stream breaks after content was delivered.
    """

    attempts: int = 3
    backoff: Backoff | Callable[[int], float] = field(default_factory=Backoff)
    cooldown: float = 300.0
    cooldown_growth: float = 2.0
    max_cooldown: float = 3600.0
    bench_after: int = 1
    timeouts: Timeouts = field(default_factory=Timeouts)
    deadline: float = 600.0
    retry_after_patience: float = 2.0
    max_wait: float = 30.0
    when_all_benched: WhenAllBenched = "try"
    trial: TrialBy = "request"
    on_auth_error: OnAuthError = "bench"
    on_request_error: OnRequestError = "next"
    on_content_filter: OnContentFilter = "raise"
    mid_stream: MidStream = "raise"

    def replace(self, **changes: Any) -> Policy:
        """A new policy with the given fields changed; this one stays as it is.

        Raises:
            TypeError: A name is not a field of the policy.
        """
        return replace(self, **changes)

    def wait_after(self, attempt: int, rng: random.Random) -> float:
        """Seconds to wait after the given failed attempt (from 1), at most `max_wait`."""
        if isinstance(self.backoff, Backoff):
            # Cut before the draw: cut after it, the waits that exceed `max_wait` would all end together.
            wait = rng.uniform(0.0, min(self.backoff.bound(attempt), self.max_wait))
        else:
            wait = self.backoff(attempt)
        return max(0.0, min(wait, self.max_wait))
