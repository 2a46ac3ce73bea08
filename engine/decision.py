"""What follows from a failed attempt. Pure: a failure and a situation go in, a decision comes out."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from engine.errors import Failure
from engine.policy import Policy

Then = Literal[
    "retry",  # the same model again, as the next attempt
    "next_key",  # the same model with another key, as the same attempt
    "next_model",
    "raise",  # the request stops here with this very error
    "out_of_time",  # the wait would outlast the deadline
]

_SILENCE: Final = frozenset({"timeout", "first_token_timeout", "idle_timeout"})


class Situation(NamedTuple):
    """Where a request stands when an attempt has failed.

    Attributes:
        policy: The request's policy.
        attempt: Which attempt on this model has failed, from 1.
        others: True if another model of the request can serve now.
        other_keys: True if another key of this model's provider is usable.
        remaining_s: Seconds until the deadline.
        backoff_s: The backoff drawn for this attempt, seconds.
        stretch: Drawn uniformly from [1, 1.1]; a Retry-After is waited out this much longer.
        may_retry: False once content has reached the caller: a broken stream is not asked again.
    """

    policy: Policy
    attempt: int
    others: bool
    other_keys: bool
    remaining_s: float
    backoff_s: float
    stretch: float = 1.0
    may_retry: bool = True

    @property
    def attempts_left(self) -> bool:
        """True if the same model may be asked again."""
        return self.may_retry and self.attempt < self.policy.attempts


class Decision(NamedTuple):
    """What to do now.

    Attributes:
        then: How the request goes on.
        wait_s: Seconds to sleep before it does.
        bench: What to bench: the `key`, the key on this model, the `model`, or None for nobody.
        bench_s: Seconds the bench lasts.
        at_once: True to bench now, False to count one failure and bench at `bench_after`.
    """

    then: Then
    wait_s: float = 0.0
    bench: Literal["key", "key_model", "model"] | None = None
    bench_s: float = 0.0
    at_once: bool = False


def decide(failure: Failure, situation: Situation) -> Decision:
    """The table of what came back and what follows from it.

    Args:
        failure: What came back.
        situation: Where the request stands.

    Returns:
        What to do. `next_model` does not say that there is one.
    """
    policy = situation.policy
    if failure.kind == "request_specific":
        goes_on = (
            policy.on_content_filter if failure.reason == "content_filter" else policy.on_request_error
        ) == "next"
        return Decision("next_model" if goes_on else "raise")
    if failure.scope in ("key", "key_model") and situation.other_keys:
        length = failure.retry_after_s or policy.cooldown
        return Decision("next_key", 0.0, failure.scope, min(length, policy.max_cooldown), at_once=True)
    if failure.kind == "auth_dead":
        if policy.on_auth_error == "raise":
            return Decision("raise")
        # Without a key to blame, the loop benches the model.
        bench = "model" if failure.scope == "nobody" else failure.scope
        return Decision("next_model", 0.0, bench, _cooldown(policy), at_once=True)
    if failure.retry_after_s:
        return _asked_to_wait(failure.retry_after_s, situation)
    another_now = situation.others and _is_better_served_elsewhere(failure)
    if another_now or not situation.attempts_left:
        return _give_up(policy)
    return _wait(situation, situation.backoff_s)


def _is_better_served_elsewhere(failure: Failure) -> bool:
    """True for a silent provider, and for one that says it is done without having said anything."""
    return failure.reason == "empty" or (failure.reason in _SILENCE and not failure.status)


def _asked_to_wait(retry_after_s: float, situation: Situation) -> Decision:
    policy = situation.policy
    if retry_after_s <= policy.retry_after_patience:
        if not situation.attempts_left:
            return _give_up(policy)
        return _wait(situation, min(retry_after_s * situation.stretch, policy.max_wait))
    can_sleep_it_out = retry_after_s <= policy.max_wait and retry_after_s < situation.remaining_s
    if not situation.others and situation.attempts_left and can_sleep_it_out:
        return Decision("retry", retry_after_s)
    length = min(retry_after_s, policy.max_cooldown)
    return Decision("next_model", 0.0, "model", length, at_once=True)


def _wait(situation: Situation, wait_s: float) -> Decision:
    if wait_s >= situation.remaining_s:
        return Decision("out_of_time")
    return Decision("retry", wait_s)


def _give_up(policy: Policy) -> Decision:
    return Decision("next_model", 0.0, "model", _cooldown(policy))


def _cooldown(policy: Policy) -> float:
    return min(policy.cooldown, policy.max_cooldown)
