"""What the bench asks of whoever shares it among many engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.stay import Transition
from engine.steps import Taken


class Ledger(Protocol):
    """Where steps of the bench are taken once more, for all engines."""

    @property
    def is_waiting(self) -> bool:
        """True while steps are on their way."""

    def submit(self, step: Taken, transitions: Sequence[Transition], *, told: bool) -> None:
        """Takes a step that was taken here; unless it was told already, tells what comes of it."""

    async def claim(self, step: Taken, transitions: Sequence[Transition]) -> bool:
        """Takes a trial that was taken here, and tells of it; False if another engine has it."""

    async def settled(self) -> None:
        """Waits, not long, until the steps on their way are taken."""


class Door(Protocol):
    """How one comes to the ledger."""

    async def ready(self) -> None:
        """Waits, not long, until what others did is known."""

    def catch_up(self) -> None:
        """Takes in what has come, where no loop runs that would do it."""
