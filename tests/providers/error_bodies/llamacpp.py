"""What llama.cpp's server sends: {"error": {"code", "message", "type"}}."""

from __future__ import annotations

from typing import Any, Final

from tests.providers.error_bodies.case import (
    BAD_REQUEST,
    CONTEXT_LENGTH,
    GITHUB,
    INVALID_KEY,
    OVERLOADED,
    SERVER_ERROR,
    UNSUPPORTED,
    Case,
)

_LLAMA: Final = GITHUB + "ggml-org/llama.cpp/"
_README: Final = _LLAMA + "blob/master/tools/server/README.md"
_OLLAMA_TEST: Final = GITHUB + "ollama/ollama/blob/main/llm/llama_server_test.go"


def _error(code: int, message: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "type": kind, **more}}


_TOO_LONG: Final = (
    "the request exceeds the available context size. try increasing the context size or enable context shift"
)

CASES: Final = (
    Case(
        GITHUB + "mostlygeek/llama-swap/issues/146",
        503,
        _error(503, "Loading model", "unavailable_error"),
        OVERLOADED,
    ),
    Case(_LLAMA + "pull/14352", 401, _error(401, "Invalid API Key", "authentication_error"), INVALID_KEY),
    Case(
        _LLAMA + "issues/24144",
        400,
        _error(400, "Failed to parse grammar", "invalid_request_error"),
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "NousResearch/hermes-agent/pull/71279",
        400,
        _error(400, "Failed to initialize samplers: failed to parse grammar", "invalid_request_error"),
        BAD_REQUEST,
    ),
    Case(
        _README,
        501,
        _error(501, "This server does not support metrics endpoint.", "not_supported_error"),
        UNSUPPORTED,
    ),
    Case(
        GITHUB + "oobabooga/textgen/issues/7257",
        200,
        _error(400, _TOO_LONG, "exceed_context_size_error", n_prompt_tokens=14429, n_ctx=8192),
        CONTEXT_LENGTH,
    ),
    Case(
        _LLAMA + "pull/15780",
        500,
        _error(500, _TOO_LONG, "exceed_context_size_error", n_prompt_tokens=1407, n_ctx=256),
        CONTEXT_LENGTH,
    ),
    Case(
        _OLLAMA_TEST,
        400,
        {
            "error": {
                "message": "request (302 tokens) exceeds the available context size (256 tokens), "
                "try increasing it"
            }
        },
        CONTEXT_LENGTH,
    ),
    Case(
        _OLLAMA_TEST,
        500,
        {
            "error": {
                "code": 500,
                "message": "input (103 tokens) is too large to process. increase the physical batch size "
                "(current batch size: 30)",
            }
        },
        SERVER_ERROR,
    ),
    Case(
        _LLAMA + "issues/15377",
        500,
        _error(
            500,
            "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
            "server_error",
        ),
        SERVER_ERROR,
    ),
    Case(
        _LLAMA + "issues/12947",
        500,
        _error(
            500,
            'Failed to parse messages: Unsupported content part type: "image_url"; messages = [\n  {\n',
            "server_error",
        ),
        SERVER_ERROR,
    ),
)
