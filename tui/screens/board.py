"""The first view: every chain with its models, and the attempts as they happen."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from engine import StandbyError
from tui.cells import shown
from tui.commands import bindings, key_label
from tui.desk import Desk
from tui.feed import Drained
from tui.health import Place
from tui.screens.view import View
from tui.widgets.attempts import Attempts
from tui.widgets.board import Board
from tui.widgets.status_line import Pause

if TYPE_CHECKING:  # it would bring half of Textual's widgets along
    from textual.types import CSSPathType

_FIGURES_EVERY_S = 1.0
_TOAST_WIDTH = 200


class BoardScreen(View):
    """Board and attempts, beside each other where there is room, else one above the other.

    Args:
        desk: What the screen works with.
    """

    NAME = "board"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("board")]
    CSS_PATH: ClassVar[CSSPathType | None] = ["view.tcss", "board.tcss"]
    AUTO_FOCUS = "Board"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.board = Board(desk)
        self.attempts = Attempts(desk.feed.ring, desk)
        self._shown_version = -1
        self._figures_at = float("-inf")
        self._had_chains = bool(desk.health.chains)

    def compose_body(self) -> ComposeResult:
        """Board and attempts."""
        with Container(id="panes"):
            yield self.board
            yield self.attempts

    def on_mount(self) -> None:
        """Says what to do where there is nothing to see yet."""
        self._say_what_to_do()
        self.tick(Drained(states=True))

    def tick(self, drained: Drained) -> None:
        """Paints what changed."""
        desk = self.desk
        now = desk.now()
        if drained.reloads:
            self._say_what_to_do()
        if self._had_chains != bool(desk.health.chains):
            self._had_chains = not self._had_chains
            self.refresh_bindings()
        if desk.health.version != self._shown_version or now - self._figures_at >= _FIGURES_EVERY_S:
            self._shown_version, self._figures_at = desk.health.version, now
            self.board.show()
        self.board.tick()
        self.attempts.tick()
        super().tick(drained)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What acts on a model needs one."""
        if action in ("bench", "unbench") and not self.desk.health.chains:
            return False
        return super().check_action(action, parameters)

    def action_pause(self) -> None:
        """Holds the view still, or lets it go on. What arrives is taken in all the same."""
        if self.status.pause is None:
            self.status.pause = Pause(
                datetime.now().astimezone().strftime("%H:%M:%S"),
                self.desk.feed.seen,
                key_label(self.desk.key("pause")),
            )
            self.board.freeze()
            self.attempts.freeze(self.desk.now())
        else:
            self.status.pause = None
            self.board.thaw()
            self.attempts.thaw()
        self.status.tick()

    def action_follow(self) -> None:
        """Goes to the end of the attempts and stays there."""
        self.attempts.follow()

    def action_next_pane(self) -> None:
        """From the models to the attempts and back."""
        self.focus_next()

    def action_bench(self) -> None:
        """Asks how long and why; the model is the one under the cursor now, whatever happens meanwhile."""
        # Loaded when it is first asked for: the board is on the screen sooner.
        from tui.screens.bench_dialog import BenchDialog  # noqa: PLC0415

        place = self.board.current
        if place is not None:
            self.app.push_screen(BenchDialog(self.desk, place.model))

    def action_unbench(self) -> None:
        """Brings the model under the cursor back, and says what that changed."""
        place = self.board.current
        if place is not None:
            text, severity = self._unbench(place)
            self.notify(shown(text, _TOAST_WIDTH, self.desk.glyphs), severity=severity, markup=False)

    def _unbench(self, place: Place) -> tuple[str, Literal["information", "warning", "error"]]:
        engine, model = self.desk.engine, place.model
        before = next((status for status in engine.status() if status.model == model), None)
        try:
            was_out = engine.unbench(model)
        except (StandbyError, ValueError) as error:
            return f"{model} can't be unbenched: {error}", "error"
        if not was_out:
            return f"{model} was not on the bench.", "warning"
        if engine.is_benched(model):
            return f"{model} is still out: something else keeps it on the bench.", "warning"
        how = "held" if before is not None and before.manual else "benched"
        why = f" ({before.reason.replace('_', ' ')})" if before is not None and before.reason else ""
        return f"{model} is back. It was {how}{why}.", "information"

    def _say_what_to_do(self) -> None:
        desk = self.desk
        path = desk.engine.config.path
        file = "the configuration" if path is None else shown(str(path), 60, desk.glyphs)
        self.board.empty = (
            "",
            "There are no chains yet.",
            "",
            f"Name some under `chains:` in {file}",
            "and save it: it is read again at once. `standby init` writes one to start from.",
        )
        prompt = f"{key_label(desk.key('new_prompt'))} sends a prompt of your own"
        what = "requests of this process appear here" if desk.read_only else prompt
        self.attempts.empty = f"  No traffic yet: {what}."
