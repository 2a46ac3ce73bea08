"""The lines of the attempts stream in columns: what is shown at which width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from typing import Final

from tui.cells import column, padded, shown, width_of
from tui.glyphs import Glyphs
from tui.ring import Line
from tui.text import clock, countdown, latency
from tui.tones import Tone
from tui.widgets.lined import Cell, joined

_OUTCOMES: Final[Mapping[str, tuple[str, str, Tone]]] = {
    "running": ("running", "running", "accent"),
    "succeeded": ("succeeded", "ok", "good"),
    "failed": ("failed", "failed", "bad"),
    "cancelled": ("cancelled", "cancelled", "muted"),
    "lost": ("cancelled", "not seen", "muted"),
    "skipped": ("cancelled", "skipped", "muted"),
    "broken": ("failed", "broken", "bad"),
    "request_failed": ("failed", "gave up", "bad"),
    "benched": ("benched", "benched", "warn"),
    "unbenched": ("live", "back", "good"),
    "due": ("due", "due", "accent"),
    "trial": ("on_trial", "on trial", "accent"),
    "passed": ("succeeded", "passed", "good"),
    "not_passed": ("failed", "failed", "bad"),
    "undecided": ("cancelled", "undecided", "muted"),
}
_UNDECIDED: Final[Mapping[str, str]] = {"given_back": "it told nothing", "lapsed": "nobody settled it"}
_LEAST_REASON: Final = 10
_OF_TRIALS: Final = ("trial", "passed", "not_passed", "undecided")
_BACK: Final[Mapping[str, str]] = {"success": "it answered", "expired": "time is over", "operator": "lifted"}


def texts(line: Line) -> tuple[str, ...]:
    """What a filter looks for words in."""
    word = _OUTCOMES[line.outcome][1]
    said = (line.kind, line.reason, line.message, line.next_model, line.by)
    return (line.model, line.chain, line.request, line.engine, word, str(line.status or ""), *said)


@dataclass(frozen=True, slots=True)
class Layout:
    """Cells of each column; 0 leaves it out.

    Attributes:
        time: When.
        engine: Whose event it is.
        request: The request's id.
        chain: The chain.
        model: The model.
        tries: Which try of how many.
        outcome: Sign and word.
        took: How long it took.
        reason: Status and reason.
        then: What follows from it; without a column of its own it stands behind the reason.
    """

    time: int
    engine: int
    request: int
    chain: int
    model: int
    tries: int
    outcome: int
    took: int
    reason: int
    then: int


@lru_cache(64)
def layout(width: int, *, several: bool = False) -> Layout:
    """The columns at a width.

    Args:
        width: Cells.
        several: Whether lines are of more than one engine, so that each should say of which.
    """
    if width >= 150:
        return _filled(Layout(8, 14, 6, 12, 32, 5, 11, 6, 20, 0), width)
    if width >= 130:
        return _filled(Layout(8, 14 if several else 0, 6, 12, 26 if several else 32, 5, 11, 6, 20, 0), width)
    if width >= 100:
        return _filled(Layout(8, 12 if several else 0, 0, 10, 24 if several else 26, 3, 11, 6, 16, 0), width)
    if width >= 76 and several:  # who it was is worth more than by which chain
        return _filled(Layout(8, 10, 0, 0, 18, 0, 11, 6, 0, 0), width)
    if width >= 78:
        return _filled(Layout(8, 0, 0, 8, 20, 0, 11, 6, 0, 0), width)
    if width >= 56:
        return _filled(Layout(8, 0, 0, 0, 20, 0, 11, 6, 0, 0), width)
    return _filled(Layout(5, 0, 0, 0, 16, 0, 1, 0, 0, 0), width)


def _filled(columns: Layout, width: int) -> Layout:
    """Gives what is left to the last column; without one to the reason, which then says both."""
    left = width - sum(cells + 1 for cells in astuple(columns) if cells)
    if columns.reason:
        return replace(columns, then=max(0, left))
    return replace(columns, reason=max(0, left))


def heads(width: int, *, several: bool = False) -> str:
    """The columns' names."""
    at = layout(width, several=several)
    names = (
        ("time", at.time, False),
        ("engine", at.engine, False),
        ("req", at.request, False),
        ("chain", at.chain, False),
        ("model", at.model, False),
        ("try", at.tries, False),
        ("outcome", at.outcome, False),
        ("took", at.took, True),
        ("reason", at.reason, False),
        ("then", at.then, False),
    )
    return " ".join(padded(name, cells, right=right) for name, cells, right in names if cells)


def took(line: Line, now: float) -> str:
    """How long an attempt took, or takes already."""
    if line.outcome == "running":
        passed = max(0.0, now - line.since)
        return f"{passed:.1f}s" if passed < 10 else f"{passed:.0f}s"
    return "" if line.elapsed_s is None else latency(line.elapsed_s)


def cells(line: Line, width: int, glyphs: Glyphs, now: float, *, several: bool = False) -> list[Cell]:
    """A line of the stream as cells; everything from outside is made safe here."""
    at = layout(width, several=several)
    sign, word, tone = _outcome(line, glyphs)
    calm: Tone = "muted" if line.outcome in ("running", "skipped", "cancelled", "lost") else "text"
    model = line.model if line.outcome != "request_failed" else "whole request"
    parts: list[list[Cell]] = [[(padded(clock(line.at), at.time), "muted")]]
    if at.engine:
        parts.append([(padded(engine_name(line.engine, at.engine, glyphs), at.engine), "muted")])
    if at.request:
        parts.append([(column(line.request, at.request, glyphs), "muted")])
    if at.chain:
        parts.append([(column(line.chain, at.chain, glyphs), "muted")])
    parts.append([(column(model, at.model, glyphs), calm if line.model else "muted")])
    if at.tries:
        parts.append([(padded(_tries(line, at.tries), at.tries), "muted")])
    parts.append([(padded(f"{sign} {word}" if at.outcome > 1 else sign, at.outcome), tone)])
    reason_tone: Tone = tone if tone in ("bad", "warn") else "muted"
    if wide := _wide_bench(line, at, reason_tone, glyphs):
        return joined([*parts, wide])
    if at.took:
        parts.append([(padded(took(line, now), at.took, right=True), calm)])
    if at.reason:
        words = _reason(line) if at.then else _reason_and_then(line, glyphs)
        parts.append([(column(words, at.reason, glyphs), reason_tone)])
    if at.then:
        parts.append(_then(line, at.then, glyphs))
    return joined(parts)


def engine_name(name: str, width: int, glyphs: Glyphs) -> str:
    """An engine's name in so many cells; of `program:pid` the program is cut, for the number tells more."""
    program, colon, pid = name.rpartition(":")
    room = width - len(colon) - len(pid)
    if len(name) > width and pid.isascii() and pid.isdigit() and room > 1:
        return f"{shown(program, room, glyphs)}{colon}{pid}"
    return shown(name, width, glyphs)


def _outcome(line: Line, glyphs: Glyphs) -> tuple[str, str, Tone]:
    sign, word, tone = _OUTCOMES[line.outcome]
    if line.outcome == "benched" and line.manual:
        sign, word = "held", "held"
    return glyphs.states.get(sign) or getattr(glyphs, sign), word, tone


def _tries(line: Line, width: int) -> str:
    if not line.attempt:
        return ""
    text = f"{line.attempt}/{line.attempts}" if line.attempts else str(line.attempt)
    return text if len(text) <= width else str(line.attempt)[:width]


def _wide_bench(line: Line, at: Layout, tone: Tone, glyphs: Glyphs) -> list[Cell]:
    """The columns from what it took on as one, for a bench that needs their room; else none."""
    what, of_what = _consequence(line, glyphs)
    if line.outcome != "benched" or not at.then or width_of(what) <= at.then:
        return []
    room = at.took + at.reason + at.then + 2
    words = _reason(line)
    indent = at.took + 1
    if width_of(words) + width_of(what) + 1 > room - indent:
        indent = 0
        if not line.reason and width_of(words) + width_of(what) + 1 > room:
            words = ""
    left = min(width_of(words), max(_LEAST_REASON, room - indent - 1 - width_of(what)))
    rest = room - indent - left - bool(words)
    return [
        (" " * indent, "text"),
        (column(words, left, glyphs) + " " * bool(words), tone),
        (column(what, rest, glyphs), of_what),
    ]


def _reason(line: Line) -> str:
    if line.outcome == "unbenched":
        return "trial passed" if line.trial else _BACK.get(line.reason, line.reason)
    if line.outcome == "due":
        return "bench is over"
    if line.outcome in _OF_TRIALS:
        return f"trial by {line.by}"
    if line.outcome == "benched" and not line.reason:
        return "no reason given"
    reason = line.reason.replace("_", " ") if line.outcome != "request_failed" else line.reason
    return f"{line.status} {reason}" if line.status else reason


def _reason_and_then(line: Line, glyphs: Glyphs) -> str:
    if line.next_model:
        then = f"{glyphs.next} {line.next_model.partition('/')[2] or line.next_model}"
    else:
        then, _ = _consequence(line, glyphs)
    if line.outcome == "benched":
        return f"{then}: {_reason(line)}" if line.reason else then
    if line.outcome == "due" or line.outcome in _OF_TRIALS:
        return f"{_reason(line)}: {then}" if line.outcome == "undecided" else _reason(line)
    return f"{_reason(line)} {then}".strip()


def _then(line: Line, width: int, glyphs: Glyphs) -> list[Cell]:
    lead, tone = _consequence(line, glyphs)
    lead = shown(lead, width, glyphs)
    left = width - width_of(lead)
    gap = "  " if lead else ""
    words = shown(line.message, left - len(gap), glyphs) if line.message and left > 12 else ""
    return [(lead, tone), (padded(f"{gap}{words}", left), "muted")]


def _consequence(line: Line, glyphs: Glyphs) -> tuple[str, Tone]:
    by = f" by {line.by}" if line.by else ""
    if line.outcome == "benched":
        length = "no end" if line.for_s is None else f"for {countdown(line.for_s)}"
        level = f", level {line.level}" if line.level > 1 and not line.manual else ""
        return f"{length}{level}{by}", "text"
    if line.outcome == "due":
        return "one answer decides", "muted"
    if line.outcome in _OF_TRIALS:
        return _UNDECIDED.get(line.reason, "others pass it over" if line.outcome == "trial" else ""), "muted"
    if line.outcome == "unbenched":
        return by.strip(), "text"
    if line.next_model:
        return f"{glyphs.next} {line.next_model}", "text"
    if line.retry_in_s is not None:
        return f"again in {latency(line.retry_in_s)}", "muted"
    if line.outcome == "running" and line.first_token_s is not None:
        return f"first token {latency(line.first_token_s)}", "muted"
    return "", "text"
