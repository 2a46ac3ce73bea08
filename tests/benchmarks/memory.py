"""One side alone in a process of its own: prints what memory is resident half way and at the end.

`python -m tests.benchmarks.memory bare|standby TRANSPORT URL REQUESTS` prints two numbers, in MB.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

from tests.benchmarks.machine import resident_bytes

_MB = 1_000_000


class _Side(Protocol):
    @property
    def ask(self) -> Callable[[], Awaitable[str]]: ...

    async def aclose(self) -> None: ...


def _bare(transport: str, url: str) -> _Side:
    from tests.benchmarks.bare import Bare  # noqa: PLC0415  (each side must load nothing of the other's)

    return Bare(url, fast=transport == "aiohttp")


def _standby(transport: str, url: str) -> _Side:
    from tests.benchmarks.ours import Ours, only_plain_httpx  # noqa: PLC0415  (as in `_bare`)

    if transport != "aiohttp":
        only_plain_httpx()
    return Ours(url)


async def _measure(side: _Side, requests: int) -> tuple[float, float]:
    resident = []
    for _ in range(2):
        for _ in range(requests // 2):
            await side.ask()
        gc.collect()
        resident.append(resident_bytes() / _MB)
    await side.aclose()
    return resident[0], resident[1]


async def _main() -> None:
    side, transport, url, requests = sys.argv[1:]
    make = _bare if side == "bare" else _standby
    print(json.dumps(await _measure(make(transport, url), int(requests))))


if __name__ == "__main__":
    asyncio.run(_main())
