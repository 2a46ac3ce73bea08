"""`standby check`: every fault of a configuration, or each chain as it resolves."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace

from engine import Config, Engine, Owner, Prospect, StoreRefused, find_config, open_store, store_name
from tui.cli.config import configured
from tui.cli.explain import remark, why
from tui.cli.parser import Parser, command_parser, file_name
from tui.cli.table import columns
from tui.exits import DONE, Exit
from tui.output import Output

Rows = Sequence[Sequence[str]]


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
    out.line(f"store: {_store(config.store)}")
    for title, rows in asyncio.run(_blocks(config)):
        out.line()
        out.line(title)
        for line in columns(rows):
            out.line(line)
    return DONE


def _store(store: str) -> str:
    name = store_name(store)
    try:
        open_store(store)  # connects to nothing
    except StoreRefused as refused:
        return f"{store}: {refused}"
    if name == "memory":
        return "memory: each process has a bench and a journal of its own"
    return name if store.endswith(name) else f"{name} ({store})"


async def _blocks(config: Config) -> list[tuple[str, Rows]]:
    """Everything that resolves, block by block, and why some models can't be used."""
    blocks: list[tuple[str, Rows]] = []
    # What resolves does not depend on the bench of others: a store that is away is no fault of the file.
    async with Engine(replace(config, store="memory"), watch=False) as engine:
        for chain in config.chains.values():
            whose = f", owner {chain.owner}" if chain.owner is not None else ""
            blocks.append((f"{chain.name}{whose}", _numbered(engine.explain(chain.name))))
        if config.groups:
            groups = [(f" {place:2}.", ", ".join(group)) for place, group in enumerate(config.groups, 1)]
            blocks.append(("groups", groups))
        if config.fallback:
            # Twice, so that it is a list even if it names one model, which would become its whole group.
            blocks.append(("fallback", _numbered(engine.explain([*config.fallback, *config.fallback]))))
        blocks += [(f"owner {owner.name}", _owned(engine, owner)) for owner in config.owners.values()]
    return blocks


def _numbered(prospects: Sequence[Prospect]) -> Rows:
    return [(f" {place:2}.", each.model, remark(each)) for place, each in enumerate(prospects, 1)]


def _owned(engine: Engine, owner: Owner) -> Rows:
    """What an owner has: the providers, and each alias as it resolves for the owner, fallback left out."""
    rows = [("providers", provider.name, "") for provider in owner.providers.values()]
    for alias in owner.aliases:
        found = engine.explain(alias, owner=owner.name)
        rows += [(alias, each.model, why(each)) for each in found if not each.fallback]
    heads = ["", *(head for head, _, _ in rows)]
    # A head stands once, before the first of its rows.
    return [(f"  {'' if head == heads[at] else head}", *rest) for at, (head, *rest) in enumerate(rows)]
