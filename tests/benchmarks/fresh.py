"""The cases that need fresh processes: how long an import takes, and how much memory stays."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.benchmarks.machine import ROOT, Cores, spawned_on
from tests.benchmarks.rows import Limit, Row

_TIMED = "from time import perf_counter as now; began = now(); {}; print(now() - began)"

# What a program pays that imports the engine and then builds its first provider.
_FIRST_PROVIDER = (
    "import engine;"
    "from engine.providers.build import build_provider;"
    "build_provider(engine.ProviderConfig('up', 'openai', 'http://127.0.0.1:9/v1'))"
)
_FIRST_CLIENT = "import httpx; httpx.AsyncClient()"

_GROWTH_MB = 1.0  # what an allocator and a growing cache of bytecode may still take: more is no plateau


def run_python(cores: Cores, *arguments: str) -> str:
    """Runs a fresh interpreter on the client's core; gives what it printed."""
    with spawned_on(cores.client):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
    return done.stdout


def in_turn(
    bare: Callable[[], Any], standby: Callable[[], Any], rounds: int, *, warm_ups: int = 1
) -> tuple[list[Any], list[Any]]:
    """Runs two sides alternately; who begins changes from round to round."""
    figures: tuple[list[Any], list[Any]] = ([], [])
    for number in range(-warm_ups, rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            figure = (bare, standby)[side]()
            if number >= 0:
                figures[side].append(figure)
    return figures


def imports(cores: Cores, rounds: int) -> list[Row]:
    """`import engine` beside `import httpx`, timed inside the interpreter, its own start left out."""

    def timed(code: str) -> Callable[[], float]:
        return lambda: float(run_python(cores, "-c", _TIMED.format(code)))

    def row(what: str, limit: Limit, bare: str, standby: str) -> Row:
        # The first runs write the bytecode.
        needed = in_turn(timed(bare), timed(standby), rounds, warm_ups=2)
        return Row(what, "", "s", "ratio", limit, tuple(needed[0]), tuple(needed[1]))

    return [
        row("import engine / import httpx", Limit(at_most=1.3), "import httpx", "import engine"),
        row("the same, with a first provider / client", Limit(), _FIRST_CLIENT, _FIRST_PROVIDER),
    ]


def memory(cores: Cores, transport: str, url: str, requests: int, rounds: int) -> list[Row]:
    """Memory after so many requests beside the bare client's, and whether it still grows."""

    def resident(side: str) -> Callable[[], list[float]]:
        arguments = ("-m", "tests.benchmarks.memory", side, transport, url, str(requests))
        return lambda: json.loads(run_python(cores, *arguments))

    bare, standby = in_turn(resident("bare"), resident("standby"), rounds, warm_ups=0)
    half, full = f"{requests // 2:,}", f"{requests:,}"
    return [
        Row(
            f"memory after {full} requests",
            transport,
            "MB",
            "difference",
            Limit(at_most=15.0),
            tuple(end for _, end in bare),
            tuple(end for _, end in standby),
        ),
        Row(
            f"flat: memory after {full} / after {half}",
            transport,
            "MB",
            "difference",
            Limit(at_most=_GROWTH_MB),
            tuple(middle for middle, _ in standby),
            tuple(end for _, end in standby),
        ),
    ]
