"""What Azure OpenAI sends: OpenAI's form from the model, {"error": {"code", "message"}} from the gateway.

What its messages ask to wait is not read: one and the same limit says 2 seconds or 86400.
"""

from __future__ import annotations

from typing import Any, Final

from tests.providers.error_bodies.case import (
    BAD_REQUEST,
    CONTENT_FILTER,
    FORBIDDEN,
    GITHUB,
    INVALID_KEY,
    NO_MODEL,
    RATE_LIMITED,
    TIMEOUT,
    Case,
)


def _gateway(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _filtered(**more: Any) -> dict[str, Any]:
    message = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry. To learn more about our content filtering policies please "
        "read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766"
    )
    error = {"message": message, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
    return {"error": {**error, **more}}


def _result(**found: dict[str, Any]) -> dict[str, Any]:
    safe = {"filtered": False, "severity": "safe"}
    return {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {"hate": safe, "self_harm": safe, "sexual": safe, **found},
    }


_DENIED: Final = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
    "for an active subscription and use a correct regional API endpoint for your resource."
)

CASES: Final = (
    Case(
        GITHUB + "chatboxai/chatbox/issues/646",
        404,
        _gateway(
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment within the "
            "last 5 minutes, please wait a moment and try again.",
        ),
        NO_MODEL,
    ),
    Case(
        GITHUB + "Farzad-R/Advanced-QA-and-RAG-Series/issues/5",
        404,
        _gateway("404", "Resource not found"),
        NO_MODEL,
    ),
    Case(
        GITHUB + "compl-ai/compl-ai/issues/20",
        400,
        _filtered(innererror=_result(violence={"filtered": True, "severity": "medium"})),
        CONTENT_FILTER,
    ),
    Case(
        GITHUB + "microsoft/TinyTroupe/issues/85",
        400,
        _filtered(innererror=_result(jailbreak={"filtered": True, "detected": True})),
        CONTENT_FILTER,
    ),
    Case(GITHUB + "stanford-crfm/helm/pull/3327", 400, _filtered(), CONTENT_FILTER),
    Case(
        GITHUB + "langchain-ai/langmem/issues/13",
        400,
        _gateway(
            "OperationNotSupported",
            "The chatCompletion operation does not work with the specified model, text-embedding-3-large. "
            "Please choose different model and try again.",
        ),
        BAD_REQUEST,
    ),
    Case(GITHUB + "SciSharp/BotSharp/issues/386", 401, _gateway("401", _DENIED), INVALID_KEY),
    Case(GITHUB + "vercel/chatbot/issues/588", 401, _gateway("Unauthorized", _DENIED), INVALID_KEY),
    Case(
        GITHUB + "Azure-Samples/azure-sql-db-chatbot/issues/3",
        403,
        _gateway("403", "Access denied due to Virtual Network/Firewall rules."),
        FORBIDDEN,
        {"policy-id": "ThrowExceptionDueToTrafficDenied"},
    ),
    Case(
        GITHUB + "continuedev/continue/issues/12547",
        403,
        _gateway(
            "403",
            "A Virtual Network is configured for this resource. Please use the correct endpoint for making "
            "requests. Check https://aka.ms/cogsvc-vnet for more details.",
        ),
        FORBIDDEN,
    ),
    Case(
        GITHUB + "vanderschaarlab/climb/issues/1",
        429,
        _gateway(
            "429",
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
            "2024-08-01-preview have exceeded token rate limit of your current OpenAI S0 pricing tier. "
            "Please retry after 86400 seconds. Please go here: https://aka.ms/oai/quotaincrease if you "
            "would like to further increase the default rate limit.",
        ),
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "microsoft/copilot-camp/issues/551",
        429,
        _gateway("429", "Rate limit is exceeded. Try again in 2 seconds."),
        RATE_LIMITED,
        {"x-ratelimit-limit-tokens": "8000", "x-ratelimit-remaining-tokens": "1014"},
    ),
    Case(
        GITHUB + "icereed/paperless-gpt/issues/814",
        429,
        _gateway(
            "429",
            "Your requests to gpt-4.1-nano for gpt-4.1-nano in Sweden Central have exceeded the token rate "
            "limit for your current AIServices S0 pricing tier. This request was for "
            "ChatCompletions_Create under Azure OpenAI API version 2023-05-15. "
            "Please retry after 45 seconds.",
        ),
        RATE_LIMITED,
        {"retry-after": "45"},
        45.0,
    ),
    Case(
        GITHUB + "langgenius/dify-official-plugins/issues/2199",
        408,
        _gateway("Timeout", "The operation was timeout."),
        TIMEOUT,
    ),
)
