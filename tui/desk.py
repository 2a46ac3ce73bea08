"""What everything on the screen works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine import Engine
from tui.feed import Feed
from tui.glyphs import Glyphs
from tui.health import Health


@dataclass(slots=True)
class Desk:
    """The engine, and what the screen keeps of what it told.

    Attributes:
        engine: The engine.
        feed: Rings of attempts, figures, and what the status line tells.
        glyphs: The signs in use.
        read_only: Whether what acts is hidden.
        now: Seconds that only ever grow: every age and countdown on the screen is reckoned with it.
        health: The state of every model, asked for again when it may have changed.
    """

    engine: Engine
    feed: Feed
    glyphs: Glyphs
    read_only: bool = False
    now: Callable[[], float] = time.monotonic
    health: Health = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(self.engine)
