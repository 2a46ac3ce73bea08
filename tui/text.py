"""Text from outside, made safe for a terminal; durations and times as people read them."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def _pictures() -> dict[int, int]:
    table = {code: 0x2400 + code for code in range(0x20)}  # C0: the control pictures of Unicode
    table[0x7F] = 0x2421
    unwanted = (
        range(0x80, 0xA0),  # C1
        (0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF),
        range(0x202A, 0x202F),  # bidi embeddings and overrides
        range(0x2066, 0x206A),  # bidi isolates
        range(0xD800, 0xE000),  # lone surrogates
        range(0xE0000, 0xE0080),  # tag characters
    )
    for codes in unwanted:
        table.update(dict.fromkeys(codes, 0xFFFD))
    return table


_LINE: Final = _pictures()
_BLOCK: Final = {code: picture for code, picture in _LINE.items() if code not in (0x09, 0x0A)}


def safe_line(text: str) -> str:
    """Text from outside as one line: control, C1 and bidi characters shown as pictures.

    One character becomes one character, so the pieces of a stream can be made safe one by one.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_LINE)


def safe_block(text: str) -> str:
    """As `safe_line`, but line breaks and tabs stay."""
    return text if text.isascii() and text.isprintable() else text.translate(_BLOCK)


def countdown(seconds: float | None) -> str:
    """Time left as `mm:ss`, `1h 12m` beyond an hour, `no end` for None."""
    if seconds is None or not math.isfinite(seconds):
        return "no end"
    left = max(0, round(seconds))
    if left >= _DAY:
        return f"{left // _DAY}d {left % _DAY // _HOUR:02}h"
    if left >= _HOUR:
        return f"{left // _HOUR}h {left % _HOUR // _MINUTE:02}m"
    return f"{left // _MINUTE:02}:{left % _MINUTE:02}"


def latency(seconds: float | None) -> str:
    """A short time as `340ms`, `2.1s`, `45s`; `-` for None."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    return f"{seconds:.0f}s"


def ago(seconds: float) -> str:
    """A length of time in one rough figure: `40s`, `12m`, `3h`, `2d`."""
    if seconds < _MINUTE:
        return f"{seconds:.0f}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f}m"
    return f"{seconds // _HOUR:.0f}h" if seconds < _DAY else f"{seconds // _DAY:.0f}d"


def clock(at: str) -> str:
    """An event's time, ISO 8601, as the local time of day; empty if it tells none."""
    return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S") if at else ""
