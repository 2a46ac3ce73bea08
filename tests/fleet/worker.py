"""One engine in a process of its own, for tests. Commands come in as JSON lines, answers and events go out.

Its models share one upstream among all processes: a file with one line for each call of `a`. The first
`fails` of them fail.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine import failover
from engine.engine import Engine
from engine.errors import StandbyError
from engine.events import Event
from engine.policy import Backoff, Policy
from engine.store.base import StoreError
from engine.store.opening import open_store
from tests.fleet.stage import until
from tests.scripted import HANG, Scripted, chain_of, status


class Work:
    """The engine, and what it can be told to do.

    Args:
        setup: `store`, `name`, `calls` (the file), `fails`, and, where they are not the usual ones, `policy`,
            `lease_s` (how long a trial nobody settles takes to lapse) and `hangs` (from which call on `a`
            never answers).
    """

    def __init__(self, setup: dict[str, Any]) -> None:
        self._calls = Path(setup["calls"])
        self._fails = setup["fails"]
        self._hangs = setup.get("hangs", 10**9)
        if "lease_s" in setup:
            failover._LEASE_SLACK_S = setup["lease_s"]  # type: ignore[misc]
        policy = Policy(attempts=1, backoff=Backoff(0.0), **setup.get("policy", {}))
        provider = Scripted({"a": self._a, "b": ["from b"]})
        self.engine = Engine(
            chain_of(provider, "a", "b", policy=policy),
            name=setup["name"],
            store=open_store(setup["store"]),
            watch=False,
        )
        self.engine.observe(self._tell)
        self._hammering: asyncio.Task[None] | None = None

    def _a(self, _call: object) -> Any:
        with self._calls.open("ab", 0) as file:
            file.write(b".")
            number = file.tell()
        if number >= self._hangs:
            return HANG
        return status(500) if number <= self._fails else "from a"

    @staticmethod
    def _tell(event: Event) -> None:
        about = getattr(event, "model", None)
        if about == "p/a" or event.event.startswith(("store.", "key.", "feed.")):
            say(event.to_json())

    async def ask(self, **facts: Any) -> str:
        """Who answers, or the error's name."""
        try:
            return (await self.engine.complete("main", "hi", **facts)).model
        except StandbyError as error:
            return type(error).__name__

    async def hammer(self) -> str:
        """Begins to ask, again and again."""

        async def ask() -> None:
            while True:
                await asyncio.gather(*(self.ask() for _ in range(3)))
                with suppress(StoreError):
                    await self.engine.flush()  # not faster than the store takes it in

        self._hammering = asyncio.create_task(ask())
        return "begun"

    async def rest(self) -> str:
        """No longer asks; all it did is in the store."""
        if self._hammering is not None:
            self._hammering.cancel()
            await asyncio.wait([self._hammering])
        await self.engine.flush(15)
        return "flushed"

    async def bench(self, name: str, **facts: Any) -> str:
        self.engine.bench(name, **facts)
        await self.engine.flush()
        return "flushed"

    async def unbench(self, name: str) -> bool:
        was_out = self.engine.unbench(name, by="worker")
        await self.engine.flush()
        return was_out

    async def benched(self) -> list[dict[str, Any]]:
        return [out._asdict() for out in self.engine.benched()]

    async def sees(self, name: str) -> bool:
        """Waits until it knows that a model was benched, also if it is due by now."""
        await until(lambda: self.engine._sideline.bench.level(name))
        return True

    async def hold(self, name: str, **facts: Any) -> None:
        self.engine.bench(name, **facts)

    async def store(self) -> dict[str, Any]:
        return self.engine.store._asdict()

    async def fill_disk(self) -> bool:
        """From now on no file can grow."""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
        return True

    async def empty_disk(self) -> bool:
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        return True


def say(what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


async def main() -> None:
    work = Work(json.loads(sys.argv[1]))
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin.buffer
    )
    async with work.engine:
        say({"answer": "ready"})
        while line := await lines.readline():
            facts = json.loads(line)
            say({"answer": await getattr(work, facts.pop("do"))(**facts)})


if __name__ == "__main__":
    asyncio.run(main())
