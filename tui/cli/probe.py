"""`standby probe`: one tiny real call to one model, whatever the bench says of it."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any, Final

from engine import (
    AttemptFailed,
    AttemptStarted,
    Config,
    ConfigError,
    Engine,
    Event,
    Probed,
    StandbyError,
    load_config,
    store_name,
)
from tui.advice import advice, for_reason
from tui.cli.config import with_store
from tui.cli.interrupts import interrupts
from tui.cli.parser import Parser, add_name, add_store, command_parser
from tui.cli.progress import Progress
from tui.cli.result import exit_code
from tui.cli.store import store_news
from tui.exits import DONE, FAILED, SIGNALLED, Exit, that_it_is_done
from tui.output import Notes, Output
from tui.text import latency

_NOTHING_SENT: Final = "Nothing was sent. Mend that, then start again; `standby check` names what is missing."
_OWN_BENCH: Final = (
    "this asked the model only: with `store: memory` each process has a bench of its own, and those of "
    "others stay as they are"
)

_IN_JSON = ("model", "ok", "elapsed_s", "first_token_s", "error")


def parser() -> Parser:
    """How `standby probe` is written."""
    parser = command_parser("probe")
    parser.description = (
        "Sends one model a prompt of a few tokens, also one that is benched, and tells whether it answers, "
        "how fast, and whether that brought it back."
    )
    parser.add_argument("model", metavar="MODEL", help="provider/model, or an alias of one model")
    what = "print one object: {model, ok, elapsed_s, first_token_s, error}"
    parser.add_argument("--json", action="store_true", help=what)
    add_store(parser)
    add_name(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Probes a model.

    Returns:
        0 if it answered, 1 if it did not, 2 if nothing was asked.

    Raises:
        Exit: A signal came.
        OutputLost: Standard output can't be written.
    """
    out = Output()
    notes = Notes(beside=out)
    model = arguments.model.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        config = with_store(load_config(arguments.config), arguments.store)
        steps = _Steps(notes)
        probed = asyncio.run(_interruptible(config, model, steps, arguments.name, notes))
    except StandbyError as error:
        if arguments.json:
            out.write(_line(model, error=str(error)))
        notes.error(f"{error}\n{advice(error)}".strip(), plain=isinstance(error, ConfigError))
        return exit_code(error)
    except Exit as stop:
        if arguments.json:
            out.write(_line(model, error=stop.message))
        raise
    with that_it_is_done(f"{probed.model} {'answers' if probed.ok else 'does not answer'}"):
        if arguments.json:
            out.write(_line(**{name: getattr(probed, name) for name in _IN_JSON}))
        else:
            for line in (_verdict(probed, config), *_what_follows(probed), steps.what_to_do(probed)):
                if line:
                    out.line(line)
    if steps.was_sent and store_name(config.store) == "memory" and not arguments.json:
        notes.line(_OWN_BENCH, dim=True)
    return DONE if probed.ok else FAILED


class _Steps:
    """An observer of the probe: shows each call while it lasts, and keeps how the last one failed.

    Args:
        notes: Where the progress goes.

    Attributes:
        was_sent: Whether there was a call at all.
    """

    def __init__(self, notes: Notes) -> None:
        self._progress = Progress(notes)
        self._failed: AttemptFailed | None = None
        self.was_sent = False

    def __call__(self, event: Event) -> None:
        match event:
            case AttemptStarted():
                if self._failed is not None:  # another key is tried
                    self._progress(self._failed)
                self.was_sent = True
                self._progress(event)
            case AttemptFailed():
                self._failed = event

    def what_to_do(self, probed: Probed) -> str:
        """What a person can do about a probe that failed; empty for one that did not."""
        if probed.ok:
            return ""
        if not self.was_sent:
            return _NOTHING_SENT
        return for_reason(self._failed.reason, self._failed.key) if self._failed else ""


async def _interruptible(config: Config, model: str, steps: _Steps, name: str | None, notes: Notes) -> Probed:
    with interrupts() as came:
        try:
            engine = Engine(config, name=name, watch=False, probes=False)
            with engine.observe(store_news(engine, notes)):
                async with engine:
                    with engine.observe(steps):
                        return await engine.probe(model)
        except asyncio.CancelledError:
            if came.number:
                raise Exit("interrupted", SIGNALLED + came.number) from None
            raise


def _verdict(probed: Probed, config: Config) -> str:
    if probed.ok:
        first = "" if probed.first_token_s is None else f"first token after {latency(probed.first_token_s)}, "
        simulated = config.every_provider[probed.model.partition("/")[0]].is_simulated
        whole = f"all of it after {latency(probed.elapsed_s)}{', simulated' if simulated else ''}"
        return f"{probed.model} answers: {first}{whole}"
    why = (probed.error or "").removeprefix(f"{probed.model}: ")
    return f"{probed.model} does not answer: {why}"


def _what_follows(probed: Probed) -> list[str]:
    """What the probe has changed, and what it has not."""
    if probed.brought_back:
        return ["that brought it back from the bench"]
    if probed.ok and probed.state == "held":
        return ["an operator holds it: it stays out until somebody unbenches it"]
    if probed.state == "held":
        return ["it is held, as before"]
    return [] if probed.state == "live" else [f"it is {probed.state.replace('_', ' ')}"]


def _line(model: str, *, error: str | None, **facts: Any) -> str:
    nothing = {"ok": False, "elapsed_s": None, "first_token_s": None, "error": error}
    told = {"model": model, **nothing, **facts}
    rounded = {name: round(value, 6) if isinstance(value, float) else value for name, value in told.items()}
    return json.dumps(rounded) + "\n"
