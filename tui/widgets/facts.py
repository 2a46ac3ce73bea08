"""Short facts on one line, the important ones first: shortened, then left out, until they fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.cells import width_of
from tui.widgets.lined import Cell, Tone


class Fact(NamedTuple):
    """One thing to say.

    Attributes:
        text: In full.
        tone: What it means.
        short: In as few cells as can be; empty if it may not be shortened.
    """

    text: str
    tone: Tone = "muted"
    short: str = ""


def fitted(facts: Sequence[Fact], width: int, gap: str) -> list[Cell]:
    """Facts with a gap between them, in at most so many cells.

    Args:
        facts: The most important one first.
        width: Cells.
        gap: Between two of them.

    Returns:
        Cells of at most that width: the least important facts are shortened first, and when all
        that can be are short, left out first.
    """
    texts = [fact.text for fact in facts]
    for number in reversed(range(len(facts))):
        if _width(texts, gap) <= width:
            break
        texts[number] = facts[number].short or facts[number].text
    while texts and _width(texts, gap) > width:
        texts.pop()
    cells: list[Cell] = []
    for text, fact in zip(texts, facts, strict=False):
        if cells:
            cells.append((gap, "faint"))
        cells.append((text, fact.tone))
    return cells


def _width(texts: Sequence[str], gap: str) -> int:
    return sum(map(width_of, texts)) + width_of(gap) * max(0, len(texts) - 1)
