"""JSON that goes out and JSON that comes in, with nothing in between that could crash."""

from __future__ import annotations

import binascii
import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from engine.messages import Vector, whole_text
from engine.providers.base import Signal


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


# Lone surrogates must get as far as `whole_text`, hence no ASCII escapes.
_OUT: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
_BACK: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_IN: Final = json.JSONDecoder()

_KINDS: Final[Mapping[type, str]] = {
    list: "a list",
    dict: "an object",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def encode(body: Mapping[str, Any]) -> bytes:
    """A request's body as JSON in UTF-8; lone surrogates become U+FFFD.

    Raises:
        ValueError: It holds what JSON can't carry: NaN, an infinity, bytes, a list inside itself.
    """
    try:
        text = _OUT.encode(body)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"the request can't be written as JSON: {error}") from None
    try:
        return text.encode()
    except UnicodeEncodeError:
        return whole_text(text).encode()


def decode(data: str, what: str) -> dict[str, Any]:
    """One JSON object from the provider.

    Args:
        data: JSON text.
        what: What it is, for the message, as `a chunk of the stream`.

    Raises:
        Signal: `protocol`: it is not JSON, or no object. The message never quotes it.
    """
    data = data.strip()
    try:
        value, end = _IN.raw_decode(data)  # half the price of `decode`, which looks for blanks itself
    except (ValueError, RecursionError):  # a number of too many digits is a plain ValueError
        raise unreadable(f"{what} is not JSON") from None
    if end != len(data):
        raise unreadable(f"{what} is JSON with more behind it")
    return record(value, what)


def as_json(value: object) -> str:
    """JSON text for a value that came as JSON: arguments of a tool call, mostly.

    Raises:
        Signal: `protocol`: it nests too deeply.
    """
    try:
        return whole_text(_BACK.encode(value))
    except RecursionError:
        raise unreadable("the arguments of a tool call nest too deeply") from None


def unreadable(what: str) -> Signal:
    """A signal for a 200 that does not have the protocol's form. `what` must not quote the body."""
    return Signal("protocol", what)


def record(value: Any, what: str) -> dict[str, Any]:
    """The value, which must be an object.

    Raises:
        Signal: `protocol`: it is something else.
    """
    if isinstance(value, dict):
        return value
    raise unreadable(f"{what} is {_KINDS.get(type(value), 'no JSON')}, not an object")


def records(value: Any, what: str) -> list[dict[str, Any]]:
    """The value, which must be a list of objects; None is an empty one.

    Raises:
        Signal: `protocol`: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise unreadable(f"{what} is {_KINDS.get(type(value), 'no JSON')}, not a list")
    for item in value:
        if not isinstance(item, dict):
            record(item, f"an item of {what}")
    return value


def text(value: Any, what: str) -> str:
    """The value, which must be text; None is an empty one. Lone surrogates become U+FFFD.

    Raises:
        Signal: `protocol`: it is something else.
    """
    if value is None or isinstance(value, str):
        return whole_text(value)
    raise unreadable(f"{what} is {_KINDS.get(type(value), 'no JSON')}, not text")


def vector(value: Any, what: str) -> Vector:
    """The value, which must be a list of numbers, or text that holds float32 in base64, little-endian.

    Whether the numbers are finite is not asked here.

    Raises:
        Signal: `protocol`: it is something else.
    """
    if isinstance(value, str):
        try:
            raw = binascii.a2b_base64(value, strict_mode=True)
            return list(struct.unpack(f"<{len(raw) // 4}f", raw))
        except (ValueError, struct.error):
            raise unreadable(f"{what} is not float32 in base64") from None
    if not isinstance(value, list):
        raise unreadable(f"{what} is {_KINDS.get(type(value), 'no JSON')}, not a list")
    kinds = set(map(type, value))
    if kinds - {float, int}:
        raise unreadable(f"{what} holds something else than numbers")
    try:
        return list(map(float, value)) if int in kinds else value
    except OverflowError:
        raise unreadable(f"{what} holds a number that is too large") from None


def tokens(value: Any) -> int | None:
    """A provider's count of tokens, None if it is no count. Never a reason to fail an answer."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < _TOO_MANY else None


_TOO_MANY: Final = 1 << 53  # past this a float is no count any more, and no answer is that long
