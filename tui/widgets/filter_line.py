"""The line in which an operator types what is to be seen."""

from __future__ import annotations

from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from tui.commands import bindings
from tui.sought import Sought
from tui.widgets.safe_area import SafeInput


class FilterLine(SafeInput):
    """Tells of every change of its words, and when they are done with."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("filter")]

    class Said(Message):
        """Something else is looked for now.

        Attributes:
            sought: What.
            is_done: False while it is being typed.
        """

        def __init__(self, sought: Sought, *, is_done: bool) -> None:
            super().__init__()
            self.sought = sought
            self.is_done = is_done

    def __init__(self) -> None:
        super().__init__(placeholder="words that a line must hold", compact=True)

    def watch_value(self, value: str) -> None:
        """Every letter counts at once."""
        self.post_message(self.Said(Sought(value), is_done=False))

    def action_keep_filter(self) -> None:
        """Keeps what is looked for."""
        self.post_message(self.Said(Sought(self.value), is_done=True))

    def action_drop_filter(self) -> None:
        """Shows all again."""
        self.post_message(self.Said(Sought(), is_done=True))

    def on_blur(self) -> None:
        """Whoever goes elsewhere keeps it, too."""
        if self.parent is not None and self.parent.display:  # else it is over already
            self.action_keep_filter()


class FilterBar(Horizontal):
    """The line behind its sign."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        background: $panel;
        color: $foreground;
        Static { width: 3; padding: 0 1; text-style: bold; }
        FilterLine, FilterLine:focus { width: 1fr; background: $panel; color: $foreground; }
        &:ansi, FilterLine:ansi, FilterLine:ansi:focus { background: ansi_default; }
    }
    """

    line = getters.query_one(FilterLine)

    def compose(self) -> ComposeResult:
        """The sign, and the line."""
        yield Static("/")
        yield FilterLine()
