"""A dashboard on a stage: a real engine, a clock turned by hand, and eyes on the screen."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip

from engine import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    ChainConfig,
    Config,
    Engine,
    Event,
    ModelBenched,
    Policy,
    ProviderConfig,
)
from tests.scripted import Scripted
from tests.tui import patience
from tui.app import StandbyApp
from tui.feed import Drained
from tui.screens.board import BoardScreen

AT = "2026-03-01T12:00:00.000Z"
AT_S = datetime.fromisoformat(AT).timestamp()
E = TypeVar("E", bound=Event)

CHAINS = {"support": ("p/large", "p/mini", "q/small"), "drafts": ("q/small", "p/mini")}


def ago(seconds: float) -> str:
    """A time before that of the stage, as events tell it."""
    when = datetime.fromtimestamp(AT_S - seconds, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += seconds


def config(chains: Mapping[str, Sequence[str]] = CHAINS, **more: Any) -> Config:
    """Chains of models whose providers answer nothing."""
    names = dict.fromkeys(model.partition("/")[0] for models in chains.values() for model in models)
    return Config(
        providers={name: ProviderConfig(name, adapter=Scripted({})) for name in names},
        chains={name: ChainConfig(name, tuple(models), Policy()) for name, models in chains.items()},
        **more,
    )


class Stage:
    """What a test needs of a running dashboard."""

    def __init__(self, app: StandbyApp, pilot: Pilot[None], clock: Clock) -> None:
        self.app = app
        self.pilot = pilot
        self.clock = clock
        self.engine = app.desk.engine
        self.feed = app.desk.feed

    @property
    def view(self) -> BoardScreen:
        board = self.app.screen_stack[0]
        assert isinstance(board, BoardScreen)
        return board

    @property
    def strips(self) -> list[Strip]:
        return self.app.screen._compositor.render_strips()

    @property
    def screen(self) -> str:
        return patience.screen(self.pilot)

    @property
    def lines(self) -> list[str]:
        return self.screen.split("\n")  # the last one counts, too, when nothing is on it

    def row(self, model: str, nth: int = 0) -> str:
        """The board's line of a model, the nth from the top."""
        return [line for line in self.lines[1:] if f" {model} " in f"{line} "][nth]

    async def press(self, *keys: str) -> None:
        """Presses keys, each when the one before has had its effect."""
        await patience.press(self.pilot, *keys)
        await self.beat()

    async def beat(self) -> None:
        """One beat of the dashboard, and what it paints."""
        self.app._beat()
        await patience.settled(self.pilot)

    async def tell(self, *events: Event) -> None:
        """The engine tells of something."""
        for event in events:
            self.feed.push(event)
        await self.beat()

    async def until(self, holds: Callable[[], object]) -> None:
        """Waits for something that will come true, and until the screen has followed it."""
        await patience.until(self.pilot, holds)

    def retake(self, new: Config) -> None:
        """A new configuration is in force, as after an edit of its file."""
        self.engine._config = new
        self.engine._roster.replace(new)


@asynccontextmanager
async def dashboard(
    shown: Config | None = None,
    size: tuple[int, int] = (120, 40),
    *,
    read_only: bool = False,
    name: str = "standby:1",
) -> AsyncIterator[Stage]:
    """A dashboard without traffic, and nobody who beats it but the test and its own timer."""
    clock = Clock()
    engine = Engine(shown or config(), name=name, clock=clock, watch=False)
    app = StandbyApp(engine, read_only=read_only, traffic=False, now=clock, wall=lambda: AT_S)
    async with app.run_test(size=size, notifications=True) as pilot:
        stage = Stage(app, pilot, clock)
        stage.view.tick(Drained(states=True))
        await patience.settled(pilot)
        yield stage


def told(kind: type[E], /, **facts: Any) -> E:
    """An event as the engine stamps it; what is not given is empty."""
    for field in dataclasses.fields(kind):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            facts.setdefault(field.name, _EMPTY.get(field.name, ""))
    facts.setdefault("at", AT)
    return kind(**facts)


_EMPTY: dict[str, Any] = {
    "attempt": 1,
    "attempts": 3,
    "position": 1,
    "positions": 1,
    "elapsed_s": 0.5,
    "first_token_s": None,
    "finish_reason": "stop",
    "input_tokens": None,
    "output_tokens": None,
    "key": None,
    "kind": "transient",
    "status": 0,
    "until": None,
    "for_s": None,
    "level": 1,
    "failures": 1,
    "manual": False,
    "models": (),
    "causes": (),
    "changes": (),
    "faults": (),
    "fallback": False,
    "after_s": 0.1,
    "delivered_chars": 0,
    "count": 0,
}


def begun(request: str, model: str = "p/large", **facts: Any) -> AttemptStarted:
    return told(AttemptStarted, request=request, model=model, chain="support", provider="p", **facts)


def answered(request: str, model: str = "p/large", **facts: Any) -> AttemptSucceeded:
    return told(AttemptSucceeded, request=request, model=model, chain="support", **facts)


def failed(request: str, model: str = "p/large", **facts: Any) -> AttemptFailed:
    facts = {"reason": "overloaded", "status": 503, "message": "busy", **facts}
    return told(AttemptFailed, request=request, model=model, chain="support", **facts)


def benched(model: str = "p/large", **facts: Any) -> ModelBenched:
    return told(ModelBenched, model=model, **{"reason": "overloaded", "for_s": 60.0, **facts})


def style_at(strip: Strip, column: int) -> Style:
    """How the character in a column is drawn."""
    at = 0
    for segment in strip:
        at += segment.cell_length
        if column < at:
            return segment.style or Style.null()
    return Style.null()
