"""What Ollama sends: {"error": "words"}, also as a line of a stream. It has no codes; the status counts."""

from __future__ import annotations

from typing import Final

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
    UNKNOWN,
    Case,
)

_ERRORS: Final = "https://docs.ollama.com/api/errors"
_SERVER: Final = GITHUB + "ollama/ollama/blob/main/server/"
_CONTINUE: Final = GITHUB + "continuedev/continue/issues/"

CASES: Final = (
    Case(_SERVER + "routes.go", 404, {"error": "model 'llama3.2' not found"}, NO_MODEL),
    Case(_SERVER + "routes.go", 404, {"error": 'model "llama3.2" not found, try pulling it first'}, NO_MODEL),
    Case(_SERVER + "routes.go", 400, {"error": "missing request body"}, BAD_REQUEST),
    Case(_SERVER + "routes_generate_test.go", 400, {"error": '"bert" does not support chat'}, BAD_REQUEST),
    Case(
        _SERVER + "routes_generate_test.go", 400, {"error": '"test" does not support thinking'}, BAD_REQUEST
    ),
    Case(
        _SERVER + "images.go",
        400,
        {"error": "registry.ollama.ai/library/test:latest does not support tools"},
        BAD_REQUEST,
    ),
    Case(
        GITHUB + "ollama/ollama/blob/main/llm/llama_server.go",
        400,
        {
            "error": "the prompt is longer than the context length currently available to the model; shorten "
            "the prompt, adjust the context length in settings, or use a model with a longer context length"
        },
        CONTEXT_LENGTH,
    ),
    Case(
        _SERVER + "cloud_proxy.go",
        401,
        {"error": "unauthorized", "signin_url": "https://ollama.com/connect?name=host&key=x"},
        INVALID_KEY,
    ),
    Case(
        GITHUB + "ollama/ollama/blob/main/internal/cloud/policy.go",
        403,
        {"error": "ollama cloud is disabled: remote model is unavailable"},
        FORBIDDEN,
    ),
    Case(
        _CONTINUE + "9233",
        429,
        {"error": "you've reached your hourly usage limit, please wait or upgrade to continue"},
        RATE_LIMITED,
    ),
    Case(
        _CONTINUE + "11444",
        429,
        {
            "error": "you (x) have reached your session usage limit, upgrade for higher limits: "
            "https://ollama.com/upgrade"
        },
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "ollama/ollama/blob/main/api/client_test.go",
        429,
        {"error": "rate limit exceeded"},
        RATE_LIMITED,
    ),
    Case(
        GITHUB + "yuntianhe2014/Easy-RAG/issues/9",
        500,
        {"error": "model requires more system memory (3.7 GiB) than is available (3.6 GiB)"},
        SERVER_ERROR,
    ),
    Case(
        _CONTINUE + "12713",
        500,
        {"error": "llama-server process has terminated: exit status 1: error loading model"},
        SERVER_ERROR,
    ),
    Case(_ERRORS, 500, {"error": "the model failed to generate a response"}, SERVER_ERROR),
    Case(
        _SERVER + "sched.go",
        503,
        {"error": "server busy, please try again.  maximum pending requests exceeded"},
        OVERLOADED,
    ),
    Case(_SERVER + "routes.go", 499, {"error": "request canceled"}, ("unknown", "http_499", "model")),
    Case(_ERRORS, 200, {"error": "an error was encountered while running the model"}, UNKNOWN),
)
