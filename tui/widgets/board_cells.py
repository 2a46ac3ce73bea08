"""The board's lines in columns: what is shown at which width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from typing import Final

from tui.cells import column, padded, shown, width_of
from tui.glyphs import STATE_WORDS, Glyphs
from tui.health import Place
from tui.text import clock, countdown, latency
from tui.tones import Tone
from tui.widgets.board_rows import Row
from tui.widgets.lined import Cell, joined

_TONES: Final[dict[str, Tone]] = {
    "live": "good",
    "on_trial": "accent",
    "due": "accent",
    "benched": "bad",
    "held": "warn",
    "unusable": "muted",
}
_RECENT_S: Final = 600


@dataclass(frozen=True, slots=True)
class Layout:
    """Cells of each column; 0 leaves it out. The reason gets what is left over.

    Attributes:
        state: Sign and word.
        model: The model's name.
        bar: The bench's countdown as a bar.
        left: The same in figures.
        rate: Attempts a minute.
        success: Share that succeeded.
        p50: Median of the first token.
        p95: Its 95th percentile.
        spark: The last minutes.
        reason: Why, and since when.
    """

    state: int
    model: int
    bar: int
    left: int
    rate: int
    success: int
    p50: int
    p95: int
    spark: int
    reason: int = 0


@lru_cache(64)
def layout(width: int) -> Layout:
    """The columns at a width."""
    if width >= 150:
        columns = Layout(10, 32, 10, 7, 7, 5, 6, 6, 24)
    elif width >= 116:
        columns = Layout(10, 28, 8, 7, 7, 5, 6, 6, 10)
    elif width >= 104:
        columns = Layout(10, 26, 8, 7, 7, 5, 6, 6, 10)
    elif width >= 88:
        columns = Layout(10, 24, 6, 7, 7, 5, 6, 0, 0)
    elif width >= 70:
        columns = Layout(10, 20, 5, 7, 7, 5, 0, 0, 0)
    elif width >= 56:
        columns = Layout(10, 18, 0, 7, 0, 0, 0, 0, 0)
    else:
        return Layout(10, max(8, width - 3 - 11 - 8), 0, 7, 0, 0, 0, 0, 0)
    return replace(columns, reason=width - 3 - sum(cells + 1 for cells in astuple(columns) if cells))


def heads(width: int) -> str:
    """The columns' names, as far as they have columns."""
    at = layout(width)
    names = (
        ("state", at.state, False),
        ("model", at.model, False),
        ("bench", at.bar, False),
        ("left", at.left, True),
        ("req/min", at.rate, True),
        ("ok", at.success, True),
        ("p50", at.p50, True),
        ("p95", at.p95, True),
        ("recent", at.spark, False),
        ("reason, since" if at.reason >= len("reason, since") else "reason", at.reason, False),
    )
    return "   " + " ".join(padded(name, cells, right=right) for name, cells, right in names if cells)


def chain_cells(name: str, places: Sequence[Place], width: int, glyphs: Glyphs) -> list[Cell]:
    """The line above a chain's models: its name, and how it stands."""
    live = sum(place.state == "live" for place in places)
    if not any(place.mark for place in places):
        says, tone = "nobody can serve", "bad"
    else:
        says = f"{live} of {len(places)} live"
        serves = any(place.state == "live" or place.is_coming_back for place in places)
        tone = "muted" if live == len(places) else "warn" if serves else "bad"
    for state in ("on_trial", "due"):
        count = sum(place.state == state for place in places)
        says += f", {count} {STATE_WORDS[state]}" if count else ""
    title = shown(name, max(4, width - len(says) - 4), glyphs)
    rule = glyphs.rule * max(0, width - width_of(title) - len(says) - 4)
    return [
        ("  ", "text"),
        (title, "strong"),
        (" ", "text"),
        (rule, "faint"),
        (" ", "text"),
        (says, _tone(tone)),
    ]


def _tone(name: str) -> Tone:
    tones: dict[str, Tone] = {"muted": "muted", "warn": "warn", "bad": "bad"}
    return tones[name]


def model_cells(row: Row, place: Place, width: int, glyphs: Glyphs, *, now: float) -> list[Cell]:
    """A model's line; everything from outside is made safe here.

    Args:
        row: What is known of it.
        place: The model in its chain, as the row has it.
        width: Cells of the whole line.
        glyphs: The signs in use.
        now: Seconds on the dashboard's clock.
    """
    figures = row.figures
    at = layout(width)
    tone = _TONES[place.state]
    calm: Tone = "muted" if place.state == "unusable" else "text"
    mark = {"serves": glyphs.serves, "stands_in": glyphs.stands_in}.get(place.mark, "")
    left = None if place.ends is None else max(0.0, place.ends - now)
    parts: list[list[Cell]] = [
        [(padded(state_text(place.state, glyphs), at.state), tone)],
        [(column(place.model, at.model, glyphs), "strong" if place.mark else calm)],
    ]
    if row.probing_s is not None and not at.reason:
        parts.append([(padded("probing", at.left, right=True), "accent")])
    elif place.is_coming_back:  # nothing counts down: what comes next stands there
        room = at.left + (at.bar + 1 if at.bar else 0)
        parts.append([(padded(_first_that_fits(room, *_next(place, row.tried_by)), room, right=True), tone)])
    else:
        if at.bar:
            parts.append(bar(place, left, at.bar, glyphs))
        parts.append([(padded(countdown(left) if place.is_out else "", at.left, right=True), tone)])
    if at.rate:
        parts.append([(padded(str(figures.per_minute or ""), at.rate, right=True), calm)])
    if at.success:
        parts.append([_success(figures.success, at.success)])
    for cells, seconds in ((at.p50, figures.first_token_p50_s), (at.p95, figures.first_token_p95_s)):
        if cells:
            parts.append([(padded("" if seconds is None else latency(seconds), cells, right=True), calm)])
    if at.spark:
        parts.append(sparkline(figures.series, at.spark, glyphs))
    if at.reason > 0:
        words, reason_tone = _reason(row, place, at.reason)
        parts.append([(column(words, at.reason, glyphs), reason_tone)])
    return [(" ", "text"), (padded(mark, 2), "accent"), *joined(parts)]


def state_text(state: str, glyphs: Glyphs) -> str:
    """A state's sign and word."""
    return f"{glyphs.states.get(state, glyphs.unusable)} {STATE_WORDS.get(state, state)}"


def bar(place: Place, left: float | None, width: int, glyphs: Glyphs) -> list[Cell]:
    """What is left of a bench as a bar; it shrinks from the right, half a cell at a time."""
    if not place.is_out or left is None or not place.for_s:
        return [(" " * width, "text")]
    halves = min(width * 2, math.ceil(left / place.for_s * width * 2))
    full, half = divmod(halves, 2)
    return [
        (glyphs.left * full + glyphs.half * half, _TONES[place.state]),
        (glyphs.gone * (width - full - half), "faint"),
    ]


def sparkline(series: Sequence[tuple[int, int]], width: int, glyphs: Glyphs) -> list[Cell]:
    """How much happened, and in which tone: one cell for each of the latest buckets."""
    latest = series[-width:]
    most = max((ok + bad for ok, bad in latest), default=0)
    cells: list[Cell] = [(" " * (width - len(latest)), "text")]
    levels = len(glyphs.spark) - 1
    for ok, bad in latest:
        total = ok + bad
        sign = glyphs.spark[math.ceil(total / most * levels)] if total else glyphs.spark[0]
        tone: Tone = "bad" if bad > ok else "warn" if bad else "good"
        if cells and cells[-1][1] == tone:
            cells[-1] = (cells[-1][0] + sign, tone)
        else:
            cells.append((sign, tone))
    return cells


def _success(share: float | None, width: int) -> Cell:
    if share is None:
        return padded("", width), "text"
    # Rounded down: 100% means that nothing failed.
    tone: Tone = "text" if share >= 0.95 else "warn" if share >= 0.5 else "bad"
    return padded(f"{math.floor(share * 100)}%", width, right=True), tone


def _next(place: Place, tried_by: str) -> tuple[str, ...]:
    """Who decides whether a model is live again, in fewer and fewer words."""
    if place.state == "due":
        return ("awaits probe", "probe") if place.awaits_probe else ("next request", "up next")
    return (f"by a {tried_by}" if tried_by else "being tried", "trying")


def _reason(row: Row, place: Place, width: int) -> tuple[str, Tone]:
    if row.probing_s is not None:
        return f"probing {row.probing_s}s", "accent"
    at = f" {clock(row.since)[:5]}" if row.since else ""
    if place.state == "held":
        why = place.reason or "no reason given"
        by = f" by {place.by}" if place.by else ""
        return _first_that_fits(width, f"{why}{at}{by}", f"{why}{at}", why), "warn"
    if place.state == "benched" or place.is_coming_back:
        why = _words(place.reason)
        tone: Tone = "bad" if place.state == "benched" else "muted"
        if place.level < 2:
            return _first_that_fits(width, f"{why}{at}", why), tone
        level = f"level {place.level}"
        return _first_that_fits(
            width, f"{why}{at}, {level}", f"{why}, {level}", f"{why} L{place.level}", why
        ), tone
    if place.state == "unusable":
        return place.reason, "muted"
    if place.mark == "stands_in":
        name = place.instead_of.partition("/")[2] or place.instead_of
        return _first_that_fits(width, f"for {place.instead_of}", f"for {name}"), "accent"
    figures = row.figures
    if figures.last_reason and (figures.last_failure_ago_s or 0) < _RECENT_S:
        minutes = int((figures.last_failure_ago_s or 0) // 60)
        why = _words(figures.last_reason)
        return (_first_that_fits(width, f"{why} {minutes}m ago", why) if minutes else why), "muted"
    return "", "muted"


def _first_that_fits(width: int, *texts: str) -> str:
    return next((text for text in texts if width_of(text) <= width), texts[-1])


def _words(reason: str) -> str:
    return reason.replace("_", " ")
