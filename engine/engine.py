"""Engine: puts the parts together, and is what a program that embeds standby holds."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self, Unpack

from engine import survey
from engine.asking import Asking, params_of
from engine.attempt import Attempt
from engine.bus import Bus, EventQueue, Observation, Observer
from engine.classify import judge
from engine.config.model import Config
from engine.config.watch import Watched, changes
from engine.errors import ConfigError, StandbyError
from engine.events import ConfigRejected, ConfigReloaded
from engine.failover import Walk, no_usable_model
from engine.identity import engine_name, operator_name
from engine.messages import Prompt, Reply, as_messages
from engine.names import check_benchable, is_model
from engine.policy import Policy
from engine.providers.build import build_provider
from engine.request import Request
from engine.resolve import Resolution, resolve
from engine.roster import Roster, Unusable
from engine.sideline import Sideline
from engine.stream import Stream

_LOOK_AT_FILE_EVERY_S = 1.0
_MOST_RESOLVED = 1000


class Engine:
    """Runs fallback chains of models.

    Use it as an asynchronous context manager, or call `aclose` at the end. One engine serves any
    number of requests at once, from one event loop.

    Args:
        config: A checked configuration, from `load_config` or built in code.
        name: What events call this engine; by default the program's name and process id.
        clock: Seconds that only ever grow; the event loop's own by default.
        rng: Where jitter comes from.
        watch: False to leave later changes of the configuration's file alone.
    """

    def __init__(
        self,
        config: Config,
        *,
        name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        watch: bool = True,
    ) -> None:
        self.name = name or engine_name()
        self._config = config
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311  (jitter, not cryptography)
        self._bus = Bus(self.name)
        self._sideline = Sideline(self._bus, clock)
        self._roster = Roster(config, self._sideline.bench, build_provider)
        self._watched = Watched(config) if watch and config.path else None
        self._watching: asyncio.Task[None] | None = None
        self._resolved: dict[tuple[object, bool], Resolution] = {}

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    @property
    def policy(self) -> Policy:
        """The defaults; `policy.replace(...)` makes one of your own for a request."""
        return self._config.defaults

    async def __aenter__(self) -> Self:
        if self._watched is not None:
            self._watching = asyncio.create_task(self._watch(self._watched), name="standby: configuration")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes every connection and ends `events()`. Closing twice does nothing."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait((watching,))
        self._sideline.close()
        await self._roster.aclose()
        self._bus.close()

    # Asking

    async def complete(self, target: str | Sequence[str], prompt: Prompt, **asking: Unpack[Asking]) -> Reply:
        """Asks a chain for a whole answer.

        Args:
            target: A chain, an alias, a `provider/model`, several of these separated by commas, or a list.
            prompt: A user's text, or messages in OpenAI's chat form, tools and images included.
            **asking: See `Asking`.

        Raises:
            UnknownTarget: No part of the target is known.
            NoUsableModel: None of its models can be used.
            AllBenched: All its models are on the bench, and the policy says to fail.
            ChainExhausted: Every model failed.
            DeadlineExceeded: Time ran out.
            UpstreamError: A failure at which the policy stops.
            ValueError: The prompt or a parameter makes no sense.
        """
        request = self._request("complete", target, prompt, asking)
        walk = Walk(request, self._roster, self._sideline, self._rng)

        async def ask(attempt: Attempt) -> Reply:
            call = attempt.seat.adapter.complete(attempt.call())
            answer = await attempt.within(call, attempt.limits.attempt, "timeout")
            wrong = judge(answer)
            if wrong is not None:
                raise wrong
            walk.succeeded(attempt, answer)
            return request.reply(attempt.model, answer)

        request.tell_started()
        try:
            reply = await walk.run(ask)
        except StandbyError as error:
            request.tell_failed(error)
            raise
        except BaseException:
            request.tell_cancelled()
            raise
        request.tell_succeeded(reply)
        return reply

    def stream(self, target: str | Sequence[str], prompt: Prompt, **asking: Unpack[Asking]) -> Stream:
        """Asks a chain for an answer as it is written. Use it with `async with`, then iterate it.

        Args:
            target: As for `complete`.
            prompt: As for `complete`.
            **asking: See `Asking`.

        Raises:
            UnknownTarget: No part of the target is known.
            NoUsableModel: None of its models can be used.
            ValueError: The prompt or a parameter makes no sense.
        """
        request = self._request("stream", target, prompt, asking)
        return Stream(Walk(request, self._roster, self._sideline, self._rng))

    def _request(self, mode: str, target: str | Sequence[str], prompt: Prompt, asking: Asking) -> Request:
        found = self._resolve(target, only=asking.get("only", False))
        messages = as_messages(prompt, asking.get("system"))
        policy = asking.get("policy") or found.policy
        now = self._clock()
        request = Request(
            target=target if isinstance(target, str) else ", ".join(target),
            chain=found.chain,
            models=found.models,
            mode=mode,
            policy=policy,
            messages=messages,
            params=params_of(asking),
            started=now,
            deadline=now + (asking.get("deadline") or policy.deadline),
            bus=self._bus,
            clock=self._clock,
            timeout=asking.get("timeout"),
            recorded=self._config.record_prompts,
            unresolved=tuple(part for part, _ in found.skipped),
        )
        if all(isinstance(self._roster.standing(model), Unusable) for model in found.models):
            raise no_usable_model(request.target, self._roster, found.models)
        return request

    def _resolve(self, target: str | Sequence[str], *, only: bool) -> Resolution:
        """As `resolve`, remembered: programs ask for the same few targets again and again."""
        key = (target if isinstance(target, str) else tuple(target), only)
        found = self._resolved.get(key)
        if found is None:
            found = resolve(self._config, target, only=only)
            if len(self._resolved) >= _MOST_RESOLVED:
                self._resolved.clear()
            self._resolved[key] = found
        return found

    # The bench, by hand

    def bench(
        self,
        name: str,
        *,
        for_: float | None = None,
        until: datetime | None = None,
        reason: str = "",
        by: str | None = None,
    ) -> None:
        """Takes something out of play until a time, or until `unbench`.

        Args:
            name: A model, `provider/*`, a key `provider#name`, or a key on one model.
            for_: Seconds.
            until: A time; a naive one is local time. With neither there is no end.
            reason: Why, for whoever looks.
            by: Who; `user@host` by default.

        Raises:
            UnknownTarget: No such provider, key, or model name.
            ValueError: Both `for_` and `until` are given, or the end is not in the future.
        """
        if for_ is not None and until is not None:
            raise ValueError("give either for_ or until, not both")
        if until is not None:
            for_ = until.timestamp() - time.time()
        if for_ is not None and not 0 < for_ < float("inf"):
            raise ValueError("a bench must end in the future")
        check_benchable(self._config, name)
        self._sideline.expire()
        self._sideline.hold(name, for_, reason, by or operator_name())

    def unbench(self, name: str, *, by: str | None = None) -> bool:
        """Brings something back, whatever keeps it out: holds, automatic benches, its keys' benches.

        Args:
            name: As for `bench`.
            by: Who; `user@host` by default.

        Returns:
            True if it was on the bench.

        Raises:
            UnknownTarget: No such provider, key, or model name.
        """
        check_benchable(self._config, name)
        self._sideline.expire()
        also = self._roster.key_names(name) if is_model(name) else ()
        return self._sideline.unbench(name, by or operator_name(), also)

    def is_benched(self, name: str) -> bool:
        """True if a model, `provider/*` or a key is on the bench now."""
        self._sideline.expire()
        if is_model(name):
            standing = self._roster.standing(name)
            return standing is not None and not isinstance(standing, Unusable)
        return self._sideline.bench.block(name) is not None

    def benched(self) -> list[survey.Benched]:
        """Everything on the bench now, a snapshot."""
        self._sideline.expire()
        return survey.benched(self._sideline)

    # Looking

    def status(self) -> list[survey.ModelStatus]:
        """The state of every model the configuration names, and of any other on the bench."""
        self._sideline.expire()
        models = survey.known_models(self._config, (out.name for out in survey.benched(self._sideline)))
        return survey.status(models, self._roster, self._sideline)

    def explain(self, target: str | Sequence[str], *, only: bool = False) -> list[survey.Prospect]:
        """A dry run: who would be tried now, who would be skipped and why.

        Raises:
            UnknownTarget: No part of the target is known.
        """
        self._sideline.expire()
        found = resolve(self._config, target, only=only)
        unknown = [survey.Prospect(part, "skip", f"unresolved: {why}") for part, why in found.skipped]
        policy = found.policy.when_all_benched
        return survey.explain(found.models, policy, self._roster, self._sideline) + unknown

    def chains(self) -> dict[str, tuple[str, ...]]:
        """Each chain as it resolves, in the file's order."""
        return {name: survey.chain_models(self._config, name) for name in self._config.chains}

    def observe(self, callback: Observer) -> Observation:
        """Calls a function with every event, until the observation is closed.

        It runs in the engine's thread, at once, so it should be quick; one that raises is logged
        and hears no more.

        Returns:
            A context manager; `close` ends it, too.
        """
        return self._bus.observe(callback)

    def events(self, maxsize: int = 10_000) -> EventQueue:
        """Every event from now on: `async for event in engine.events()`.

        Args:
            maxsize: Events that wait for a slow reader; beyond it the oldest are lost, and a
                `feed.dropped` says how many.
        """
        return self._bus.events(maxsize)

    # The configuration

    async def reload(self) -> bool:
        """Looks at the configuration's file now instead of within a second.

        Returns:
            True if a new configuration was taken over.
        """
        return self._watched is not None and self._take(await self._watched.check())

    async def _watch(self, watched: Watched) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_FILE_EVERY_S)
            self._take(await watched.check())
            await self._roster.close_idle()

    def _take(self, found: Config | ConfigError | None) -> bool:
        path = str(self._config.path)
        if found is None:
            return False
        if isinstance(found, ConfigError):
            self._bus.emit(ConfigRejected(path=path, faults=tuple(map(str, found.faults))))
            return False
        what = changes(self._config, found)
        self._config = found
        self._resolved.clear()
        self._roster.replace(found)
        self._bus.emit(ConfigReloaded(path=path, changes=what))
        return True
