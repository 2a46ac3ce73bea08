"""The prompt view on a stage: a real engine over a provider that plays a script, and a hand to type."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from engine import Config, Engine, Policy, Usage
from engine.policy import Backoff
from engine.providers.base import End, Finish
from tests.scripted import Parts
from tests.tui import patience
from tui.app import StandbyApp
from tui.screens.prompt import PromptScreen

QUICK = Policy(attempts=1, backoff=Backoff(0.0))


class Hand:
    """Whoever sits in front of the screen."""

    def __init__(self, app: StandbyApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def view(self) -> PromptScreen:
        assert isinstance(self.app.screen, PromptScreen)
        return self.app.screen

    async def types(self, text: str, *keys: str) -> None:
        """Types a text, which is there before any of the keys is pressed."""
        await patience.type_(self.pilot, text)
        await self.press(*keys)

    async def press(self, *keys: str) -> None:
        """Presses keys, each when the one before has had its effect."""
        await patience.press(self.pilot, *keys)

    async def until(self, holds: Callable[[], object]) -> None:
        """Waits for something that will come true, and until the screen has followed it."""
        await patience.until(self.pilot, holds)

    async def ends(self) -> None:
        """Waits until the request is over, and all of it is on the screen."""
        await self.until(lambda: self.view.exchange is not None and not self.view.is_asking)
        await self.until(lambda: self.view.exchange is not None and not self.view.exchange.pieces)
        await self.until(lambda: self.view.line._painted == self.view.line._cells())

    @property
    def screen(self) -> str:
        return patience.screen(self.pilot)

    def blocks(self, kind: str) -> list[str]:
        return [str(block.content) for block in self.view.answer.query(f".{kind}").results(Static)]


@asynccontextmanager
async def prompt_view(config: Config, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Hand]:
    app = StandbyApp(Engine(config, watch=False), traffic=False)
    async with app.run_test(size=size, notifications=True) as pilot:
        await patience.press(pilot, "2")
        hand = Hand(app, pilot)
        await hand.until(lambda: isinstance(app.screen, PromptScreen) and app.focused is not None)
        yield hand


def answers(*batches: Any) -> Parts:
    return Parts([*batches, [Finish("stop")], [Usage(3, 5), End()]])
