"""`standby check`: every fault of a configuration, or each chain as it resolves."""

from __future__ import annotations

import argparse
import asyncio

from engine import Config, Engine, Prospect, find_config
from tui.cli_config import configured
from tui.cli_explain import why
from tui.cli_parser import Parser, command_parser, file_name
from tui.exits import DONE, Exit
from tui.output import Output
from tui.table import columns


def parser() -> Parser:
    """How `standby check` is written."""
    parser = command_parser("check")
    what = "the configuration; else the one in force"
    parser.add_argument("file", metavar="FILE", nargs="?", type=file_name, help=what)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Checks a configuration.

    Returns:
        0: it has no fault, though a key may be missing.

    Raises:
        Exit: It has faults, one a line.
    """
    if arguments.file is not None and arguments.config is not None:
        raise Exit("FILE and --config both name a configuration, give one")
    path = arguments.config if arguments.file is None else arguments.file
    config = configured(path)
    out = Output()
    out.line(f"{config.path or find_config(path)}: ok")
    for name, prospects in asyncio.run(_resolved(config)).items():
        out.line()
        out.line(name)
        rows = [(f" {place:2}.", each.model, why(each)) for place, each in enumerate(prospects, 1)]
        for line in columns(rows):
            out.line(line)
    return DONE


async def _resolved(config: Config) -> dict[str, list[Prospect]]:
    """Each chain's models, and why some of them can't be used."""
    async with Engine(config, watch=False) as engine:
        return {chain: engine.explain(chain) for chain in engine.chains()}
