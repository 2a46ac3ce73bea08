"""A provider that plays a script: an adapter of its own kind, as any program may bring one.

    provider = Scripted({"a": [Signal("status", status=500), "hello"]})
    config = chain_of(provider, "a", "b")

Each entry of a model's script is what its next call brings; the last one repeats. Everything happens
in memory, so it goes well with `tests.virtual_time`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.config.model import ChainConfig, Config, KeySource, ProviderConfig
from engine.engine import Engine
from engine.events import Event
from engine.messages import Delta, Usage, Vector
from engine.policy import Policy
from engine.providers.base import Answer, Call, EmbedCall, EmbedLimits, End, Finish, Part, Signal, Vectors

AnyCall = TypeVar("AnyCall", Call, EmbedCall)


@dataclass(frozen=True)
class After:
    """Waits, then goes on with the step."""

    seconds: float
    step: Any = "ok"


@dataclass(frozen=True)
class Parts:
    """A stream, batch by batch.

    An exception among them is raised, a number is waited for in seconds, an event until it is set.
    """

    batches: Sequence[Any]


HANG = After(1e9)
"""Never answers."""


def speak(text: str, finish: str = "stop") -> Parts:
    """A stream that says a text, a word a batch, and ends as it should."""
    words = [[Delta(word)] for word in text.split(" ")]
    return Parts([*words, [Finish(finish)], [Usage(3, len(words)), End()]])


def vector_of(model: str, text: str) -> Vector:
    """What a model makes of a text; no two models, and few texts, share one."""
    return [float(len(text)), float(sum(map(ord, text))), float(sum(map(ord, model)))]


@dataclass
class Scripted:
    """The provider. `calls` and `embeds` have every call in order, `open` says how many are under way."""

    scripts: Mapping[str, Sequence[Any] | Callable[[Any], Any]]
    embed_limits: EmbedLimits = field(default_factory=EmbedLimits)
    calls: list[Call] = field(default_factory=list)
    embeds: list[EmbedCall] = field(default_factory=list)
    open: int = 0
    closed: bool = False

    async def complete(self, call: Call) -> Answer:
        with self._under_way(self.calls, call):
            step = await self._step(call, self.models())
            if isinstance(step, Answer):
                return step
            return Answer(str(step), "stop", Usage(3, 5))

    async def embed(self, call: EmbedCall) -> Vectors:
        """A step that is no `Vectors` stands for good ones."""
        with self._under_way(self.embeds, call):
            step = await self._step(call, [each.model for each in self.embeds])
            if isinstance(step, Vectors):
                return step
            return Vectors([vector_of(call.model, text) for text in call.texts], Usage(len(call.texts)))

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[Sequence[Part]]]:
        with self._under_way(self.calls, call):
            step = await self._step(call, self.models())
            yield self._batches(step if isinstance(step, Parts) else speak(str(step)))

    async def aclose(self) -> None:
        self.closed = True

    def models(self) -> list[str]:
        """The models that were called, in order."""
        return [call.model for call in self.calls]

    @contextmanager
    def _under_way(self, calls: list[AnyCall], call: AnyCall) -> Iterator[None]:
        calls.append(call)
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    async def _step(self, call: Call | EmbedCall, models: list[str]) -> Any:
        script = self.scripts[call.model]
        step = script(call) if callable(script) else script[min(models.count(call.model), len(script)) - 1]
        while isinstance(step, After):
            await asyncio.sleep(step.seconds)
            step = step.step
        if isinstance(step, Exception):
            raise step
        return step

    @staticmethod
    async def _batches(parts: Parts) -> AsyncIterator[Sequence[Part]]:
        for batch in parts.batches:
            if isinstance(batch, Exception):
                raise batch
            if isinstance(batch, int | float):
                await asyncio.sleep(batch)
            elif isinstance(batch, asyncio.Event):
                await batch.wait()
            else:
                yield batch


def chain_of(
    provider: Scripted, *models: str, keys: tuple[KeySource, ...] = (), policy: Policy | None = None
) -> Config:
    """A configuration with one chain, `main`, of the given models of one provider, `p`."""
    policy = policy or Policy()
    return Config(
        providers={"p": ProviderConfig("p", adapter=provider, keys=keys)},
        chains={"main": ChainConfig("main", tuple(f"p/{model}" for model in models), policy)},
        defaults=policy,
    )


def status(code: int, **facts: Any) -> Signal:
    """A provider's answer with a status that is no success."""
    return Signal("status", f"the provider says {code}", status=code, **facts)


class Heard(list[Event]):
    """Every event an engine tells of: `engine.observe(heard.append)`."""

    def names(self) -> list[str]:
        return [event.event for event in self]

    def of(self, name: str) -> list[Any]:
        return [event for event in self if event.event == name]

    def facts(self, *fields: str, of: str = "model.") -> list[tuple[Any, ...]]:
        """The names of the events that begin so, each with the given fields where it has them."""
        told = [event for event in self if event.event.startswith(of)]
        return [
            (event.event, *(getattr(event, each) for each in fields if hasattr(event, each)))
            for event in told
        ]


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[tuple[Engine, Heard]]:
    """An engine in virtual time, and what it tells of."""
    heard = Heard()
    async with Engine(config, clock=asyncio.get_running_loop().time, rng=random.Random(1)) as engine:
        engine.observe(heard.append)
        yield engine, heard


async def cancelled(asking: asyncio.Future[Any]) -> None:
    """Cancels a request that is under way; it must end as cancelled, and in no other way."""
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
