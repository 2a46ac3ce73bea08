"""What follows from a failure: the table, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.decision import Decision, Situation, decide
from engine.errors import Failure
from engine.policy import Policy

SERVER_ERROR = Failure("transient", "server_error", 500)
RATE_LIMITED = Failure("transient", "rate_limited", 429, "key_model")
INVALID_KEY = Failure("auth_dead", "invalid_key", 401, "key")
BAD_REQUEST = Failure("request_specific", "bad_request", 400, "nobody")
FILTERED = Failure("request_specific", "content_filter", 0, "nobody")


def _at(policy: Policy | None = None, **facts: Any) -> Situation:
    usual: dict[str, Any] = {
        "attempt": 1,
        "others": True,
        "other_keys": False,
        "remaining_s": 600.0,
        "backoff_s": 0.1,
    }
    return Situation(policy=policy or Policy(), **(usual | facts))


def _asking(seconds: float) -> Failure:
    return RATE_LIMITED._replace(retry_after_s=seconds)


def test_a_transient_failure_is_tried_again_after_the_backoff() -> None:
    assert decide(SERVER_ERROR, _at()) == Decision("retry", 0.1)


def test_an_unknown_failure_is_tried_again_too() -> None:
    assert decide(Failure("unknown", "unknown"), _at()).then == "retry"


def test_after_the_last_attempt_the_failure_is_counted_and_the_next_model_asked() -> None:
    assert decide(SERVER_ERROR, _at(attempt=3)) == Decision("next_model", 0.0, "model", at_once=False)


@pytest.mark.parametrize("reason", ["timeout", "first_token_timeout", "idle_timeout", "empty"])
def test_a_silent_provider_is_not_asked_twice_while_another_can_serve(reason: str) -> None:
    failure = Failure("transient", reason)
    assert decide(failure, _at()).then == "next_model"
    assert decide(failure, _at(others=False)).then == "retry"


def test_a_limit_of_the_callers_own_is_nobodys_failure() -> None:
    failure = Failure("transient", "timeout", 0, "nobody")
    assert decide(failure, _at()) == Decision("next_model")


def test_a_gateway_timeout_status_is_an_ordinary_transient_failure() -> None:
    assert decide(Failure("transient", "timeout", 504), _at()).then == "retry"


def test_a_dead_key_is_benched_at_once_and_the_next_model_asked() -> None:
    assert decide(INVALID_KEY, _at()) == Decision("next_model", 0.0, "key", at_once=True)


def test_without_a_key_to_blame_the_model_is_benched() -> None:
    gone = Failure("auth_dead", "model_not_found", 404)
    assert decide(gone, _at(other_keys=True)) == Decision("next_model", 0.0, "model", at_once=True)
    assert decide(gone._replace(scope="nobody"), _at()).bench == "model"


def test_a_dead_key_stops_the_request_if_the_policy_says_so() -> None:
    assert decide(INVALID_KEY, _at(Policy(on_auth_error="raise"))) == Decision("raise")


@pytest.mark.parametrize("failure", [INVALID_KEY, RATE_LIMITED])
def test_another_key_is_tried_before_anything_else(failure: Failure) -> None:
    decision = decide(failure, _at(Policy(on_auth_error="raise"), other_keys=True, attempt=3))
    assert decision == Decision("next_key", 0.0, failure.scope, at_once=True)  # type: ignore[arg-type]  # a key's


@pytest.mark.parametrize("seconds", [0.5, 42.0, 9999.0])
def test_a_key_is_benched_as_long_as_the_provider_asked(seconds: float) -> None:
    assert decide(_asking(seconds), _at(other_keys=True)).exact_s == seconds


def test_a_key_is_benched_for_the_cooldown_if_the_provider_asked_for_no_time_at_all() -> None:
    assert decide(_asking(0.0), _at(other_keys=True)).exact_s is None


def test_the_last_usable_key_is_not_given_up_for_a_rate_limit() -> None:
    assert decide(RATE_LIMITED, _at()) == Decision("retry", 0.1)
    assert decide(RATE_LIMITED, _at(attempt=3)) == Decision("next_model", 0.0, "model")


def test_a_bad_request_goes_to_the_next_model_and_benches_nobody() -> None:
    assert decide(BAD_REQUEST, _at()) == Decision("next_model")
    assert decide(BAD_REQUEST, _at(Policy(on_request_error="raise"))) == Decision("raise")


def test_a_content_filter_stops_the_request_unless_the_policy_says_next() -> None:
    assert decide(FILTERED, _at()) == Decision("raise")
    assert decide(FILTERED, _at(Policy(on_content_filter="next"))) == Decision("next_model")


@pytest.mark.parametrize("failure", [BAD_REQUEST, FILTERED])
def test_a_model_that_refuses_to_go_on_is_asked_from_the_start(failure: Failure) -> None:
    policy = Policy(on_request_error="raise")
    assert decide(failure, _at(policy, goes_on=True)) == Decision("from_the_start")
    assert decide(SERVER_ERROR, _at(goes_on=True)).then == "retry"


def test_a_short_retry_after_is_waited_out_and_a_little_more() -> None:
    assert decide(_asking(2.0), _at(stretch=1.05)) == Decision("retry", 2.1)


def test_a_retry_after_of_nothing_counts_as_absent() -> None:
    assert decide(_asking(0.0), _at()) == Decision("retry", 0.1)


def test_after_the_last_attempt_a_short_retry_after_is_no_more_than_a_failure() -> None:
    assert decide(_asking(2.0), _at(attempt=3)) == Decision("next_model", 0.0, "model")


def test_a_long_retry_after_benches_for_exactly_that_long_while_another_can_serve() -> None:
    policy = Policy(bench_after=5)
    expected = Decision("next_model", 0.0, "model", 20.0, at_once=True)
    assert decide(_asking(20.0), _at(policy)) == expected


def test_whatever_the_provider_asks_for_is_handed_on_and_cut_by_the_bench() -> None:
    assert decide(_asking(9999.0), _at()).exact_s == 9999.0


@pytest.mark.parametrize("facts", [{}, {"remaining_s": 20.1}, {"policy": Policy(max_wait=20.0)}])
def test_the_last_model_sleeps_a_long_retry_after_out_if_that_fits(facts: dict[str, Any]) -> None:
    assert decide(_asking(20.0), _at(others=False, **facts)) == Decision("retry", 20.0)


@pytest.mark.parametrize("facts", [{"remaining_s": 20.0}, {"policy": Policy(max_wait=19.0)}, {"attempt": 3}])
def test_the_last_model_is_benched_if_the_retry_after_does_not_fit(facts: dict[str, Any]) -> None:
    decision = decide(_asking(20.0), _at(others=False, **facts))
    assert decision == Decision("next_model", 0.0, "model", 20.0, at_once=True)


@pytest.mark.parametrize("failure", [SERVER_ERROR, _asking(1.0)])
def test_a_wait_that_outlasts_the_deadline_is_not_begun_and_is_nobodys_failure(failure: Failure) -> None:
    assert decide(failure, _at(remaining_s=0.1, others=False)) == Decision("out_of_time")
    assert decide(failure, _at(remaining_s=0.1)) == Decision("next_model")


@pytest.mark.parametrize("others", [True, False])
def test_a_trial_and_a_stream_that_broke_after_content_are_not_asked_again(others: bool) -> None:
    at = _at(on_trial=True, others=others)
    assert decide(SERVER_ERROR, at) == Decision("next_model", 0.0, "model")
    assert decide(_asking(1.0), at) == Decision("next_model", 0.0, "model")
    assert decide(_asking(20.0), at) == Decision("next_model", 0.0, "model", 20.0, at_once=True)


FAILURES = st.sampled_from([SERVER_ERROR, RATE_LIMITED, INVALID_KEY, BAD_REQUEST, FILTERED]).flatmap(
    lambda failure: st.builds(
        lambda asked: failure._replace(retry_after_s=asked),
        st.one_of(st.none(), st.floats(0.001, 1e6)),
    )
)


@given(
    failure=FAILURES,
    attempt=st.integers(1, 5),
    others=st.booleans(),
    other_keys=st.booleans(),
    on_trial=st.booleans(),
    delivered=st.booleans(),
    remaining=st.floats(0, 1000),
    backoff=st.floats(0, 30),
    stretch=st.floats(1.0, 1.1),
)
def test_no_wait_outlasts_the_deadline_or_max_wait(
    failure: Failure,
    attempt: int,
    others: bool,
    other_keys: bool,
    on_trial: bool,
    delivered: bool,
    remaining: float,
    backoff: float,
    stretch: float,
) -> None:
    situation = _at(
        attempt=attempt,
        others=others,
        other_keys=other_keys,
        on_trial=on_trial,
        delivered=delivered,
        remaining_s=remaining,
        backoff_s=backoff,
        stretch=stretch,
    )
    decision = decide(failure, situation)
    assert decision.wait_s <= Policy().max_wait
    assert decision.wait_s == 0 or decision.wait_s < remaining
    assert decision.wait_s == 0 or decision.then == "retry"
    assert decision.then != "retry" or (not on_trial and not delivered and attempt < Policy().attempts)
    assert decision.then != "out_of_time" or not others
    assert decision.exact_s is None or (decision.at_once and decision.exact_s == failure.retry_after_s)
    assert failure.kind != "request_specific" or decision.bench is None
