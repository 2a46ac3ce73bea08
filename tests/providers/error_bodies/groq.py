"""What Groq sends: OpenAI's form, without `param`."""

from __future__ import annotations

from typing import Any, Final

from tests.providers.error_bodies.case import (
    BAD_REQUEST,
    FORBIDDEN,
    GITHUB,
    INVALID_KEY,
    NO_MODEL,
    OVERLOADED,
    RATE_LIMITED,
    TOO_LARGE,
    Case,
)

_ERRORS: Final = "https://console.groq.com/docs/errors"
_REQUEST: Final = "invalid_request_error"


def _error(message: str, kind: str, code: str = "", **more: Any) -> dict[str, Any]:
    error = {"message": message, "type": kind, **({"code": code} if code else {}), **more}
    return {"error": error}


def _tokens(message: str) -> dict[str, Any]:
    return _error(message, "tokens", "rate_limit_exceeded")


_TOOL: Final = (
    "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details."
)

CASES: Final = (
    Case(
        _ERRORS,
        400,
        _error("String - description of the specific error", _REQUEST),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "groq/groq-typescript/issues/28",
        400,
        _error(_TOOL, _REQUEST, "tool_use_failed", failed_generation='```\n{\n  "tool_calls'),
        BAD_REQUEST,
        {"x-ratelimit-limit-tokens": "6000", "x-ratelimit-reset-tokens": "1.57s"},
    ),
    Case(
        GITHUB + "anomalyco/opencode/issues/1018",  # an event named error, in a stream
        200,
        _error(
            _TOOL,
            _REQUEST,
            "tool_use_failed",
            failed_generation="Tool use failed: JSON does not match the expected schema for tool calls",
            status_code=400,
        ),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "HunorLaczko/ha-groq-cloud-api/issues/20",
        400,
        _error(
            "tool call validation failed: parameters for tool HassTurnOff did not match schema: errors: "
            "[`/domain`: expected array, but got string]",
            _REQUEST,
            "tool_use_failed",
            param="",
        ),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "build-with-groq/g1/pull/23",
        400,
        _error(
            "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
            _REQUEST,
            "json_validate_failed",
            failed_generation='```json\n{\n   "title": "',
        ),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "ServiceStack/llms/issues/17",
        400,
        _error(
            "'messages.0' : for 'role:user' the following must be satisfied[('messages.0' : property "
            "'timestamp' is unsupported)]",
            _REQUEST,
        ),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "songquanpeng/one-api/issues/1764",
        400,
        _error(
            "Organization has been restricted. Please reach out to support if you believe this was in error.",
            _REQUEST,
            "organization_restricted",
        ),
        FORBIDDEN,
    ),
    Case(
        "https://console.groq.com/docs/deprecations",
        400,
        _error(
            "The model `llama-3.1-70b-versatile` has been decommissioned and is no longer supported. Please "
            "refer to https://console.groq.com/docs/deprecations for a recommendation on which model to use "
            "instead.",
            _REQUEST,
            "model_decommissioned",
        ),
        NO_MODEL,
    ),
    Case(
        GITHUB + "continuedev/continue/issues/10832",
        404,
        _error(
            "The model `llama3.1-405b` does not exist or you do not have access to it.",
            _REQUEST,
            "model_not_found",
        ),
        NO_MODEL,
    ),
    Case(
        GITHUB + "continuedev/continue/issues/11714",
        401,
        _error("Invalid API Key", _REQUEST, "invalid_api_key"),
        INVALID_KEY,
    ),
    Case(
        GITHUB + "danielmiessler/Fabric/issues/364",
        429,
        _tokens(
            "Rate limit reached for model `llama3-70b-8192` in organization `org_x` on tokens per minute "
            "(TPM): Limit 7000, Used 0, Requested ~12903. Please try again in 50.597142857s. Visit "
            "https://console.groq.com/docs/rate-limits for more information."
        ),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "continuedev/continue/issues/10920",
        429,
        _tokens(
            "Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_x` service tier "
            "`on_demand` on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again "
            "in 9m38.016s. Need more tokens? Upgrade to Dev Tier today at "
            "https://console.groq.com/settings/billing"
        ),
        RATE_LIMITED,
    ),
    Case(
        "https://console.groq.com/docs/rate-limits",
        429,
        _tokens(
            "Rate limit reached for model `llama-3.1-8b-instant` in organization `org_x` service tier "
            "`on_demand` on tokens per minute (TPM): Limit 6000, Used 5034, Requested 1443. "
            "Please try again in 7.66s."
        ),
        RATE_LIMITED,
        {"retry-after": "2", "x-ratelimit-reset-tokens": "7.66s", "x-ratelimit-reset-requests": "2m59.56s"},
        2.0,
    ),
    Case(
        GITHUB + "HunorLaczko/ha-groq-cloud-api/issues/27",
        413,
        _tokens(
            "Request too large for model llama-3.1-8b-instant in organization org_x service tier on_demand "
            "on tokens per minute (TPM): Limit 6000, Requested 12328, please reduce your message size and "
            "try again."
        ),
        TOO_LARGE,
    ),
    Case(
        "https://console.groq.com/docs/flex-processing",
        498,
        {"error": {"message": "Flex Tier Capacity Exceeded", "code": "capacity_exceeded"}},
        OVERLOADED,
    ),
    Case(
        GITHUB + "lobehub/lobehub/issues/2143",  # the page of a proxy before it
        403,
        "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head></html>",
        FORBIDDEN,
    ),
)
