"""What Mistral sends: {"object": "error", "message", "type", "param", "code"}, and what stands before it."""

from __future__ import annotations

from typing import Any, Final

from tests.providers.error_bodies.case import (
    BAD_REQUEST,
    GITHUB,
    INVALID_KEY,
    NO_MODEL,
    OVERLOADED,
    RATE_LIMITED,
    Case,
)


def _error(message: Any, kind: str, code: Any, **more: Any) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code, **more}


def _extra(*place: str | int, **more: Any) -> dict[str, Any]:
    return {
        "type": "extra_forbidden",
        "loc": ["body", *place],
        "msg": "Extra inputs are not permitted",
        **more,
    }


_REQUEST: Final = "invalid_request_error"
_CAPACITY: Final = "Service tier capacity exceeded for this model."

CASES: Final = (
    Case(
        GITHUB + "cline/cline/issues/9085",
        429,
        _error("Rate limit exceeded", "rate_limited", "1300"),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "raycast/extensions/issues/31107",
        429,
        _error("Rate limit exceeded", "rate_limited", "1300", raw_status_code=429),
        RATE_LIMITED,
    ),
    Case(GITHUB + "continuedev/continue/issues/6185", 429, _error(_CAPACITY, _REQUEST, None), RATE_LIMITED),
    Case(
        GITHUB + "BerriAI/litellm/pull/25078",
        429,
        _error(_CAPACITY, "service_tier_capacity_exceeded", "3505"),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "BerriAI/litellm/pull/25078",
        503,
        _error(_CAPACITY, "service_tier_capacity_exceeded", "3505"),
        OVERLOADED,
    ),
    Case(GITHUB + "agent0ai/agent-zero/issues/539", 401, {"detail": "Unauthorized"}, INVALID_KEY),
    Case(
        GITHUB + "cline/cline/issues/1734",
        401,
        {"message": "Unauthorized", "request_id": "c61f2f15"},
        INVALID_KEY,
    ),
    Case(
        GITHUB + "micronaut-projects/micronaut-langchain4j",  # MistralAiSuite.java
        400,
        _error("Invalid model: mistral-tiny", "invalid_model", "1500"),
        NO_MODEL,
    ),
    Case(
        GITHUB + "datapizza-labs/datapizza-ai/issues/98",
        400,
        _error("Unexpected role 'user' after role 'tool'", "invalid_request_message_order", "3230"),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "NEKOparapa/AiNiee/issues/641",
        400,
        _error(
            "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
            _REQUEST,
            None,
        ),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "Mobile-Artificial-Intelligence/maid/issues/672",
        400,
        _error("Assistant message must have either content or tool_calls, but not both.", _REQUEST, None),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "Gage-Technologies/mistral-go/pull/2",
        422,
        _error(
            {
                "detail": [
                    _extra("messages", 0, "user", "name", input=""),
                    _extra("messages", 0, "user", "tool_calls", input=None),
                ]
            },
            _REQUEST,
            None,
        ),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "editor-code-assistant/eca/issues/231",
        422,
        _error({"detail": [_extra("max_completion_tokens", input=32000)]}, _REQUEST, None),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "Gitlawb/openclaude/issues/739",
        422,
        {"detail": [_extra("store", input=False), _extra("max_completion_tokens", input=8192)]},
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "partITech/php-mistral/issues/76",
        422,
        {
            "object": "Error",
            "detail": [_extra("tools", input=[])],
            "message": [_extra("tools", input=[])],
            "type": _REQUEST,
            "code": 3001,
        },
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "mistralai/platform-docs-public/issues/7",
        422,
        _error(
            '{"detail":[{"type":"extra_forbidden","loc":["body","frequency_penalty"],'
            '"msg":"Extra inputs are not permitted","input":0.0}]}',
            "internal_error_proxy",
            "1000",
        ),
        BAD_REQUEST,
    ),
)
