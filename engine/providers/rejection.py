"""What providers say when they refuse: status, headers and body → one signal. Pure, and never raises.

There is no standard for the body of an error. Understood are OpenAI's form and what others made of it
(Azure, Groq, vLLM, llama.cpp, OpenRouter, Gemini's OpenAI face), Anthropic's, Ollama's, Mistral's,
FastAPI's, and the pages of proxies. Whatever else comes is shown as the words it holds.
"""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from engine.messages import whole_text
from engine.providers.base import Signal
from engine.providers.payload import record

_Json = Mapping[str, Any]

_DEEPEST: Final = 4
_LONGEST_CODE: Final = 80
_LARGEST_CODE: Final = 10**9
_LONGEST_MESSAGE: Final = 2000
_LONGEST_PAGE: Final = 16 * 1024
_STATUSES: Final = range(400, 600)

_NUMBER: Final = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)
_ONE_WORD: Final = re.compile(r"[\w.:-]+", re.ASCII)
_TAG: Final = re.compile(r"<[^<>]*>")

# Where the words, the codes and the status stand, the most telling first.
_MESSAGES: Final = ("message", "msg", "detail", "details", "error_description", "description", "error_msg",
                    "error_message", "errorMessage", "status_msg", "title", "error")  # fmt: skip
_CODES: Final = ("code", "innererror", "type", "status", "error_type", "error_code", "__type")
_NUMBERS: Final = ("code", "status", "status_code", "statusCode")

# An `object` or `type` of "error" says no more than that it is one.
_NO_CODES: Final = frozenset({"", "error", "none", "null"})

# Keys of answers in the three protocols; a body that has one is not judged by its other keys.
_ANSWER: Final = ("choices", "content", "done", "candidates", "delta")


def rejected(status: int, headers: Mapping[str, str], body: bytes, now: float | None = None) -> Signal:
    """An answer whose status is no success.

    Args:
        status: The HTTP status.
        headers: With names in lower case.
        body: The first bytes of the body, which may be anything.
        now: Seconds since the epoch, for dates in `Retry-After`; None reads the clock.

    Returns:
        A signal `status`, with the provider's words, its codes, and how long it asks to wait.
    """
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        decoded = None
    layers = _layers(decoded)
    wait = retry_after(headers, time.time() if now is None else now)
    message = _message(layers) or page_text(body)
    if status in range(300, 400):
        message = _redirection(headers.get("location", "")) or message
    return Signal(
        "status",
        message,
        status=status,
        codes=_codes(layers),
        retry_after_s=wait if wait is not None else _retry_delay(layers),
    )


def answer_in(body: Any) -> _Json:
    """A whole answer, as far as it is one.

    Args:
        body: The decoded body of a 200.

    Raises:
        Signal: `error` for an error inside it, `protocol` for what is no object.
    """
    answer = record(body, "the answer")
    if signal := error_in(answer):
        raise signal
    return answer


def error_in(body: Any) -> Signal | None:
    """An error inside a 200, or in an event of a stream.

    Args:
        body: Decoded JSON.

    Returns:
        A signal `error` if the JSON is an error object, with the status that it names, if any; None if not.
    """
    layers = _layers(body)
    if not layers or not _is_error(layers[-1]):
        return None
    return Signal(
        "error",
        _message(layers),
        status=next(_statuses(layers), 0),
        codes=_codes(layers),
        retry_after_s=_retry_delay(layers),
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """How long the provider asks to wait.

    Read are `retry-after-ms`, as OpenAI and Azure send it, and `retry-after` (RFC 9110, 10.2.3) in
    seconds, whole or fraction, or as a date.

    Args:
        headers: With names in lower case.
        now: Seconds since the epoch.

    Returns:
        Seconds, more than 0; None where nothing is asked, or nothing that can be read.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if _NUMBER.fullmatch(text):
            seconds = float(text) * unit
        elif name == "retry-after" and text:
            seconds = _until_date(text, now)
        else:
            continue
        if 0 < seconds < float("inf"):
            return seconds
    return None


def page_text(body: bytes) -> str:
    """The words of a body that is not JSON: a page's title or heading, else its first text."""
    head = body[:_LONGEST_PAGE]
    low = head.lower()
    for tag in (b"title", b"h1"):
        opened = low.find(b"<" + tag)
        start, end = low.find(b">", opened) + 1, low.find(b"</" + tag, opened)
        if 0 <= opened < start < end:
            head = head[start:end]
            break
    return _words(html.unescape(_TAG.sub(" ", head.decode("utf-8", "replace"))))


def _until_date(text: str, now: float) -> float:
    try:
        date = parsedate_to_datetime(text)
        # A date in "-0000", which says no zone, would otherwise be taken for local time.
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _redirection(location: str) -> str:
    """Where a redirect leads, without its query, which may hold anything."""
    try:
        url = urlsplit(location)
        place = f"{url.scheme}://{url.hostname}{url.path}" if url.hostname else url.path
    except ValueError:
        return ""
    return (
        f"redirects to {place}; redirects are not followed, base_url must name the place itself"
        if place
        else ""
    )


def _layers(body: Any) -> list[_Json]:
    """The objects an error is wrapped in, the innermost first."""
    layers: list[_Json] = []
    for _ in range(2 * _DEEPEST):
        if isinstance(body, list):
            body = next((item for item in body[:1] if isinstance(item, dict)), None)
        elif isinstance(body, dict):
            layers.insert(0, body)
            body = body.get("error") or body.get("errors")
        else:
            break
    return layers


def _is_error(body: _Json) -> bool:
    error = body.get("error")
    if isinstance(error, dict):
        error = any(error.values())
    if error or body.get("type") == "error" or body.get("object") == "error":
        return True
    if any(key in body for key in _ANSWER):
        return False
    if body.get("errors") and body.get("success") is False:
        return True
    if isinstance(body.get("message"), str) and isinstance(body.get("code"), str):
        return True
    return "detail" in body or next(_statuses([body]), None) is not None


def _statuses(layers: list[_Json]) -> Iterator[int]:
    for layer in layers:
        for name in _NUMBERS:
            status = _status(layer.get(name))
            if status:
                yield status


def _status(value: Any) -> int:
    if isinstance(value, str) and len(value) == 3 and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and value in _STATUSES else 0


def _codes(layers: list[_Json]) -> tuple[str, ...]:
    found: dict[str, None] = {}  # a set that keeps the order
    for layer in layers:
        for value in (*_reasons(layer), *_layer_codes(layer, _DEEPEST)):
            code = _words(value).lower()
            if len(code) <= _LONGEST_CODE and code not in _NO_CODES and not _status(code):
                found[code] = None
    return tuple(found)


def _layer_codes(layer: _Json, depth: int) -> Iterator[str]:
    for name in _CODES:
        value = layer.get(name)
        if name == "innererror":  # Azure nests what the code means in detail
            if isinstance(value, dict) and depth:
                yield from _layer_codes(value, depth - 1)
        elif isinstance(value, str):
            yield value
        elif isinstance(value, int) and 1 < value < _LARGEST_CODE:
            yield str(value)
    error = layer.get("error")
    if isinstance(error, str) and _ONE_WORD.fullmatch(error):
        yield error
    metadata = layer.get("metadata")
    if isinstance(metadata, dict):  # OpenRouter's
        if metadata.get("flagged_input"):
            yield "moderation"  # a 403 that means the prompt, not the key
        if isinstance(metadata.get("error_type"), str):
            yield metadata["error_type"]


def _reasons(layer: _Json) -> Iterator[str]:
    """Google's reason for an error, which tells a bad key from a bad request: both are a 400."""
    for detail in _details(layer, "ErrorInfo"):
        if isinstance(detail.get("reason"), str):
            yield detail["reason"]


def _retry_delay(layers: list[_Json]) -> float | None:
    """Google's `RetryInfo`, which stands in for the header that its answers lack."""
    for layer in layers:
        for detail in _details(layer, "RetryInfo"):
            delay = detail.get("retryDelay")
            if isinstance(delay, str) and _NUMBER.fullmatch(delay.removesuffix("s")):
                seconds = float(delay.removesuffix("s"))
                return seconds if 0 < seconds < float("inf") else None
    return None


def _details(layer: _Json, kind: str) -> Iterator[_Json]:
    details = layer.get("details")
    for detail in details[:20] if isinstance(details, list) else ():
        name = detail.get("@type") if isinstance(detail, dict) else None
        if isinstance(name, str) and name.endswith(kind):
            yield detail


def _message(layers: list[_Json]) -> str:
    for layer in layers:
        message = _said(layer, _DEEPEST)
        if message:
            raw = _raw(layer)
            return _words(f"{message}: {raw}" if raw and raw not in message else message)
    return ""


def _said(value: Any, depth: int) -> str:
    """The words of a value that stands where a message may stand."""
    if isinstance(value, str):
        return value[:_LONGEST_MESSAGE]
    if not depth:
        return ""
    if isinstance(value, dict):
        said = next((text for name in _MESSAGES if (text := _said(value.get(name), depth - 1))), "")
        place = value.get("loc")  # FastAPI's list of what is wrong with a request
        if isinstance(place, list) and said:
            return f"{'.'.join(str(part) for part in place[:9] if isinstance(part, str | int))}: {said}"
        return said
    if isinstance(value, list):
        return "; ".join(filter(None, (_said(item, depth - 1) for item in value[:3])))
    return ""


def _raw(layer: _Json) -> str:
    """What the provider behind OpenRouter said, whose own message is only that it returned an error."""
    metadata = layer.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if not isinstance(raw, str):
        return ""
    try:
        return _said(json.loads(raw[:_LONGEST_PAGE]), _DEEPEST) or raw
    except (ValueError, RecursionError):
        return raw


def _words(text: str) -> str:
    """Somebody's text on one line, bounded, and such that every encoder takes it."""
    return whole_text(" ".join(text[: 2 * _LONGEST_MESSAGE].split())[:_LONGEST_MESSAGE])
