"""The cases of the dashboard: how soon it is there, and what it needs while nothing happens."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import pairwise

from engine import load_config, sample_path
from tests.benchmarks import countdowns, one_table
from tests.benchmarks.fresh import in_turn
from tests.benchmarks.machine import Cores, cpu_seconds
from tests.benchmarks.rows import Limit, Row
from tests.benchmarks.terminal import on_terminal, shown_at

_LONGEST_START_S = 3.0
_SETTLED_AFTER_S = 4.0

_DASHBOARD = ["-m", "tui", "--config", str(sample_path())]
_ONE_TABLE = ["-m", "tests.benchmarks.one_table"]
_COUNTDOWNS = ["-m", "tests.benchmarks.countdowns"]


def _holds(*words: str) -> Callable[[list[str]], bool]:
    def is_whole(lines: list[str]) -> bool:
        screen = "\n".join(lines)
        return all(word in screen for word in words)

    return is_whole


def first_paint(cores: Cores, rounds: int) -> list[Row]:
    """From the program's start until everything is on the screen, beside an app with one table."""
    chains = load_config(sample_path()).chains.values()
    models = {model for chain in chains for model in chain.models if "/" in model}

    def started(arguments: list[str], is_whole: Callable[[list[str]], bool]) -> Callable[[], float]:
        def measure() -> float:
            # A home of its own: no history to read, no configuration of the person who measures.
            with (
                tempfile.TemporaryDirectory() as home,
                on_terminal(cores, arguments, {"HOME": home}) as screen,
            ):
                painted = screen.watch(_LONGEST_START_S)
            return shown_at(painted, is_whole)

        return measure

    bare = started(_ONE_TABLE, _holds(*one_table.COLUMNS, f"acme/model-{one_table.ROWS - 1:02}"))
    standby = started(_DASHBOARD, _holds(*models, "Quit"))
    needed = in_turn(bare, standby, rounds)
    what = "first paint / a Textual app with one table"
    return [Row(what, "", "s", "ratio", Limit(at_most=1.5), tuple(needed[0]), tuple(needed[1]))]


def idle(cores: Cores, seconds: float, windows: int) -> list[Row]:
    """Share of a core that the dashboard needs with twenty countdowns and no traffic."""
    marks = []
    with tempfile.TemporaryDirectory() as home, on_terminal(cores, _COUNTDOWNS, {"HOME": home}) as screen:
        shown_at(screen.watch(_SETTLED_AFTER_S), _holds(*countdowns.MODELS))
        for window in range(windows + 1):
            marks.append(cpu_seconds(screen.pid))
            if window < windows:
                screen.watch(_SETTLED_AFTER_S + (window + 1) * seconds)
    shares = tuple(100 * (end - start) / seconds for start, end in pairwise(marks))
    return [Row("idle dashboard, 20 countdowns", "", "%", "alone", Limit(at_most=2.0), (), shares)]
