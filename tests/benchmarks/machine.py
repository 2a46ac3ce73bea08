"""The machine that measures: which core does what, and what must stand beside every figure."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
"""The repository; every process of a benchmark is started here."""


class Cores(NamedTuple):
    """The cores that the two ends of a connection run on, None where they can't be chosen."""

    upstream: int | None
    client: int | None


def choose_cores() -> Cores:
    """Two different cores if there are two to choose from."""
    if not hasattr(os, "sched_getaffinity"):  # macOS has no such call
        return Cores(None, None)
    free = sorted(os.sched_getaffinity(0))
    return Cores(free[0], free[-1]) if len(free) > 1 else Cores(None, None)


@contextmanager
def spawned_on(core: int | None) -> Iterator[None]:
    """Processes started inside run on that core; this one is itself again on any core afterwards."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def has_fast_transport() -> bool:
    """True if `standby[fast]` is installed."""
    return _version("httpx-aiohttp") is not None


def describe(cores: Cores) -> dict[str, str]:
    """What the figures depend on: machine, versions, and how busy it was."""
    facts = {
        "machine": f"{os.cpu_count()} x {_processor()}, {platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    for name in ("httpx", "httpx-aiohttp", "aiohttp", "textual"):
        facts[name] = _version(name) or "not installed"
    facts["cores"] = (
        "not pinned" if cores.client is None else f"upstream on {cores.upstream}, client on {cores.client}"
    )
    facts["load before"] = " ".join(f"{load:.2f}" for load in os.getloadavg())
    return facts


def resident_bytes(pid: int | str = "self") -> int:
    """Memory of a process that is resident now.

    Raises:
        OSError: This system has no `/proc`.
    """
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used so far, threads included.

    Raises:
        OSError: This system has no `/proc`.
    """
    # proc(5): the program's name, in brackets, may hold anything; utime and stime are fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
