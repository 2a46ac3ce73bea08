"""What standby costs, as ratios to the bare minimum written by hand over the same transport.

    python -m tests.benchmarks [--quick] [--only NAME ...] [--json FILE]

How to read the table
---------------------
*bare minimum* is what one would write with `httpx.AsyncClient` and no failover at all: POST, JSON
decode; for `aiohttp` the same client over httpx-aiohttp's transport, which standby uses when
`standby[fast]` is installed. *standby* is the same work through `Engine.complete` or `Engine.stream`,
with a chain of two models and a key. Both talk to one server on this machine, a process of its own, and
carry the same key and prompt. Nothing here leaves the machine.

*compared* is the median over the rounds of each round's own comparison, with the lowest and the highest
round behind it. In a round the two sides take turns, call by call, in an order that changes; its figures
are the medians of their calls. So a machine that gets slower or faster touches both. Read the ratio: the
figures beside it belong to this machine and this hour. If the range is wide, the machine was busy: run
it again.

*limit* is what the project holds itself to, *ok* or *over* says whether the median keeps it. Rows with
`report` have none.

The rows
--------
one after another           Time of a call, one caller.
100 at once                 Calls a second of a hundred callers; 500 calls of a side, then of the other.
                            Bare httpx is slow here, for its pool looks at every connection for each
                            request; standby keeps its pools small.
first answers 500           A chain whose first model always fails and is never benched; by hand, two
                            calls in a try/except.
first on the bench          Standby against itself: a chain whose first model is on the bench, and the
                            same chain without that model. The left column is the latter.
stream, a chunk             Time of a whole streamed answer, from the call to its end, divided by its 50
                            pieces of text; by hand: read bytes, split, JSON decode. The body comes in
                            one write: as one HTTP chunk, and once more as one HTTP chunk for each event,
                            which servers do.
first token                 Time to the first text when the first model answers 500.
an observer attached        Standby against itself, with somebody listening to its events.
import                      Timed inside a fresh interpreter. The engine loads its HTTP client with the
                            first provider, so there is a second row that counts that in.
first paint                 From the start of the program until the dashboard is whole on a terminal of
                            120 columns and 40 lines; beside it an app of the same toolkit with a table.
idle dashboard              Processor time of the dashboard with twenty benches counting down, as a share
                            of one core.
store / memory              Standby against itself: an engine whose bench and journal are in a store, and
                            one that keeps its bench for itself and writes no journal. Blocks of 500
                            calls in turn; each goes on until its journal is written. Once with a provider
                            that answers at once and a caller that never pauses, so that the one core is
                            always busy and whatever the store's thread does there makes a call wait; and
                            once with four callers and a provider that takes a tenth of a real one's time.
journal                     5,000 events a second, many times what an engine at its limit tells of.
an engine that waits        Looks whether other engines did something, and gives signs of life.
memory                      Resident memory of fresh processes, and how much it grew in the second half
                            of the requests (flat: 1 MB at most).

Every client is fresh for every case, since idle connections tax the requests of others. The server runs
on one core and the client on another where the system lets us choose. Figures worth quoting come from a
machine that does nothing else: see *load before*.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks import screen, stores
from tests.benchmarks.cases import CASES
from tests.benchmarks.fresh import imports, memory, run_python
from tests.benchmarks.machine import Cores, choose_cores, describe, has_fast_transport
from tests.benchmarks.rows import Row, table
from tests.benchmarks.upstream import upstream

_OTHERS = ("memory", "import", "paint", "idle", "store", "journal", "store-idle")

Job = tuple[str, Callable[[], list[Row]]]


def _asked(chosen: list[str] | None, quick: bool, cores: Cores, url: str) -> Iterator[Job]:
    """What is to be measured, in the table's order, each part with its name."""
    names = chosen or [*CASES, *_OTHERS]
    for transport in ("httpx", "aiohttp") if has_fast_transport() else ("httpx",):
        for name in (name for name in CASES if name in names):
            yield f"{name}, {transport}", partial(_case, name, transport, url, cores, quick=quick)
        if "memory" in names:
            requests, rounds = (2_000, 1) if quick else (10_000, 3)
            yield f"memory, {transport}", partial(memory, cores, transport, url, requests, rounds)
        if "store" in names:
            for store in stores.STORES:
                for load in stores.LOADS:
                    what = f"store, {store}, {load}, {transport}"
                    yield what, partial(stores.latency, cores, transport, url, store, load, quick=quick)
    yield from _beside_requests(names, quick, cores)


def _beside_requests(names: list[str], quick: bool, cores: Cores) -> Iterator[Job]:
    for store in stores.STORES:
        if "journal" in names:
            yield f"journal, {store}", partial(stores.journal, cores, store, 15 if quick else 60)
        if "store-idle" in names:
            yield f"idle, {store}", partial(stores.idle, cores, store, 5 if quick else 30)
    if "import" in names:
        yield "import", partial(imports, cores, 5 if quick else 25)
    if "paint" in names:
        yield "paint", partial(screen.first_paint, cores, 3 if quick else 15)
    if "idle" in names:
        yield "idle", partial(screen.idle, cores, 5.0 if quick else 15.0, 1 if quick else 3)


def _case(name: str, transport: str, url: str, cores: Cores, *, quick: bool) -> list[Row]:
    case = CASES[name]
    rounds = case.quick_rounds if quick else case.rounds
    printed = run_python(cores, "-m", "tests.benchmarks.worker", name, transport, url, str(rounds))
    bare, standby = json.loads(printed)
    return [Row(case.what, transport, case.unit, "ratio", case.limit, tuple(bare), tuple(standby))]


def _measure(jobs: Iterable[Job]) -> tuple[list[Row], int]:
    """Runs jobs one after another; gives their rows, and how many jobs broke down."""
    rows: list[Row] = []
    broken = 0
    for name, job in jobs:
        print(f"measuring: {name}", file=sys.stderr)
        try:
            rows += job()
        except (RuntimeError, subprocess.CalledProcessError) as error:  # the others can still be measured
            print(f"{name} broke down: {error}", file=sys.stderr)
            broken += 1
    return rows, broken


def main() -> int:
    """Runs the benchmarks that were asked for and prints their table.

    Returns:
        The exit code: 1 if something could not be measured. A limit that is not kept is no error.
    """
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description="What standby costs.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, not a measurement")
    parser.add_argument("--only", action="append", choices=[*CASES, *_OTHERS], help="may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    arguments = parser.parse_args()

    cores = choose_cores()
    facts = describe(cores)
    with upstream(cores) as url:
        rows, broken = _measure(_asked(arguments.only, arguments.quick, cores, url))
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    print()
    print(table(rows))
    if arguments.json:
        figures = {"facts": facts, "rows": [row.to_json() for row in rows]}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
