"""Words from outside inside a page of Markdown: shown as they are, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tui.text import safe_line

DASH: Final = "\u2013"
TIMES: Final = "\u00d7"
_LONGEST: Final = 120


def code(text: str, most: int = _LONGEST) -> str:
    """A text as a piece of code: no link, no picture, no mention and no tag comes of it.

    It stays on its line. Control and bidi characters are shown as pictures, a backtick as an
    apostrophe, and what is longer is cut.
    """
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    safe = safe_line(cut).replace("`", "'")
    return f"`{safe}`" if safe.strip() else DASH


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table; its cells are Markdown already."""
    for row in (header, ["---"] * len(header), *rows):
        # GitHub's Markdown (4.10): a pipe in a cell is escaped, also in a piece of code.
        cells = (cell.replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


def several(things: Sequence[str], most: int = 5) -> str:
    """`a`, `a and b`, `a, b and c`; of more the first ones, and how many others there are."""
    if len(things) > most + 1:
        return f"{', '.join(things[:most])} and {len(things) - most:,} others"
    if len(things) > 1:
        return f"{', '.join(things[:-1])} and {things[-1]}"
    return "".join(things)


def times(count: int, thing: str) -> str:
    """`1 request`, `1,234 requests`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
