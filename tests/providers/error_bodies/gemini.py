"""What Gemini sends on its OpenAI face as on its own: a google.rpc.Status, bare or alone in a list."""

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
    RATE_LIMITED,
    SERVER_ERROR,
    TIMEOUT,
    Case,
)

_CLI: Final = GITHUB + "google-gemini/gemini-cli/issues/"
_CONTINUE: Final = GITHUB + "continuedev/continue/issues/"
_TROUBLE: Final = "https://ai.google.dev/gemini-api/docs/troubleshooting"
_RPC: Final = "type.googleapis.com/google.rpc."


def _error(code: int, message: str, status: str, *details: dict[str, Any], **more: Any) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message, **more, "status": status}
    return {"error": {**error, "details": list(details)} if details else error}


def _info(reason: str, domain: str) -> dict[str, Any]:
    return {"@type": _RPC + "ErrorInfo", "reason": reason, "domain": domain}


def _retry(delay: str) -> dict[str, Any]:
    return {"@type": _RPC + "RetryInfo", "retryDelay": delay}


_QUOTA: Final = (
    "You exceeded your current quota, please check your plan and billing details. For more information on "
    "this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
_VIOLATION: Final = {
    "@type": _RPC + "QuotaFailure",
    "violations": [
        {
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "quotaDimensions": {"location": "global", "model": "gemini-2.5-flash-preview-image"},
        }
    ],
}
_TOO_LONG: Final = "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."
_DENIED: Final = "The caller does not have permission"

CASES: Final = (
    Case(
        GITHUB + "googleapis/python-genai/pull/2114",
        429,
        _error(
            429,
            _QUOTA + " Please retry in 58.934310785s.",
            "RESOURCE_EXHAUSTED",
            _VIOLATION,
            _retry("58s"),
        ),
        RATE_LIMITED,
        retry_after_s=58.0,
    ),
    Case(
        _CLI + "8437",
        429,
        _error(
            429,
            _QUOTA,
            "RESOURCE_EXHAUSTED",
            _VIOLATION,
            {"@type": _RPC + "Help", "links": [{"description": "Learn more about Gemini API quotas"}]},
        ),
        RATE_LIMITED,
    ),
    Case(
        _CONTINUE + "10560",
        429,
        _error(429, "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"),
        RATE_LIMITED,
    ),
    Case(
        _CLI + "27548",
        429,
        [
            _error(
                429,
                "No capacity available for model gemini-3.1-flash-lite on the server",
                "RESOURCE_EXHAUSTED",
                _info("MODEL_CAPACITY_EXHAUSTED", "cloudcode-pa.googleapis.com"),
                errors=[
                    {
                        "message": "No capacity available for model gemini-3.1-flash-lite on the server",
                        "domain": "global",
                        "reason": "rateLimitExceeded",
                    }
                ],
            )
        ],
        RATE_LIMITED,
    ),
    Case(
        _CONTINUE + "10748",
        400,
        _error(
            400,
            "API key not valid. Please pass a valid API key.",
            "INVALID_ARGUMENT",
            _info("API_KEY_INVALID", "googleapis.com"),
            {
                "@type": _RPC + "LocalizedMessage",
                "locale": "en-US",
                "message": "API key not valid. Please pass a valid API key.",
            },
        ),
        INVALID_KEY,
    ),
    Case(
        _CONTINUE + "11541",
        403,
        _error(403, "Your API key was reported as leaked. Please use another API key.", "PERMISSION_DENIED"),
        FORBIDDEN,
    ),
    Case(
        _CLI + "25607",
        403,
        [
            _error(
                403,
                _DENIED,
                "PERMISSION_DENIED",
                errors=[{"message": _DENIED, "domain": "global", "reason": "forbidden"}],
            )
        ],
        FORBIDDEN,
    ),
    Case(
        GITHUB + "poenl/gemini-api/issues/8",
        403,
        _error(403, "Your project has been denied access. Please contact support.", "PERMISSION_DENIED"),
        FORBIDDEN,
    ),
    Case(
        _CONTINUE + "9939",
        404,
        _error(
            404,
            "models/gemini-pro is not found for API version v1beta, or is not supported for "
            "generateContent. Call ListModels to see the list of available models and their supported "
            "methods.",
            "NOT_FOUND",
        ),
        NO_MODEL,
    ),
    Case(
        _CLI + "24641",
        400,
        _error(400, "User location is not supported for the API use.", "FAILED_PRECONDITION"),
        BAD_REQUEST,
    ),
    Case(
        _CLI + "6678",
        400,
        [
            _error(
                400,
                _TOO_LONG,
                "INVALID_ARGUMENT",
                errors=[{"message": _TOO_LONG, "domain": "global", "reason": "badRequest"}],
            )
        ],
        CONTEXT_LENGTH,
    ),
    Case(
        _CLI + "5191",
        503,
        _error(503, "The model is overloaded. Please try again later.", "UNAVAILABLE"),
        OVERLOADED,
    ),
    Case(
        _CLI + "23520",
        503,
        _error(
            503,
            "No capacity available for model on the server",
            "UNAVAILABLE",
            _info("MODEL_CAPACITY_EXHAUSTED", "cloudcode-pa.googleapis.com"),
        ),
        OVERLOADED,
    ),
    Case(
        GITHUB + "badrisnarayanan/antigravity-claude-proxy/issues/197",
        503,
        _error(
            503,
            "No capacity available for model gemini-3-pro-high on the server",
            "UNAVAILABLE",
            _info("MODEL_CAPACITY_EXHAUSTED", "cloudcode-pa.googleapis.com"),
            _retry("40s"),
        ),
        OVERLOADED,
        retry_after_s=40.0,
    ),
    Case(
        _TROUBLE, 500, _error(500, "An unexpected error occurred on Google's side.", "INTERNAL"), SERVER_ERROR
    ),
    Case(
        _TROUBLE,
        504,
        _error(504, "The service is unable to finish processing within the deadline.", "DEADLINE_EXCEEDED"),
        TIMEOUT,
    ),
    Case(
        _CLI + "27665",
        200,
        [_error(429, "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED")],
        RATE_LIMITED,
    ),
)
