"""What every dashboard is, whatever it looks at: theme, keys, views, the beat, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from textwrap import wrap
from typing import ClassVar

from textual.binding import BindingType
from textual.notifications import Notification, Notify, SeverityLevel
from textual.theme import BUILTIN_THEMES

from engine import Config
from tui.careful import CarefulApp
from tui.cells import shown
from tui.commands import Place, acts, bindings, key_label, remapped
from tui.desk import Desk
from tui.exits import DONE, FAILED
from tui.feed import HZ, Drained
from tui.glyphs import Glyphs, choose_glyphs
from tui.going_down import Exitway, abandon_terminal
from tui.output import Notes
from tui.screens.board import BoardScreen
from tui.screens.view import View
from tui.themes import OWN, Look, choose_look
from tui.working import Working, working

_FAULT_WIDTH = 600
_FAULT_SHOWN_S = 15.0
_SHORT = 16
_TOAST_EDGES = 3


class Dashboard(CarefulApp):
    """Shows what a desk has, eight times a second. Subclasses say where that comes from.

    Args:
        desk: What everything on the screen works with.
    """

    TITLE = "standby"
    CSS_PATH = Path(__file__).with_name("app.tcss")  # also for those that are defined elsewhere
    DEFAULT_MODE = "board"
    SUSPENDED_SCREEN_CLASS = "-below"
    ENABLE_COMMAND_PALETTE = False
    PLACES: ClassVar[tuple[Place, ...]] = ("board", "prompt", "filter", "list", "app")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]

    def __init__(self, desk: Desk) -> None:
        look = look_of(desk.source.config)
        super().__init__(ansi_color=True if look.ansi else None)
        self.animation_level = "none"  # nobody wants to watch a list glide over ssh
        self.desk = desk
        desk.health.refresh(desk.now())
        self.set_class(desk.glyphs.ascii, "-ascii")
        self.add_mode("board", self.board)
        for theme in OWN:
            self.register_theme(theme)
        self._leave_code = 0
        self._last_complaints: dict[str, Notification] = {}
        self._take_config()

    def board(self) -> BoardScreen:
        """Makes the first view."""
        return BoardScreen(self.desk)

    async def begin(self) -> None:
        """Starts what is looked at."""

    async def on_mount(self) -> None:
        """Starts what is looked at, and the beat."""
        asyncio.get_running_loop().set_exception_handler(self.report_stray)
        await self.begin()
        self.set_interval(1 / HZ, self._beat)
        if self._leave_code:
            self.exit(return_code=self._leave_code)

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

    def action_help(self) -> None:
        """Shows what the keys do here."""
        self._open_menu(())

    def action_palette(self) -> None:
        """Shows every command."""
        self._open_menu(self.PLACES if not self.desk.read_only else set(self.PLACES) - {"prompt"})

    def _open_menu(self, elsewhere: Collection[Place]) -> None:
        # Loaded when it is first asked for: the board is on the screen sooner.
        from tui.screens.command_menu import CommandMenu  # noqa: PLC0415 - the board comes sooner

        if isinstance(self.screen, View):  # a dialog has its keys in its own words
            self.push_screen(CommandMenu(self.desk, working(self.screen), elsewhere), self._do)

    async def _do(self, chosen: Working | None) -> None:
        if chosen is not None and chosen.node.is_attached:
            await self.run_action(chosen.action, chosen.node)

    def action_help_quit(self) -> None:
        """Ctrl+C: says how to leave; a slip of the hand must not end the watch."""
        self.notify(f"{key_label(self.desk.key('quit'))} leaves standby.", markup=False)

    def drain(self) -> Drained:
        """Takes in what happened since the last beat."""
        return self.desk.feed.drain(self.desk.now())

    def _beat(self) -> None:
        desk = self.desk
        drained = self.drain()
        now = desk.now()
        desk.health.refresh(now, changed=drained.states)
        desk.engines.refresh(now, desk.feed)
        self._tell(drained)

    def _tell(self, drained: Drained) -> None:
        view = self.screen_stack[0] if self.screen_stack else None
        if self.is_running and isinstance(view, View) and view.is_mounted:
            view.tick(drained)

    def _take_config(self) -> None:
        """Takes over theme and keys."""
        config = self.desk.source.config
        look = look_of(config)
        self.ansi_color = True if look.ansi else None
        self.theme = look.theme
        keymap, faults = remapped(config.dashboard.keys)
        self.desk.keymap = keymap
        self.set_keymap(keymap)
        for fault in (*filter(None, [look.fault]), *faults):
            self.call_later(self.complain, fault)
        for screen in (stack[0] for stack in self._screen_stacks.values() if stack):
            if isinstance(screen, View) and screen.is_mounted:
                screen.keys_changed()

    def complain(self, fault: str, *, about: str = "") -> None:
        """Says for a while what is wrong.

        Args:
            fault: What it is.
            about: What is spoken of, if this makes untrue what was said of it before.
        """
        text = shown(fault, _FAULT_WIDTH, self.desk.glyphs)
        notification = Notification(self._in_short(text), "", "warning", _FAULT_SHOWN_S)
        if about:
            older = self._last_complaints.get(about)
            if older is not None:
                self.call_later(self._unnotify, older)  # not at once: it may be on its way itself
            self._last_complaints[about] = notification
        self.post_message(Notify(notification))

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """As Textual's; where there are few lines, it takes two of them at most."""
        text = self._in_short(message)
        super().notify(text, title=title, severity=severity, timeout=timeout, markup=markup)

    def _in_short(self, text: str) -> str:
        width, height = self.size.width - _TOAST_EDGES, self.size.height
        if height >= _SHORT or width < 1:
            return text
        first, *more = wrap(text, width) or [""]
        return "\n".join([first, shown(" ".join(more), width, self.desk.glyphs)]) if more else first


def glyphs_of(config: Config) -> Glyphs:
    """The signs that a configuration and the terminal want."""
    return choose_glyphs(
        config.dashboard.glyphs,
        encoding=getattr(sys.__stderr__, "encoding", None),  # where Textual writes
        term=os.environ.get("TERM", ""),
    )


def look_of(config: Config) -> Look:
    """The theme that a configuration and the terminal want."""
    known = (*BUILTIN_THEMES, *(theme.name for theme in OWN))
    return choose_look(config.dashboard.theme, known, os.environ)


def open_dashboard(app: Dashboard) -> int:
    """Opens a dashboard and waits until it is left.

    Returns:
        The exit code: 0 left, 1 crashed, 128 and the signal's number when a signal or the terminal
        ended it.
    """
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
