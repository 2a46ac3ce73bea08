"""Standby at the same work as the bare minimum: one engine, one provider, a few chains."""

from __future__ import annotations

import os
import sys
from time import perf_counter

from engine.config.model import ChainConfig, Config, KeySource, ProviderConfig
from engine.engine import Engine
from engine.policy import Backoff, Policy
from engine.store.base import Store
from tests.benchmarks.bare import KEY, PROMPT

_KEY_VARIABLE = "STANDBY_BENCHMARK_KEY"

# One attempt, no wait, and no bench: each request meets the failing model anew.
_POLICY = Policy(attempts=1, backoff=Backoff(base=0.0), bench_after=1_000_000_000)

ANSWERS, FAILS_FIRST, PIECES, LATER = "answers", "fails-first", "pieces", "later"
_CHAINS = {
    ANSWERS: ("up/good", "up/second"),
    FAILS_FIRST: ("up/fail", "up/good"),
    PIECES: ("up/pieces", "up/second"),
    LATER: ("up/later", "up/second"),
    "benched-first": ("up/benched", "up/good"),
    "without-it": ("up/good",),
}


def only_plain_httpx() -> None:
    """Makes this process one in which `standby[fast]` is not installed."""
    sys.modules["httpx_aiohttp"] = None  # type: ignore[assignment]  # how `import` is told to find nothing


class Ours:
    """An engine in front of the upstream.

    Args:
        base_url: The upstream.
        store: Where its bench and journal live.
    """

    def __init__(self, base_url: str, store: Store | None = None) -> None:
        os.environ[_KEY_VARIABLE] = KEY
        provider = ProviderConfig("up", "openai", base_url, keys=(KeySource("main", env=_KEY_VARIABLE),))
        chains = {name: ChainConfig(name, models, _POLICY) for name, models in _CHAINS.items()}
        config = Config(providers={"up": provider}, chains=chains, defaults=_POLICY)
        self.engine = Engine(config, store=store)
        self.engine.bench("up/benched", for_=86_400.0, reason="benchmark")

    async def aclose(self) -> None:
        """Closes the engine."""
        await self.engine.aclose()

    async def ask(self, chain: str = ANSWERS) -> str:
        """A whole answer."""
        return (await self.engine.complete(chain, PROMPT)).text

    async def ask_two(self) -> str:
        """A whole answer from a chain whose first model fails."""
        return await self.ask(FAILS_FIRST)

    async def ask_past_bench(self) -> str:
        """A whole answer from a chain whose first model is on the bench."""
        return await self.ask("benched-first")

    async def ask_without_it(self) -> str:
        """A whole answer from the same chain without that model."""
        return await self.ask("without-it")

    async def read_stream(self, chain: str = ANSWERS) -> int:
        """Reads a stream to its end; how many pieces of text there were."""
        pieces = 0
        async with self.engine.stream(chain, PROMPT) as stream:
            async for delta in stream:
                if delta.text:
                    pieces += 1
        return pieces

    async def first_token_of_two(self) -> float:
        """Seconds from asking a chain whose first model fails to the first token of its second."""
        began = perf_counter()
        first = 0.0
        async with self.engine.stream(FAILS_FIRST, PROMPT) as stream:
            async for delta in stream:
                if delta.text:
                    first = first or perf_counter() - began
        return first
