"""Short facts on one line, the important ones first: shortened, then left out, until they fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.cells import width_of
from tui.tones import Tone
from tui.widgets.lined import Cell


class Fact(NamedTuple):
    """One thing to say.

    Attributes:
        text: In full.
        tone: What it means.
        short: In as few cells as can be; empty if it may not be shortened.
        minor: Whether it goes before anything of weight is shortened.
    """

    text: str
    tone: Tone = "muted"
    short: str = ""
    minor: bool = False


def fitted(facts: Sequence[Fact], width: int, gap: str) -> list[Cell]:
    """Facts with a gap between them, in at most so many cells.

    Args:
        facts: The most important one first.
        width: Cells.
        gap: Between two of them.

    Returns:
        Cells of at most that width. Minor facts are shortened and left out first, then the others
        shortened, then left out; each time the least important one first.
    """
    said = [(fact, fact.text) for fact in facts]
    for minor, shorten in ((True, True), (True, False), (False, True), (False, False)):
        for fact in reversed(facts):
            if _width(said, gap) <= width:
                break
            if fact.minor == minor:
                at = next(place for place, (each, _) in enumerate(said) if each is fact)
                said[at : at + 1] = [(fact, fact.short or fact.text)] if shorten else []
    cells: list[Cell] = []
    for fact, text in said:
        if cells:
            cells.append((gap, "faint"))
        cells.append((text, fact.tone))
    return cells


def _width(said: Sequence[tuple[Fact, str]], gap: str) -> int:
    return sum(width_of(text) for _, text in said) + width_of(gap) * max(0, len(said) - 1)
