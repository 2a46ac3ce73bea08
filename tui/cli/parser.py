"""The table of commands, and how each reads its arguments."""

from __future__ import annotations

import argparse
from typing import Final, NoReturn

from tui.exits import Exit

COMMANDS: Final = {
    "run": ("tui.cli.run", "send one prompt: the answer goes to stdout, progress to stderr"),
    "check": ("tui.cli.check", "every fault of a configuration, or each chain as it resolves"),
    "explain": ("tui.cli.explain", "a dry run: who would be tried now, who would be skipped and why"),
    "probe": ("tui.cli.probe", "one tiny real call: does a model answer, and how fast"),
    "status": ("tui.cli.status", "each model: live, benched until when and why, held by whom, on trial"),
    "bench": ("tui.cli.bench", "take a model, a provider or a key out of play, for every process"),
    "unbench": ("tui.cli.unbench", "bring back what is on the bench"),
    "events": ("tui.cli.events", "the journal: what every engine did, one line an event"),
    "export": ("tui.cli.export", "an incident as Markdown or JSONL, from the journal"),
    "replay": ("tui.cli.replay", "play an exported incident back in the dashboard"),
    "init": ("tui.cli.init", "write a commented configuration to start from"),
    "paths": ("tui.cli.paths", "where the configuration and standby's own files are"),
}
"""Name → module, one line about it. Each module has `parser()` and `run(arguments) -> exit code`."""


_LONGEST_NAME: Final = 80


class Parser(argparse.ArgumentParser):
    """A parser whose errors say what was wrong, how it is written, and where help is."""

    def error(self, message: str) -> NoReturn:
        """Ends the command with exit code 2."""
        raise Exit(f"{message}\n{self.format_usage().strip()}\nmore: {self.prog} --help")


def command_parser(name: str) -> Parser:
    """A parser for one command, with the options that every command takes.

    Args:
        name: The command, as in `COMMANDS`.
    """
    parser = Parser(prog=f"standby {name}", description=f"{COMMANDS[name][1]}.", allow_abbrev=False)
    add_config(parser)
    return parser


def add_config(parser: Parser) -> None:
    """Adds the option that names a configuration."""
    parser.add_argument("--config", metavar="FILE", type=file_name, help="use this configuration")


def add_store(parser: Parser) -> None:
    """Adds the option that names a store."""
    what = (
        "where benches and journal are: auto, memory, sqlite:PATH, redis://HOST:PORT/DB, or env:NAME, "
        "a variable that holds one of these; else what the configuration says"
    )
    parser.add_argument("--store", metavar="STORE", help=what)


def add_name(parser: Parser) -> None:
    """Adds the option that names an engine."""
    what = "what the journal and others call this process; else what STANDBY_NAME says, else program:pid"
    parser.add_argument("--name", metavar="NAME", type=_engine_name, help=what)


def text(argument: str) -> str:
    """An argument as text: bytes that are no UTF-8 arrive as lone surrogates, which no JSON may hold."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _engine_name(argument: str) -> str:
    name = text(argument).strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise argparse.ArgumentTypeError(f"a name is 1 to {_LONGEST_NAME} characters that can be printed")
    return name


def file_name(text: str) -> str:
    """An argument that names a file; an empty one is most likely a variable that is not set."""
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return text
