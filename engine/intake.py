"""From what a caller asks for to a request, ready to walk its models."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.asking import Asking, EmbedAsking, dimensions_of, params_of
from engine.bus import Bus
from engine.config.model import Config
from engine.endings import no_usable_model
from engine.failover import Walk
from engine.messages import Message, Params, Prompt, as_messages, as_texts
from engine.request import Request
from engine.resolve import Resolution, resolve
from engine.roster import Roster, Unusable
from engine.sideline import Sideline

_MOST_RESOLVED: Final = 1000
_LONGEST_RESOLVED: Final = 1000
_NO_PARAMS: Final = Params()
_PROBE: Final[tuple[Message, ...]] = ({"role": "user", "content": "Say OK."},)
# Few, but more than the least that some servers take; an answer that is cut off is an answer.
_PROBE_PARAMS: Final = Params(max_tokens=16)


class Intake:
    """Takes in what callers ask for.

    Args:
        config: The configuration in force.
        roster: Who may play.
        sideline: The bench.
        bus: Where the requests' events go.
        clock: The engine's clock, seconds.
        rng: Where jitter comes from.
    """

    def __init__(
        self,
        config: Config,
        roster: Roster,
        sideline: Sideline,
        bus: Bus,
        *,
        clock: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self._config = config
        self._roster = roster
        self._sideline = sideline
        self._bus = bus
        self._clock = clock
        self._rng = rng
        self._resolved: dict[tuple[object, ...], Resolution] = {}

    def replace(self, config: Config) -> None:
        """Takes a new configuration over."""
        self._config = config
        self._resolved.clear()

    def chat(self, mode: str, target: str | Sequence[str], prompt: Prompt, asking: Asking) -> Walk:
        """A request for an answer; see `Engine.complete` and `Engine.stream`."""
        messages = as_messages(prompt, asking.get("system"))
        return self._walk(mode, target, asking, messages=messages, params=params_of(asking))

    def embed(self, target: str | Sequence[str], texts: str | Sequence[str], asking: EmbedAsking) -> Walk:
        """A request for vectors; see `Engine.embed`."""
        given, dimensions = as_texts(texts), dimensions_of(asking)
        return self._walk("embed", target, asking, texts=given, dimensions=dimensions)

    def probe(self, model: str, changes: Mapping[str, Any]) -> Walk:
        """A tiny prompt for one model, whatever the bench says of it.

        Args:
            model: The model.
            changes: What its policy has other than the defaults.
        """
        now = self._clock()
        policy = self._config.defaults.replace(**changes)
        request = Request(
            target=model,
            chain=None,
            models=(model,),
            mode="stream",
            policy=policy,
            messages=_PROBE,
            params=_PROBE_PARAMS,
            started=now,
            deadline=now + policy.deadline,
            bus=self._bus,
            clock=self._clock,
            recorded=self._config.record_prompts,
            probing=True,
        )
        return Walk(request, self._roster, self._sideline, self._rng)

    def _walk(
        self,
        mode: str,
        target: str | Sequence[str],
        asking: Asking | EmbedAsking,
        *,
        messages: tuple[Message, ...] = (),
        params: Params = _NO_PARAMS,
        texts: tuple[str, ...] = (),
        dimensions: int | None = None,
    ) -> Walk:
        # Another model's vectors don't compare: embeddings have no fallback.
        found = self.resolve(
            target, only=asking.get("only", False), owner=asking.get("owner"), fallback=mode != "embed"
        )
        policy = asking.get("policy") or found.policy
        now = self._clock()
        request = Request(
            target=target if isinstance(target, str) else ", ".join(target),
            chain=found.chain,
            models=found.models,
            mode=mode,
            policy=policy,
            messages=messages,
            params=params,
            started=now,
            deadline=now + (asking.get("deadline") or policy.deadline),
            bus=self._bus,
            clock=self._clock,
            owner=found.owner,
            timeout=asking.get("timeout"),
            recorded=self._config.record_prompts,
            unresolved=tuple(part for part, _ in found.skipped),
            texts=texts,
            dimensions=dimensions,
        )
        standing = self._roster.standing
        if all(isinstance(standing(model), Unusable) for model in found.models):
            unknown = [(part, Unusable("unresolved", why)) for part, why in found.skipped]
            standings = [(model, standing(model)) for model in found.models]
            raise no_usable_model(request.target, [*standings, *unknown])
        return Walk(request, self._roster, self._sideline, self._rng)

    def resolve(
        self, target: str | Sequence[str], *, only: bool, owner: str | None = None, fallback: bool = True
    ) -> Resolution:
        """As `engine.resolve`, remembered: programs ask for the same few targets again and again."""
        key = (target if isinstance(target, str) else tuple(target), only, owner, fallback)
        found = self._resolved.get(key)
        if found is None:
            found = resolve(self._config, target, only=only, owner=owner, fallback=fallback)
            if len(self._resolved) >= _MOST_RESOLVED:
                self._resolved.clear()
            if len(target) < _LONGEST_RESOLVED:
                self._resolved[key] = found
        return found
