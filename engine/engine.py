"""Engine: puts the parts together, and is what a program that embeds standby holds."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, Unpack

from engine.asking import Asking, EmbedAsking
from engine.at_store import AtStore
from engine.bus import Bus, EventQueue, Observation, Observer
from engine.completion import Completion
from engine.config.model import Config
from engine.config.watch import Watched, changes
from engine.controls import Controls
from engine.embedding import Embedding
from engine.errors import ConfigError
from engine.events import ConfigRejected, ConfigReloaded
from engine.fleet import Fleet
from engine.identity import Identity
from engine.intake import Intake
from engine.messages import Embeddings, Prompt, Reply
from engine.policy import Policy
from engine.probing import Probed, Prober
from engine.providers.build import build_provider
from engine.roster import Roster
from engine.sideline import Sideline
from engine.store.base import Store
from engine.store.opening import open_store
from engine.stream import Stream

_LOOK_AT_FILE_EVERY_S = 1.0


class Engine(AtStore, Controls):
    """Runs fallback chains of models.

    Use it as an asynchronous context manager, or call `aclose` at the end. One engine serves any
    number of requests at once, from one event loop.

    Args:
        config: A checked configuration, from `load_config` or built in code.
        name: What events call this engine, cut at 80 characters; by default what `STANDBY_NAME` says, else
            the program's name and process id.
        clock: Seconds that only ever grow; the event loop's own by default.
        wall: Seconds since the epoch.
        rng: Where jitter comes from.
        watch: False to leave later changes of the configuration's file alone.
        store: Where benches and events live, also as a configuration would name it (`sqlite:PATH`); by
            default what this configuration names.
        visible: False for one that is gone in a moment: others need not know that it was there. It does not
            probe by itself, either, and cuts no journal.
        probes: False never to probe models by itself, as one that only looks on should not.

    A process that is forked off before the engine is first used has an engine of its own; one that is forked
    off a running engine has its bench to itself, and should make an engine of its own.

    Raises:
        StoreRefused: The store that the configuration names can't be used as it is written.
    """

    def __init__(
        self,
        config: Config,
        *,
        name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        watch: bool = True,
        store: Store | str | None = None,
        visible: bool = True,
        probes: bool = True,
    ) -> None:
        self._identity = Identity(name)
        self._bus = Bus(self._identity.settle, wall)
        sideline = Sideline(self._bus, clock, self._probe_due, wall)
        super().__init__(config, Roster(config, sideline.bench, build_provider), sideline, wall)
        self._fleet = self._joined(_chosen(store, config), clock, wall, visible=visible)
        jitter = rng or random.Random()  # noqa: S311  (not cryptography)
        self._intake = Intake(config, self._roster, sideline, self._bus, clock=clock, rng=jitter)
        self._prober = Prober(self._intake, self._roster, by_itself=probes and visible)
        self._watched = Watched(config) if watch and config.path else None
        self._watching: asyncio.Task[None] | None = None
        self._is_closed = False
        self._has_closed = False

    @property
    def name(self) -> str:
        """What its events call it."""
        return self._identity.name

    @property
    def run(self) -> str:
        """Unique, also among engines of one name."""
        return self._identity.run

    @property
    def policy(self) -> Policy:
        """The defaults; `policy.replace(...)` makes one of your own for a request."""
        return self._config.defaults

    def _joined(
        self, store: Store | None, clock: Callable[[], float], wall: Callable[[], float], *, visible: bool
    ) -> Fleet | None:
        if store is None:
            return None
        return Fleet(
            store,
            self._bus,
            self._sideline,
            identity=self._identity,
            journal=self._config.journal,
            clock=clock,
            wall=wall,
            visible=visible,
        )

    async def __aenter__(self) -> Self:
        if self._fleet is not None and not self._is_closed:
            await self._fleet.open()
        if self._watched is not None and not self._is_closed:
            self._watching = asyncio.create_task(self._watch(self._watched), name="standby: configuration")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes every connection and ends `events()`. Closing twice does nothing.

        Should it be cancelled, it ends what it can; called again, it does the rest.
        """
        self._is_closed = True
        if self._has_closed:
            return
        try:
            if self._watching is not None:
                self._watching.cancel()
                await asyncio.wait((self._watching,))
            await self._prober.aclose()
            self._sideline.close()
            await self._roster.aclose()
        finally:
            try:
                if self._fleet is not None:
                    await self._fleet.aclose()
            finally:
                self._bus.close()
        self._has_closed = True

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

    # Listening

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
        if self._fleet is not None:
            self._fleet.keep(found.journal)
        self._bus.emit(ConfigReloaded(path=path, changes=what))
        return True


def _chosen(store: Store | str | None, config: Config) -> Store | None:
    if store is None or isinstance(store, str):
        return open_store(config.store if store is None else store)
    if not hasattr(store, "update"):
        raise TypeError(f"store is {type(store).__name__}, not a store or the name of one")
    return store
