"""A provider that plays a script: an adapter of its own kind, as any program may bring one.

    provider = Scripted({"a": [Signal("status", status=500), "hello"]})
    config = chain_of(provider, "a", "b")

Each entry of a model's script is what its next call brings; the last one repeats. Everything happens
in memory, so it goes well with `tests.virtual_time`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.config.model import ChainConfig, Config, KeySource, ProviderConfig
from engine.events import Event
from engine.messages import Delta, Usage
from engine.policy import Policy
from engine.providers.base import Answer, Call, End, Finish, Part, Signal


@dataclass(frozen=True)
class After:
    """Waits, then goes on with the step."""

    seconds: float
    step: Any = "ok"


@dataclass(frozen=True)
class Parts:
    """A stream, batch by batch; an exception among them is raised, a number is waited for in seconds."""

    batches: Sequence[Any]


HANG = After(1e9)
"""Never answers."""


def speak(text: str, finish: str = "stop") -> Parts:
    """A stream that says a text, a word a batch, and ends as it should."""
    words = [[Delta(word)] for word in text.split(" ")]
    return Parts([*words, [Finish(finish)], [Usage(3, len(words)), End()]])


@dataclass
class Scripted:
    """The provider. `calls` has every call in order, `open` how many are under way."""

    scripts: Mapping[str, Sequence[Any] | Callable[[Call], Any]]
    calls: list[Call] = field(default_factory=list)
    open: int = 0
    closed: bool = False

    async def complete(self, call: Call) -> Answer:
        with self._under_way(call):
            step = await self._step(call)
            if isinstance(step, Answer):
                return step
            return Answer(str(step), "stop", Usage(3, 5))

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[Sequence[Part]]]:
        with self._under_way(call):
            step = await self._step(call)
            yield self._batches(step if isinstance(step, Parts) else speak(str(step)))

    async def aclose(self) -> None:
        self.closed = True

    def models(self) -> list[str]:
        """The models that were called, in order."""
        return [call.model for call in self.calls]

    @contextmanager
    def _under_way(self, call: Call) -> Iterator[None]:
        self.calls.append(call)
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    async def _step(self, call: Call) -> Any:
        script = self.scripts[call.model]
        if callable(script):
            step = script(call)
        else:
            step = script[min(self.models().count(call.model), len(script)) - 1]
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
