"""The last line: the keys that work here and now, as many as fit."""

from __future__ import annotations

from textual.screen import Screen
from textual.strip import Strip

from tui.cells import width_of
from tui.widgets.lined import Cell, Lined
from tui.working import working


class KeyLine(Lined):
    """Shows the commands of the table whose keys would do something now, the important ones first."""

    DEFAULT_CSS = """
    KeyLine { height: 1; }
    """

    def on_mount(self) -> None:
        """Hears of every change of keys and focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._on_bindings)

    def _on_bindings(self, _screen: Screen[object]) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draws the line."""
        width = self.size.width
        if y:
            return self.line((), width)
        cells: list[Cell] = [(" ", "text")]
        used = 1
        for key, label in self.keys():
            needed = width_of(key) + 1 + width_of(label)
            gap = "" if len(cells) == 1 else "   "
            if used + len(gap) + needed > width - 1:
                break  # what matters less is not shown in place of what matters more
            cells += [(gap, "text"), (key, "key"), (f" {label}", "muted")]
            used += len(gap) + needed
        return self.line(cells, width)

    def keys(self) -> list[tuple[str, str]]:
        """Key and label of each command that works now, the important ones first."""
        commands = sorted(working(self.screen).values(), key=lambda each: each.command.rank)
        return [(each.key, each.command.label) for each in commands if each.command.rank]
