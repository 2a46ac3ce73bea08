"""What Anthropic sends: {"type": "error", "error": {"type", "message"}, "request_id"}."""

from __future__ import annotations

from typing import Any, Final

from tests.providers.error_bodies.case import (
    BAD_REQUEST,
    CONTEXT_LENGTH,
    FORBIDDEN,
    GITHUB,
    INVALID_KEY,
    NO_MODEL,
    OVERLOADED,
    QUOTA,
    RATE_LIMITED,
    SERVER_ERROR,
    TIMEOUT,
    TOO_LARGE,
    Case,
)

_ERRORS: Final = "https://platform.claude.com/docs/en/api/errors"
_STREAMING: Final = "https://platform.claude.com/docs/en/build-with-claude/streaming"
_ISSUES: Final = GITHUB + "anthropics/claude-code/issues/"


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_x"}


_LIMIT: Final = (
    "This request would exceed the rate limit for your organization (x) of 20,000 input tokens per minute. "
    "For details, refer to: https://docs.anthropic.com/en/api/rate-limits. You can see the response headers "
    "for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later."
)

CASES: Final = (
    Case(
        GITHUB + "ITSpecialist111/ai_automation_suggester/issues/153",
        401,
        _error("authentication_error", "invalid x-api-key"),
        INVALID_KEY,
    ),
    Case(
        _ISSUES + "79249",
        401,
        _error("authentication_error", "Invalid authentication credentials"),
        INVALID_KEY,
    ),
    Case(_ISSUES + "51610", 403, _error("permission_error", "Permission denied"), FORBIDDEN),
    Case(
        GITHUB + "enricoros/big-AGI/issues/176",
        403,
        {"error": {"type": "forbidden", "message": "Request not allowed"}},
        FORBIDDEN,
    ),
    Case(_ERRORS, 404, _error("not_found_error", "The requested resource could not be found."), NO_MODEL),
    Case(
        _ISSUES + "14567",
        413,
        {"error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}},
        TOO_LARGE,
    ),
    Case(GITHUB + "Trae-AI/TRAE/issues/625", 429, _error("rate_limit_error", _LIMIT), RATE_LIMITED),
    Case(
        "https://platform.claude.com/docs/en/api/rate-limits",
        429,
        _error("rate_limit_error", _LIMIT),
        RATE_LIMITED,
        {"retry-after": "17", "anthropic-ratelimit-requests-reset": "2026-03-01T12:00:17Z"},
        17.0,
    ),
    Case(
        _ISSUES + "59993",
        429,
        _error(
            "rate_limit_error", "This request would exceed your account's rate limit. Please try again later."
        ),
        RATE_LIMITED,
    ),
    Case(
        _ISSUES + "29584",
        429,
        _error("rate_limit_error", "Extra usage is required for long context requests."),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "FoundationAgents/OpenManus/issues/746",  # its face in OpenAI's form
        429,
        {
            "error": {
                "code": "rate_limit_error",
                "message": _LIMIT,
                "type": "invalid_request_error",
                "param": None,
            }
        },
        RATE_LIMITED,
    ),
    Case(_ISSUES + "28588", 500, _error("api_error", "Internal server error"), SERVER_ERROR),
    Case(
        GITHUB + "anthropics/anthropic-sdk-typescript/issues/616",
        529,
        _error("overloaded_error", "Overloaded"),
        OVERLOADED,
        {"x-should-retry": "true"},
    ),
    Case(
        _ISSUES + "66314",
        400,
        _error(
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. "
            "Please go to Plans & Billing to upgrade or purchase credits.",
        ),
        QUOTA,
    ),
    Case(
        _ISSUES + "38035",
        400,
        _error(
            "invalid_request_error",
            "You have reached your specified API usage limits. "
            "You will regain access on 2026-04-01 at 00:00 UTC.",
        ),
        QUOTA,
    ),
    Case(
        _ISSUES + "11281",
        400,
        _error("invalid_request_error", "prompt is too long: 201130 tokens > 200000 maximum"),
        CONTEXT_LENGTH,
    ),
    Case(
        _ERRORS,
        400,
        _error("invalid_request_error", "There was an issue with the format or content of your request."),
        BAD_REQUEST,
    ),
    Case(
        _ERRORS,
        402,
        _error("billing_error", "There's an issue with your billing or payment information."),
        QUOTA,
    ),
    Case(_ERRORS, 504, _error("timeout_error", "The request timed out while processing."), TIMEOUT),
    Case(
        _STREAMING,
        200,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        OVERLOADED,
    ),
    Case(_ERRORS, 200, _error("api_error", "Internal server error"), SERVER_ERROR),
    Case(_ERRORS, 200, _error("rate_limit_error", _LIMIT), RATE_LIMITED),
    Case(_ERRORS, 200, _error("billing_error", "There's an issue with your billing."), QUOTA),
    Case(_ERRORS, 200, _error("timeout_error", "The request timed out while processing."), TIMEOUT),
)
