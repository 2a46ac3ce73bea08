"""The dashboard: puts engine, feed and views together, and goes down well."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import ClassVar

from textual.binding import BindingType
from textual.theme import BUILTIN_THEMES

from engine import BackgroundTraffic, Config, ConfigReloaded, Engine, Figures
from tui.careful import CarefulApp
from tui.cells import shown
from tui.commands import acts, bindings, key_label, remapped
from tui.desk import Desk
from tui.exits import DONE, FAILED
from tui.feed import HZ, Drained, Feed
from tui.glyphs import choose_glyphs
from tui.going_down import Exitway, abandon_terminal
from tui.output import Notes
from tui.screens.board import BoardScreen
from tui.screens.view import View
from tui.themes import OWN, Look, choose_look

_CLOSING_S = 1.0
_FAULT_WIDTH = 300
_FAULT_SHOWN_S = 15.0


class StandbyApp(CarefulApp):
    """The dashboard of one engine.

    Args:
        engine: An engine that is not entered yet; the app enters it and closes it.
        read_only: Whether what acts is hidden.
        traffic: Whether the configuration's background prompts are sent.
        now: Seconds that only ever grow, for ages and countdowns.
    """

    TITLE = "standby"
    CSS_PATH = "app.tcss"
    DEFAULT_MODE = "board"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]

    def __init__(
        self,
        engine: Engine,
        *,
        read_only: bool = False,
        traffic: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        look = _look(engine.config)
        super().__init__(ansi_color=True if look.ansi else None)
        self.animation_level = "none"  # nobody wants to watch a list glide over ssh
        glyphs = choose_glyphs(
            engine.config.dashboard.glyphs,
            encoding=getattr(sys.__stderr__, "encoding", None),  # where Textual writes
            term=os.environ.get("TERM", ""),
        )
        self.desk = Desk(engine, Feed(Figures()), glyphs, read_only, now=now)
        self.desk.health.refresh(self.desk.now())
        self.set_class(glyphs.ascii, "-ascii")
        self.add_mode("board", lambda: BoardScreen(self.desk))
        self.add_mode("prompt", self._prompt)
        for theme in OWN:
            self.register_theme(theme)
        self._with_traffic = traffic
        self._traffic: asyncio.Task[None] | None = None
        self._listening = ExitStack()
        self._leave_code = 0
        self._take_config()

    async def on_mount(self) -> None:
        """Starts the engine, listens to it, and beats eight times a second."""
        desk = self.desk
        asyncio.get_running_loop().set_exception_handler(self.report_stray)
        await desk.engine.__aenter__()
        self._listening.enter_context(desk.engine.observe(desk.feed.push))
        self._start_traffic()
        self.set_interval(1 / HZ, self._beat)
        if self._leave_code:
            self.exit(return_code=self._leave_code)

    async def on_unmount(self) -> None:
        """Closes what was started; the terminal is restored already, so nobody waits for this long."""
        self._listening.close()
        if self._traffic is not None:
            self._traffic.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.desk.engine.aclose(), _CLOSING_S)

    def leave(self, code: int) -> None:
        """Ends the app from outside, at any time and from any thread.

        Args:
            code: The exit code.
        """
        self._leave_code = code
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it has ended already
                self._loop.call_soon_threadsafe(lambda: self.exit(return_code=code))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What acts does not exist in a read-only dashboard, nor the way to where one is."""
        if self.desk.read_only and acts(action):
            return False
        if action == f"view_{self.current_mode}":
            return False  # it is shown already
        return super().check_action(action, parameters)

    def action_view_board(self) -> None:
        """Shows the board."""
        self.switch_mode("board")

    def action_view_prompt(self) -> None:
        """Shows the prompt."""
        self.switch_mode("prompt")

    async def action_new_prompt(self) -> None:
        """Shows the prompt, ready to type."""
        await self.switch_mode("prompt")
        if isinstance(self.screen, View):
            self.screen.begin()

    def action_help_quit(self) -> None:
        """Ctrl+C: says how to leave; a slip of the hand must not end the watch."""
        self.notify(f"{key_label(self.desk.key('quit'))} leaves standby.", markup=False)

    def _prompt(self) -> View:
        # Loaded when it is first shown: the board is on the screen sooner.
        from tui.screens.prompt import PromptScreen  # noqa: PLC0415

        return PromptScreen(self.desk)

    def _beat(self) -> None:
        desk = self.desk
        now = desk.now()
        drained = desk.feed.drain(now)
        if any(isinstance(reload, ConfigReloaded) for reload in drained.reloads):
            self._take_config()
            self._start_traffic()
        desk.health.refresh(now, changed=drained.states)
        self._tell(drained)

    def _tell(self, drained: Drained) -> None:
        view = self.screen_stack[0] if self.screen_stack else None
        if self.is_running and isinstance(view, View) and view.is_mounted:
            view.tick(drained)

    def _take_config(self) -> None:
        """Takes over theme and keys."""
        config = self.desk.engine.config
        look = _look(config)
        self.ansi_color = True if look.ansi else None
        self.theme = look.theme
        keymap, faults = remapped(config.dashboard.keys)
        self.desk.keymap = keymap
        self.set_keymap(keymap)
        for fault in (*filter(None, [look.fault]), *faults):
            self.call_later(self._complain, fault)
        for screen in (stack[0] for stack in self._screen_stacks.values() if stack):
            if isinstance(screen, View) and screen.is_mounted:
                screen.keys_changed()

    def _complain(self, fault: str) -> None:
        text = shown(fault, _FAULT_WIDTH, self.desk.glyphs)
        self.notify(text, severity="warning", timeout=_FAULT_SHOWN_S, markup=False)

    def _start_traffic(self) -> None:
        """Sends background prompts as the configuration in force wants them."""
        if self._traffic is not None:
            self._traffic.cancel()
            self._traffic = None
        wanted = self.desk.engine.config.traffic
        if wanted is not None and self._with_traffic:
            runner = BackgroundTraffic(self.desk.engine, wanted)
            self._traffic = asyncio.create_task(runner.run(), name="standby: traffic")
            self._traffic.add_done_callback(self._traffic_ended)

    def _traffic_ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.call_later(self._complain, f"background prompts have stopped: {self.note(error)}")


def run_dashboard(config: Config, *, read_only: bool = False, traffic: bool = True) -> int:
    """Opens the dashboard and waits until it is left.

    Args:
        config: A checked configuration.
        read_only: Whether what acts is hidden.
        traffic: Whether the configuration's background prompts are sent.

    Returns:
        The exit code: 0 left, 1 crashed, 128 and the signal's number when a signal or the terminal
        ended it.
    """
    app = StandbyApp(Engine(config), read_only=read_only, traffic=traffic)
    way = Exitway(app.leave)
    way.open()
    try:
        app.run()
    finally:
        way.close()
        if way.terminal_gone:
            abandon_terminal()
    if way.code:
        return way.code
    if app.crash:
        Notes().error(app.crash)
        return FAILED
    return app.return_code or DONE


def _look(config: Config) -> Look:
    known = (*BUILTIN_THEMES, *(theme.name for theme in OWN))
    return choose_look(config.dashboard.theme, known, os.environ)
