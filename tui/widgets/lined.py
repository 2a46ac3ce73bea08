"""The base of what draws its own lines, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.cells import width_of
from tui.tones import Tone, lit_background, styles_of

Cell = tuple[str, Tone]
"""A text of our own making, or one that `cells.shown` made safe, and its tone."""


def joined(columns: Iterable[Iterable[Cell]]) -> list[Cell]:
    """Columns side by side, one blank between them."""
    cells: list[Cell] = []
    for column in columns:
        if cells:
            text, tone = cells[-1]
            cells[-1] = (f"{text} ", tone)
        cells += column
    return cells


class Lined(Widget):
    """Draws its own lines. Text selection is off: lines are not text that Textual knows."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name for it)
        super().__init__(id=id)
        self._tones: dict[tuple[str, bool, bool], dict[Tone, Style]] = {}

    def notify_style_update(self) -> None:
        """Forgets the styles: the background may be another."""
        self._tones = {}
        super().notify_style_update()

    def line(self, cells: Iterable[Cell], width: int, *, lit: bool = False) -> Strip:
        """Cells as one line of exactly so many columns; `lit` is for the line that the cursor is on."""
        styles = self._styles(lit)
        segments = [Segment(text, styles[tone]) for text, tone in cells if text]
        used = sum(width_of(segment.text) for segment in segments)
        if used < width:
            segments.append(Segment(" " * (width - used), styles["text"]))
        strip = Strip(segments, max(used, width))
        return strip if used <= width else strip.adjust_cell_length(width)

    def repaint_lines(self, ys: Iterable[int]) -> None:
        """Has some lines drawn again; those that follow one another as one piece."""
        regions: list[Region] = []
        for y in sorted(ys):
            last = regions[-1] if regions else None
            if last is not None and last.bottom == y:
                regions[-1] = Region(0, last.y, last.width, last.height + 1)
            else:
                regions.append(Region(0, y, self.size.width, 1))
        if regions:
            self.refresh(*regions)

    def _styles(self, lit: bool) -> dict[Tone, Style]:
        app = self.app
        focused = self.has_focus
        key = (app.theme, lit, focused)
        styles = self._tones.get(key)
        if styles is None:
            ansi, variables = app.native_ansi_color, app.theme_variables
            styles = styles_of(variables, self.background_colors[1], ansi=ansi)
            if lit:
                over = lit_background(variables, focused=focused, ansi=ansi)
                styles = {tone: style + over for tone, style in styles.items()}
            self._tones[key] = styles
        return styles
