"""`standby bench`: an operator takes something out of play, for every process at the same store."""

from __future__ import annotations

import argparse
import json
import shlex
from datetime import datetime
from typing import Final, NamedTuple

from engine import LONGEST_REASON, Benched, Config, Engine, parse_duration
from tui.bench_entries import (
    benchable,
    did_you_mean,
    end,
    entry,
    fields,
    is_named,
    left_without,
    length,
    remaining,
    short,
    who,
)
from tui.bench_terms import Left
from tui.cli.parser import Parser, add_store, command_parser, text
from tui.cli.store import onlooker, shared_config, to_its_end, written
from tui.exits import DONE, Exit, that_it_is_done
from tui.health import Health
from tui.moments import ahead, now
from tui.output import Notes, Output

_ALONE: Final = "nobody would see this bench"


class _Done(NamedTuple):
    out: Benched
    left: list[Left]


def parser() -> Parser:
    """How `standby bench` is written."""
    parser = command_parser("bench")
    add = parser.add_argument
    add("name", metavar="NAME", help="provider/model, an alias of one model, provider/*, or provider#key")
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--for", dest="for_", metavar="TIME", type=_length, help="how long, as 10m or 2h")
    what = "until when, local time: the next 18:30, or 2026-03-01T18:30; with neither there is no end"
    ends.add_argument("--until", metavar="TIME", type=_until, help=what)
    add("--reason", metavar="TEXT", type=_reason, default="", help="why, for whoever looks next")
    add("--by", metavar="WHO", type=who, help="who does this; else user@host")
    add(
        "--anyway",
        action="store_true",
        help="also a model of a known provider that nothing in the configuration names",
    )
    add("--json", action="store_true", help="print what is on the bench now as one object")
    add_store(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Benches a model, a whole provider or a key.

    Returns:
        0.

    Raises:
        Exit: Nothing is known by that name, a longer hold stands, the store is memory or can't be used.
        OutputLost: Standard output can't be written.
    """
    config = shared_config(arguments.config, arguments.store, _ALONE)
    done = to_its_end(lambda: _bench(config, arguments))
    out = Output()
    notes = Notes(beside=out)
    with that_it_is_done():
        _tell(done, arguments, out)
    for chain, words, enough in done.left:
        if not enough:
            notes.line(f"{chain}: {words}", head="warning: ", bad=True)
    return DONE


def _tell(done: _Done, arguments: argparse.Namespace, out: Output) -> None:
    if arguments.json:
        out.write(json.dumps(fields(done.out)) + "\n")
        return
    why = f": {done.out.reason}" if done.out.reason else ""
    out.line(f"benched {done.out.name} {end(done.out, now())}{why}")
    for chain, words, enough in done.left:
        if enough:
            out.line(f"{chain}: {words}")
    out.line(f"undo: {_undo(done.out.name, arguments)}")


async def _bench(config: Config, arguments: argparse.Namespace) -> _Done:
    async with onlooker(config) as engine:
        name = benchable(engine, text(arguments.name))
        if not arguments.anyway:
            _refuse_stranger(engine, name)
        standing = next((each for each in engine.benched() if each.name == name), None)
        _refuse_shorter(standing, arguments)
        health = Health(engine)
        health.refresh(0.0)
        left = left_without(name, engine, health.chains)
        try:
            engine.bench(
                name, for_=arguments.for_, until=arguments.until, reason=arguments.reason, by=arguments.by
            )
        except ValueError as error:
            raise Exit(str(error)) from None
        await written(engine)
        out = entry(engine, name)
        if out is None:  # it was so short that it is over already
            raise Exit(f"{name} is not on the bench any more: somebody lifted that, or it was too short")
        return _Done(out, left)


def _refuse_shorter(standing: Benched | None, arguments: argparse.Namespace) -> None:
    if standing is None or not standing.manual:
        return
    at = now()
    if length(arguments.for_, arguments.until, at) >= remaining(standing):
        return
    why = f" ({standing.reason})" if standing.reason else ""
    by = f" by {standing.by}" if standing.by else ""
    raise Exit(
        f"{standing.name} is held{by} {end(standing, at)}{why}, longer than this would; it stays as it is\n"
        f"to make it shorter, lift that first: {_undo(standing.name, arguments)}"
    )


def _refuse_stranger(engine: Engine, name: str) -> None:
    """A slip of the hand must not look like a bench."""
    if is_named(engine, name):
        return
    raise Exit(
        f"nothing in the configuration names {name}{did_you_mean(engine, name)}\n"
        "if a program asks for it all the same, bench it with --anyway"
    )


def _undo(name: str, arguments: argparse.Namespace) -> str:
    given = [("--config", arguments.config), ("--store", arguments.store)]
    options = [word for option, value in given if value is not None for word in (option, text(value))]
    return shlex.join(["standby", "unbench", name, *options])


def _length(argument: str) -> float:
    try:
        seconds = parse_duration(argument)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if seconds <= 0:
        raise argparse.ArgumentTypeError("a bench must end in the future")
    return seconds


def _until(argument: str) -> datetime:
    try:
        return ahead(argument, now())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _reason(argument: str) -> str:
    return short(argument, LONGEST_REASON)
