"""How models, keys and chains stand after some events: what a bench would say, told by events alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from engine import (
    AttemptStarted,
    Event,
    KeyBenched,
    KeyUnbenched,
    ModelBenched,
    ModelDue,
    ModelTrial,
    ModelUnbenched,
    RequestStarted,
    StoreDegraded,
    StoreRestored,
    is_key,
    is_model,
)

State = Literal["live", "due", "on_trial", "benched", "held"]
OTHERS: Final = "in no chain"
"""What models are listed under that no request for a chain had."""


class Stay(NamedTuple):
    """One stay on the bench, as its event told it.

    Attributes:
        until: When it is back, ISO 8601; None for no end.
        end: The same in seconds since the epoch, infinite for no end.
        for_s: Seconds it lasts; None for no end.
        reason: Why.
        by: Who; None for the engine itself.
        level: Of the automatic bench.
        failures: Failures in a row.
    """

    until: str | None
    end: float
    for_s: float | None
    reason: str
    by: str | None
    level: int
    failures: int


@dataclass(slots=True)
class Place:
    """One name's place on the bench.

    Attributes:
        auto: The automatic bench; kept while the model is due or on trial.
        hold: The operator's.
        spared: Models taken out of a hold of their whole provider.
        on_trial: Whether somebody tries it.
    """

    auto: Stay | None = None
    hold: Stay | None = None
    spared: set[str] = field(default_factory=set)
    on_trial: bool = False


class Out(NamedTuple):
    """Why a name may not simply play.

    Attributes:
        state: `held`, `benched`, `due` or `on_trial`.
        stay: The stay that keeps it out; of several the operator's.
        remaining_s: Seconds until its end; None for no end.
    """

    state: State
    stay: Stay
    remaining_s: float | None


class Stand:
    """What events have told of models, keys, chains and the store.

    Attributes:
        chains: Each chain's models, as its latest request had them.
        models: Every model that was named, chains' models first told first.
        keys: Every key that was named, as `provider#name`.
        degraded: Engine → why it can't use its store.
    """

    def __init__(self) -> None:
        self.chains: dict[str, tuple[str, ...]] = {}
        self.models: dict[str, None] = {}
        self.keys: dict[str, None] = {}
        self.degraded: dict[str, StoreDegraded] = {}
        self._places: dict[str, Place] = {}
        self._takes: Mapping[type[Event], Callable[[Any], None]] = {
            RequestStarted: self._request,
            AttemptStarted: self._attempt,
            ModelBenched: self._benched,
            KeyBenched: self._benched,
            ModelUnbenched: self._unbenched,
            KeyUnbenched: self._unbenched,
            ModelDue: self._due,
            ModelTrial: self._trial,
            StoreDegraded: self._degraded,
            StoreRestored: self._restored,
        }

    def copy(self) -> Stand:
        """As it is now; from now on each goes its own way."""
        copy = Stand()
        copy.chains, copy.models, copy.keys = self.chains.copy(), self.models.copy(), self.keys.copy()
        copy.degraded = self.degraded.copy()
        copy._places = {
            name: Place(place.auto, place.hold, place.spared.copy(), place.on_trial)
            for name, place in self._places.items()
        }
        return copy

    def take(self, event: Event) -> None:
        """Takes an event in."""
        take = self._takes.get(type(event))
        if take is not None:
            take(event)

    def out(self, name: str, now: float) -> Out | None:
        """What keeps a model or a key out; None if nothing does.

        Args:
            name: A model, or a key, everywhere or on one model.
            now: Seconds since the epoch.
        """
        found = self._out(name, now)
        whole = f"{name.partition('/')[0]}/*"
        provider = self._places.get(whole) if is_model(name) else None
        if provider is None or name in provider.spared or (found is not None and found.state == "held"):
            return found
        return self._out(whole, now) or found

    def on_models(self, key: str) -> list[str]:
        """The names of a key's benches on single models."""
        return [name for name in self._places if name.startswith(f"{key}/")]

    def _out(self, name: str, now: float) -> Out | None:
        place = self._places.get(name)
        if place is None:
            return None
        if place.hold is not None and place.hold.end > now:
            return _out("held", place.hold, now)
        auto = place.auto
        if auto is None or (is_key(name) and auto.end <= now):
            return None
        if auto.end > now and not place.on_trial:
            return _out("benched", auto, now)
        return _out("on_trial" if place.on_trial else "due", auto, now)

    def _request(self, event: RequestStarted) -> None:
        if event.chain:
            self.chains[event.chain] = event.models
        self.models.update(dict.fromkeys(event.models))

    def _attempt(self, event: AttemptStarted) -> None:
        self.models.setdefault(event.model)
        if event.key:
            self.keys.setdefault(event.key)

    def _benched(self, event: ModelBenched | KeyBenched) -> None:
        place = self._place(event)
        until = event.until or None
        end = float("inf") if until is None else _epoch(until)
        stay = Stay(until, end, event.for_s, event.reason, event.by, event.level, event.failures)
        if event.manual:
            place.hold = stay
            place.spared.clear()
        else:
            place.auto = stay
            place.on_trial = False

    def _unbenched(self, event: ModelUnbenched | KeyUnbenched) -> None:
        place = self._place(event)
        if event.why == "operator":
            place.auto = place.hold = None
            place.spared.clear()
            self._spare(event)
        elif event.manual:
            place.hold = None
            place.spared.clear()
        else:
            place.auto = None
        if place.auto is None:
            place.on_trial = False

    def _spare(self, event: ModelUnbenched | KeyUnbenched) -> None:
        """An operator who brings a model back takes it out of its whole provider's hold, too."""
        name = _name(event)
        provider = self._places.get(f"{name.partition('/')[0]}/*")
        if provider is not None and is_model(name):
            provider.spared.add(name)

    def _due(self, event: ModelDue) -> None:
        place = self._place(event)
        place.on_trial = False
        if place.auto is not None and event.at:
            # Its own clock says that it is over, whatever ours makes of `until`.
            place.auto = place.auto._replace(end=min(place.auto.end, _epoch(event.at)))

    def _trial(self, event: ModelTrial) -> None:
        place = self._place(event)
        place.on_trial = event.outcome is None and place.auto is not None

    def _degraded(self, event: StoreDegraded) -> None:
        self.degraded[event.engine] = event

    def _restored(self, event: StoreRestored) -> None:
        self.degraded.pop(event.engine, None)

    def _place(self, event: Event) -> Place:
        name = _name(event)
        if is_key(name):
            self.keys.setdefault(name.partition("/")[0])
        elif is_model(name):
            self.models.setdefault(name)
        return self._places.setdefault(name, Place())


def _out(state: State, stay: Stay, now: float) -> Out:
    return Out(state, stay, None if stay.until is None else max(0.0, stay.end - now))


def _name(event: Any) -> str:
    """What a bench's event is about."""
    name: str = event.key if isinstance(event, KeyBenched | KeyUnbenched) else event.model
    return name


def _epoch(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
