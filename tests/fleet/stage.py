"""Several engines at one store: in this process, or each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.config.model import KeySource
from engine.engine import Engine
from engine.events import Event
from engine.policy import Backoff, Policy
from engine.store.base import Store
from tests.scripted import Heard, Scripted, chain_of
from tests.store.backends import MakeStore

Scripts = Mapping[str, Sequence[Any] | Callable[[Any], Any]]
"""What each model's calls bring."""

PATIENCE_S: Final = 20.0
"""How long a busy machine may take for what is a matter of milliseconds."""
ONCE: Final = Policy(attempts=1, backoff=Backoff(0.0), cooldown=60.0, cooldown_growth=2.0)
ROOT: Final = Path(__file__).parents[2]


class Member(NamedTuple):
    """One engine of a fleet.

    Attributes:
        engine: The engine.
        heard: What it told of.
        provider: What it asks.
    """

    engine: Engine
    heard: Heard
    provider: Scripted

    async def ask(self, target: str = "main") -> str:
        """Asks, and gives who answered."""
        return (await self.engine.complete(target, "hi")).model

    async def until(self, holds: Callable[[Member], object]) -> float:
        """As `until`, for something about this engine."""
        return await until(lambda: holds(self))


async def until(condition: Callable[[], object], pause_s: float = 0.001) -> float:
    """Waits until something holds; returns how many seconds that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + PATIENCE_S, "what was waited for did not come"
        await asyncio.sleep(pause_s)
    return time.monotonic() - begun


def inside(engine: Engine) -> Any:
    """An engine's side of its store."""
    return engine._fleet


def member(
    store: Store,
    scripts: Scripts,
    *,
    policy: Policy = ONCE,
    name: str = "e",
    keys: tuple[KeySource, ...] = (),
    **options: Any,
) -> Member:
    """An engine with one chain, `main`, of all the scripted models of `p`; it does not run yet."""
    provider = Scripted(scripts)
    engine = Engine(
        chain_of(provider, *scripts, policy=policy, keys=keys), name=name, store=store, watch=False, **options
    )
    heard = Heard()
    engine.observe(heard.append)
    return Member(engine, heard, provider)


@asynccontextmanager
async def fleet(
    make: MakeStore,
    *scripts: Scripts,
    policy: Policy = ONCE,
    **options: Any,
) -> AsyncIterator[list[Member]]:
    """Engines that run, `e0`, `e1` and so on, each with its own connection and its own scripts."""
    async with AsyncExitStack() as stack:
        members = [
            member(make(), script, policy=policy, name=f"e{number}", **options)
            for number, script in enumerate(scripts)
        ]
        for each in members:
            await stack.enter_async_context(each.engine)
        yield members


def all_heard(members: Sequence[Member], *names: str) -> list[Any]:
    """The events of these names, of all members."""
    return [event for each in members for event in each.heard if event.event in names]


def row(engine: Engine, name: str) -> Any:
    """What an engine says of a name on the bench, None if nothing."""
    return next((out for out in engine.benched() if out.name == name), None)


def level(engine: Engine, name: str) -> int:
    """Benches that count against a name, as an engine knows it."""
    return engine._sideline.bench.level(name)


def failures(engine: Engine, name: str) -> int:
    """Failures in a row, as an engine knows them."""
    return engine._sideline.bench.failures(name)


async def journal(engine: Engine) -> list[Event]:
    """Every event in the store's journal, page by page."""
    found: list[Event] = []
    place = ""
    while page := await engine.history(after=place, limit=500):
        found += [each.event for each in page]
        place = page[-1].place
    return found


class Worker:
    """An engine in a process of its own, that does what it is told. See `tests.fleet.worker`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: list[dict[str, Any]] = []
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said = json.loads(line)
            if "answer" in said:
                self._answers.put_nowait(said["answer"])
            else:
                self.told.append(said)

    async def answer(self) -> Any:
        """The next answer."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._answers.get()

    def begin(self, do: str, **facts: Any) -> None:
        """Has it do something; the answer comes later."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **facts}).encode() + b"\n")

    async def does(self, do: str, **facts: Any) -> Any:
        """Has it do something, and gives what came of it."""
        self.begin(do, **facts)
        return await self.answer()

    def of(self, name: str) -> list[dict[str, Any]]:
        """The events of a name that it told of."""
        return [event for event in self.told if event["event"] == name]

    async def end(self) -> None:
        """Has its engine closed, and waits until it is gone and all it told is read."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            assert await self.process.wait() == 0
            await self._reading

    async def kill(self) -> None:
        """`kill -9`."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reading


@asynccontextmanager
async def workers(number: int, store: str, **setup: Any) -> AsyncIterator[list[Worker]]:
    """Processes with an engine each, that are there and know the bench; none is left in the end."""
    begun: list[Worker] = []
    try:
        for each in range(number):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.fleet.worker",
                json.dumps({"store": store, "name": f"w{each}", **setup}),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=2**24,
            )
            begun.append(Worker(process))
        for worker in begun:
            assert await worker.answer() == "ready"
        yield begun
    finally:
        for worker in begun:
            await worker.kill()
