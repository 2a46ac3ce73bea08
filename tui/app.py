"""The dashboard of an engine: what it and all others on the same store tell, as it happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Final

from engine import BackgroundTraffic, Config, ConfigReloaded, Engine, Figures
from tui.dashboard import Dashboard, glyphs_of, open_dashboard
from tui.desk import Desk
from tui.feed import Drained, Feed
from tui.screens.view import View
from tui.store_news import News, StoreNews

_CLOSING_S: Final = 2.0
"""Longer than an engine waits for its store, so that what waits to be written is."""
_LOOK_BACK_S: Final = 600.0
"""As far as the figures look back."""


class StandbyApp(Dashboard):
    """The dashboard of one engine, and of those that share its store.

    Args:
        engine: An engine that is not entered yet; the app enters it and closes it.
        read_only: Whether what acts is hidden.
        traffic: Whether the configuration's background prompts are sent.
        now: Seconds that only ever grow, for ages and countdowns.
        wall: Seconds since the epoch, to tell how long ago an event was.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        read_only: bool = False,
        traffic: bool = True,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._with_traffic = traffic
        self._traffic: asyncio.Task[None] | None = None
        self._listening = ExitStack()
        feed = Feed(Figures(clock=now, wall=wall))
        super().__init__(Desk(engine, feed, glyphs_of(engine.config), read_only, now=now, acting=engine))
        self.add_mode("prompt", self._prompt)

    async def begin(self) -> None:
        """Starts the engine; listens to it and to all others."""
        engine, push = self.desk.engine, self.desk.feed.push
        self._listening.enter_context(engine.observe(push))
        self._listening.enter_context(engine.observe(StoreNews(engine, self._tell_of_store)))
        await engine.__aenter__()
        self._listening.enter_context(engine.observe_others(push, since_s=_LOOK_BACK_S))
        self._start_traffic()

    async def on_unmount(self) -> None:
        """Closes what was started; the terminal is restored already, so nobody waits for this long."""
        self._listening.close()
        if self._traffic is not None:
            self._traffic.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.desk.engine.aclose(), _CLOSING_S)

    def action_view_prompt(self) -> None:
        """Shows the prompt."""
        self.switch_mode("prompt")

    async def action_new_prompt(self) -> None:
        """Shows the prompt, ready to type."""
        await self.switch_mode("prompt")
        if isinstance(self.screen, View):
            self.screen.begin()

    def drain(self) -> Drained:
        """Takes in what happened since the last beat; a new configuration is taken over."""
        drained = super().drain()
        if any(isinstance(reload, ConfigReloaded) for reload in drained.reloads):
            self._take_config()
            self._start_traffic()
        return drained

    def _tell_of_store(self, news: News) -> None:
        self.call_later(self.complain, news.text, about="the store's outage" if news.of_outage else "")

    def _prompt(self) -> View:
        # Loaded when it is first shown: the board is on the screen sooner.
        from tui.screens.prompt import PromptScreen  # noqa: PLC0415 - the board comes sooner

        return PromptScreen(self.desk)

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
            self.call_later(self.complain, f"background prompts have stopped: {self.note(error)}")


def run_dashboard(
    config: Config, *, read_only: bool = False, traffic: bool = True, name: str | None = None
) -> int:
    """Opens the dashboard and waits until it is left.

    Args:
        config: A checked configuration.
        read_only: Whether what acts is hidden.
        traffic: Whether the configuration's background prompts are sent.
        name: What its events call the engine; by default the program's name and process id.

    Returns:
        The exit code: 0 left, 1 crashed, 128 and the signal's number when a signal or the terminal
        ended it.
    """
    # One that only looks on leaves the one trial that there is for a model to those at work.
    engine = Engine(config, name=name, probes=not read_only)
    return open_dashboard(StandbyApp(engine, read_only=read_only, traffic=traffic))
