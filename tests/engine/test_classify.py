"""What a failure means: every row of the table, and what is nobody's row."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from engine.classify import classify, is_transient, judge, said
from engine.errors import (
    AllBenched,
    ChainExhausted,
    ConfigError,
    DeadlineExceeded,
    Failure,
    Kind,
    NoUsableModel,
    StandbyError,
    StreamInterrupted,
    UnknownTarget,
    upstream_error,
)
from engine.messages import ToolCall, Usage
from engine.providers.base import Answer, Signal

ROWS = [
    *((status, "transient", "server_error", "model") for status in (409, 425, 500, 502, 520, 522, 528)),
    *((status, "transient", "timeout", "model") for status in (408, 504, 524)),
    *((status, "transient", "overloaded", "model") for status in (503, 529)),
    (429, "transient", "rate_limited", "key_model"),
    (401, "auth_dead", "invalid_key", "key"),
    (402, "auth_dead", "quota", "key"),
    (403, "auth_dead", "forbidden", "key_model"),
    (404, "auth_dead", "model_not_found", "model"),
    (400, "request_specific", "bad_request", "nobody"),
    (422, "request_specific", "bad_request", "nobody"),
    (413, "request_specific", "too_large", "nobody"),
    (302, "unknown", "http_302", "model"),
    (418, "unknown", "http_418", "model"),
    (530, "unknown", "http_530", "model"),
]


@pytest.mark.parametrize(("status", "kind", "reason", "scope"), ROWS)
def test_a_status_means_what_its_row_says(status: int, kind: Kind, reason: str, scope: str) -> None:
    assert classify(Signal("status", status=status)) == (kind, reason, status, scope, None)


CODES = [
    (429, "insufficient_quota", "auth_dead", "quota", "key"),
    (403, "billing_not_active", "auth_dead", "quota", "key"),
    (400, "credit_exhausted", "auth_dead", "quota", "key"),
    (400, "api_key_invalid", "auth_dead", "invalid_key", "key"),
    (400, "model_not_found", "auth_dead", "model_not_found", "model"),
    (400, "model_decommissioned", "auth_dead", "model_not_found", "model"),
    (500, "deploymentnotfound", "auth_dead", "model_not_found", "model"),
    (400, "context_length_exceeded", "request_specific", "context_length", "nobody"),
    (500, "exceed_context_size_error", "request_specific", "context_length", "nobody"),
    (501, "not_supported_error", "request_specific", "unsupported", "nobody"),
    (501, "server_error", "unknown", "http_501", "model"),
    (498, "capacity_exceeded", "transient", "overloaded", "model"),
    (498, "something_new", "unknown", "http_498", "model"),
    (429, "service_tier_capacity_exceeded", "transient", "rate_limited", "key_model"),
    (400, "organization_restricted", "auth_dead", "forbidden", "key_model"),
    (400, "content_filter", "request_specific", "content_filter", "nobody"),
    (400, "content_policy_violation", "request_specific", "content_filter", "nobody"),
]


@pytest.mark.parametrize(("status", "code", "kind", "reason", "scope"), CODES)
def test_a_code_refines_its_status(status: int, code: str, kind: Kind, reason: str, scope: str) -> None:
    failure = classify(Signal("status", status=status, codes=(code,)))
    assert (failure.kind, failure.reason, failure.scope) == (kind, reason, scope)


INSIDE_200 = [
    ("rate_limit_error", "transient", "rate_limited"),
    ("overloaded_error", "transient", "overloaded"),
    ("api_error", "transient", "server_error"),
    ("authentication_error", "auth_dead", "invalid_key"),
    ("permission_error", "auth_dead", "forbidden"),
    ("not_found_error", "auth_dead", "model_not_found"),
    ("request_too_large", "request_specific", "too_large"),
    ("invalid_request_error", "request_specific", "bad_request"),
    ("billing_error", "auth_dead", "quota"),
    ("timeout_error", "transient", "timeout"),
    ("server_error", "transient", "server_error"),
    ("insufficient_quota", "auth_dead", "quota"),
    ("resource_exhausted", "transient", "rate_limited"),
    ("unavailable_error", "transient", "overloaded"),
    ("notfounderror", "auth_dead", "model_not_found"),
    ("timeout", "transient", "timeout"),
    ("conflict_error", "transient", "server_error"),
    ("something_new", "unknown", "unknown"),
]


@pytest.mark.parametrize(("code", "kind", "reason"), INSIDE_200)
def test_an_error_inside_a_200_is_read_by_its_type(code: str, kind: Kind, reason: str) -> None:
    failure = classify(Signal("error", codes=(code,)))
    assert (failure.kind, failure.reason, failure.status) == (kind, reason, 0)


WORDS = [
    (400, "Your credit balance is too low to access the Anthropic API.", "auth_dead", "quota"),
    (400, "You have reached your specified API usage limits.", "auth_dead", "quota"),
    (500, "Your credit balance is too low to access the Anthropic API.", "transient", "server_error"),
    (400, "x/y is not a valid model ID", "auth_dead", "model_not_found"),
    (422, "x/y is not a valid model ID", "request_specific", "bad_request"),
    (400, "prompt is too long: 9 tokens > 8 maximum", "request_specific", "context_length"),
    (500, "prompt is too long: 9 tokens > 8 maximum", "transient", "server_error"),
    (400, "the prompt was flagged", "request_specific", "bad_request"),
]


@pytest.mark.parametrize(("status", "words", "kind", "reason"), WORDS)
def test_what_some_providers_put_into_words_only_counts_beside_its_own_status(
    status: int, words: str, kind: Kind, reason: str
) -> None:
    signal = Signal("status", words, status=status, codes=("invalid_request_error",))
    assert classify(signal)[:2] == (kind, reason)


@pytest.mark.parametrize("what", ["connection", "timeout", "first_token_timeout", "idle_timeout"])
def test_a_silent_or_broken_line_is_transient_and_keeps_its_name(what: str) -> None:
    assert classify(Signal(what)) == ("transient", what, 0, "model", None)  # type: ignore[arg-type]  # from a list


@pytest.mark.parametrize("what", ["protocol", "empty", "truncated"])
def test_an_answer_that_is_none_is_transient_and_keeps_its_name_and_status(what: str) -> None:
    signal = Signal(what, status=200)  # type: ignore[arg-type]  # from a list
    assert classify(signal) == ("transient", what, 200, "model", None)


def test_a_limit_of_the_callers_own_is_a_timeout_and_nobodys() -> None:
    assert classify(Signal("callers_timeout")) == ("transient", "timeout", 0, "nobody", None)


@pytest.mark.parametrize("what", ["content_filter", "unsupported"])
def test_what_the_request_brought_upon_itself_benches_nobody(what: str) -> None:
    assert classify(Signal(what)) == ("request_specific", what, 0, "nobody", None)  # type: ignore[arg-type]  # from a list


def test_retry_after_is_carried_along() -> None:
    assert classify(Signal("status", status=429, retry_after_s=7.5)).retry_after_s == 7.5


def _foreign(words: str = "no", **facts: object) -> Exception:
    error = RuntimeError(words)
    vars(error).update(facts)
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("upstream said HTTP 503 again"), ("transient", "overloaded", 503)),
        (RuntimeError("HTTP/1.1 401 Unauthorized"), ("auth_dead", "invalid_key", 401)),
        (_foreign(status_code=503), ("transient", "overloaded", 503)),
        (_foreign(status=503), ("transient", "overloaded", 503)),
        (_foreign(response=SimpleNamespace(status_code=429)), ("transient", "rate_limited", 429)),
        (_foreign("prompt is too long", status_code=400), ("request_specific", "context_length", 400)),
        (_foreign(status_code=100), ("unknown", "http_100", 100)),
        (_foreign(status_code=599), ("unknown", "http_599", 599)),
        (TimeoutError(), ("transient", "timeout", 0)),
        (ConnectionResetError("reset"), ("transient", "connection", 0)),
        (OSError("no route"), ("transient", "connection", 0)),
        (KeyError("x"), ("unknown", "unknown", 0)),
        (RuntimeError("costs 503 dollars"), ("unknown", "unknown", 0)),
        *((_foreign(status_code=none), ("unknown", "unknown", 0)) for none in (99, 600, True, 503.0, "503")),
    ],
)
def test_somebody_elses_exception_is_read_by_its_status_or_type(
    error: Exception, expected: tuple[str, str, int]
) -> None:
    failure = classify(error)
    assert (failure.kind, failure.reason, failure.status) == expected


def test_an_override_by_status_wins_over_the_table() -> None:
    signal = Signal("status", status=403)
    assert classify(signal, {403: "transient"}) == ("transient", "forbidden", 403, "model", None)


def test_an_override_holds_for_somebody_elses_exception_too() -> None:
    assert classify(RuntimeError("HTTP 503"), {503: "auth_dead"}).kind == "auth_dead"


def test_what_an_exception_can_t_say_has_no_words() -> None:
    class Speechless(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert said(Speechless()) == ""


def test_of_many_causes_the_last_one_tells_what_the_whole_means() -> None:
    causes = [
        upstream_error("p/m", classify(Signal("status", status=code)), "no") for code in (500, 401, 404)
    ]
    assert classify(ChainExhausted("no", causes=causes)).reason == "model_not_found"


def test_an_override_by_code_wins_over_one_by_status() -> None:
    signal = Signal("status", status=503, codes=("model_overloaded",))
    overrides: dict[int | str, Kind] = {503: "unknown", "model_overloaded": "auth_dead"}
    assert classify(signal, overrides).kind == "auth_dead"


def test_an_override_to_request_specific_benches_nobody() -> None:
    failure = classify(Signal("status", status=500), {500: "request_specific"})
    assert (failure.kind, failure.scope) == ("request_specific", "nobody")


@pytest.mark.parametrize(
    ("status", "scope"), [(401, "key"), (429, "key_model"), (400, "model"), (500, "model")]
)
def test_an_override_to_a_dead_key_blames_the_key_only_where_the_table_does(status: int, scope: str) -> None:
    failure = classify(Signal("status", status=status), {status: "auth_dead"})
    assert (failure.kind, failure.scope) == ("auth_dead", scope)


def test_an_override_that_says_what_the_table_says_or_is_about_others_changes_nothing() -> None:
    signal = Signal("status", status=429, codes=("x",))
    overrides: list[dict[int | str, Kind]] = [{429: "transient"}, {500: "unknown"}, {"y": "unknown"}]
    assert {classify(signal, each) for each in overrides} == {classify(signal)}


def test_an_error_that_was_classified_keeps_its_failure() -> None:
    failure = Failure("auth_dead", "quota", 402, "key", None)
    assert classify(upstream_error("a/b", failure, "")) is failure


def test_transient_and_unknown_are_worth_another_try() -> None:
    assert is_transient(Signal("status", status=500))
    assert is_transient(RuntimeError("?"))
    assert not is_transient(Signal("status", status=401))


OVERLOADED = Failure("transient", "overloaded", 503)
BAD_KEY = Failure("auth_dead", "invalid_key", 401, "key")
CAUSES = {failure: upstream_error("a/b", failure, "") for failure in (OVERLOADED, BAD_KEY)}


@pytest.mark.parametrize("last", CAUSES)
@pytest.mark.parametrize("first", CAUSES)
def test_an_exhausted_chain_means_what_its_last_cause_means(first: Failure, last: Failure) -> None:
    error = ChainExhausted("no", causes=[CAUSES[first], CAUSES[last]])
    assert classify(error) is last
    assert classify(error, {503: "auth_dead", 401: "transient"}) is last
    assert is_transient(error) == (last is OVERLOADED)


@pytest.mark.parametrize("broke", CAUSES)
def test_an_interrupted_stream_means_what_broke_it_means_whatever_came_after(broke: Failure) -> None:
    error = StreamInterrupted("no", text="he", model="a/b", cause=CAUSES[broke], causes=[*CAUSES.values()])
    assert classify(error) is broke
    assert is_transient(error) == (broke is OVERLOADED)


@pytest.mark.parametrize("error", [UnknownTarget("no"), NoUsableModel("no"), ConfigError([])])
def test_what_no_other_try_can_help_is_the_requests_own_fault(error: StandbyError) -> None:
    assert classify(error) == ("request_specific", "bad_request", 0, "nobody", None)
    assert not is_transient(error)


@pytest.mark.parametrize("error", [AllBenched("HTTP 401"), DeadlineExceeded("no"), ChainExhausted("no")])
def test_an_end_without_a_cause_is_worth_another_try_and_benches_nobody(error: StandbyError) -> None:
    assert classify(error) == Failure("unknown", "unknown", 0, "nobody")
    assert is_transient(error)


@given(st.integers(0, 999), st.lists(st.text(max_size=20), max_size=4), st.text(max_size=50))
def test_every_signal_has_a_meaning(status: int, codes: list[str], message: str) -> None:
    failure = classify(Signal("status", message, status=status, codes=tuple(codes)))
    assert failure.kind in {"transient", "auth_dead", "request_specific", "unknown"}
    assert (failure.scope == "nobody") == (failure.kind == "request_specific")


def _answer(text: str = "", finish: str = "stop", tools: tuple[ToolCall, ...] = ()) -> Answer:
    return Answer(text, finish, Usage(3, 5), tools)


def test_an_answer_without_text_and_tools_is_empty() -> None:
    wrong = judge(_answer())
    assert wrong is not None
    assert (wrong.what, wrong.usage) == ("empty", Usage(3, 5))
    assert wrong.message == "it finished normally, with neither text nor a tool call"


def test_an_answer_withheld_by_a_filter_is_a_content_filter() -> None:
    wrong = judge(_answer(finish="content_filter"))
    assert wrong is not None
    assert (wrong.what, wrong.message, wrong.usage) == (
        "content_filter",
        "the answer was withheld",
        Usage(3, 5),
    )


@pytest.mark.parametrize(
    "answer",
    [
        _answer("hi"),
        _answer("partly", finish="content_filter"),
        _answer(finish="length"),
        _answer(finish="tool_calls", tools=(ToolCall("1", "f", "{}"),)),
    ],
)
def test_text_a_tool_call_or_a_used_up_limit_is_an_answer(answer: Answer) -> None:
    assert judge(answer) is None
