"""A failure → what it means: kind, reason, status, scope, retry-after. Pure: no I/O, no state."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Final, NamedTuple

from engine.errors import (
    ChainExhausted,
    ConfigError,
    Failure,
    Kind,
    NoUsableModel,
    Scope,
    StandbyError,
    StreamInterrupted,
    UnknownTarget,
    UpstreamError,
)
from engine.providers.base import Answer, Signal

_Meaning = tuple[Kind, str, Scope]

# "Not now": RFC 9110, RFC 8470 (425), Anthropic's 529, and Cloudflare's 520 to 529.
_BY_STATUS: Final[Mapping[int, _Meaning]] = {
    **dict.fromkeys((409, 425, 500, 502, *range(520, 529)), ("transient", "server_error", "model")),
    **dict.fromkeys((408, 504, 524), ("transient", "timeout", "model")),
    **dict.fromkeys((503, 529), ("transient", "overloaded", "model")),
    400: ("request_specific", "bad_request", "nobody"),
    401: ("auth_dead", "invalid_key", "key"),
    402: ("auth_dead", "quota", "key"),
    403: ("auth_dead", "forbidden", "key_model"),
    404: ("auth_dead", "model_not_found", "model"),
    413: ("request_specific", "too_large", "nobody"),
    422: ("request_specific", "bad_request", "nobody"),
    429: ("transient", "rate_limited", "key_model"),
}


class _Rule(NamedTuple):
    """What tells more than the status beside it.

    Attributes:
        statuses: Beside which it counts; 0 stands for an error inside a 200 that names no status.
        codes: What a provider's codes and types must hold.
        words: Or its message, for what some providers put into words only.
        meaning: What it means.
    """

    statuses: Container[int]
    codes: re.Pattern[str] | None
    words: re.Pattern[str] | None
    meaning: _Meaning


def _words(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


# The first rule that fits counts. Words stand here only as they were seen, beside the status they were
# seen with: tests/providers/error_bodies names the page of each.
_RULES: Final = (
    _Rule(
        (0, 400, 402, 403, 429),
        re.compile(r"quota|credit|billing|insufficient_(balance|funds)|payment"),
        _words("credit balance is too low", "reached your specified API usage limits"),
        ("auth_dead", "quota", "key"),
    ),
    _Rule(  # Gemini's bad key comes with a 400
        (0, 400, 403),
        re.compile(r"api_key_invalid|(invalid|incorrect)_api_key"),
        None,
        ("auth_dead", "invalid_key", "key"),
    ),
    _Rule(  # Groq's account that was shut, for one
        (0, 400),
        re.compile(r"organi[sz]ation_restricted"),
        None,
        ("auth_dead", "forbidden", "key_model"),
    ),
    _Rule(
        range(1000),
        re.compile(
            r"model_(not_found|not_available|not_exist|does_not_exist|decommissioned|deprecated)"
            r"|(unknown|invalid|no_such)_model|deployment_?not_?found"
        ),
        None,
        ("auth_dead", "model_not_found", "model"),
    ),
    _Rule((400,), None, _words("is not a valid model ID"), ("auth_dead", "model_not_found", "model")),
    _Rule(
        (0, 400, 403, 413, 422),
        re.compile(
            r"content_(filter|policy)|responsibleaipolicy|moderation|prohibited_content"
            r"|data_inspection_failed"
        ),
        _words("flagged as potentially violating our usage policy"),
        ("request_specific", "content_filter", "nobody"),
    ),
    _Rule(  # llama.cpp's first version of it came with a 500
        (0, 400, 403, 413, 422, 500),
        re.compile(r"context_(length|window|size)|(prompt|input)_too_long|above_max_length"),
        None,
        ("request_specific", "context_length", "nobody"),
    ),
    _Rule(
        (400, 413),
        None,
        _words(
            "prompt is too long",
            "context (length|window|size)",
            "token count .{0,40}exceeds the maximum number of tokens",
        ),
        ("request_specific", "context_length", "nobody"),
    ),
    _Rule(  # llama.cpp and vLLM: the server runs without what was asked for
        (0, 501),
        re.compile(r"not_supported_error|notimplementederror"),
        None,
        ("request_specific", "unsupported", "nobody"),
    ),
    _Rule(  # Groq's flex tier
        (0, 498),
        re.compile(r"capacity_exceeded"),
        None,
        ("transient", "overloaded", "model"),
    ),
)

# Types and codes that stand for a status, for errors that come inside a 200. Anthropic's "Errors"
# page, OpenAI's "Error codes" page, and google.rpc.Code for Gemini's OpenAI face.
_AS_STATUS: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
    "bad_request": 400,
    "badrequesterror": 400,
    "invalid_prompt": 400,
    "invalid_api_key": 401,
    "incorrect_api_key": 401,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "notfounderror": 404,
    "unprocessableentityerror": 422,
    "timeout": 408,
    "rate_limit_exceeded": 429,
    "rate_limited": 429,
    "too_many_requests": 429,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "internalservererror": 500,
    "bad_gateway": 502,
    "service_unavailable": 503,
    "service_unavailable_error": 503,
    "server_is_overloaded": 503,
    "server_overloaded": 503,
    "slow_down": 503,
    "unavailable_error": 503,
    "provider_overloaded": 503,
    "provider_unavailable": 502,
    "overloaded": 503,
    "gateway_timeout": 504,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "resource_exhausted": 429,
    "internal": 500,
    "unavailable": 503,
    "deadline_exceeded": 504,
}

_FOREIGN_STATUS: Final = re.compile(r"\bHTTP(?:/\d(?:\.\d)?)?[ :]+([1-5]\d\d)\b", re.IGNORECASE)
_FOREIGN_TIMEOUT: Final = re.compile(r"Timeout(Error|Exception)?$")
_FOREIGN_CONNECTION: Final = re.compile(r"(Connect(ion)?|Network|Transport|Protocol|Read|Write)Error$")
_MAPPED_STATUSES: Final = range(100, 600)


def classify(error: BaseException, overrides: Mapping[int | str, Kind] | None = None) -> Failure:
    """What a failure means.

    Args:
        error: What a provider raised: a `Signal`, an `UpstreamError`, or anybody's exception.
        overrides: A provider's `errors:`: status or provider code → kind. It wins over the table.

    Returns:
        The failure; `unknown` for what nothing is known of.
    """
    if isinstance(error, StandbyError):
        return _of_own(error)
    if isinstance(error, Signal):
        failure = _of_signal(error)
        return _overridden(failure, error, overrides) if overrides else failure
    signal = _as_signal(error)
    if signal is None:
        return Failure("unknown", "unknown")
    return classify(signal, overrides)


def _of_own(error: StandbyError) -> Failure:
    """What an error of the engine's own means: what the last upstream error behind it meant."""
    match error:
        case UpstreamError():
            return error.failure
        case StreamInterrupted():
            return _of_own(error.cause)
        case ChainExhausted() if error.causes:
            return _of_own(error.causes[-1])
        case ConfigError() | UnknownTarget() | NoUsableModel():
            return Failure("request_specific", "bad_request", 0, "nobody")
        case _:
            return Failure("unknown", "unknown", 0, "nobody")


def said(error: BaseException) -> str:
    """An exception's words; none if it can't say them."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  (somebody else's code, which may raise anything)
        return ""


def is_transient(error: BaseException) -> bool:
    """True if another try may help: the failure is transient or unknown."""
    return classify(error).kind in ("transient", "unknown")


def judge(answer: Answer) -> Signal | None:
    """What is wrong with an answer that arrived whole, None if it is one.

    Args:
        answer: Text, tool calls and finish reason, as the provider sent them.

    Returns:
        `content_filter` where a filter left no answer, `empty` where nothing was said; the finish
        reason `length` is a success, for then the caller's limit was too small.
    """
    if answer.text or answer.tool_calls or answer.finish_reason == "length":
        return None
    if answer.finish_reason == "content_filter":
        return Signal("content_filter", "the answer was withheld", usage=answer.usage)
    return Signal("empty", "it finished normally, with neither text nor a tool call", usage=answer.usage)


def _of_signal(signal: Signal) -> Failure:
    match signal.what:
        case "status" | "error":
            return _of_answer(signal)
        case "connection" | "timeout" | "first_token_timeout" | "idle_timeout":
            return Failure("transient", signal.what)
        case "callers_timeout":
            return Failure("transient", "timeout", 0, "nobody")
        case "protocol" | "empty" | "truncated":
            return Failure("transient", signal.what, signal.status)
        case "content_filter" | "unsupported":
            return Failure("request_specific", signal.what, 0, "nobody")


def _of_answer(signal: Signal) -> Failure:
    """What an error that the provider itself sent means."""
    status = signal.status or next((_AS_STATUS[c] for c in signal.codes if c in _AS_STATUS), 0)
    kind, reason, scope = _by_rule(status, signal) or _by_status(status)
    return Failure(kind, reason, signal.status, scope, signal.retry_after_s)


def _by_rule(status: int, signal: Signal) -> _Meaning | None:
    codes = " ".join(signal.codes)
    for rule in _RULES:
        if status in rule.statuses and (
            (rule.codes and rule.codes.search(codes)) or (rule.words and rule.words.search(signal.message))
        ):
            return rule.meaning
    return None


def _by_status(status: int) -> _Meaning:
    return _BY_STATUS.get(status, ("unknown", f"http_{status}" if status else "unknown", "model"))


def _overridden(failure: Failure, signal: Signal, overrides: Mapping[int | str, Kind]) -> Failure:
    keys: tuple[int | str, ...] = (*signal.codes, signal.status)
    kind = next((overrides[key] for key in keys if key in overrides), None)
    if kind is None or kind == failure.kind:
        return failure
    if kind == "request_specific":
        return failure._replace(kind=kind, scope="nobody")
    # The table's scope belongs to the table's kind; what the operator declared is about the model,
    # unless a dead key is meant and the table, too, blamed the key.
    scope: Scope = failure.scope if kind == "auth_dead" and failure.scope != "nobody" else "model"
    return failure._replace(kind=kind, scope=scope)


def _as_signal(error: BaseException) -> Signal | None:
    """An exception that is not ours, as far as it can be understood."""
    status = _status_of(error)
    if status:
        return Signal("status", said(error), status=status)
    names = [cls.__name__ for cls in type(error).__mro__]
    if any(_FOREIGN_TIMEOUT.search(name) for name in names):
        return Signal("timeout")
    if isinstance(error, OSError) or any(_FOREIGN_CONNECTION.search(name) for name in names):
        return Signal("connection")
    return None


def _fact(holder: object, name: str) -> object:
    """An attribute of somebody else's; None if there is none, or if it can't be read."""
    try:
        return getattr(holder, name, None)
    except Exception:  # noqa: BLE001  (somebody else's code, which may raise anything)
        return None


def _status_of(error: BaseException) -> int:
    for holder in (error, _fact(error, "response")):
        for name in ("status_code", "status"):
            value = _fact(holder, name)
            if isinstance(value, int) and value in _MAPPED_STATUSES:
                return value
    found = _FOREIGN_STATUS.search(said(error))
    return int(found[1]) if found else 0
