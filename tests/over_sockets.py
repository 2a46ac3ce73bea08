"""An engine over a scripted upstream on a real socket, for any of the three protocols."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from engine import ChainConfig, Config, Engine, KeySource, ModelConfig, Policy, ProviderConfig, Timeouts
from engine.policy import Backoff
from tests.scripted import Heard
from tests.upstream import Upstream

Protocol = Literal["openai", "anthropic", "ollama"]
PROTOCOLS: tuple[Protocol, ...] = ("openai", "anthropic", "ollama")

# Limits are far away, for a busy machine is slow; a test that waits one out has it for one model alone.
QUICK = Policy(
    attempts=2,
    backoff=Backoff(0, 0),
    timeouts=Timeouts(connect=20, first_token=20, idle=20, attempt=20),
    deadline=30,
)


def config_for(
    up: Upstream,
    protocol: Protocol,
    *models: str,
    policy: Policy = QUICK,
    keys: tuple[KeySource, ...] = (),
    limits_of_a: Mapping[str, float] | None = None,
) -> Config:
    """One provider, `p`, at the upstream, and a chain, `main`, of the given models."""
    special = {"a": ModelConfig(limits_of_a or {})}
    provider = ProviderConfig("p", kind=protocol, base_url=getattr(up, protocol), keys=keys, models=special)
    chain = ChainConfig("main", tuple(f"p/{model}" for model in models), policy)
    return Config(providers={"p": provider}, chains={"main": chain}, defaults=policy)


@asynccontextmanager
async def engine_over(
    protocol: Protocol = "openai",
    *models: str,
    policy: Policy = QUICK,
    limits_of_a: Mapping[str, float] | None = None,
    limit_s: float = 60.0,
) -> AsyncIterator[tuple[Engine, Upstream, Heard]]:
    """A running engine, its upstream, and what it tells of. A test that hangs fails after `limit_s`."""
    heard = Heard()
    async with asyncio.timeout(limit_s), Upstream() as up:
        config = config_for(up, protocol, *(models or ("a", "b")), policy=policy, limits_of_a=limits_of_a)
        async with Engine(config) as engine:
            engine.observe(heard.append)
            yield engine, up, heard
        await up.quiet()


async def ask(engine: Engine, mode: str, target: str = "main", **options: Any) -> str:
    """One prompt, plain or streamed; the answer's text."""
    if mode == "plain":
        return (await engine.complete(target, "hi", **options)).text
    async with engine.stream(target, "hi", **options) as stream:
        return "".join([delta.text async for delta in stream])


def chain_of_errors(error: BaseException) -> Iterator[BaseException]:
    """An error and everything it was raised from or while."""
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is not None and each not in seen:
            seen.append(each)
            todo += [each.__cause__, each.__context__]
            yield each
