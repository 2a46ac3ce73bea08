"""`standby unbench`: an operator brings back what is out, for every process at the same store."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine import Benched, Config, Engine, is_model
from tui.bench_entries import did_you_mean, entry, fields, is_named, known, who
from tui.cli.parser import Parser, add_store, command_parser, text
from tui.cli.store import onlooker, shared_config, to_its_end, written
from tui.exits import DONE, Exit, that_it_is_done
from tui.glyphs import STATE_WORDS
from tui.output import Notes, Output

_NOTHING: Final = "there was nothing to lift"
_ALONE: Final = "nobody would see that something is lifted"


class _Lifted(NamedTuple):
    """What was lifted, and what was not although somebody might think so.

    Attributes:
        gone: What was lifted, as it was.
        left: Lines about what was not.
    """

    gone: Sequence[Benched]
    left: Sequence[str]


def parser() -> Parser:
    """How `standby unbench` is written."""
    parser = command_parser("unbench")
    add = parser.add_argument
    what = "provider/model, an alias of one model, provider/*, or provider#key"
    add("name", metavar="NAME", nargs="?", help=what)
    add("--all", action="store_true", help="everything that the engines have benched; holds stay")
    add("--manual", action="store_true", help="with --all: holds, too")
    add("--by", metavar="WHO", type=who, help="who does this; else user@host")
    add("--json", action="store_true", help="print a list of what was lifted, as it was")
    add_store(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Brings back one name, or all.

    Returns:
        0, also if nothing was out.

    Raises:
        Exit: Nothing is known by that name, the store is memory or can't be used.
        OutputLost: Standard output can't be written.
    """
    if arguments.all and arguments.name is not None:
        raise Exit("give a NAME or --all, not both")
    if not arguments.all and arguments.name is None:
        raise Exit("name what to unbench, or give --all")
    if arguments.manual and not arguments.all:
        raise Exit("--manual goes with --all: a NAME is brought back whatever keeps it out")
    config = shared_config(arguments.config, arguments.store, _ALONE)
    lifted = to_its_end(lambda: _unbench(config, arguments))
    out = Output()
    with that_it_is_done():
        if arguments.json:
            out.write(json.dumps([fields(each) for each in lifted.gone], indent=2) + "\n")
        else:
            for each in lifted.gone:
                out.line(f"{each.name} is back; {_before(each)}")
            if not lifted.gone:
                out.line(_NOTHING if arguments.all else f"{text(arguments.name)} was not on the bench")
    notes = Notes(beside=out)
    for line in lifted.left:
        notes.line(line)
    return DONE


async def _unbench(config: Config, arguments: argparse.Namespace) -> _Lifted:
    async with onlooker(config) as engine:
        if arguments.all:
            lifted = _all(engine, with_holds=arguments.manual, by=arguments.by)
        else:
            name = known(engine, text(arguments.name))
            if not is_named(engine, name):
                raise Exit(f"nobody knows {name}{did_you_mean(engine, name)}")
            lifted = _one(engine, name, arguments.by)
        await written(engine)
        return lifted


def _one(engine: Engine, name: str, by: str | None) -> _Lifted:
    before = _out(engine)
    own = entry(engine, name)
    if own is not None:  # though it may be its provider as a whole that is out
        before[name] = own
    engine.unbench(name, by=by)
    gone = _gone(engine, before)
    if engine.is_benched(name):
        return _Lifted(gone, [f"{name} is still out: {_keepers(engine, name)}"])
    return _Lifted(gone, ())


def _all(engine: Engine, *, with_holds: bool, by: str | None) -> _Lifted:
    before = _out(engine)
    left = []
    # Keys first: what a model's own unbench would lift of them is theirs to tell.
    for name in sorted(before, key=is_model):
        if before[name].manual and not with_holds:
            left.append(f"{name} is held{_whom(before[name])} and stays so: --manual lifts holds, too")
        elif with_holds or not (holds := _holds_over(name, before)):
            engine.unbench(name, by=by)
        else:
            left.append(f"{name} stays out: with it {', '.join(holds)} would come back; --manual lifts both")
    return _Lifted(_gone(engine, before), left)


def _out(engine: Engine) -> dict[str, Benched]:
    """Everything that is out, due and on trial included, by name."""
    names = [each.name for each in engine.benched()]
    names += [each.model for each in engine.status() if each.state in ("due", "on_trial")]
    found = {name: entry(engine, name) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def _gone(engine: Engine, before: dict[str, Benched]) -> list[Benched]:
    after = _out(engine)
    return [each for name, each in before.items() if name not in after]


def _holds_over(name: str, out: dict[str, Benched]) -> list[str]:
    """The holds that go with a model: of its provider, and of the provider's keys."""
    provider, _, model = name.partition("/")
    if not is_model(name):
        return []
    held = [each for each in out.values() if each.manual]
    return [
        each.name
        for each in held
        if each.name == f"{provider}/*"
        or (each.name.startswith(f"{provider}#") and each.name.partition("/")[2] in ("", model))
    ]


def _keepers(engine: Engine, name: str) -> str:
    provider = name.partition("/")[0]
    others = (each.name for each in engine.benched() if each.name != name)
    found = [each for each in others if each.startswith((f"{provider}/*", f"{provider}#"))]
    return f"{', '.join(found)} keeps it so" if found else "it was benched again at once"


def _before(out: Benched) -> str:
    state = "held" if out.manual else "on_trial" if out.on_trial else "benched"
    level = f"level {out.level}" if out.level > 1 and not out.manual else ""
    why = ", ".join(filter(None, (out.reason, level)))
    return f"it was {STATE_WORDS[state]}{_whom(out)}{f' ({why})' if why else ''}"


def _whom(out: Benched) -> str:
    return f" by {out.by}" if out.by else ""
