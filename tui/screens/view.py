"""What every view has: the line on top, the honest line and the keys below, and the beat it paints to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.screen import Screen

from tui.commands import BY_NAME, COMMANDS, acts, key_label
from tui.desk import Desk
from tui.feed import Drained
from tui.widgets.key_line import KeyLine
from tui.widgets.status_line import StatusLine
from tui.widgets.top_line import TopLine

if TYPE_CHECKING:  # it would bring half of Textual's widgets along
    from textual.types import CSSPathType


class View(Screen[None]):
    """A view. Subclasses say what stands between the lines.

    Args:
        desk: What the screen works with.

    Attributes:
        NAME: The mode it is shown in; `view_<name>` is its command.
    """

    NAME: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  (Textual declares it)
        (0, "-narrow"),
        (56, "-medium"),
        (100, "-normal"),
        (180, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012  (Textual declares it)
        (0, "-short"),
        (16, "-low"),
        (30, "-tall"),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = "view.tcss"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.top = TopLine(desk, self.tabs(), BY_NAME[f"view_{self.NAME}"].label)
        self.status = StatusLine(desk)

    def compose(self) -> ComposeResult:
        """The body between the lines."""
        yield self.top
        yield from self.compose_body()
        yield self.status
        yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """What the view is about."""
        yield from ()

    def tabs(self) -> Sequence[tuple[str, str]]:
        """Key and label of each view that can be gone to."""
        return [
            (key_label(self.desk.key(command.name)), command.label)
            for command in COMMANDS
            if command.name.startswith("view_") and not (command.acts and self.desk.read_only)
        ]

    def tick(self, drained: Drained) -> None:
        """Paints what changed; called eight times a second while the view is shown.

        Args:
            drained: What the feed brought since the last beat.
        """
        del drained
        self.top.tick()
        self.status.tick()

    def begin(self) -> None:
        """Makes ready for something new; called when the operator asks for it by the view's command."""

    def keys_changed(self) -> None:
        """The configuration gave other keys."""
        self.top.retab(self.tabs())
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What acts does not exist in a read-only dashboard."""
        if self.desk.read_only and acts(action):
            return False
        return super().check_action(action, parameters)

    def on_screen_resume(self) -> None:
        """Shows at once what happened while another view was shown."""
        if self.is_mounted:
            self.tick(Drained(states=True))
