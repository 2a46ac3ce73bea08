"""What vLLM sends: up to 0.10 the error stands at the top, since then under `error` as OpenAI has it."""

from __future__ import annotations

from typing import Any, Final

from tests.providers.error_bodies.case import (
    BAD_REQUEST,
    CONTEXT_LENGTH,
    GITHUB,
    INVALID_KEY,
    NO_MODEL,
    SERVER_ERROR,
    Case,
)

_VLLM: Final = GITHUB + "vllm-project/vllm/"
_SOURCE: Final = _VLLM + "blob/main/vllm/entrypoints/"


def _old(message: str, kind: str, code: int | None) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


def _new(message: str, kind: str, code: int, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


_DEAD: Final = "EngineCore encountered an issue. See stack trace (above) for the root cause."
_MODEL: Final = "The model `Qwen1.5-14B-Chat-GPTQ-Int8` does not exist."
_TOO_LONG: Final = (
    "This model's maximum context length is 2048 tokens. However, you requested 2723 tokens (1699 in the "
    "messages, 1024 in the completion). Please reduce the length of the messages or completion."
)

CASES: Final = (
    Case(_VLLM + "issues/3485", 404, _old(_MODEL, "NotFoundError", 404), NO_MODEL),
    Case(
        _SOURCE + "openai/models/serving.py",
        404,
        _new(_MODEL, "NotFoundError", 404, "model"),
        NO_MODEL,
    ),
    Case(_VLLM + "issues/5082", 404, {"detail": "Not Found"}, NO_MODEL),
    Case(_VLLM + "issues/12886", 400, _old(_TOO_LONG, "BadRequestError", 400), CONTEXT_LENGTH),
    Case(
        _VLLM + "issues/20409",
        400,
        _new(
            "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens "
            "(112946 in the messages, 10000 in the completion).",
            "BadRequestError",
            400,
        ),
        CONTEXT_LENGTH,
    ),
    Case(
        GITHUB + "opendatalab/MinerU/issues/4868",
        400,
        _new(
            "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length "
            "is 8192 tokens and your request has 1210 input tokens (8192 > 8192 - 1210).",
            "BadRequestError",
            400,
        ),
        CONTEXT_LENGTH,
    ),
    Case(
        GITHUB + "langgenius/dify-plugin-sdks/pull/74",
        200,
        _old(_TOO_LONG, "BadRequestError", 400),
        CONTEXT_LENGTH,
    ),
    Case(
        _VLLM + "issues/4667",
        400,
        _old("max_tokens must be at least 1, got -186.", "BadRequestError", 400),
        BAD_REQUEST,
    ),
    Case(
        _VLLM + "issues/1351",
        400,
        _old("max_tokens must be at least 1, got -53.", "invalid_request_error", None),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "openai/openai-agents-python/issues/2129",
        400,
        _old(
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
            "BadRequestError",
            400,
        ),
        BAD_REQUEST,
    ),
    Case(_SOURCE + "serve/middleware/authenticate.py", 401, {"error": "Unauthorized"}, INVALID_KEY),
    Case(_VLLM + "issues/24495", 500, _new(_DEAD, "Internal Server Error", 500), SERVER_ERROR),
    Case(
        _SOURCE + "serve/exception_handling/error_response.py",
        200,
        _new(_DEAD, "InternalServerError", 500),
        SERVER_ERROR,
    ),
)
