"""The base of what draws its own lines: tones instead of colours, and lines made of cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, get_args

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.cells import width_of

Tone = Literal[
    "text", "strong", "muted", "faint", "good", "warn", "bad", "accent", "key", "pill", "banner", "cursor"
]
"""What a text means; the theme says how that looks, also without colours."""

Cell = tuple[str, Tone]
"""A text of our own making, or one that `cells.shown` made safe, and its tone."""

_TONES: tuple[Tone, ...] = get_args(Tone)


def joined(columns: Iterable[Iterable[Cell]]) -> list[Cell]:
    """Columns side by side, one cell between them."""
    cells: list[Cell] = []
    for column in columns:
        cells += [*column, (" ", "text")]
    return cells[:-1]


class Lined(Widget):
    """Draws its own lines. Text selection is off: lines are not text that Textual knows."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone-{tone}" for tone in _TONES}
    DEFAULT_CSS = """
    Lined {
        & > .tone-text { color: $foreground; }
        & > .tone-strong { color: $foreground; text-style: bold; }
        & > .tone-muted { color: $text-muted; }
        & > .tone-faint { color: $foreground 40%; }
        & > .tone-good { color: $success; }
        & > .tone-warn { color: $warning; }
        & > .tone-bad { color: $error; }
        & > .tone-accent { color: $accent; }
        & > .tone-key { color: $accent; text-style: bold; }
        & > .tone-pill { color: $background; background: $accent; }
        & > .tone-banner { color: $background; background: $warning; text-style: bold; }
        & > .tone-cursor { background: $surface; }
        &:focus > .tone-cursor { background: $panel; }
        &:ansi {
            & > .tone-muted { color: ansi_default; text-style: dim; }
            & > .tone-faint { color: ansi_default; text-style: dim; }
            & > .tone-pill, & > .tone-banner {
                color: ansi_default;
                background: ansi_default;
                text-style: bold reverse;
            }
            & > .tone-cursor { background: ansi_default; }
            &:focus > .tone-cursor { background: ansi_default; text-style: bold; }
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name for it)
        super().__init__(id=id)
        self._styles: dict[tuple[Tone, bool], Style] = {}

    def notify_style_update(self) -> None:
        """Forgets the styles: the theme or the focus changed."""
        self._styles = {}
        super().notify_style_update()

    def tone(self, tone: Tone, *, lit: bool = False) -> Style:
        """How a tone looks now; `lit` is for the line that the cursor is on."""
        key = (tone, lit)
        if key not in self._styles:
            style = self.get_component_rich_style(f"tone-{tone}")
            if lit:
                style += self.get_component_rich_style("tone-cursor", partial=True)
            self._styles[key] = style
        return self._styles[key]

    def line(self, cells: Iterable[Cell], width: int, *, lit: bool = False) -> Strip:
        """Cells as one line of exactly so many columns."""
        segments = [Segment(text, self.tone(tone, lit=lit)) for text, tone in cells if text]
        used = sum(width_of(segment.text) for segment in segments)
        if used < width:
            segments.append(Segment(" " * (width - used), self.tone("text", lit=lit)))
        strip = Strip(segments, max(used, width))
        return strip if used <= width else strip.adjust_cell_length(width)

    def repaint_line(self, y: int) -> None:
        """Has one line drawn again."""
        self.refresh(Region(0, y, self.size.width, 1))
