"""What each provider's refusals are read as. The bodies are those the providers document or send."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.providers.rejection import error_in, rejected, retry_after

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def reject(status: int, body: Any, headers: dict[str, str] | None = None) -> tuple[str, tuple[str, ...]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    signal = rejected(status, headers or {}, data)
    assert (signal.what, signal.status) == ("status", status)
    return signal.message, signal.codes


DIALECTS = {
    "OpenAI": (
        429,
        {
            "error": {
                "message": "You exceeded",
                "type": "insufficient_quota",
                "param": None,
                "code": "insufficient_quota",
            }
        },
        "You exceeded",
        ("insufficient_quota",),
    ),
    "OpenAI, code before type": (
        400,
        {
            "error": {
                "message": "Too long",
                "type": "invalid_request_error",
                "code": "context_length_exceeded",
            }
        },
        "Too long",
        ("context_length_exceeded", "invalid_request_error"),
    ),
    "Azure's filter": (
        400,
        {
            "error": {
                "message": "Filtered",
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {}}},
            }
        },
        "Filtered",
        ("content_filter", "responsibleaipolicyviolation"),
    ),
    "Azure's gateway": (401, {"statusCode": 401, "message": "Access denied"}, "Access denied", ()),
    "Azure's rate limit": (429, {"error": {"code": "429", "message": "Retry"}}, "Retry", ()),
    "Anthropic": (
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"},
        "Overloaded",
        ("overloaded_error",),
    ),
    "Ollama": (404, {"error": "model 'x' not found"}, "model 'x' not found", ()),
    "Ollama, in one word": (401, {"error": "unauthorized"}, "unauthorized", ("unauthorized",)),
    "Gemini's OpenAI face": (
        429,
        [{"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}}],
        "Quota",
        ("resource_exhausted",),
    ),
    "Gemini's bad key": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "API key not valid.",
                    "status": "INVALID_ARGUMENT",
                    "details": [
                        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"},
                    ],
                }
            }
        ],
        "API key not valid.",
        ("api_key_invalid", "invalid_argument"),
    ),
    "Groq": (
        429,
        {"error": {"message": "Rate limit", "type": "tokens", "code": "rate_limit_exceeded"}},
        "Rate limit",
        ("rate_limit_exceeded", "tokens"),
    ),
    "Mistral": (
        400,
        {
            "object": "error",
            "message": "Invalid model",
            "type": "invalid_model",
            "param": None,
            "code": "1500",
        },
        "Invalid model",
        ("1500", "invalid_model"),
    ),
    "Mistral's validation": (
        422,
        {
            "object": "error",
            "message": {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Required"}]},
        },
        "body.model: Required",
        (),
    ),
    "OpenRouter": (
        402,
        {"error": {"code": 402, "message": "Insufficient credits"}},
        "Insufficient credits",
        (),
    ),
    "OpenRouter, for somebody else": (
        429,
        {
            "error": {
                "message": "Provider returned error",
                "code": 429,
                "metadata": {"raw": "x is rate-limited upstream", "provider_name": "Chutes"},
            }
        },
        "Provider returned error: x is rate-limited upstream",
        (),
    ),
    "OpenRouter, for somebody else in JSON": (
        400,
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": '{"error":{"message":"Too long"}}'},
            }
        },
        "Provider returned error: Too long",
        (),
    ),
    "OpenRouter, in its own words": (
        503,
        {
            "error": {
                "code": 503,
                "message": "Provider returned error",
                "metadata": {"error_type": "provider_overloaded"},
            }
        },
        "Provider returned error",
        ("provider_overloaded",),
    ),
    "OpenRouter's moderation": (
        403,
        {
            "error": {
                "code": 403,
                "message": "Flagged",
                "metadata": {"reasons": ["hate"], "flagged_input": "…"},
            }
        },
        "Flagged",
        ("moderation",),
    ),
    "vLLM": (
        400,
        {"object": "error", "message": "Too long", "type": "BadRequestError", "param": None, "code": 400},
        "Too long",
        ("badrequesterror",),
    ),
    "llama.cpp": (
        500,
        {"error": {"code": 500, "message": "Loading model", "type": "unavailable_error"}},
        "Loading model",
        ("unavailable_error",),
    ),
    "FastAPI": (404, {"detail": "Not Found"}, "Not Found", ()),
    "FastAPI's validation": (
        422,
        {"detail": [{"loc": ["body", "messages", 0], "msg": "Field required", "type": "missing"}]},
        "body.messages.0: Field required",
        (),
    ),
    "Cloudflare": (
        400,
        {"success": False, "errors": [{"code": 5007, "message": "No such model"}], "result": None},
        "No such model",
        ("5007",),
    ),
    "Bedrock": (400, {"__type": "ThrottlingException", "message": "Slow"}, "Slow", ("throttlingexception",)),
    "a problem (RFC 9457)": (
        503,
        {"type": "about:blank", "title": "Busy", "status": 503},
        "Busy",
        ("about:blank",),
    ),
    "numbers that tell nothing": (500, {"error": {"code": 0, "message": "x", "status": 10**30}}, "x", ()),
    "JSON without words": (500, {"oops": 1}, '{"oops": 1}', ()),
    "a lone surrogate": (500, {"error": "a\ud83db"}, "a\ufffdb", ()),
}


@pytest.mark.parametrize(("status", "body", "message", "codes"), DIALECTS.values(), ids=DIALECTS)
def test_the_words_and_codes_of_each_dialect_are_found(
    status: int, body: Any, message: str, codes: tuple[str, ...]
) -> None:
    assert reject(status, body) == (message, codes)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b"<html><head><title>502 Bad&nbsp;Gateway</title></head><body><h1>no</h1></body>",
            "502 Bad Gateway",
        ),
        (b"<!DOCTYPE html><HTML><TITLE lang=en>\n Just a\n moment </TITLE>", "Just a moment"),
        (b"<html><body><h1>504 <b>Time-out</b></h1><p>nginx</p>", "504 Time-out"),
        (b"<html><body><p>upstream <b>connect</b> error</p>", "upstream connect error"),
        (b"<html><title></title><p>words", "words"),
        (b"<title", "<title"),
        (b"upstream connect error or disconnect/reset", "upstream connect error or disconnect/reset"),
        (b"\xff\xfe not text", "\ufffd\ufffd not text"),
        (b"", ""),
    ],
)
def test_a_page_is_told_by_its_title_or_its_first_words(body: bytes, message: str) -> None:
    assert reject(502, body) == (message, ())


def test_the_work_on_a_hostile_body_is_bounded() -> None:
    # Each of these takes minutes where an expression scans ahead from every character.
    for body in (
        b"<" * 65536,
        b"<title" * 9999,
        b"&" * 65536,
        b"[" * 65536,
        b'{"error":' * 7000,
        b" " * 65536,
    ):
        assert len(rejected(500, {}, body).message) <= 2000


def test_a_long_message_is_cut() -> None:
    assert len(reject(500, {"error": {"message": "x" * 9999}})[0]) == 2000


def test_a_redirect_says_where_to_without_the_query() -> None:
    message, _ = reject(301, b"", {"location": "https://user:pw@api.example.com/v2?key=sk-123#x"})
    assert message.startswith("redirects to https://api.example.com/v2;")
    assert reject(302, b"gone", {"location": "http://[bad"})[0] == "gone"
    assert reject(302, b"gone")[0] == "gone"


ERRORS_IN_200: list[tuple[Any, int, tuple[str, ...]]] = [
    ({"error": {"message": "Overloaded", "type": "overloaded_error"}}, 0, ("overloaded_error",)),
    ({"type": "error", "error": {"type": "api_error", "message": "x"}}, 0, ("api_error",)),
    ({"type": "error"}, 0, ()),
    ({"error": "something broke"}, 0, ()),
    ({"error": True, "message": "x"}, 0, ()),
    ({"choices": [{"delta": {}}], "error": {"code": 502, "message": "x"}}, 502, ()),
    ({"object": "error", "message": "x", "code": 404}, 404, ()),
    ([{"error": {"code": 503, "status": "UNAVAILABLE"}}], 503, ("unavailable",)),
    ({"code": "InvalidApiKey", "message": "x"}, 0, ("invalidapikey",)),
    ({"statusCode": 429, "message": "x"}, 429, ()),
    ({"success": False, "errors": [{"code": 7, "message": "x"}]}, 0, ("7",)),
    ({"detail": "Not Found"}, 0, ()),
]


@pytest.mark.parametrize(("body", "status", "codes"), ERRORS_IN_200)
def test_an_error_object_in_a_200_is_seen(body: Any, status: int, codes: tuple[str, ...]) -> None:
    signal = error_in(body)
    assert signal is not None
    assert (signal.what, signal.status, signal.codes) == ("error", status, codes)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c1", "object": "chat.completion", "choices": [], "error": None},
        {"choices": [{"delta": {"content": "x"}}], "error": {}},
        {"choices": [], "error": {"code": None, "message": ""}},
        {"choices": [], "code": 500, "message": "part of an answer"},
        {"type": "message", "content": [{"type": "text", "text": "error"}]},
        {"type": "content_block_delta", "delta": {"text": "error"}},
        {"type": "ping"},
        {"model": "m", "message": {"role": "assistant", "content": "error"}, "done": False},
        {"message": "just a message"},
        {},
        [],
        [1],
        None,
        "error",
        500,
    ],
)
def test_what_is_no_error_object_is_left_alone(body: Any) -> None:
    assert error_in(body) is None


KEYS = (
    *("error", "errors", "message", "code", "type", "status", "detail", "details", "innererror", "loc"),
    *("metadata", "raw", "flagged_input", "@type", "reason", "retryDelay", "object", "success"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([400, 429, "429", 600, 10**30])
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(
        ["error", "17s", "1" * 400 + "s", "google.rpc.RetryInfo", "google.rpc.ErrorInfo", "{", "[[1]]"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_no_json_makes_it_raise_and_every_encoder_takes_what_it_says(body: Any) -> None:
    for signal in (error_in(body), rejected(400, {}, json.dumps(body).encode())):
        if signal is not None:
            (signal.message + "".join(signal.codes)).encode()
            assert all(code == code.lower() for code in signal.codes)
            assert signal.retry_after_s is None or 0 < signal.retry_after_s < math.inf


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    rejected(500, {}, body).message.encode()


def test_json_that_nests_too_deeply_is_read_as_far_as_it_makes_sense() -> None:
    nested: Any = {"message": "deep"}
    for _ in range(500):
        nested = {"error": nested, "innererror": nested}
    assert error_in(nested) is not None
    place: Any = 1
    for _ in range(5000):
        place = [place]
    said = error_in({"detail": [{"msg": "Required", "loc": ["body", place]}]})
    assert said is not None
    assert said.message == "body: Required"
    loop: dict[str, Any] = {}
    loop["error"] = loop
    assert error_in(loop) is not None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": ".5"}, 0.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "0", "retry-after": "9"}, 9.0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True)}, 30.0),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:05 -0000"}, 5.0),
        ({"retry-after": "Sun, 01 Mar 2026 13:00:05 +0100"}, 5.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=30), usegmt=True)}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "1_0"}, None),
        ({"retry-after": "\u0661"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW.timestamp()) == seconds


@given(
    st.text(st.characters(max_codepoint=255), max_size=40)
    | st.from_regex(r"\A\w{3}, \d\d \w{3} \d{1,6} \d\d:\d\d")
)
def test_no_header_makes_it_raise(value: str) -> None:
    seconds = retry_after({"retry-after": value, "retry-after-ms": value}, 0.0)
    assert seconds is None or 0 < seconds < math.inf


def test_a_rejection_carries_what_the_header_asks() -> None:
    assert rejected(429, {"retry-after": "7"}, b"").retry_after_s == 7.0
    dated = {"retry-after": format_datetime(NOW + timedelta(seconds=3), usegmt=True)}
    assert rejected(429, dated, b"", NOW.timestamp()).retry_after_s == 3.0


def test_googles_retry_delay_counts_where_the_header_is_missing() -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"}
    body = json.dumps([{"error": {"code": 429, "message": "x", "details": [detail]}}]).encode()
    assert rejected(429, {}, body).retry_after_s == 17.5
    assert rejected(429, {"retry-after": "3"}, body).retry_after_s == 3.0
