"""The engine for programs without asyncio: the same loop, on a thread of its own."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self, Unpack

from engine.asking import Asking, EmbedAsking
from engine.blocking_events import BlockingEvents, BlockingObservation
from engine.blocking_stream import BlockingStream
from engine.bus import Observer
from engine.config.model import Config
from engine.engine import Engine
from engine.loop_thread import LoopThread
from engine.messages import Embeddings, Prompt, Reply
from engine.policy import Policy
from engine.probing import Probed
from engine.recorded import Recorded
from engine.seen import EngineSeen, StoreState
from engine.store.base import Store
from engine.survey import Benched, KeyStatus, ModelStatus, Prospect


class BlockingEngine:
    """`Engine` without asyncio: each call waits for its answer; any number of threads may call at once.

        with BlockingEngine(load_config("config.yaml")) as engine:
            reply = engine.complete("support", "Why is the sky blue?")

    The loop runs in a daemon thread, `standby`, from `with` or from the first call on. Everything means
    what it means on `Engine`. Ctrl-C while a call waits cancels the request and closes its connection.
    A coroutine should use `Engine`: here it would hold up its own event loop. A process forked off a
    running engine needs one of its own.

    Args:
        config: A checked configuration, from `load_config` or built in code.
        name: What events call this engine, cut at 80 characters; by default what `STANDBY_NAME` says, else
            the program's name and process id.
        watch: False to leave later changes of the configuration's file alone.
        store: Where benches and events live; by default what the configuration names.
        visible: False for one that is gone in a moment; see `Engine`.
        probes: False never to probe models by itself.

    Raises:
        StoreRefused: The store that the configuration names can't be used as it is written.
        RuntimeError: From any call: the engine is closed, also while the call waits; the process was
            forked; or an observer, which runs in the engine's thread, asks for something to wait for.
    """

    def __init__(
        self,
        config: Config,
        *,
        name: str | None = None,
        watch: bool = True,
        store: Store | str | None = None,
        visible: bool = True,
        probes: bool = True,
    ) -> None:
        self._engine = Engine(config, name=name, watch=watch, store=store, visible=visible, probes=probes)
        self._thread = LoopThread(self._running())
        self._listening: weakref.WeakSet[BlockingEvents] = weakref.WeakSet()

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        try:
            async with self._engine:
                yield
        finally:
            for events in tuple(self._listening):
                events.close()

    @property
    def name(self) -> str:
        """What events call this engine."""
        return self._engine.name

    @property
    def run(self) -> str:
        """Unique, also among engines of one name."""
        return self._engine.run

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._engine.config

    @property
    def policy(self) -> Policy:
        """The defaults; `policy.replace(...)` makes one of your own for a request."""
        return self._engine.policy

    def __enter__(self) -> Self:
        try:
            self._thread.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancels what runs, closes every connection, ends `events()`; returns when that is done.

        Calls that wait in other threads get a RuntimeError. Closing twice does nothing.
        """
        self._thread.close()

    # Asking

    def complete(self, target: str | Sequence[str], prompt: Prompt, **asking: Unpack[Asking]) -> Reply:
        """Asks a chain for a whole answer; see `Engine.complete`."""
        return self._thread.run(partial(self._engine.complete, target, prompt, **asking))

    def stream(self, target: str | Sequence[str], prompt: Prompt, **asking: Unpack[Asking]) -> BlockingStream:
        """Asks a chain for an answer as it is written: use it with `with`, then iterate it."""
        opened = self._thread.do(partial(self._engine.stream, target, prompt, **asking))
        return BlockingStream(self._thread, opened)

    def embed(
        self, target: str | Sequence[str], texts: str | Sequence[str], **asking: Unpack[EmbedAsking]
    ) -> Embeddings:
        """Asks a chain for one vector for each text, all from one model; see `Engine.embed`."""
        return self._thread.run(partial(self._engine.embed, target, texts, **asking))

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
        """Takes something out of play until a time, or until `unbench`; see `Engine.bench`."""
        self._thread.do(partial(self._engine.bench, name, for_=for_, until=until, reason=reason, by=by))

    def unbench(self, name: str, *, by: str | None = None) -> bool:
        """Brings something back; True if it was on the bench. See `Engine.unbench`."""
        return self._thread.do(partial(self._engine.unbench, name, by=by))

    def is_benched(self, name: str) -> bool:
        """True if a model, `provider/*` or a key is on the bench now."""
        return self._thread.do(partial(self._engine.is_benched, name))

    def benched(self) -> list[Benched]:
        """Everything on the bench now, a snapshot."""
        return self._thread.do(self._engine.benched)

    def probe(self, model: str) -> Probed:
        """Asks one model for a few tokens, whatever the bench says of it; see `Engine.probe`."""
        return self._thread.run(partial(self._engine.probe, model))

    # Looking

    def keys(self) -> list[KeyStatus]:
        """The state of every provider's keys, in the order in which they are used."""
        return self._thread.do(self._engine.keys)

    def status(self) -> list[ModelStatus]:
        """The state of every model the configuration names, and of any other on the bench."""
        return self._thread.do(self._engine.status)

    def explain(
        self, target: str | Sequence[str], *, only: bool = False, owner: str | None = None
    ) -> list[Prospect]:
        """A dry run: who would be tried now, who would be skipped and why; see `Engine.explain`."""
        return self._thread.do(partial(self._engine.explain, target, only=only, owner=owner))

    def chains(self) -> dict[str, tuple[str, ...]]:
        """Each chain as it resolves, in the file's order."""
        return self._thread.do(self._engine.chains)

    def observe(self, callback: Observer) -> BlockingObservation:
        """Calls a function with every event, until the observation is closed.

        It runs in the engine's thread, at once, so every request waits for it. There it may look, bench
        and unbench, but not ask: that is a RuntimeError.

        Returns:
            A context manager; `close` ends it, too.
        """
        return BlockingObservation(self._thread, self._thread.do(partial(self._engine.observe, callback)))

    def events(self, maxsize: int = 10_000) -> BlockingEvents:
        """Every event from now on: `for event in engine.events()` waits for each, until the engine closes.

        Args:
            maxsize: Events that wait for a slow reader; beyond it the oldest are lost, and a
                `feed.dropped` says how many.
        """

        def listen() -> BlockingEvents:
            events = BlockingEvents(self._thread, maxsize)
            events.listen(self._engine.observe)
            self._listening.add(events)
            return events

        return self._thread.do(listen)

    # The store

    @property
    def store(self) -> StoreState:
        """Where benches live, and whether that works."""
        return self._thread.do(lambda: self._engine.store)

    def flush(self, within_s: float = 5.0) -> None:
        """Waits until every change and every event so far is in the store; see `Engine.flush`."""
        self._thread.run(partial(self._engine.flush, within_s))

    def history(self, since_s: float | None = None, *, after: str = "", limit: int = 1000) -> list[Recorded]:
        """A page of the journal: events of all engines at this store; see `Engine.history`."""
        return self._thread.run(partial(self._engine.history, since_s, after=after, limit=limit))

    def observe_others(self, callback: Observer, *, since_s: float = 0.0) -> BlockingObservation:
        """Calls a function with every event of other engines at the same store; see `observe`."""
        listen = partial(self._engine.observe_others, callback, since_s=since_s)
        return BlockingObservation(self._thread, self._thread.do(listen))

    def engines(self) -> list[EngineSeen]:
        """The engines at this store that gave a sign of life within a day."""
        return self._thread.do(self._engine.engines)

    # The configuration

    def reload(self) -> bool:
        """Looks at the configuration's file now instead of within a second; True if it was taken over."""
        return self._thread.run(self._engine.reload)
