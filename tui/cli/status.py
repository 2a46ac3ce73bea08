"""`standby status`: who is on the bench that all processes share, and who is there."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from engine import Benched, Config, Engine, EngineSeen, ModelStatus, StoreState, format_duration, is_model
from tui.cli.parser import Parser, add_store, command_parser
from tui.cli.store import onlooker, shared_config, to_its_end
from tui.cli.table import columns
from tui.exits import DONE
from tui.glyphs import STATE_WORDS, Glyphs, choose_glyphs
from tui.moments import now, told
from tui.output import Output, is_terminal
from tui.text import countdown

_IN_JSON: Final = ("model", "state", "until", "manual", "reason", "by", "level", "failures")
_ALONE: Final = "there is nothing that this command could see of another one's"
_LOOKS: Final = 10
_BETWEEN_LOOKS_S: Final = 0.02
_OUT: Final = ("benched", "held")


class _Seen(NamedTuple):
    store: StoreState
    models: Sequence[ModelStatus]
    others: Sequence[Benched]
    engines: Sequence[EngineSeen]


def parser() -> Parser:
    """How `standby status` is written."""
    parser = command_parser("status")
    what = f"print a list of {{{', '.join(_IN_JSON)}}}"
    parser.add_argument("--json", action="store_true", help=what)
    add_store(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Tells each model's state, which keys are out, and which engines there are.

    Returns:
        0.

    Raises:
        Exit: The configuration has faults, its store is memory, or the store can't be used.
        OutputLost: Standard output can't be written.
    """
    config = shared_config(arguments.config, arguments.store, _ALONE)
    seen = to_its_end(lambda: _look(config))
    out = Output()
    if arguments.json:
        out.write(json.dumps([_fields(status) for status in seen.models], indent=2) + "\n")
        return DONE
    encoding = sys.stdout.encoding if is_terminal(sys.stdout) else "utf-8"
    glyphs = choose_glyphs(config.dashboard.glyphs, encoding=encoding, term=os.environ.get("TERM", ""))
    for line in _lines(seen, glyphs, now()):
        out.line(line)
    return DONE


async def _look(config: Config) -> _Seen:
    async with onlooker(config) as engine:
        await _until_who_is_there_is_known(engine)
        others = [each for each in engine.benched() if not is_model(each.name)]
        return _Seen(engine.store, engine.status(), others, engine.engines())


async def _until_who_is_there_is_known(engine: Engine) -> None:
    """The store tells of the bench first, and of the engines a moment later; there may be none."""
    await engine.history(limit=1)
    for _ in range(_LOOKS):
        if engine.engines():
            return
        await asyncio.sleep(_BETWEEN_LOOKS_S)


def _fields(status: ModelStatus) -> dict[str, Any]:
    return {name: getattr(status, name) for name in _IN_JSON}


def _lines(seen: _Seen, glyphs: Glyphs, at: datetime) -> Iterator[str]:
    header = ("model", "state", "until", "left", "why", "by", "level", "failures")
    yield from columns([header, *(_row(status, glyphs, at) for status in seen.models)])
    if seen.others:
        yield ""
        yield "providers and keys on the bench"
        yield from columns([_other(each, glyphs, at) for each in seen.others])
    yield ""
    yield f"store  {seen.store.store}"
    yield from _engines(seen.engines, glyphs)


def _row(status: ModelStatus, glyphs: Glyphs, at: datetime) -> tuple[str, ...]:
    if status.unusable is not None:
        state, sign = "unusable", glyphs.unusable
    else:
        state, sign = status.state, glyphs.states[status.state]
    until, left = _end(status.until, status.remaining_s, at) if status.state in _OUT else ("", "")
    return (
        status.model,
        f"{sign} {STATE_WORDS[state]}",
        until,
        left,
        status.unusable or status.reason,
        status.by or "",
        str(status.level) if status.level else "",
        str(status.failures) if status.failures else "",
    )


def _other(out: Benched, glyphs: Glyphs, at: datetime) -> tuple[str, ...]:
    state = "held" if out.manual else "benched"
    until, left = _end(out.until, out.remaining_s, at)
    return (
        f"  {out.name}",
        f"{glyphs.states[state]} {STATE_WORDS[state]}",
        until,
        left,
        out.reason,
        out.by or "",
    )


def _end(until: str | None, remaining_s: float | None, at: datetime) -> tuple[str, str]:
    if until is None:
        return "no end", ""
    return told(datetime.fromisoformat(until), at), countdown(remaining_s)


def _engines(engines: Sequence[EngineSeen], glyphs: Glyphs) -> Iterator[str]:
    there = [each for each in engines if not each.own]
    if not there:
        yield "engines  none is there"
        return
    yield "engines"
    rows = [_engine(each, glyphs) for each in there]
    yield from columns(rows)


def _engine(engine: EngineSeen, glyphs: Glyphs) -> tuple[str, ...]:
    ago = f"{format_duration(max(0, round(engine.seen_s)))} ago"
    silent = f"{glyphs.warn} silent" if engine.silent else ""
    return f"  {engine.name}", f"{engine.host}, process {engine.pid}", f"last sign {ago}", silent
