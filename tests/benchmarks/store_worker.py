"""Measures one thing about one store, in a process of its own, and prints the figures as JSON.

`python -m tests.benchmarks.store_worker STORE latency TRANSPORT URL CHAIN CALLERS ROUNDS`,
`... STORE journal SECONDS`, `... STORE idle SECONDS`; STORE is `sqlite` or the URL of a Redis server.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

from engine import AttemptStarted, Config, Engine, open_store
from engine.store.base import Store
from tests.benchmarks.machine import resident_bytes
from tests.benchmarks.ours import Ours, only_plain_httpx

_CALLS = 500
_EVENTS_A_TURN = 50
_TURN_S = 0.01
_SETTLED_S = 10.0
_MB = 1_000_000


async def _latency(store: Store, transport: str, url: str, chain: str, callers: int, rounds: int) -> object:
    """Blocks of calls in turn, each block with what the journal does meanwhile."""
    if transport != "aiohttp":
        only_plain_httpx()
    sides = Ours(url), Ours(url, store)
    figures: tuple[list[object], list[object]] = ([], [])
    for number in range(rounds + 1):
        for side in (0, 1) if number % 2 else (1, 0):
            needed = await _block(sides[side], chain, callers)
            if number:
                figures[side].append((median(needed), quantiles(needed, n=100)[98]))
    for ours in sides:
        await ours.aclose()
    return figures


async def _block(ours: Ours, chain: str, callers: int) -> list[float]:
    """Times of calls, those included that are made while the last of the journal is written."""
    gc.collect()
    needed: list[float] = []
    is_over = asyncio.Event()

    async def call() -> None:
        while not is_over.is_set():
            began = perf_counter()
            await ours.ask(chain)
            needed.append(perf_counter() - began)
            if len(needed) == _CALLS:
                writing.set()

    writing = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())
        await writing.wait()
        await ours.engine.flush()
        is_over.set()
    return needed


async def _journal(store: Store, seconds: float) -> object:
    """Events at a steady pace, more than any engine tells of."""
    async with Engine(Config(), store=store) as engine:
        told = 0
        at_first = 0
        busy, began = process_time(), perf_counter()
        while (passed := perf_counter() - began) < seconds:
            if not at_first and passed >= min(_SETTLED_S, seconds / 2):
                at_first = resident_bytes()
            for _ in range(_EVENTS_A_TURN):
                told += 1
                engine._bus.emit(_event(told))
            await asyncio.sleep(max(0.0, told / _EVENTS_A_TURN * _TURN_S - (perf_counter() - began)))
        share = (process_time() - busy) / (perf_counter() - began)
        at_last = resident_bytes()
        await engine.flush(30.0)
        kept = await _kept(engine)
    return told - kept, (at_last - at_first) / _MB, share * 100


async def _kept(engine: Engine) -> int:
    """How many events are in the journal, those included of which it says that they are lost."""
    count, place = 0, ""
    while page := await engine.history(after=place, limit=10_000):
        place = page[-1].place
        for each in page:
            count += each.data["count"] if each.data["event"] == "feed.dropped" else 1
    return count


def _event(number: int) -> AttemptStarted:
    return AttemptStarted(
        request=f"{number:012x}",
        chain="answers",
        model="up/good",
        provider="up",
        key="up#main",
        attempt=1,
        attempts=1,
        position=1,
        positions=2,
    )


async def _idle(store: Store, seconds: float) -> object:
    async with Engine(Config(), store=store):
        await asyncio.sleep(1.0)
        busy, began = process_time(), perf_counter()
        await asyncio.sleep(seconds)
        return [(process_time() - busy) / (perf_counter() - began) * 100]


def main() -> None:
    """Reads the command line, measures, prints."""
    where, what, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:{Path(folder) / 'standby.db'}" if where == "sqlite" else where)
        if store is None:
            raise SystemExit(f"{where} is no store")
        match what:
            case "latency":
                transport, url, chain, callers, rounds = rest
                done = asyncio.run(_latency(store, transport, url, chain, int(callers), int(rounds)))
            case "journal":
                done = asyncio.run(_journal(store, float(rest[0])))
            case _:
                done = asyncio.run(_idle(store, float(rest[0])))
    print(json.dumps(done))


if __name__ == "__main__":
    main()
