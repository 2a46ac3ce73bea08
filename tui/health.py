"""The state of every chain and model: asked of the engine, kept with deadlines instead of countdowns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine import ModelStatus, StandbyError
from tui.source import Source

Mark = Literal["", "serves", "stands_in"]

LOOK_EVERY_S = 1.0
"""How often the engine is asked although it told of no change: an event may have been lost."""

_JITTER_S = 0.2
_OUT = ("benched", "held")
_COMING_BACK = ("on_trial", "due")


@dataclass(frozen=True, slots=True)
class Place:
    """One model's place in one chain.

    Attributes:
        chain: The chain.
        model: The model.
        state: `live`, `due`, `on_trial`, `benched`, `held`, or `unusable`.
        mark: Whether the chain's traffic goes to it now, and whether for another.
        instead_of: The model whose traffic it takes; empty if it takes none.
        ends: When its bench ends, seconds on the dashboard's clock; None for no end.
        for_s: Seconds the whole bench lasts, None for no end.
        reason: Why it is out, or why it can't be used.
        by: Who benched it, empty for the engine.
        level: Of the automatic bench: each one in a row is a level up.
        awaits_probe: True if it is due and a probe tries it, not the next request.
    """

    chain: str
    model: str
    state: str = "live"
    mark: Mark = ""
    instead_of: str = ""
    ends: float | None = None
    for_s: float | None = None
    reason: str = ""
    by: str = ""
    level: int = 0
    awaits_probe: bool = False

    @property
    def is_out(self) -> bool:
        """True on the bench, by whomever."""
        return self.state in _OUT

    @property
    def is_coming_back(self) -> bool:
        """True if its bench ran out, and one answer decides whether it is live again."""
        return self.state in _COMING_BACK


class Deadlines:
    """Ends of benches on the dashboard's clock: the same number as long as it is the same end."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}

    def end(self, name: str, remaining_s: float | None, now: float) -> float | None:
        """When a bench ends.

        Args:
            name: What is on the bench.
            remaining_s: Seconds left, as the engine says; None for no end, or no bench.
            now: Seconds on the dashboard's clock.
        """
        if remaining_s is None:
            self._ends.pop(name, None)
            return None
        end = now + remaining_s
        known = self._ends.get(name, end)
        # Asked a moment later, the same end comes out a little different.
        self._ends[name] = known if abs(known - end) <= _JITTER_S else end
        return self._ends[name]


@dataclass(slots=True)
class Health:
    """What the engine says of its models.

    Args:
        source: The engine, or what stands in for one.

    Attributes:
        chains: Each chain's places, in fallback order; chains in the file's order.
        out: Each model on the bench once, the one that is back first first.
        coming_back: Each model whose bench ran out, those on trial before those that are due.
        version: Grows when something changed.
    """

    source: Source
    chains: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    out: tuple[Place, ...] = ()
    coming_back: tuple[Place, ...] = ()
    version: int = 0
    _states: dict[str, ModelStatus] = field(default_factory=dict)
    _deadlines: Deadlines = field(default_factory=Deadlines)
    _look_at: float = float("-inf")

    def refresh(self, now: float, *, changed: bool = True) -> bool:
        """Asks the engine again, if there may be news.

        Args:
            now: Seconds on the dashboard's clock.
            changed: True if the engine told of a change; else it is asked once a second, and when a
                bench ends.

        Returns:
            True if something is different now.
        """
        if not changed and now < self._look_at:
            return False
        statuses = self.source.status()
        self._states = {status.model: status for status in statuses}
        chains = {chain: self._places(chain, models, now) for chain, models in self.source.chains().items()}
        known = [self._place("", status, now) for status in statuses]
        out = tuple(
            sorted(
                (place for place in known if place.is_out),
                key=lambda place: float("inf") if place.ends is None else place.ends,
            )
        )
        coming_back = tuple(
            sorted(
                (place for place in known if place.is_coming_back),
                key=lambda place: _COMING_BACK.index(place.state),
            )
        )
        self._look_at = min([now + LOOK_EVERY_S, *(place.ends for place in out if place.ends is not None)])
        if (chains, out, coming_back) == (self.chains, self.out, self.coming_back):
            return False
        self.chains, self.out, self.coming_back = chains, out, coming_back
        self.version += 1
        return True

    def state(self, model: str) -> ModelStatus | None:
        """A model's state as the engine last gave it; None for a model it does not know."""
        return self._states.get(model)

    def counts(self) -> dict[str, int]:
        """How many models there are of each state; models in no chain count only while they are not live."""
        models = {place.model: place.state for places in self.chains.values() for place in places}
        models.update((place.model, place.state) for place in (*self.out, *self.coming_back))
        counts: dict[str, int] = {}
        for state in models.values():
            counts[state] = counts.get(state, 0) + 1
        return counts

    def _places(self, chain: str, models: tuple[str, ...], now: float) -> tuple[Place, ...]:
        serves = self._serves(chain)
        first = models[0] if models else ""
        places = []
        for model in models:
            status = self._states.get(model) or ModelStatus(model, "live")
            if model != serves:
                places.append(self._place(chain, status, now))
            elif model == first:
                places.append(self._place(chain, status, now, "serves"))
            else:
                places.append(self._place(chain, status, now, "stands_in", first))
        return tuple(places)

    def _serves(self, chain: str) -> str | None:
        try:
            prospects = self.source.explain(chain)
        except StandbyError:
            return None
        return next((prospect.model for prospect in prospects if prospect.would == "try"), None)

    def _place(
        self, chain: str, status: ModelStatus, now: float, mark: Mark = "", instead_of: str = ""
    ) -> Place:
        state = "unusable" if status.unusable else status.state
        # What is due has no end to wait for: the end that the engine gives has passed.
        remaining_s = status.remaining_s if state in _OUT else None
        return Place(
            chain,
            status.model,
            state,
            mark,
            instead_of,
            self._deadlines.end(status.model, remaining_s, now),
            status.for_s,
            status.unusable or status.reason,
            status.by or "",
            status.level,
            # Only then does the next request pass over what is due.
            awaits_probe=state == "due" and self.source.is_benched(status.model),
        )
