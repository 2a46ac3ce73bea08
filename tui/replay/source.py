"""A recording as the dashboard looks at it: what an engine would have answered at that moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from engine import (
    Benched,
    Config,
    Dashboard,
    EngineSeen,
    KeyStatus,
    ModelStatus,
    Prospect,
    StoreState,
)
from tui.replay.playback import Playback
from tui.replay.stand import OTHERS, Out, Stand

_OPEN: Final = ("live", "due")


class ReplaySource:
    """Stands in for an engine. It knows what the events tell, and of chains what all of them tell.

    Args:
        playback: What is played.
        look: The theme, signs and keys to use.
    """

    name: Final = ""

    def __init__(self, playback: Playback, look: Dashboard) -> None:
        self._playback = playback
        self.config: Final = replace(Config(), dashboard=look)
        # Rows keep their place while one goes to and fro: chains and models are there from the beginning.
        self._first, self._models = playback.checkpoints.chains, playback.checkpoints.models

    @property
    def store(self) -> StoreState:
        """The store of the engines that were recorded, as far as one of them told of it."""
        degraded = next(iter(self._stand.degraded.values()), None)
        if degraded is None:
            return StoreState("", shared=True, ok=True, why="")
        return StoreState(degraded.store, shared=True, ok=False, why=f"{degraded.engine}: {degraded.why}")

    def status(self) -> list[ModelStatus]:
        """Every model that the recording names."""
        models = dict.fromkeys(model for models in self.chains().values() for model in models)
        return [self._status(model) for model in models]

    def chains(self) -> Mapping[str, tuple[str, ...]]:
        """Each chain as its latest request had it, or else as its first will; then what is in none."""
        chains = {name: self._stand.chains.get(name, models) for name, models in self._first.items()}
        listed = {model for models in chains.values() for model in models}
        others = tuple(model for model in self._models if model not in listed)
        return {**chains, OTHERS: others} if others else chains

    def explain(self, target: str) -> list[Prospect]:
        """Who of a chain would have been tried: those that were live or due."""
        return [
            Prospect(model, "try" if self._status(model).state in _OPEN else "skip")
            for model in self.chains().get(target, ())
        ]

    def keys(self) -> list[KeyStatus]:
        """Every key that the recording names by now, provider by provider."""
        keys = sorted(self._stand.keys, key=lambda key: key.partition("#")[0])
        return [self._key(key) for key in keys]

    def is_benched(self, name: str) -> bool:
        """True if the next request would have passed a name over."""
        out = self._stand.out(name, self._playback.position)
        return out is not None and out.state not in _OPEN

    def engines(self) -> Sequence[EngineSeen]:
        """Nobody gives signs of life in a recording: who was there is told by events."""
        return ()

    @property
    def _stand(self) -> Stand:
        return self._playback.stand

    def _status(self, model: str) -> ModelStatus:
        out = self._stand.out(model, self._playback.position)
        if out is None:
            return ModelStatus(model, "live")
        stay = out.stay
        return ModelStatus(model, out.state, **_facts(out), level=stay.level, failures=stay.failures)

    def _key(self, key: str) -> KeyStatus:
        on_models = tuple(self._benched(self._stand.on_models(key)))
        status = KeyStatus(key, key.partition("#")[0], 1, "usable", on_models=on_models)
        out = self._stand.out(key, self._playback.position)
        if out is None:
            return status
        return status._replace(state="held" if out.state == "held" else "benched", **_facts(out))

    def _benched(self, names: Sequence[str]) -> Iterator[Benched]:
        for name in names:
            out = self._stand.out(name, self._playback.position)
            if out is not None:
                stay = out.stay
                yield Benched(name, **_facts(out), level=stay.level, failures=stay.failures)


def _facts(out: Out) -> dict[str, Any]:
    """What is told of everything that is out."""
    return {
        "until": out.stay.until,
        "remaining_s": out.remaining_s,
        "for_s": out.stay.for_s,
        "manual": out.state == "held",
        "reason": out.stay.reason,
        "by": out.stay.by,
    }
