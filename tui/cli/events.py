"""`standby events`: the journal of all engines at a store, one line an event."""

from __future__ import annotations

import argparse
import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from engine import Config, Engine, Recorded, StoreError, UnknownTarget, is_model
from tui.bench_entries import did_you_mean, is_named
from tui.cli.journal_pages import Chosen, about, pages
from tui.cli.parser import Parser, add_store, command_parser, text
from tui.cli.result import json_line
from tui.cli.store import onlooker, shared_config, to_its_end
from tui.event_words import subject, what, when
from tui.exits import DONE
from tui.moments import back, now
from tui.output import Notes, Output
from tui.text import safe_line

_ALONE: Final = "there is no journal to read"
_LOOK_EVERY_S: Final = 0.2
_LOOK_AGAIN_S: Final = 1.0
_WIDTHS: Final = (19, 16, 19, 26)


def parser() -> Parser:
    """How `standby events` is written."""
    parser = command_parser("events")
    add = parser.add_argument
    follow = "go on with what happens from now on, until Ctrl+C; a store that is away is waited for"
    add("--follow", "-f", action="store_true", help=follow)
    add_since(parser)
    add("--model", metavar="MODEL", help="only what is about this model, or an alias of one")
    add("--limit", metavar="N", type=_count, help="of what there is, only the last so many")
    add("--json", action="store_true", help="print each event as it was recorded, one JSON object a line")
    add_store(parser)
    return parser


def add_since(parser: Parser) -> None:
    """Adds the option that says from when on."""
    how = "how far back: 90s, 1h, 2d; or from a time on: 18:30, 2026-03-01T18:30 (default: 1h)"
    parser.add_argument("--since", metavar="TIME", type=time_back, default="1h", help=how)


def run(arguments: argparse.Namespace) -> int:
    """Prints the journal.

    Returns:
        0.

    Raises:
        Exit: The store is memory, or can't be used and is not waited for; nothing is known of the model; or
            a signal came.
        OutputLost: Standard output can't be written.
    """
    config = shared_config(arguments.config, arguments.store, _ALONE)
    out = Output()
    printer = _Printer(out, as_json=arguments.json)
    to_its_end(lambda: _read(config, arguments, printer, Notes(beside=out)))
    return DONE


class _Printer:
    """Prints events, many at once."""

    def __init__(self, out: Output, *, as_json: bool) -> None:
        self._out = out
        self._as_json = as_json

    def __call__(self, page: Iterable[Recorded]) -> None:
        if self._as_json:
            self._out.write("".join(json_line(each.data) for each in page))
        else:
            self._out.write("".join(f"{safe_line(line(each))}\n" for each in page))


def line(recorded: Recorded) -> str:
    """An event as one line: when, which engine, what, about whom, and how."""
    event, data = recorded.event, recorded.data
    at = when(event.at)
    cells = (
        at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "-",
        event.engine,
        str(data.get("event", "")),
        subject(event, data),
    )
    padded = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    return f"{'  '.join(padded)}  {what(event, data)}".rstrip()


async def _read(config: Config, arguments: argparse.Namespace, show: _Printer, notes: Notes) -> None:
    async with onlooker(config, waits=arguments.follow) as engine:
        chosen = _chosen(engine, arguments.model, notes)
        last: deque[Recorded] | None = None if arguments.limit is None else deque(maxlen=arguments.limit)
        take = show if last is None else last.extend
        since, after = arguments.since, ""
        patience = _Patience(notes)
        while True:
            try:
                async for page in pages(engine, since, after=after):
                    after = page[-1].place
                    take(filter(chosen, page))
                break
            except StoreError as error:
                if not arguments.follow:
                    raise
                await patience.wait(error)
        patience.end()
        if last is not None:
            show(last)
        if arguments.follow:
            await _follow(engine, since, after, lambda page: show(filter(chosen, page)), notes)


async def _follow(
    engine: Engine, since: datetime, after: str, show: Callable[[Iterable[Recorded]], None], notes: Notes
) -> None:
    """Goes on behind a place for ever; a store that is away is waited for."""
    patience = _Patience(notes)
    while True:
        try:
            page = await engine.history(None if after else (now() - since).total_seconds(), after=after)
        except StoreError as error:
            await patience.wait(error)
            continue
        patience.end()
        if page:
            after = page[-1].place
            show(page)
        else:
            await asyncio.sleep(_LOOK_EVERY_S)


class _Patience:
    """Waits for a store that is away, and tells so once.

    Args:
        notes: Where that is told.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._is_waiting = False

    async def wait(self, error: StoreError) -> None:
        """Waits a moment, after which the store may be asked again."""
        if not self._is_waiting:
            self._notes.line(f"the store is away: {error}; waiting", head="warning: ", bad=True)
        self._is_waiting = True
        await asyncio.sleep(_LOOK_AGAIN_S)

    def end(self) -> None:
        """The store has answered."""
        if self._is_waiting:
            self._notes.line("the store is there again", head="note: ")
        self._is_waiting = False


def _chosen(engine: Engine, asked: str | None, notes: Notes) -> Chosen:
    if asked is None:
        return lambda _: True
    name = text(asked).strip()
    try:
        model = engine.explain(name, only=True)[0].model
        if is_named(engine, model):
            return about(model)
        name = model
    except UnknownTarget:
        if not is_model(name):
            raise
    # The journal may know what the configuration has lost; a slip of the hand is told all the same.
    notes.line(f"nothing in the configuration names {name}{did_you_mean(engine, name)}", head="note: ")
    return about(name)


def time_back(argument: str) -> datetime:
    """An argument that names a time that has passed."""
    try:
        return back(argument, now())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(argument: str) -> int:
    if not (argument.isascii() and argument.isdigit() and 1 <= int(argument[:12]) <= 10**9):
        raise argparse.ArgumentTypeError(f"{argument!r} is no whole number above 0")
    return int(argument)
