"""What OpenRouter sends: {"error": {"code", "message", "metadata"}}, as often as not inside a 200."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.providers.error_bodies.case import (
    BAD_REQUEST,
    CONTENT_FILTER,
    GITHUB,
    INVALID_KEY,
    NO_MODEL,
    OVERLOADED,
    QUOTA,
    RATE_LIMITED,
    SERVER_ERROR,
    TIMEOUT,
    Case,
)

_ERRORS: Final = "https://openrouter.ai/docs/api/reference/errors-and-debugging"
_STREAMING: Final = "https://openrouter.ai/docs/api/reference/streaming"
_PROVIDER: Final = "Provider returned error"
_CREDITS: Final = (
    "This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only "
    "afford 27342. To increase, visit https://openrouter.ai/settings/credits and upgrade to a paid account"
)


def _error(code: int, message: str, **metadata: Any) -> dict[str, Any]:
    error = {"message": message, "code": code}
    return {"error": {**error, "metadata": metadata} if metadata else error}


CASES: Final = (
    Case(
        GITHUB + "open-webui/computer/issues/293",
        429,
        _error(
            429,
            _PROVIDER,
            raw="z-ai/glm-5.3-flash is temporarily rate-limited upstream. Please retry shortly, or add your "
            "own key to accumulate your rate limits: ...",
            provider_name="BaseTen",
            limit_source="upstream_provider_shared_pool",
            remedy_hint="Retry shortly, add your own provider key, or route to another provider",
        ),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "BerriAI/litellm/issues/8448",
        200,
        {**_error(429, _PROVIDER, raw="error code: 1015", provider_name="Kluster"), "user_id": "user_x"},
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "Gitlawb/openclaude/issues/936",
        429,
        _error(
            429,
            "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests "
            "per day",
            headers={"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0"},
        ),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "digiogithub/pando/issues/8",
        429,
        _error(429, _PROVIDER, error_type="rate_limit_exceeded"),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "Gitlawb/openclaude/issues/1125",
        402,
        {**_error(402, _CREDITS, provider_name=None), "user_id": "user_x"},
        QUOTA,
    ),
    Case(
        GITHUB + "newo-ether/Agora/issues/8",
        402,
        _error(402, _CREDITS, provider_name=None, previous_errors=[{"code": 402, "message": _CREDITS}]),
        QUOTA,
    ),
    Case(
        GITHUB + "musistudio/claude-code-router/issues/227",
        401,
        _error(401, "No auth credentials found"),
        INVALID_KEY,
    ),
    Case(GITHUB + "continuedev/continue/issues/10878", 401, _error(401, "User not found."), INVALID_KEY),
    Case(
        GITHUB + "zed-industries/zed/issues/36094",
        404,
        _error(
            404,
            "No endpoints found that support the provided 'tool_choice' value. To learn more about provider "
            "routing, visit: https://openrouter.ai/docs/provider-routing",
        ),
        NO_MODEL,
    ),
    Case(
        GITHUB + "maxnowack/anthropic-proxy/issues/4",
        400,
        {**_error(400, "google/gemini-2.0-pro-exp-02-05:free is not a valid model ID"), "user_id": "user_x"},
        NO_MODEL,
    ),
    Case(
        GITHUB + "charmbracelet/crush/issues/279",
        400,
        _error(
            400,
            _PROVIDER,
            raw=json.dumps(
                {
                    "object": "error",
                    "message": "Unexpected role 'tool' after role 'user'",
                    "type": "invalid_request_message_order",
                    "param": None,
                    "code": "3230",
                }
            ),
            provider_name="Mistral",
        ),
        BAD_REQUEST,
    ),
    Case(
        _ERRORS,
        403,
        _error(
            403,
            "Your chosen model requires moderation and your input was flagged",
            reasons=["violence"],
            flagged_input="…",
            provider_name="OpenAI",
            model_slug="openai/gpt-4o",
        ),
        CONTENT_FILTER,
    ),
    Case(_ERRORS, 408, _error(408, "Your request timed out"), TIMEOUT),
    Case(
        _ERRORS,
        502,
        _error(502, "Your chosen model is down or we received an invalid response from it"),
        SERVER_ERROR,
    ),
    Case(
        _ERRORS,
        200,
        _error(502, "Your chosen model is down or we received an invalid response from it"),
        SERVER_ERROR,
    ),
    Case(
        _ERRORS,
        503,
        _error(503, "There is no available model provider that meets your routing requirements"),
        OVERLOADED,
        {"retry-after": "30"},
        30.0,
    ),
    Case(
        _STREAMING,
        200,
        {
            "id": "cmpl-abc123",
            "object": "chat.completion.chunk",
            "created": 1234567890,
            "model": "openai/gpt-4o",
            "provider": "openai",
            "error": {"code": "server_error", "message": "Provider disconnected unexpectedly"},
            "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
        },
        SERVER_ERROR,
    ),
)
