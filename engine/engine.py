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
from engine.asking import Asking, EmbedAsking
from engine.bus import Bus, EventQueue, Observation, Observer
from engine.completion import Completion
from engine.config.model import Config
from engine.config.watch import Watched, changes
from engine.durations import LONGEST_S, format_duration
from engine.embedding import Embedding
from engine.errors import ConfigError
from engine.events import ConfigRejected, ConfigReloaded
from engine.identity import engine_name, operator_name
from engine.intake import Intake
from engine.messages import Embeddings, Prompt, Reply
from engine.names import check_benchable, is_model
from engine.policy import Policy
from engine.probing import Probed, Prober
from engine.providers.build import build_provider
from engine.resolve import resolve
from engine.roster import Roster
from engine.sideline import Sideline
from engine.stay import Block
from engine.stream import Stream

_LOOK_AT_FILE_EVERY_S = 1.0


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
        self._bus = Bus(self.name)
        self._sideline = Sideline(self._bus, clock, self._probe_due)
        self._roster = Roster(config, self._sideline.bench, build_provider)
        jitter = rng or random.Random()  # noqa: S311  (not cryptography)
        self._intake = Intake(config, self._roster, self._sideline, self._bus, clock=clock, rng=jitter)
        self._prober = Prober(self._intake, self._roster)
        self._watched = Watched(config) if watch and config.path else None
        self._watching: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    @property
    def policy(self) -> Policy:
        """The defaults; `policy.replace(...)` makes one of your own for a request."""
        return self._config.defaults

    async def __aenter__(self) -> Self:
        if self._watched is not None and not self._is_closed:
            self._watching = asyncio.create_task(self._watch(self._watched), name="standby: configuration")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes every connection and ends `events()`. Closing twice does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._watching is not None:
                self._watching.cancel()
                await asyncio.wait((self._watching,))
            await self._prober.aclose()
            self._sideline.close()
            await self._roster.aclose()
        finally:
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
        return await Completion(self._intake.chat("complete", target, prompt, asking)).run()

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
        return Stream(self._intake.chat("stream", target, prompt, asking))

    async def embed(
        self, target: str | Sequence[str], texts: str | Sequence[str], **asking: Unpack[EmbedAsking]
    ) -> Embeddings:
        """Asks a chain for one vector for each text. All of them come from one model.

        Texts go out in batches, as many as the provider takes in one call. If a model fails for good
        before the last, the next one begins anew. The configuration's global fallback is not used.

        Args:
            target: As for `complete`.
            texts: The texts, none of them empty; one text brings one vector.
            **asking: See `EmbedAsking`.

        Raises:
            StandbyError: As for `complete`.
            TypeError: What is to be embedded is no text.
            ValueError: There is no text, one is empty, or a parameter makes no sense.
        """
        return await Embedding(self._intake.embed(target, texts, asking)).run()

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
            ValueError: Both `for_` and `until` are given, or the end is not in the future, or more
                than ten years away.
        """
        if for_ is not None and until is not None:
            raise ValueError("give either for_ or until, not both")
        if until is not None:
            for_ = until.timestamp() - time.time()
        if for_ is not None and not 0 < for_ < float("inf"):
            raise ValueError("a bench must end in the future")
        if for_ is not None and for_ > LONGEST_S:
            raise ValueError(f"a bench lasts at most {format_duration(LONGEST_S)}, or has no end at all")
        check_benchable(self._config, name)
        self._sideline.expire()
        self._sideline.hold(name, for_, reason, by or operator_name())

    def unbench(self, name: str, *, by: str | None = None) -> bool:
        """Brings something back, whatever keeps it out: holds, automatic benches, its keys' benches.

        Args:
            name: As for `bench`, or what the bench knows although the configuration no longer does.
            by: Who; `user@host` by default.

        Returns:
            True if it was on the bench, due or on trial; False if no more than, say, one of its keys was.

        Raises:
            UnknownTarget: No such provider, key, or model name.
        """
        self._sideline.expire()
        if not self._sideline.bench.knows(name):
            check_benchable(self._config, name)
        also = self._roster.key_names(name) if is_model(name) else ()
        was_out = self._standing(name) is not None
        self._sideline.unbench(name, by or operator_name(), also)
        return was_out

    def is_benched(self, name: str) -> bool:
        """True if a model, `provider/*` or a key is on the bench now, or is tried out by another request."""
        self._sideline.expire()
        block = self._standing(name)
        return block is not None and not block.is_open

    def _standing(self, name: str) -> Block | None:
        """What keeps a name out, a model's keys included; also of what the configuration no longer has."""
        standing = self._roster.standing(name) if is_model(name) else None
        return standing if isinstance(standing, Block) else self._sideline.bench.block(name)

    def benched(self) -> list[survey.Benched]:
        """Everything on the bench now, a snapshot. What is due is not: the next request may try it."""
        self._sideline.expire()
        return survey.benched(self._sideline)

    async def probe(self, model: str) -> Probed:
        """Asks one model for a few tokens, whatever the bench says of it.

        An answer ends its automatic bench, as any other would; a hold only an operator lifts. If the
        model is due, this is its trial; else a failure changes nothing.

        Args:
            model: A `provider/model`, or an alias of one.

        Raises:
            UnknownTarget: It is not the name of one model.
        """
        self._sideline.expire()
        return await self._prober.probe(self._intake.resolve(model, only=True).models[0])

    def _probe_due(self, model: str) -> None:
        self._prober.begin(model)

    # Looking

    def keys(self) -> list[survey.KeyStatus]:
        """The state of every provider's keys, in the order in which they are used."""
        self._sideline.expire()
        return survey.keys(self._roster, self._sideline)

    def status(self) -> list[survey.ModelStatus]:
        """The state of every model the configuration names, and of any other on the bench."""
        self._sideline.expire()
        models = survey.known_models(self._config, (out.name for out in survey.benched(self._sideline)))
        return survey.status(models, self._roster, self._sideline)

    def explain(
        self, target: str | Sequence[str], *, only: bool = False, owner: str | None = None
    ) -> list[survey.Prospect]:
        """A dry run: who would be tried now, who would be skipped and why.

        Args:
            target: As for `complete`.
            only: True for exactly the one model the target names.
            owner: Who asks.

        Raises:
            UnknownTarget: No part of the target is known.
        """
        self._sideline.expire()
        found = resolve(self._config, target, only=only, owner=owner)
        unknown = [survey.Prospect(part, "skip", f"unresolved: {why}") for part, why in found.skipped]
        policy = found.policy.when_all_benched
        known = survey.explain(found.models, policy, self._roster, self._sideline)
        return [each._replace(fallback=each.model in found.fallback) for each in known] + unknown

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
        self._intake.replace(found)
        self._roster.replace(found)
        self._bus.emit(ConfigReloaded(path=path, changes=what))
        return True
