"""The dialog that takes a model or a key out of play: what, what that leaves, how long, why."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from engine import LONGEST_REASON, Benched, ModelStatus, StandbyError
from tui.bench_entries import end, is_same, length, remaining
from tui.bench_terms import (
    OPTIONS,
    TERMS,
    UNTIL_A_TIME,
    Left,
    next_time,
    what_is_left,
    what_is_left_of_keys,
)
from tui.cells import shown
from tui.desk import Desk
from tui.moments import now
from tui.sayings import benched
from tui.text import countdown
from tui.widgets.board_cells import state_text
from tui.widgets.choice import Choice

_NAME_WIDTH = 60
_QUESTION_WIDTH = 400
_TOAST_WIDTH = 200


class BenchDialog(ModalScreen[None]):
    """Benches one model or key. It is taken by name when the dialog opens: nothing changes it afterwards.

    Args:
        desk: What the screen works with.
        name: A model, or a key, everywhere or on one model.
    """

    CSS_PATH = "bench_dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("right,l", "term(1)", "Longer", show=False),
        Binding("left,h", "term(-1)", "Shorter", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]
    AUTO_FOCUS = "#cancel"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012  (Textual declares it)

    term = getters.query_one(Choice)
    until = getters.query_one("#until", Input)
    reason = getters.query_one("#reason", Input)
    fault = getters.query_one("#fault", Static)

    def __init__(self, desk: Desk, name: str) -> None:
        super().__init__()
        self.bench_name = name
        self._desk = desk
        self._found = self._hold()  # when the dialog opened
        self._agreed: Benched | None = None

    def compose(self) -> ComposeResult:
        """From what to why, and Cancel first."""
        with VerticalScroll(id="dialog", can_focus=False):
            yield Static(self._title(), id="title")
            yield Static(self._consequences(), id="left")
            with Horizontal(classes="row"):
                yield Static("For", classes="label")
                yield Choice(self._desk, OPTIONS)
            with Horizontal(classes="row", id="until-row"):
                yield Static("Until", classes="label")
                yield Input(placeholder="18:30, your local time", id="until", compact=True, max_length=5)
            with Horizontal(classes="row"):
                yield Static("Reason", classes="label")
                yield Input(
                    placeholder="for whoever looks next",
                    id="reason",
                    compact=True,
                    max_length=LONGEST_REASON,
                )
            yield Static("", id="fault", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Bench it", id="bench", compact=True)
            yield Static(self._hint(), id="hint", markup=False)

    def on_mount(self) -> None:
        """A time of day is asked for only where it is wanted."""
        self.set_class(self._desk.glyphs.ascii, "-ascii")
        self._show_until()

    def action_term(self, by: int) -> None:
        """Marks a longer or a shorter time, wherever the focus is."""
        self.term.action_move(by)

    def action_leave(self) -> None:
        """Leaves; nothing has happened."""
        self.dismiss(None)

    @on(Choice.Changed)
    def _show_until(self) -> None:
        self.query_one("#until-row").display = self.term.chosen == UNTIL_A_TIME
        self.fault.update("")
        self._agreed = None  # what was asked was asked of another length

    @on(Input.Submitted)
    def _go_on(self) -> None:
        # Enter in a field does not act: it leads to the button that does.
        self.query_one("#bench", Button).focus()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.action_leave()

    @on(Button.Pressed, "#bench")
    def _bench(self) -> None:
        chosen, reason = self.term.chosen, self.reason.value.strip()
        engine, name = self._desk.engine, self.bench_name
        try:
            for_ = until = None
            if chosen < UNTIL_A_TIME:
                for_ = TERMS[chosen][1]
            elif chosen == UNTIL_A_TIME:
                until = next_time(self.until.value, now())
            if self._asks_again(length(for_, until, now())):
                return
            engine.bench(name, for_=for_, until=until, reason=reason)
        except (StandbyError, ValueError) as error:
            self.fault.update(Content(shown(str(error), 300, self._desk.glyphs)))
            if chosen == UNTIL_A_TIME:
                self.until.focus()
            return
        if (saying := benched(engine, name)) is not None:
            text = shown(saying.text, _TOAST_WIDTH, self._desk.glyphs)
            self.notify(text, severity=saying.severity, markup=False)
        self.dismiss(None)

    def _asks_again(self, wanted_s: float) -> bool:
        """Asks, once, before a hold of somebody's is laid over that was not there, or would last longer."""
        standing = self._hold()
        if standing is None or is_same(standing, self._agreed):
            return False
        if is_same(standing, self._found) and wanted_s >= remaining(standing):
            return False
        self._agreed = standing
        why = f": {standing.reason}" if standing.reason else ""
        by = f" by {standing.by}" if standing.by else ""
        text = shown(f"It is held{by} {end(standing, now())}{why}", _QUESTION_WIDTH, self._desk.glyphs)
        self.fault.update(Content.styled(f"{text}. Bench it all the same?", "$warning bold"))
        self.call_after_refresh(self.query_one("#buttons").scroll_visible)
        return True

    def _hold(self) -> Benched | None:
        """An operator's hold of exactly this, as it stands now."""
        out = self._desk.engine.benched()
        return next((each for each in out if each.manual and each.name == self.bench_name), None)

    def _title(self) -> Content:
        glyphs = self._desk.glyphs
        title = Content.assemble("Bench ", (shown(self.bench_name, _NAME_WIDTH, glyphs), "bold"))
        out = self._out()
        if out is None:
            return title
        state = state_text("held" if out.manual else "benched", glyphs)
        left = "no end" if out.remaining_s is None else f"{countdown(out.remaining_s)} left"
        level = f", level {out.level}" if out.level > 1 and not out.manual else ""
        if not out.manual:
            return title.append(
                Content(f"\nIt is out already: {state}, {left}{level}. A hold is laid over that.")
            )
        by = shown(f" by {out.by}" if out.by else "", _NAME_WIDTH, glyphs)
        why = shown(f": {out.reason}" if out.reason else "", _QUESTION_WIDTH, glyphs)
        return title.append(Content(f"\nIt is out already: {state}{by}, {left}{why}. This replaces that."))

    def _consequences(self) -> Content:
        glyphs = self._desk.glyphs
        lines = []
        for of, text, enough in self._what_is_left():
            name = shown(of, 24, glyphs)
            words = shown(text, _NAME_WIDTH, glyphs)
            if enough:
                lines.append(Content(f"{name}: {words}"))
            else:
                lines.append(Content.styled(f"{glyphs.warn} {name}: {words}", "$warning bold"))
        return Content("\n").join(lines) if lines else Content("No chain uses it.")

    def _out(self) -> ModelStatus | Benched | None:
        """What keeps it out already, None if nothing does."""
        if self._is_key:
            benched = self._desk.engine.benched()
            return next((each for each in benched if each.name == self.bench_name), None)
        status = self._desk.health.state(self.bench_name)
        return status if status is not None and status.state in ("benched", "held") else None

    @property
    def _is_key(self) -> bool:
        return "#" in self.bench_name.partition("/")[0]

    def _what_is_left(self) -> list[Left]:
        if self._is_key:
            return what_is_left_of_keys(self.bench_name, self._desk.engine.keys())
        return what_is_left(self.bench_name, self._desk.health.chains)

    def _hint(self) -> str:
        arrows = "<- ->" if self._desk.glyphs.ascii else "← →"
        return f"{arrows} how long   Tab moves on   Esc leaves"
