"""What everything on the screen works with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine import Engine
from tui.commands import BY_NAME
from tui.feed import Feed
from tui.glyphs import Glyphs
from tui.health import Health
from tui.probes import Probes


@dataclass(slots=True)
class Desk:
    """The engine, and what the screen keeps of what it told.

    Attributes:
        engine: The engine.
        feed: Rings of attempts, figures, and what the status line tells.
        glyphs: The signs in use.
        read_only: Whether what acts is hidden.
        keymap: Command → keys, for those that are not the default.
        now: Seconds that only ever grow: every age and countdown on the screen is reckoned with it.
        health: The state of every model, asked for again when it may have changed.
        probes: The operator's probes that are under way.
    """

    engine: Engine
    feed: Feed
    glyphs: Glyphs
    read_only: bool = False
    keymap: Mapping[str, str] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic
    health: Health = field(init=False)
    probes: Probes = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(self.engine)
        self.probes = Probes(self.engine, self.now)

    def key(self, command: str) -> str:
        """The key that a command is shown with, in Textual's name for it."""
        return self.keymap.get(command, BY_NAME[command].keys[0]).partition(",")[0]
