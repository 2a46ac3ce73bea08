"""The state of every provider's keys, by name: asked of the engine while somebody looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from engine import Benched, KeyStatus
from tui.health import LOOK_EVERY_S, Deadlines
from tui.source import Source


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One key, or its bench on one model.

    Attributes:
        name: `provider#name`, or `provider#name/model`.
        state: `usable`, `benched`, `held`, or `unset`.
        tier: Keys of a lower tier are used first.
        on_model: True for a bench on one model.
        ends: When its bench ends, seconds on the dashboard's clock; None for no end.
        reason: Why it is out, or has no value.
        by: Who benched it, empty for the engine.
    """

    name: str
    state: str = "usable"
    tier: int = 1
    on_model: bool = False
    ends: float | None = None
    reason: str = ""
    by: str = ""

    @property
    def is_out(self) -> bool:
        """True on the bench, by whomever."""
        return self.state in ("benched", "held")


class KeyStates:
    """What the engine says of its keys.

    Args:
        source: The engine, or what stands in for one.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._deadlines = Deadlines()
        self._providers: dict[str, tuple[KeyPlace, ...]] = {}
        self._look_at = float("-inf")

    def refresh(self, now: float, *, changed: bool) -> None:
        """Asks the engine again, if there may be news.

        Args:
            now: Seconds on the dashboard's clock.
            changed: True if the engine told of a change; else it is asked once a second, and when a
                bench ends.
        """
        if not changed and now < self._look_at:
            return
        statuses = groupby(self._source.keys(), key=lambda status: status.provider)
        self._providers = {
            provider: tuple(place for status in keys for place in self._places(status, now))
            for provider, keys in statuses
        }
        places = (place for places in self._providers.values() for place in places)
        ends = [place.ends for place in places if place.ends is not None]
        self._look_at = min([now + LOOK_EVERY_S, *ends])

    def of(self, provider: str) -> tuple[KeyPlace, ...]:
        """A provider's keys in the order in which they are used, each followed by its benches on models."""
        return self._providers.get(provider, ())

    def _places(self, key: KeyStatus, now: float) -> list[KeyPlace]:
        ends = self._deadlines.end(key.key, key.remaining_s, now)
        why = key.unset if key.state == "unset" else key.reason
        own = KeyPlace(key.key, key.state, key.tier, ends=ends, reason=why or "", by=key.by or "")
        return [own, *(self._on_model(bench, key.tier, now) for bench in key.on_models)]

    def _on_model(self, bench: Benched, tier: int, now: float) -> KeyPlace:
        state = "held" if bench.manual else "benched"
        ends = self._deadlines.end(bench.name, bench.remaining_s, now)
        return KeyPlace(bench.name, state, tier, True, ends, bench.reason, bench.by or "")
