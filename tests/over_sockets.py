"""An engine over a scripted upstream on a real socket, for any of the three protocols."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from engine import ChainConfig, Config, Engine, KeySource, Policy, ProviderConfig, Timeouts
from engine.policy import Backoff
from tests.scripted import Heard
from tests.upstream import Upstream

Protocol = Literal["openai", "anthropic", "ollama"]
PROTOCOLS: tuple[Protocol, ...] = ("openai", "anthropic", "ollama")

# Limits that a test waits out in full are short; the others are far away.
QUICK = Policy(
    attempts=2,
    backoff=Backoff(0, 0),
    timeouts=Timeouts(connect=5, first_token=0.15, idle=0.15, attempt=20),
    deadline=20,
)


def config_for(
    up: Upstream, protocol: Protocol, *models: str, policy: Policy = QUICK, keys: tuple[KeySource, ...] = ()
) -> Config:
    """One provider, `p`, at the upstream, and a chain, `main`, of the given models."""
    provider = ProviderConfig("p", kind=protocol, base_url=getattr(up, protocol), keys=keys)
    chain = ChainConfig("main", tuple(f"p/{model}" for model in models), policy)
    return Config(providers={"p": provider}, chains={"main": chain}, defaults=policy)


@asynccontextmanager
async def engine_over(
    protocol: Protocol = "openai",
    *models: str,
    policy: Policy = QUICK,
    keys: tuple[KeySource, ...] = (),
    limit_s: float = 30.0,
) -> AsyncIterator[tuple[Engine, Upstream, Heard]]:
    """A running engine, its upstream, and what it tells of. A test that hangs fails after `limit_s`."""
    heard = Heard()
    async with asyncio.timeout(limit_s), Upstream() as up:
        async with Engine(
            config_for(up, protocol, *(models or ("a", "b")), policy=policy, keys=keys)
        ) as engine:
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
