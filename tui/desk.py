"""What everything on the screen works with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine import Engine
from tui.commands import BY_NAME
from tui.engines import Engines
from tui.feed import Feed
from tui.glyphs import Glyphs
from tui.health import Health
from tui.probes import Probes
from tui.source import Source


@dataclass(slots=True)
class Desk:
    """What is looked at, and what the screen keeps of what it told.

    Attributes:
        source: What is looked at.
        feed: Rings of attempts, figures, and what the status line tells.
        glyphs: The signs in use.
        read_only: Whether what acts is hidden.
        keymap: Command → keys, for those that are not the default.
        now: Seconds on the dashboard's clock: every age and countdown on the screen is reckoned with it.
        acting: The engine that what acts is done with; None where nothing acts.
        health: The state of every model, asked for again when it may have changed.
        engines: Which engines are there.
        probes: The operator's probes that are under way.
    """

    source: Source
    feed: Feed
    glyphs: Glyphs
    read_only: bool = False
    keymap: Mapping[str, str] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic
    acting: Engine | None = None
    health: Health = field(init=False)
    engines: Engines = field(init=False)
    probes: Probes = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(self.source)
        self.engines = Engines(self.source)
        self.probes = Probes(self.now)

    @property
    def engine(self) -> Engine:
        """The engine that what acts is done with.

        Raises:
            RuntimeError: There is none; what acts should have been hidden.
        """
        if self.acting is None:
            raise RuntimeError("there is no engine here to act on")
        return self.acting

    def key(self, command: str) -> str:
        """The key that a command is shown with, in Textual's name for it."""
        return self.keymap.get(command, BY_NAME[command].keys[0]).partition(",")[0]
