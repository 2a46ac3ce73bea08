"""The little dialog that asks whose attempts are to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.cells import shown
from tui.commands import key_label
from tui.desk import Desk
from tui.widgets.choice import Choice

_NAME_WIDTH = 40


class EngineChooser(ModalScreen[str | None]):
    """Chooses one engine, or all: the answer is a name, empty for all, None if nothing is to change.

    Args:
        desk: What the screen works with.
        engines: The engines' names.
        current: The one that is chosen now; empty for all.
    """

    CSS_PATH = "engine_chooser.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take", show=False),
        Binding("escape", "leave", "Leave", show=False),
        Binding("down,j", "next(1)", "Next", show=False),
        Binding("up,k", "next(-1)", "Previous", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "last", "Last", show=False),
    ]
    AUTO_FOCUS = "Choice"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012  (Textual declares it)

    choice = getters.query_one(Choice)

    def __init__(self, desk: Desk, engines: Sequence[str], current: str) -> None:
        super().__init__()
        self._desk = desk
        self._names = ("", *engines)
        self._current = current
        self._again = desk.key("engine")
        self._bindings.bind(self._again, "next(1)", show=False)

    def compose(self) -> ComposeResult:
        """A title, the names, and the keys."""
        options = ["all engines", *(shown(name, _NAME_WIDTH, self._desk.glyphs) for name in self._names[1:])]
        arrows = "<- ->" if self._desk.glyphs.ascii else "← →"
        again = key_label(self._again)
        with VerticalScroll(id="chooser", can_focus=False):
            yield Static(
                "Whose attempts? States and figures stay those of all engines.", id="title", markup=False
            )
            yield Choice(self._desk, options)
            yield Static(
                f"{arrows} or {again} moves on   Enter takes it   Esc leaves", id="hint", markup=False
            )

    def on_mount(self) -> None:
        """Begins with the engine that is chosen now."""
        self.set_class(self._desk.glyphs.ascii, "-ascii")
        if self._current in self._names:
            self.choice.choose(self._names.index(self._current))

    def action_next(self, by: int) -> None:
        """Marks the next name or the one before."""
        self.choice.action_move(by)

    def action_first(self) -> None:
        """Marks all engines."""
        self.choice.choose(0)

    def action_last(self) -> None:
        """Marks the last name."""
        self.choice.choose(len(self._names) - 1)

    def action_take(self) -> None:
        """Takes the name that is marked."""
        self.dismiss(self._names[self.choice.chosen])

    def action_leave(self) -> None:
        """Leaves everything as it is."""
        self.dismiss(None)
