"""Prompts in the background, so that there is something to watch; only ever through simulated providers."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from engine.config import model as config
from engine.errors import StandbyError

MOST_AT_ONCE: Final = 50
"""When this many prompts are under way, the next ones are left out: traffic shows load, it is none."""

_LATEST_S: Final = 1.0
_PROMPTS: Final = (
    "Why is the sky blue?",
    "Summarize last night's incident in three sentences.",
    "A customer cannot log in after the update. What should we check first?",
    "Explain exponential backoff to a new colleague.",
    "Draft a short status page entry for slow searches.",
    "Which of these two retry policies is safer, and why?",
    "Translate this error message into plain words.",
    "What should the runbook say about a full disk?",
)


class Asks(Protocol):
    """The part of an engine that traffic needs."""

    async def complete(self, target: str, prompt: str, /) -> object:
        """One whole answer."""
        ...

    def stream(self, target: str, prompt: str, /) -> AbstractAsyncContextManager[AsyncIterable[Any]]:
        """One streamed answer."""
        ...


class BackgroundTraffic:
    """Sends prompts at random moments, a given number a second on average.

    The prompts take the chains in turn, one round plain, one round streamed.

    Args:
        engine: Who answers them.
        traffic: How many, through which chains. Whether these are simulated is checked where the
            configuration is read.
        rng: Where the moments and the prompts come from.
    """

    def __init__(self, engine: Asks, traffic: config.Traffic, *, rng: random.Random | None = None) -> None:
        self._engine = engine
        self._traffic = traffic
        self._rng = rng or random.Random()  # noqa: S311  (no secret depends on it)
        self._under_way = 0

    async def run(self) -> None:
        """Sends prompts until it is cancelled; then every prompt under way is cancelled as well.

        Errors of the engine end one prompt and are not raised: events tell of them.

        Raises:
            ExceptionGroup: Something else went wrong.
        """
        if self._traffic.rate <= 0 or not self._traffic.through:
            return
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with asyncio.TaskGroup() as prompts:
            for turn in itertools.count():
                # Each wait runs from when the last prompt was due, not sent, or the rate would sag. After
                # a pause, of the machine or of a debugger, nothing is made up for.
                due = max(due + self._rng.expovariate(self._traffic.rate), loop.time() - _LATEST_S)
                await asyncio.sleep(max(0.0, due - loop.time()))
                if self._under_way < MOST_AT_ONCE:
                    self._under_way += 1
                    prompts.create_task(self._ask(turn), name=f"standby: traffic {turn}")

    async def _ask(self, turn: int) -> None:
        rounds, place = divmod(turn, len(self._traffic.through))
        target, prompt = self._traffic.through[place], self._rng.choice(_PROMPTS)
        try:
            if rounds % 2:
                async with self._engine.stream(target, prompt) as stream:
                    async for _ in stream:
                        pass
            else:
                await self._engine.complete(target, prompt)
        except StandbyError:
            pass
        finally:
            self._under_way -= 1
