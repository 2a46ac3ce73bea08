"""Durations as people write them: `200ms`, `30s`, `5m`, `1h30m`, `7d`, or a plain number of seconds."""

from __future__ import annotations

import math
import re
from typing import Final

LONGEST_S: Final = 3650 * 86400.0
"""Ten years: times of day beyond the calendar's end help nobody."""

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_UNITS = re.compile(
    rf"""
    (?P<sign>[+-]?)
    (?: (?P<d>{_NUMBER})d      \ ?)?
    (?: (?P<h>{_NUMBER})h      \ ?)?
    (?: (?P<m>{_NUMBER})m(?!s) \ ?)?
    (?: (?P<s>{_NUMBER})s      \ ?)?
    (?: (?P<ms>{_NUMBER})ms       )?
    """,
    re.VERBOSE,
)
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_LONGEST_TEXT = 64
_HOW = "not a duration: write it as 200ms, 30s, 5m, 1h30m or 7d, or as a plain number of seconds"


def parse_duration(text: str | float) -> float:
    """Seconds, from a duration as people write it.

    Args:
        text: `200ms`, `30s`, `5m`, `1h30m`, `7d` (largest unit first, fractions allowed), or a plain
            number of seconds, as text or as a number. A sign is allowed; whether it means something
            is for the caller to say.

    Returns:
        Seconds, finite.

    Raises:
        ValueError: It is no duration. The text says how to write one and does not repeat the value.
    """
    if isinstance(text, bool):
        raise ValueError(_HOW)  # noqa: TRY004 - one error for all that is no duration
    seconds = _seconds_of(text.strip()) if isinstance(text, str) else float(text)
    if not math.isfinite(seconds):
        raise ValueError("a duration must be finite")
    return seconds


def _seconds_of(text: str) -> float:
    if text.lstrip("+-.").lower() in {"inf", "infinity", "nan"}:
        return math.nan
    if len(text) > _LONGEST_TEXT:
        raise ValueError(_HOW)
    if _PLAIN.fullmatch(text):
        return float(text)
    match = _UNITS.fullmatch(text)
    if match is None or not any(match[unit] for unit in (*_SECONDS, "ms")):
        raise ValueError(_HOW)
    # Milliseconds are divided: 0.001 has no exact double, and 200ms is to be 0.2.
    total = float(match["ms"] or 0) / 1000 + sum(
        float(match[unit] or 0) * seconds for unit, seconds in _SECONDS.items()
    )
    return -total if match["sign"] == "-" else total


def format_duration(seconds: float) -> str:
    """A duration as `parse_duration` reads it: `200ms`, `1.5s`, `5m`, `1h30m`, `7d`; `0s` for none.

    Args:
        seconds: Finite; shown to the millisecond, below one second to the microsecond.
    """
    if seconds < 0:
        return "-" + format_duration(-seconds)
    micros = round(seconds * 1_000_000)
    if micros == 0:
        return "0s"
    if micros < 1_000_000:
        return f"{micros / 1000:.12g}ms"
    millis = round(seconds * 1000)
    shown = ""
    for unit, length in _SECONDS.items():
        if unit == "s":
            break
        count, millis = divmod(millis, length * 1000)
        shown += f"{count}{unit}" if count else ""
    return f"{shown}{millis / 1000:.12g}s" if millis else shown
