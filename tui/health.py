"""The state of every chain and model: asked of the engine, kept with deadlines instead of countdowns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine import Engine, ModelStatus, StandbyError

Mark = Literal["", "serves", "stands_in"]

_LOOK_EVERY_S = 1.0
_JITTER_S = 0.2


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

    @property
    def is_out(self) -> bool:
        """True on the bench, by whomever."""
        return self.state in ("benched", "held")


@dataclass(slots=True)
class Health:
    """What the engine says of its models.

    Args:
        engine: The engine.

    Attributes:
        chains: Each chain's places, in fallback order; chains in the file's order.
        out: Each model on the bench once, the one that is back first first.
        version: Grows when something changed.
    """

    engine: Engine
    chains: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    out: tuple[Place, ...] = ()
    version: int = 0
    _states: dict[str, ModelStatus] = field(default_factory=dict)
    _ends: dict[str, float] = field(default_factory=dict)
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
        statuses = self.engine.status()
        self._states = {status.model: status for status in statuses}
        chains = {chain: self._places(chain, models, now) for chain, models in self.engine.chains().items()}
        out = tuple(
            sorted(
                (self._place("", status, now) for status in statuses if status.state in ("benched", "held")),
                key=lambda place: float("inf") if place.ends is None else place.ends,
            )
        )
        self._look_at = min([now + _LOOK_EVERY_S, *(place.ends for place in out if place.ends is not None)])
        if (chains, out) == (self.chains, self.out):
            return False
        self.chains, self.out = chains, out
        self.version += 1
        return True

    def state(self, model: str) -> ModelStatus | None:
        """A model's state as the engine last gave it; None for a model it does not know."""
        return self._states.get(model)

    def counts(self) -> dict[str, int]:
        """How many models there are of each state; models in no chain do not count unless benched."""
        models = {place.model: place.state for places in self.chains.values() for place in places}
        models.update((place.model, place.state) for place in self.out)
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
            prospects = self.engine.explain(chain)
        except StandbyError:
            return None
        return next((prospect.model for prospect in prospects if prospect.would == "try"), None)

    def _place(
        self, chain: str, status: ModelStatus, now: float, mark: Mark = "", instead_of: str = ""
    ) -> Place:
        return Place(
            chain,
            status.model,
            "unusable" if status.unusable else status.state,
            mark,
            instead_of,
            self._end(status, now),
            status.for_s,
            status.unusable or status.reason,
            status.by or "",
        )

    def _end(self, status: ModelStatus, now: float) -> float | None:
        """The end of a bench; the same number as long as it is the same end, so that rows compare equal."""
        if status.remaining_s is None:
            self._ends.pop(status.model, None)
            return None
        end = now + status.remaining_s
        known = self._ends.get(status.model, end)
        # Asked a moment later, the same end comes out a little different.
        self._ends[status.model] = known if abs(known - end) <= _JITTER_S else end
        return self._ends[status.model]
