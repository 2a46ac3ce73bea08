"""The command `standby`: finds the command that is meant, runs it, and turns its end into an exit code.

Textual is imported only when the dashboard opens; the engine only when a command needs it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from tui.cli.parser import COMMANDS, Parser, add_config, add_name, add_store
from tui.exits import BROKEN_PIPE, DONE, FAILED, INTERRUPTED, Exit, OutputLost
from tui.output import Notes, Output, is_terminal

_DASHBOARD_ONLY: Final = ("read_only", "no_traffic")
_FOR_MANY: Final = ("store", "name")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The arguments after the program's name; None takes those of the process.

    Returns:
        The exit code: 0 done, 1 failed, 2 usage, configuration or unknown target, 130 interrupted.
    """
    notes = Notes()
    try:
        code = _run(sys.argv[1:] if argv is None else list(argv))
        Output().flush()
    except Exit as end:
        notes.error(end.message, plain=end.plain)
        return end.code
    except OutputLost as lost:
        gone = isinstance(lost.cause, BrokenPipeError)
        if lost.done or not gone:
            done = f"{lost.done}, but " if lost.done else ""
            notes.error(f"{done}standard output can't be written: {lost.cause.strerror or lost.cause}")
        return BROKEN_PIPE if gone else FAILED
    except KeyboardInterrupt:
        notes.error("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  (the last line of defence: a message, never a traceback)
        return _crashed(error, notes)
    return code


def _run(argv: list[str]) -> int:
    try:
        options = _top_parser().parse_args(argv)
        if options.version:
            Output().line(f"standby {_version()}")
            return DONE
        if options.command is None:
            return _dashboard(options)
        return _command(options)
    except SystemExit as end:  # argparse's way out after --help
        return end.code if isinstance(end.code, int) else FAILED


def _command(options: argparse.Namespace) -> int:
    if options.command not in COMMANDS:
        raise Exit(_unknown_command(options.command))
    for name in _DASHBOARD_ONLY:
        if getattr(options, name):
            raise Exit(f"--{name.replace('_', '-')} is for the dashboard: standby without a command")
    command = importlib.import_module(COMMANDS[options.command][0])
    arguments = command.parser().parse_intermixed_args(options.rest)
    if arguments.config is None:
        arguments.config = options.config
    for name in _FOR_MANY:
        given = getattr(options, name)
        if given is not None and not hasattr(arguments, name):
            raise Exit(f"standby {options.command} has no --{name}")
        if given is not None and getattr(arguments, name) is None:
            setattr(arguments, name, given)
    return int(command.run(arguments))


def _dashboard(options: argparse.Namespace) -> int:
    if not all(map(is_terminal, (sys.stdin, sys.stdout, sys.stderr))):
        raise Exit(
            "the dashboard needs a terminal for its input and its output\n"
            "in a script or a pipe use: standby run TARGET PROMPT, or standby check"
        )
    # Both stay out until here: a wrong option should not wait for the engine and Textual.
    config = importlib.import_module("tui.cli.config").configured(options.config, store=options.store)
    refused: type[Exception] = importlib.import_module("engine").StoreRefused
    run_dashboard = importlib.import_module("tui.app").run_dashboard
    acting = {"read_only": options.read_only, "traffic": not options.no_traffic}
    try:
        return int(run_dashboard(config, name=options.name, **acting))
    except refused as error:
        raise Exit(str(error), FAILED) from None


def _top_parser() -> Parser:
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    parser = Parser(
        prog="standby",
        usage="standby [options] [command ...]",
        description="Keeps applications answering when an LLM provider goes down, and shows what happens\n"
        "while it does. Without a command, the dashboard opens.",
        epilog=f"commands:\n{listed}\n\nstandby COMMAND --help tells more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_config(parser)
    add_store(parser)
    add_name(parser)
    parser.add_argument("--read-only", action="store_true", help="show everything, change nothing")
    parser.add_argument("--no-traffic", action="store_true", help="send no prompts in the background")
    parser.add_argument("--version", action="store_true", help="show the version and end")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _unknown_command(name: str) -> str:
    near = get_close_matches(name, COMMANDS, n=1)
    hint = f", did you mean {near[0]}?" if near else ""
    return f"there is no command {name}{hint}\ncommands: {', '.join(COMMANDS)}\nmore: standby --help"


def _version() -> str:
    # Imported here only: it takes a third of the time in which the other commands start.
    metadata = importlib.import_module("importlib.metadata")
    try:
        return str(metadata.version("standby"))
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _crashed(error: Exception, notes: Notes) -> int:
    try:
        # Imported on the way out only: it needs the engine, which may be what is broken.
        crashlog = importlib.import_module("tui.crashlog")
        log, what = crashlog.write_crash(error), crashlog.summary(error)
    except Exception:  # noqa: BLE001  (a broken installation: nothing of standby can be relied on)
        why = error if isinstance(error, ImportError) else type(error).__name__
        notes.error(f"standby can't start, its installation is broken: {why}")
        return FAILED
    notes.error(f"something went wrong inside standby: {what}")
    if log is not None:
        notes.error(f"details are in {log}")
    return FAILED
