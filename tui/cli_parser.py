"""The table of commands, and how each reads its arguments."""

from __future__ import annotations

import argparse
from typing import Final, NoReturn

from tui.exits import Exit

COMMANDS: Final = {
    "run": ("tui.cli_run", "send one prompt: the answer goes to stdout, progress to stderr"),
    "check": ("tui.cli_check", "every fault of a configuration, or each chain as it resolves"),
    "explain": ("tui.cli_explain", "a dry run: who would be tried now, who would be skipped and why"),
    "probe": ("tui.cli_probe", "one tiny real call: does a model answer, and how fast"),
    "init": ("tui.cli_init", "write a commented configuration to start from"),
    "paths": ("tui.cli_paths", "where the configuration and standby's own files are"),
}
"""Name → module, one line about it. Each module has `parser()` and `run(arguments) -> exit code`."""


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


def file_name(text: str) -> str:
    """An argument that names a file; an empty one is most likely a variable that is not set."""
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return text
