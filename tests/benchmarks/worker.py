"""Runs one case in a process of its own, with fresh clients, and prints its figures as JSON.

`python -m tests.benchmarks.worker CASE TRANSPORT URL ROUNDS`
"""

from __future__ import annotations

import asyncio
import json
import sys

from tests.benchmarks.alternating import Figures
from tests.benchmarks.bare import Bare
from tests.benchmarks.cases import CASES
from tests.benchmarks.ours import Ours, only_plain_httpx


async def _measure(case: str, url: str, rounds: int, *, fast: bool) -> Figures:
    bare, ours = Bare(url, fast=fast), Ours(url)
    try:
        if await bare.ask() != await ours.ask():
            raise RuntimeError("the two sides got different answers")
        return await CASES[case].run(bare, ours, rounds)
    finally:
        await bare.aclose()
        await ours.aclose()


def main() -> None:
    """Reads the command line, measures, prints."""
    case, transport, url, rounds = sys.argv[1:]
    fast = transport == "aiohttp"
    if not fast:
        only_plain_httpx()
    print(json.dumps(asyncio.run(_measure(case, url, int(rounds), fast=fast))))


if __name__ == "__main__":
    main()
