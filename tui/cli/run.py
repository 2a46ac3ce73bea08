"""`standby run`: one prompt through a chain, an alias, an inline list or one model."""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Mapping
from typing import Any

from engine import Config, ConfigError, Engine, Reply, StandbyError, load_config, parse_duration
from tui.advice import advice
from tui.cli.config import with_store
from tui.cli.draft import Draft
from tui.cli.interrupts import interrupts
from tui.cli.parser import Parser, add_name, add_store, command_parser
from tui.cli.progress import Progress
from tui.cli.result import EventLines, exit_code, failure, interruption, success
from tui.cli.store import store_news
from tui.exits import DONE, SIGNALLED, Exit
from tui.output import Notes, Output, is_terminal

_LARGEST_PROMPT = 16 << 20
_EXAMPLE = 'example: standby run support "Why is the sky blue?"\nor: git diff | standby run support -'

_STREAM = (
    "print the answer as it comes; where mid_stream is restart or continue, a pipe or a file gets it when "
    "it is whole, for what was written there can't be taken back"
)


class _Stopped(Exit):
    """A signal ended the request."""


def parser() -> Parser:
    """How `standby run` is written."""
    parser = command_parser("run")
    add = parser.add_argument
    add("target", metavar="TARGET", help="a chain, an alias, provider/model, or several with commas between")
    add("prompt", metavar="PROMPT", nargs="?", help="the prompt; - or none reads standard input")
    add("--stream", action=argparse.BooleanOptionalAction, default=True, help=_STREAM)
    add("--json", action="store_true", help="print every event as one JSON object a line, last the result")
    add("--system", metavar="TEXT", help="goes before the prompt as the system's words")
    add("--only", action="store_true", help="exactly this model, nothing that stands in for it")
    add("--owner", metavar="NAME", help="whose providers and aliases count first")
    add("--max-tokens", metavar="N", type=_whole, help="most tokens of the answer")
    add("--temperature", metavar="T", type=_number, help="randomness, on the provider's own scale")
    add("--deadline", metavar="TIME", type=_duration, help="for the whole request, as 20s or 2m")
    add_store(parser)
    add_name(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Sends the prompt.

    Returns:
        0 for an answer, 1 for a request that failed, 2 if nothing was sent.

    Raises:
        Exit: The arguments make no sense, or a signal came.
        OutputLost: Standard output can't be written.
    """
    out = Output()
    notes = Notes(beside=out)
    try:
        config = with_store(load_config(arguments.config), arguments.store)
        prompt = _prompt(arguments.prompt, notes)
        reply = asyncio.run(_interruptible(config, prompt, arguments, out, notes))
    except StandbyError as error:
        if arguments.json:
            out.write(failure(error))
        else:
            out.end_line()
        notes.error(f"{error}\n{advice(error)}".strip(), plain=isinstance(error, ConfigError))
        return exit_code(error)
    except _Stopped as stop:
        if arguments.json:
            out.write(interruption(stop.message))
        else:
            out.end_line()
        raise
    if arguments.json:
        out.write(success(reply))
    else:
        out.end_line()
        for call in reply.tool_calls:
            out.line(f"tool call: {call.name}({call.arguments})")
    return DONE


async def _interruptible(
    config: Config, prompt: str, arguments: argparse.Namespace, out: Output, notes: Notes
) -> Reply:
    simulated = frozenset(name for name, each in config.every_provider.items() if each.is_simulated)
    with interrupts() as came:
        events = EventLines(out, stop=came.stop) if arguments.json else None
        try:
            engine = Engine(config, name=arguments.name, watch=False)
            with engine.observe(store_news(engine, notes)):
                async with engine:
                    draft = Draft(out, notes)
                    with engine.observe(events or Progress(notes, simulated)), engine.observe(draft):
                        return await _ask(engine, prompt, arguments, None if arguments.json else draft)
        except asyncio.CancelledError:
            if events is not None and events.lost is not None:
                raise events.lost from None
            if came.number:
                raise _Stopped("interrupted", SIGNALLED + came.number) from None
            raise


async def _ask(engine: Engine, prompt: str, arguments: argparse.Namespace, draft: Draft | None) -> Reply:
    target = _text(arguments.target)
    if not arguments.stream:
        reply = await engine.complete(target, prompt, **_options(arguments))
        if draft is not None:
            draft.add(reply.text)
            draft.finish(reply.text)
        return reply
    async with engine.stream(target, prompt, **_options(arguments)) as stream:
        async for delta in stream:
            if draft is not None:
                if delta.restart:
                    draft.void(stream.model or "")
                draft.add(delta.text)
    assert stream.reply is not None  # noqa: S101  (it is set once the iteration has ended)
    if draft is not None:
        draft.finish(stream.reply.text)
    return stream.reply


def _options(arguments: argparse.Namespace) -> Mapping[str, Any]:
    return {
        "system": None if arguments.system is None else _text(arguments.system),
        "only": arguments.only,
        "owner": None if arguments.owner is None else _text(arguments.owner),
        "deadline": arguments.deadline,
        "max_tokens": arguments.max_tokens,
        "temperature": arguments.temperature,
    }


def _prompt(given: str | None, notes: Notes) -> str:
    if given is None and is_terminal(sys.stdin):
        raise Exit(f"there is no prompt\n{_EXAMPLE}")
    prompt = _text(given) if given not in (None, "-") else _from_stdin(notes)
    if not prompt.strip():
        raise Exit(f"the prompt is empty\n{_EXAMPLE}")
    return prompt


def _from_stdin(notes: Notes) -> str:
    if sys.stdin is None:
        raise Exit(f"there is no prompt, and standard input is closed\n{_EXAMPLE}")
    if is_terminal(sys.stdin):
        notes.line("type the prompt, end it with Ctrl+D on a line of its own")
    try:
        raw = sys.stdin.buffer.read(_LARGEST_PROMPT + 1)
    except OSError as error:
        raise Exit(f"standard input can't be read: {error.strerror}") from None
    if len(raw) > _LARGEST_PROMPT:
        raise Exit(f"the prompt on standard input is larger than {_LARGEST_PROMPT >> 20} MiB")
    return raw.decode("utf-8-sig", "replace")


def _text(argument: str) -> str:
    # Bytes of an argument that are no UTF-8 arrive as lone surrogates, which no JSON may hold.
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _whole(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 up")
    return value


def _duration(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} leaves no time at all")
    return seconds
