"""`standby replay`: an incident that was exported as JSONL, played back in the dashboard."""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine import ConfigError, Dashboard, load_config
from tui.cli.config import configured
from tui.cli.parser import Parser, command_parser, file_name
from tui.exits import Exit
from tui.output import is_terminal
from tui.replay.reading import Reading

if TYPE_CHECKING:
    from tui.replay.playback import Playback, Recording

_OF_READING: Final = 0.7
"""Reading's share of the time before the dashboard opens; then all is gone through once."""


def parser() -> Parser:
    """How `standby replay` is written."""
    parser = command_parser("replay")
    parser.add_argument(
        "file", metavar="FILE", type=file_name, help="what `standby export -o FILE.jsonl` wrote"
    )
    add = parser.add_argument
    add("--speed", metavar="8x", type=_speed, default=1.0, help="from 0.25x to 64x; 1x is as it happened")
    add("--from", metavar="TIME", dest="start", help="where to begin: 14:05, 14:05:30, or a date and time")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Plays a recording until it is left.

    Returns:
        0 left, 1 crashed, 128 and the signal's number when a signal or the terminal ended it.

    Raises:
        Exit: There is nothing to play, or no terminal to show it in.
    """
    if arguments.file == "-":
        raise Exit("a recording can't come from standard input: the dashboard needs that for its keys")
    look = _look(arguments.config)
    playback = _playback(Path(arguments.file), arguments.start, arguments.speed)
    # Textual stays out until here: whoever gave a wrong file should not wait for it.
    app = importlib.import_module("tui.replay.app")
    dashboard = importlib.import_module("tui.dashboard")
    return int(dashboard.open_dashboard(app.ReplayApp(playback, look)))


def _playback(path: Path, begin: str | None, speed: float) -> Playback:
    """Reads a recording, and makes ready to play it; says how far that is.

    Raises:
        Exit: It is none, it has no such beginning, or there is no terminal to show it in.
    """
    replay = importlib.import_module("tui.replay.playback")
    reading = Reading(path.name)
    gc.disable()  # a recording is all kept: looking for garbage in it takes half of the time
    try:
        recording = replay.load(path, lambda share: reading(share * _OF_READING))
        start = None if begin is None else _start(begin, recording)
        _needs_a_terminal()
        playback: Playback = replay.Playback(
            recording, start, speed, told=lambda share: reading(_OF_READING + share * (1 - _OF_READING))
        )
    except replay.NotARecording as error:
        raise Exit(str(error)) from None
    finally:
        reading.clear()
        gc.enable()
        gc.freeze()
    return playback


def _start(text: str, recording: Recording) -> float:
    moment = importlib.import_module("tui.replay.playback").moment
    try:
        return float(moment(text, recording))
    except ValueError as error:
        raise Exit(f"--from: {error}") from None


def _needs_a_terminal() -> None:
    if not all(map(is_terminal, (sys.stdin, sys.stdout, sys.stderr))):
        raise Exit(
            "a recording is played in the dashboard, which needs a terminal for its input and its output"
        )


def _look(path: str | None) -> Dashboard:
    """Theme, signs and keys of the configuration; nothing else of it counts, so a faulty one stops nobody."""
    if path is not None:
        return configured(path).dashboard
    try:
        return load_config(None).dashboard
    except ConfigError:
        return Dashboard()


def _speed(text: str) -> float:
    """A speed as `8x`."""
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed: write it as 8x") from None
    if not 0.25 <= speed <= 64:
        raise argparse.ArgumentTypeError("a recording plays at 0.25x to 64x")
    return speed
