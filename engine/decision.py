"""What follows from a failed attempt. Pure: a failure and a situation go in, a decision comes out."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from engine.errors import Failure
from engine.policy import Policy

Then = Literal[
    "retry",  # the same model again, as the next attempt
    "next_key",  # the same model with another key, as the same attempt
    "from_the_start",  # the same model, as the same attempt, without the partial answer it refused
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
        on_trial: True for a trial, which is one call.
        delivered: True once content of the attempt has reached the caller: its model is not asked again.
        goes_on: True if the model was asked to go on from a partial answer.
    """

    policy: Policy
    attempt: int
    others: bool
    other_keys: bool
    remaining_s: float
    backoff_s: float
    stretch: float = 1.0
    on_trial: bool = False
    delivered: bool = False
    goes_on: bool = False

    @property
    def attempts_left(self) -> bool:
        """True if the same model may be asked again."""
        return not self.on_trial and not self.delivered and self.attempt < self.policy.attempts


class Decision(NamedTuple):
    """What to do now.

    Attributes:
        then: How the request goes on.
        wait_s: Seconds to sleep before it does.
        bench: What to bench: the `key`, the key on this model, the `model`, or None for nobody.
        exact_s: Seconds the bench lasts because the provider said so; None for the cooldown, by its level.
        at_once: True to bench now, False to count one failure and bench at `bench_after`.
    """

    then: Then
    wait_s: float = 0.0
    bench: Literal["key", "key_model", "model"] | None = None
    exact_s: float | None = None
    at_once: bool = False


_GIVE_UP: Final = Decision("next_model", 0.0, "model")


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
        if situation.goes_on and not situation.delivered:
            return Decision("from_the_start")
        filtered = failure.reason == "content_filter"
        stops = (policy.on_content_filter if filtered else policy.on_request_error) == "raise"
        return Decision("raise" if stops else "next_model")
    if failure.scope in ("key", "key_model") and situation.other_keys:
        # A wait of 0 counts as absent: the key would be back before the next attempt.
        then: Then = "next_model" if situation.delivered else "next_key"
        return Decision(then, 0.0, failure.scope, failure.retry_after_s or None, at_once=True)
    if failure.kind == "auth_dead":
        if policy.on_auth_error == "raise":
            return Decision("raise")
        # Without a key to blame, the loop benches the model.
        bench = "model" if failure.scope == "nobody" else failure.scope
        return Decision("next_model", 0.0, bench, at_once=True)
    if failure.retry_after_s:
        return _asked_to_wait(failure.retry_after_s, situation)
    another_now = situation.others and _is_better_served_elsewhere(failure)
    if another_now or not situation.attempts_left:
        # A limit of the caller's own is nobody's failure.
        return Decision("next_model") if failure.scope == "nobody" else _GIVE_UP
    return _wait(situation, situation.backoff_s)


def _is_better_served_elsewhere(failure: Failure) -> bool:
    """True for a silent provider, and for one that says it is done without having said anything."""
    return failure.reason == "empty" or (failure.reason in _SILENCE and not failure.status)


def _asked_to_wait(retry_after_s: float, situation: Situation) -> Decision:
    policy = situation.policy
    if retry_after_s <= policy.retry_after_patience:
        if not situation.attempts_left:
            return _GIVE_UP
        return _wait(situation, min(retry_after_s * situation.stretch, policy.max_wait))
    can_sleep_it_out = retry_after_s <= policy.max_wait and retry_after_s < situation.remaining_s
    if not situation.others and situation.attempts_left and can_sleep_it_out:
        return Decision("retry", retry_after_s)
    return Decision("next_model", 0.0, "model", retry_after_s, at_once=True)


def _wait(situation: Situation, wait_s: float) -> Decision:
    if wait_s < situation.remaining_s:
        return Decision("retry", wait_s)
    # There is no time for another try here, which is not the model's failure; there may be for another's.
    return Decision("next_model" if situation.others else "out_of_time")
