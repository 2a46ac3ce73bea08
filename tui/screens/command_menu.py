"""Help and palette: the commands, with their keys and what they do; typing finds, Enter does it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import ClassVar, Final

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.commands import COMMANDS, Command, Place, key_label
from tui.desk import Desk
from tui.widgets.command_rows import CommandRows, Row
from tui.widgets.safe_area import SafeInput
from tui.working import Working

_HEADINGS: Final[Mapping[Place, str]] = {
    "board": "On the board",
    "prompt": "In the prompt",
    "replay": "In the recording",
    "filter": "In the filter's line",
    "list": "In the list that has the focus",
    "app": "Everywhere",
}
_PAGE: Final = 10


class CommandMenu(ModalScreen[Working | None]):
    """Shows commands; the answer is the one to do, None for none.

    Args:
        desk: What the screen works with.
        working: The commands that work now, by their names.
        elsewhere: Places whose commands are shown, too, although they don't work now.
    """

    CSS_PATH = "command_menu.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("down,ctrl+n", "move(1)", "Next", show=False),
        Binding("up,ctrl+p", "move(-1)", "Previous", show=False),
        Binding("pagedown", f"move({_PAGE})", "Page down", show=False),
        Binding("pageup", f"move(-{_PAGE})", "Page up", show=False),
    ]
    AUTO_FOCUS = "Input"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012  (Textual declares it)

    rows = getters.query_one(CommandRows)

    def __init__(self, desk: Desk, working: Mapping[str, Working], elsewhere: Collection[Place]) -> None:
        super().__init__()
        self._desk = desk
        self._working = working
        self._elsewhere = elsewhere

    def compose(self) -> ComposeResult:
        """A title, what is looked for, the commands, and the keys of this."""
        arrows = "Up Down" if self._desk.glyphs.ascii else "↑ ↓"
        with Vertical(id="menu"):
            title = "Every command" if self._elsewhere else "What the keys do here"
            yield Static(title, id="title", markup=False)
            yield SafeInput(placeholder="type to find", id="sought", compact=True)
            yield CommandRows(self._desk)
            yield Static(f"{arrows} move   Enter does it   Esc leaves", id="hint", markup=False)

    def on_mount(self) -> None:
        """Begins with all of them."""
        self.set_class(self._desk.glyphs.ascii, "-ascii")
        self._show("")

    @on(Input.Changed)
    def _seek(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    @on(CommandRows.Chosen)
    def _take(self) -> None:
        row = self.rows.current
        if row is None or row.command is None:
            return
        if (found := self._working.get(row.command.name)) is not None:
            self.dismiss(found)
        else:
            where = _HEADINGS[row.command.place]
            self.notify(f"{row.command.label} works {where[0].lower()}{where[1:]}.", markup=False)

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        self.rows.move(by)

    def action_leave(self) -> None:
        """Does nothing."""
        self.dismiss(None)

    def _show(self, sought: str) -> None:
        words = sought.casefold().split()
        rows: list[Row] = []
        for place, heading in _HEADINGS.items():
            found = [self._row(each) for each in self._commands(place) if _is_meant(each, words)]
            if found:
                rows += [Row(heading), *found]
        if words:  # the nearest first, whatever its place
            rows = sorted((row for row in rows if row.command), key=lambda row: _distance(row, words[0]))
        self.rows.show(rows)

    def _commands(self, place: Place) -> Iterable[Command]:
        for command in COMMANDS:
            hidden = command.acts and self._desk.read_only
            known = place in self._elsewhere or command.name in self._working
            if command.place == place and known and not hidden:
                yield command

    def _row(self, command: Command) -> Row:
        found = self._working.get(command.name)
        if found is not None:
            return Row(command=command, key=found.key)
        return Row(command=command, key=key_label(self._desk.key(command.name)), works=False)


def _is_meant(command: Command, words: Iterable[str]) -> bool:
    text = f"{command.label} {command.name} {command.help}".casefold()
    return all(word in text for word in words)


def _distance(row: Row, word: str) -> tuple[bool, bool, bool]:
    label = row.command.label.casefold() if row.command else ""
    return (not row.works, not label.startswith(word), word not in label)
