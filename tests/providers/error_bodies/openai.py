"""What OpenAI sends: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

from typing import Any, Final

from tests.providers.error_bodies.case import (
    CONTENT_FILTER,
    CONTEXT_LENGTH,
    FORBIDDEN,
    GITHUB,
    INVALID_KEY,
    NO_MODEL,
    OVERLOADED,
    QUOTA,
    RATE_LIMITED,
    SERVER_ERROR,
    Case,
)


def _error(message: str, kind: str | None, code: str | None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _tokens(message: str) -> dict[str, Any]:
    return _error(message, "tokens", "rate_limit_exceeded")


_REQUEST: Final = "invalid_request_error"
_QUOTA: Final = "You exceeded your current quota, please check your plan and billing details."
_SERVER: Final = (
    "The server had an error processing your request. Sorry about that! You can retry your request, or "
    "contact us through our help center at help.openai.com if you keep seeing this error."
)

CASES: Final = (
    Case(
        GITHUB + "ChatGPTNextWeb/NextChat/issues/3664",
        429,
        _error(_QUOTA, "insufficient_quota", "insufficient_quota"),
        QUOTA,
    ),
    Case(
        GITHUB + "ayaka14732/ChatGPTAPIFree/issues/16",
        429,
        _error(_QUOTA, "insufficient_quota", None),
        QUOTA,
    ),
    Case(
        GITHUB + "lifan0127/ai-research-assistant/issues/174",
        429,
        _error(
            "Your account is not active, please check your billing details on our website.",
            "billing_not_active",
            "billing_not_active",
        ),
        QUOTA,
    ),
    Case(
        GITHUB + "dfinke/PowerShellAI/issues/127",
        400,
        _error("Billing hard limit has been reached", _REQUEST, "billing_hard_limit_reached"),
        QUOTA,
    ),
    Case(
        GITHUB + "openai/codex/issues/88",
        429,
        _tokens(
            "Rate limit reached for o4-mini in organization org-x on tokens per min (TPM): Limit 200000, "
            "Used 162960, Requested 42288. Please try again in 1.574s."
        ),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "Pythagora-io/gpt-pilot/pull/53",
        429,
        _tokens(
            "Rate limit reached for 10KTPM-200RPM in organization org-x on tokens per min. "
            "Limit: 10000 / min. Please try again in 6ms."
        ),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "openai/openai-dotnet/issues/404",
        429,
        _tokens(
            "Rate limit reached for gpt-4o-mini in organization org-x on tokens per min (TPM): "
            "Limit 100000, Used 96749, Requested 19126. Please try again in 114h18m0s. You can increase "
            "your rate limit by adding a payment method to your account at "
            "https://platform.openai.com/account/billing."
        ),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "TheR1D/shell_gpt/issues/653",
        429,
        _tokens(
            "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, "
            "Requested 31538. The input or output tokens must be reduced in order to run successfully."
        ),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "Zero6992/chatGPT-discord-bot/issues/442",
        401,
        _error("This key is associated with a deactivated account.", _REQUEST, "account_deactivated"),
        INVALID_KEY,
    ),
    Case(
        "https://platform.openai.com/docs/guides/error-codes",
        401,
        _error("Incorrect API key provided: sk-x***x.", _REQUEST, "invalid_api_key"),
        INVALID_KEY,
    ),
    Case(
        GITHUB + "home-assistant/core/issues/120072",
        403,
        _error(
            "Country, region, or territory not supported",
            "request_forbidden",
            "unsupported_country_region_territory",
        ),
        FORBIDDEN,
    ),
    Case(
        GITHUB + "cursor/cursor/issues/2953",
        403,
        _error("Project `proj_x` does not have access to model `gpt-4o-mini`", _REQUEST, "model_not_found"),
        NO_MODEL,
    ),
    Case(
        GITHUB + "abi/screenshot-to-code/issues/459",
        404,
        _error(
            "The model `gpt-4o-2024-11-20` does not exist or you do not have access to it.",
            _REQUEST,
            "model_not_found",
        ),
        NO_MODEL,
    ),
    Case(
        GITHUB + "skorokithakis/sysaidmin/issues/9",
        400,
        _error(
            "The requested model 'gpt-4-1106-preview' does not exist.", _REQUEST, "model_not_found", "model"
        ),
        NO_MODEL,
    ),
    Case(
        GITHUB + "chathub-dev/chathub/issues/126",
        400,
        _error(
            "This model's maximum context length is 4097 tokens. However, your messages resulted in 4294 "
            "tokens. Please reduce the length of the messages.",
            _REQUEST,
            "context_length_exceeded",
            "messages",
        ),
        CONTEXT_LENGTH,
    ),
    Case(
        GITHUB + "BeehiveInnovations/pal-mcp-server/issues/178",
        400,
        _error(
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try "
            "again with a different prompt: "
            "https://platform.openai.com/docs/guides/reasoning#advice-on-prompting",
            _REQUEST,
            "invalid_prompt",
        ),
        CONTENT_FILTER,
        {"x-ratelimit-remaining-requests": "9999", "x-ratelimit-reset-requests": "6ms"},
    ),
    Case(
        GITHUB + "ai-genie/chatgpt-vscode/issues/100",
        500,
        _error(_SERVER, "server_error", None),
        SERVER_ERROR,
    ),
    Case(
        GITHUB + "anomalyco/opencode/issues/23944",
        200,
        {
            "type": "error",
            "sequence_number": 2,
            **_error("An error occurred while processing your request.", "server_error", "server_error"),
        },
        SERVER_ERROR,
    ),
    Case(
        GITHUB + "openai/codex/issues/43337",
        200,
        {
            "type": "error",
            "sequence_number": 2,
            **_error(
                "Our servers are currently overloaded. Please try again later.",
                "service_unavailable_error",
                "server_is_overloaded",
            ),
        },
        OVERLOADED,
    ),
)
