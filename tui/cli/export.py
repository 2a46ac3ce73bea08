"""`standby export`: an incident from the journal, as Markdown for people or as JSONL for programs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from engine import Config, Engine
from tui.cli.events import add_since, time_back
from tui.cli.journal_pages import pages
from tui.cli.parser import Parser, add_store, command_parser, file_name
from tui.cli.result import json_line
from tui.cli.store import onlooker, shared_config, to_its_end
from tui.cli.whole_file import whole_file
from tui.exits import DONE, FAILED, Exit, that_it_is_done
from tui.incident.facts import Incident
from tui.incident.markdown import times
from tui.incident.parts import Silence
from tui.incident.report import report
from tui.incident.span import between
from tui.moments import now
from tui.output import Notes, Output

_ALONE: Final = "there is no journal to export"
_FORMATS: Final = {".md": "md", ".markdown": "md", ".jsonl": "jsonl", ".ndjson": "jsonl"}

Write = Callable[[str], object]


def parser() -> Parser:
    """How `standby export` is written."""
    parser = command_parser("export")
    add = parser.add_argument
    add_since(parser)
    until = "up to when: as --since (default: now)"
    parser.add_argument("--until", metavar="TIME", type=time_back, help=until)
    where = "the file, .md or .jsonl; only its owner may read it; else standard output, as Markdown"
    add("-o", "--output", metavar="FILE", type=file_name, help=where)
    add("--format", choices=("md", "jsonl"), help="whatever the file is called")
    add("--force", action="store_true", help="replace a file that is there")
    add_store(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Writes what happened between two times.

    Returns:
        0, also if nothing happened.

    Raises:
        Exit: The arguments make no sense, the store is memory or can't be used, or the file can't be written.
        OutputLost: Standard output can't be written.
    """
    until = arguments.until or now()
    if arguments.since >= until:
        raise Exit("--since must be before --until")
    kind = _format(arguments)
    config = shared_config(arguments.config, arguments.store, _ALONE)
    out = Output()
    if arguments.output is None:
        to_its_end(lambda: _write(config, arguments.since, until, kind, out.write))
        return DONE
    path = Path(arguments.output)
    if not arguments.force and path.exists():
        raise Exit(_exists(path))
    try:
        with whole_file(path, replace=arguments.force) as file:
            count = to_its_end(
                lambda: _write(config, arguments.since, until, kind, lambda text: file.write(_bytes(text)))
            )
    except FileExistsError:
        raise Exit(_exists(path)) from None
    except OSError as error:
        raise Exit(f"{path} can't be written: {error.strerror or error}", FAILED) from None
    with that_it_is_done(f"wrote {path}"):
        out.line(f"wrote {path}: {times(count, 'event')}, {between(arguments.since, until)} UTC")
    if not count:
        Notes(beside=out).line("nothing is in the journal of that time; --since goes further back")
    return DONE


def _format(arguments: argparse.Namespace) -> str:
    if arguments.format is not None:
        return str(arguments.format)
    if arguments.output is None:
        return "md"
    found = _FORMATS.get(Path(arguments.output).suffix.lower())
    if found is None:
        raise Exit("the file's name ends neither in .md nor in .jsonl: say which with --format")
    return found


async def _write(config: Config, since: datetime, until: datetime, kind: str, write: Write) -> int:
    """Writes the export piece by piece; gives the number of events."""
    count = 0
    incident = Incident()
    async with onlooker(config) as engine:
        incident.silent = _silent(engine)
        async for page in pages(engine, since, until):
            count += len(page)
            if kind == "jsonl":
                write("".join(json_line(each.data) for each in page))
            else:
                incident.add(page)
    if kind == "md":
        write(report(incident, since, until))
    return count


def _silent(engine: Engine) -> list[Silence]:
    """Engines that are gone without a goodbye, as the store remembers them; it does so for a day."""
    return [
        Silence(each.name, now() - timedelta(seconds=each.seen_s)) for each in engine.engines() if each.silent
    ]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _exists(path: Path) -> str:
    return f"{path} is there already and was left as it is; --force replaces it"
