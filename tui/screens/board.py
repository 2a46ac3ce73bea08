"""The first view: every chain with its models, a provider's keys, and the attempts as they happen."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from tui.cells import shown
from tui.commands import bindings, key_label
from tui.desk import Desk
from tui.feed import Drained
from tui.probes import Probe
from tui.sayings import Saying, unbench
from tui.screens.view import View
from tui.sought import Sought
from tui.widgets.attempts import Attempts
from tui.widgets.board import Board
from tui.widgets.status_line import Pause

if TYPE_CHECKING:  # they would bring half of Textual's widgets along, and are not needed at once
    from textual.types import CSSPathType
    from textual.widget import Widget
    from textual.worker import Worker

    from tui.widgets.filter_line import FilterBar, FilterLine
    from tui.widgets.provider_keys import ProviderKeys

_FIGURES_EVERY_S = 1.0
_TOAST_WIDTH = 200


class BoardScreen(View):
    """Board and attempts, beside each other where there is room, else one above the other; keys between.

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
        self.attempts = Attempts(desk.feed.ring, desk, of_several=self.has_several)
        self.keys: ProviderKeys | None = None  # made when it is first asked for
        self.filter: FilterBar | None = None  # as well
        self.sought = Sought()
        self._last_sought = ""
        self._shown_version = -1
        self._figures_at = float("-inf")
        self._focus_before: Widget | None = None
        self._probing: dict[str, Worker[None]] = {}
        self._had_chains = bool(desk.health.chains)
        self._had_engines = False

    def compose_body(self) -> ComposeResult:
        """Board and attempts."""
        with Container(id="panes"):
            yield self.board
            yield self.attempts

    def on_mount(self) -> None:
        """Says what to do where there is nothing to see yet."""
        self.say_what_to_do()
        self.tick(Drained(states=True))

    def tick(self, drained: Drained) -> None:
        """Paints what changed."""
        desk = self.desk
        now = desk.now()
        if drained.reloads:
            self.say_what_to_do()
        if self._had_chains != bool(desk.health.chains):
            self._had_chains = not self._had_chains
            self.refresh_bindings()
        if self._had_engines != self.has_several():
            self._had_engines = not self._had_engines
            self.refresh_bindings()
        if desk.health.version != self._shown_version or now - self._figures_at >= _FIGURES_EVERY_S:
            self._shown_version, self._figures_at = desk.health.version, now
            self.board.show()
        self.board.tick()
        self._show_keys(changed=drained.states)
        self.attempts.tick()
        super().tick(drained)

    def has_several(self) -> bool:
        """Whether events may be of more than one engine."""
        return len(self.engine_names()) > 1

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What acts on a model needs one."""
        if action in ("bench", "unbench", "probe", "keys") and not self.desk.health.chains:
            return False
        if action == "stop_probe" and not self.desk.probes.last:
            return False
        if action == "engine" and not (self.attempts.several or self.attempts.engine):
            return False
        if action == "clear_filter" and (not self.sought or self.desk.probes.last):
            return False  # Esc stops a probe first
        if action == "all_engines" and (not self.attempts.engine or self.sought or self.desk.probes.last):
            return False  # Esc clears the filter first
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
            if self.keys is not None:
                self.keys.freeze()
        else:
            self.status.pause = None
            self.board.thaw()
            self.attempts.thaw()
            if self.keys is not None:
                self.keys.thaw()
        self.status.tick()

    async def action_filter(self) -> None:
        """Asks for words; what does not hold them is not shown. The last ones are there still."""
        if self.filter is None:
            # Loaded when it is first asked for, as the dialog.
            from tui.widgets.filter_line import FilterBar  # noqa: PLC0415 - the board comes sooner

            self.filter = FilterBar()
            await self.mount(self.filter, before=self.status)
        self._focus_before = self.focused
        self.filter.display = True
        line = self.filter.line
        line.value = self._last_sought
        line.action_select_all()
        line.focus()
        self._seek(Sought(self._last_sought))

    def action_clear_filter(self) -> None:
        """Shows all again."""
        self._seek(Sought())

    def on_filter_line_said(self, message: FilterLine.Said) -> None:
        """Shows what holds the words, letter by letter."""
        self._seek(message.sought)
        if message.is_done and self.filter is not None and self.filter.display:
            self._last_sought = self.filter.line.value or self._last_sought
            self.filter.display = False
            if self.focused in (None, self.filter.line):
                (self._focus_before or self.board).focus()

    def _seek(self, sought: Sought) -> None:
        if sought != self.sought:
            self.sought = sought
            self.board.seek(sought)
            self.attempts.seek(sought)
            self.refresh_bindings()

    def action_follow(self) -> None:
        """Goes to the end of the attempts and stays there."""
        self.attempts.follow()

    def action_engine(self) -> None:
        """Asks whose attempts are to be seen."""
        # Loaded when it is first asked for, as the dialog.
        from tui.screens.engine_chooser import EngineChooser  # noqa: PLC0415 - the board comes sooner

        names = self._engines_to_choose()
        self.app.push_screen(EngineChooser(self.desk, names, self.attempts.engine), self._only)

    def engine_names(self) -> AbstractSet[str]:
        """Every engine that was heard, and this one."""
        return {*self.desk.feed.engines, self.desk.source.name} - {""}

    def _engines_to_choose(self) -> list[str]:
        """Those that are there, then those that only have attempts in the stream; each by name."""
        desk = self.desk
        names = self.engine_names() | {each.name for each in desk.engines.there}
        alive = desk.engines.alive(desk.now(), desk.feed)
        if alive:  # in a recording nobody gives signs of life
            names &= alive | {line.engine for line in desk.feed.ring if line.request}
        return sorted((names | {self.attempts.engine}) - {""}, key=lambda name: (name not in alive, name))

    def action_all_engines(self) -> None:
        """Shows the attempts of all engines."""
        self._only("")

    def _only(self, engine: str | None) -> None:
        if engine is not None:
            self.attempts.only(engine)
            self.refresh_bindings()

    def action_next_pane(self) -> None:
        """From the models to the attempts and back."""
        self.focus_next()

    def action_bench(self) -> None:
        """Asks how long and why; it is what is under the cursor now, whatever happens meanwhile."""
        # Loaded when it is first asked for: the board is on the screen sooner.
        from tui.screens.bench_dialog import BenchDialog  # noqa: PLC0415 - the board comes sooner

        name = self._under_cursor
        if name:
            self.app.push_screen(BenchDialog(self.desk, name))

    def action_unbench(self) -> None:
        """Brings back what is under the cursor, and says what that changed."""
        name = self._under_cursor
        if name:
            self._say(unbench(self.desk.engine, name))

    def action_probe(self) -> None:
        """Asks the model under the cursor for a few tokens, and says what came of it."""
        place = self.board.current
        if place is None:
            return
        probe = self.desk.probes.begin(place.model)
        if probe is None:
            self._say(Saying(f"A probe of {place.model} is under way.", "warning"))
            return
        run = partial(self._run_probe, probe)
        self._probing[place.model] = self.run_worker(run, group="probe", exit_on_error=False)
        self._probes_changed()

    async def _run_probe(self, probe: Probe) -> None:
        try:
            saying = await self.desk.probes.run(probe, self.desk.engine)
        finally:
            self._probes_changed()
        self._say(saying)

    def action_stop_probe(self) -> None:
        """Stops the probe of the model under the cursor, else the one that began last."""
        probes, place = self.desk.probes, self.board.current
        here = place is not None and probes.seconds(place.model) is not None
        model = place.model if place is not None and here else probes.last
        if model:
            self._probing.pop(model).cancel()
            probes.end(model)
            self._say(Saying(f"The probe of {model} was stopped; it counts for nothing."))
            self._probes_changed()

    def _probes_changed(self) -> None:
        if self.is_mounted:
            self.board.show()
            self.refresh_bindings()

    async def action_keys(self) -> None:
        """Shows the keys of the model's provider, or hides them."""
        if self.keys is None:
            # Loaded when it is first asked for, as the dialog.
            from tui.widgets.provider_keys import ProviderKeys  # noqa: PLC0415 - the board comes sooner

            self.keys = ProviderKeys(self.desk)
            self.keys.display = False
            await self.query_one("#panes").mount(self.keys, before=self.attempts)
        opens = not self.keys.display
        if self.keys.has_focus:
            self.board.focus()
        self.keys.display = opens
        self.set_class(opens, "-keys")
        self._show_keys(changed=True)

    def _show_keys(self, *, changed: bool) -> None:
        place = self.board.current
        if self.keys is not None and self.keys.display:
            self.keys.show("" if place is None else place.model.partition("/")[0], changed=changed)

    @property
    def _under_cursor(self) -> str:
        """The name of the model, or of the key where the keys have the focus; empty if there is none."""
        if self.keys is not None and self.keys.has_focus:
            return self.keys.cursor
        place = self.board.current
        return "" if place is None else place.model

    def _say(self, saying: Saying) -> None:
        text = shown(saying.text, _TOAST_WIDTH, self.desk.glyphs)
        self.notify(text, severity=saying.severity, markup=False)

    def say_what_to_do(self) -> None:
        """Says what to do where there is nothing to see yet."""
        desk = self.desk
        path = desk.source.config.path
        file = "the configuration" if path is None else shown(str(path), 60, desk.glyphs)
        self.board.empty = (
            "",
            "There are no chains yet.",
            "",
            f"Name some under `chains:` in {file}",
            "and save it: it is read again at once. `standby init` writes one to start from.",
        )
        whose = "every engine at this store" if desk.source.store.shared else "this process"
        prompt = f"{key_label(desk.key('new_prompt'))} sends a prompt of your own"
        what = f"requests of {whose} appear here" if desk.read_only else prompt
        self.attempts.empty = f"  No traffic yet: {what}."
