"""`standby explain`: a dry run of a target. Nothing is sent."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from engine import Config, Engine, Prospect
from tui.cli.config import configured
from tui.cli.parser import Parser, add_store, command_parser
from tui.cli.store import store_news, to_its_end
from tui.cli.table import columns
from tui.exits import DONE
from tui.output import Notes, Output
from tui.text import clock, countdown


def parser() -> Parser:
    """How `standby explain` is written."""
    parser = command_parser("explain")
    parser.add_argument("target", metavar="TARGET", help="a chain, an alias, provider/model, or several")
    add = parser.add_argument
    add("--json", action="store_true", help="print a list of {model, would, why, until}")
    add("--only", action="store_true", help="exactly this model, nothing that stands in for it")
    add("--owner", metavar="NAME", help="whose providers and aliases count first")
    add_store(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Tells who would be tried now, in order, and who would be skipped and why.

    Returns:
        0.

    Raises:
        Exit: The configuration has faults, nothing is known by the target's name, or a signal came.
    """
    config = configured(arguments.config, store=arguments.store)
    prospects = to_its_end(lambda: _prospects(config, arguments))
    out = Output()
    if arguments.json:
        out.write(json.dumps([_fields(prospect) for prospect in prospects], indent=2) + "\n")
        return DONE
    header = ("", "model", "would", "until", "why")
    for line in columns([header, *(_row(place, prospect) for place, prospect in enumerate(prospects, 1))]):
        out.line(line)
    first = _first_due(prospects)
    if first is not None:
        out.line()
        out.line(first)
    return DONE


def why(prospect: Prospect) -> str:
    """Why a model would be skipped, in words."""
    return (prospect.why or "").replace("no_key:", "no key:")


def remark(prospect: Prospect) -> str:
    """What to know of a model in a list: that it is fallback, and why it would be skipped."""
    return "; ".join(filter(None, ("fallback" if prospect.fallback else "", why(prospect))))


async def _prospects(config: Config, arguments: argparse.Namespace) -> Sequence[Prospect]:
    engine = Engine(config, watch=False, visible=False)
    with engine.observe(store_news(engine, Notes())):
        async with engine:
            return engine.explain(arguments.target, only=arguments.only, owner=arguments.owner)


def _fields(prospect: Prospect) -> dict[str, str | None]:
    return {
        "model": prospect.model,
        "would": prospect.would,
        "why": prospect.why,
        "until": prospect.until,
    }


def _row(place: int, prospect: Prospect) -> tuple[str, ...]:
    until = "" if prospect.until is None else clock(prospect.until)
    return f"{place}.", prospect.model, prospect.would, until, remark(prospect)


def _first_due(prospects: Sequence[Prospect]) -> str | None:
    ends = [(prospect.until, prospect.model) for prospect in prospects if prospect.until is not None]
    if not ends:
        return None
    until, model = min(ends)
    left = (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds()
    return f"first due back: {model} in {countdown(left)}, at {clock(until)}"
