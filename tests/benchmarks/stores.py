"""The cases about stores: what one costs a request, what the journal takes in, what waiting costs."""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.fresh import run_python
from tests.benchmarks.machine import Cores
from tests.benchmarks.ours import ANSWERS, LATER
from tests.benchmarks.rows import Limit, Row, Unit
from tests.benchmarks.upstream import LATER_S
from tests.store.redis_server import running

STORES = ("sqlite", "redis")


LOADS = {
    "one after another": (ANSWERS, 1, 40),
    f"4 callers, {LATER_S * 1000:g} ms a call": (LATER, 4, 12),
}
"""How the store is measured: what is called, which chain it asks, how many ask at once, and rounds."""


def latency(cores: Cores, transport: str, url: str, store: str, load: str, *, quick: bool) -> list[Row]:
    """Time of a call with a store beside it, and without one: the median and the slowest hundredth."""
    chain, callers, rounds = LOADS[load]
    words = (transport, url, chain, str(callers), str(3 if quick else rounds))
    memory, shared = _measured(cores, store, "latency", *words)
    return [
        Row(
            f"{store} / memory, {load}, {which}",
            transport,
            "s",
            "ratio",
            Limit(at_most=1.05),
            tuple(figures[place] for figures in memory),
            tuple(figures[place] for figures in shared),
        )
        for place, which in enumerate(("median", "p99"))
    ]


def journal(cores: Cores, store: str, seconds: int) -> list[Row]:
    """5,000 events a second into the journal: what was lost uncounted, and what stays in memory."""
    lost, grown, busy = _measured(cores, store, "journal", str(seconds))
    what = f"{store}, 5,000 events/s for {seconds} s"
    return [
        _alone(f"{what}: lost uncounted", "events", Limit(at_most=0.0), lost),
        _alone(f"{what}: memory after 10 s / at the end", "MB", Limit(at_most=5.0), grown),
        _alone(f"{what}: of a core", "%", Limit(), busy),
    ]


def idle(cores: Cores, store: str, seconds: int) -> list[Row]:
    """Processor time of an engine that does nothing but look whether others did something."""
    (busy,) = _measured(cores, store, "idle", str(seconds))
    return [_alone(f"{store}, an engine that waits: of a core", "%", Limit(at_most=0.5), busy)]


def _alone(what: str, unit: Unit, limit: Limit, figure: float) -> Row:
    return Row(what, "", unit, "alone", limit, (), (figure,))


def _measured(cores: Cores, store: str, *what: str) -> list[Any]:
    if store != "redis":
        return _worker(cores, store, *what)
    with running() as server:
        return _worker(cores, server.url, *what)


def _worker(cores: Cores, *arguments: str) -> list[Any]:
    printed: list[Any] = json.loads(run_python(cores, "-m", "tests.benchmarks.store_worker", *arguments))
    return printed
