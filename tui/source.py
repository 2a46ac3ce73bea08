"""What the dashboard looks at: an engine, or the recording of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine import Config, EngineSeen, KeyStatus, ModelStatus, Prospect, StoreState


class Source(Protocol):
    """Whoever tells how models, keys and engines stand. An `Engine` is one; none of this changes anything."""

    @property
    def name(self) -> str:
        """Its engine's name; empty if it has none of its own."""
        ...

    @property
    def config(self) -> Config:
        """The configuration in force."""
        ...

    @property
    def store(self) -> StoreState:
        """Where benches live, and whether that works."""
        ...

    def status(self) -> Sequence[ModelStatus]:
        """The state of every model."""
        ...

    def chains(self) -> Mapping[str, tuple[str, ...]]:
        """Each chain's models in fallback order."""
        ...

    def explain(self, target: str) -> Sequence[Prospect]:
        """Who would be tried now, and who would be skipped.

        Raises:
            StandbyError: Nothing is known by the target's name.
        """
        ...

    def keys(self) -> Sequence[KeyStatus]:
        """The state of every provider's keys."""
        ...

    def is_benched(self, name: str) -> bool:
        """True if the next request would pass a name over."""
        ...

    def engines(self) -> Sequence[EngineSeen]:
        """The engines that share the store."""
        ...
