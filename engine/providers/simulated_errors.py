"""How the three protocols say no: statuses, headers and bodies as their providers send them. No I/O.

Shapes and words follow the providers' pages on errors: OpenAI "Error codes", Anthropic "Errors",
Ollama "Errors"; 502, 504 and 520 to 527 come from the proxies in front of them, as pages of HTML.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from engine.config.model import Protocol


class Refusal(NamedTuple):
    """An answer with a status that is no success.

    Attributes:
        status: The HTTP status.
        headers: Content type, request id and limits.
        body: JSON or HTML.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


_OPENAI: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "Invalid value for 'messages': the request could not be processed."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    402: ("insufficient_quota", "insufficient_quota", "You have used up your credits; add some to go on."),
    403: (
        "request_forbidden",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    404: (
        "invalid_request_error",
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    413: ("invalid_request_error", None, "The request is too large."),
    422: ("invalid_request_error", None, "The request was well-formed but could not be followed."),
    429: (
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for {model} on requests per min (RPM): Limit 500, Used 500, Requested 1.",
    ),
    500: (
        "server_error",
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
}
_ANTHROPIC: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "messages: the request could not be processed"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low to access the API."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: {model}"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: (
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
    ),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service temporarily unavailable"),
    504: ("timeout_error", "The request timed out while it was processed."),
    529: ("overloaded_error", "Overloaded"),
}
_OLLAMA: dict[int, str] = {
    400: "invalid options",
    401: "unauthorized",
    403: "forbidden",
    404: 'model "{model}" not found, try pulling it first',
    429: "too many concurrent requests",
    500: "llama runner process has terminated: signal: killed",
    503: "server busy, please try again.  maximum pending requests exceeded",
}

_PROXY = {502, 504, *range(520, 528)}
_PAGE = """<html>
<head><title>{title}</title></head>
<body>
<center><h1>{title}</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""
GARBAGE = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Scheduled maintenance</title></head>
<body><h1>We will be back shortly</h1><p>This site is down for scheduled maintenance.</p></body></html>
"""


def refusal(
    protocol: Protocol, status: int, *, model: str, request_id: str, retry_after: float | None = None
) -> Refusal:
    """A refusal as the protocol's provider would send it.

    Args:
        protocol: Whose words to use.
        status: The HTTP status.
        model: The model that was asked for.
        request_id: The provider's id of the request.
        retry_after: Seconds to ask the caller to wait; None for no such header.
    """
    body, content_type = _body(protocol, status, model, request_id)
    headers = {
        "content-type": content_type,
        "request-id" if protocol == "anthropic" else "x-request-id": request_id,
    }
    if retry_after is not None:
        headers["retry-after"] = str(math.ceil(retry_after))
        if retry_after != math.ceil(retry_after):
            headers["retry-after-ms"] = str(round(retry_after * 1000))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers.update(_LIMITS.get(protocol, {}))
    return Refusal(status, headers, body)


_LIMITS: dict[str, dict[str, str]] = {
    "openai": {"x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "0"},
    "anthropic": {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "0",
    },
}


def _body(protocol: Protocol, status: int, model: str, request_id: str) -> tuple[bytes, str]:
    if status in _PROXY and not (protocol == "anthropic" and status in _ANTHROPIC):
        return _PAGE.format(title=f"{status} {_phrase(status)}").encode(), "text/html"
    if protocol == "openai":
        kind, code, message = _OPENAI.get(status, (_openai_kind(status), None, _phrase(status)))
        error = {"message": message.format(model=model), "type": kind, "param": None, "code": code}
        return _json({"error": error}), "application/json"
    if protocol == "anthropic":
        kind, message = _ANTHROPIC.get(status, (_anthropic_kind(status), _phrase(status)))
        error = {"type": kind, "message": message.format(model=model)}
        return _json({"type": "error", "error": error, "request_id": request_id}), "application/json"
    message = _OLLAMA.get(status, _phrase(status).lower())
    return _json({"error": message.format(model=model)}), "application/json; charset=utf-8"


def _openai_kind(status: int) -> str:
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"


def _anthropic_kind(status: int) -> str:
    return "api_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown error"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
