"""What the dashboard says of something an operator did, in a sentence or two."""

from __future__ import annotations

from typing import Literal, NamedTuple

from engine import Benched, Engine, ModelStatus, StandbyError
from tui.glyphs import STATE_WORDS


class Saying(NamedTuple):
    """What to say. Not safe to show yet: it may hold anybody's words.

    Attributes:
        text: A sentence or two.
        severity: As a toast wants it.
    """

    text: str
    severity: Literal["information", "warning", "error"] = "information"


def unbench(engine: Engine, name: str) -> Saying:
    """Brings a model or a key back, and says what that changed."""
    before = _before(engine, name)
    try:
        was_out = engine.unbench(name)
    except (StandbyError, ValueError) as error:
        return Saying(f"{name} can't be unbenched: {error}", "error")
    if not was_out:
        return Saying(f"{name} was not on the bench.", "warning")
    if engine.is_benched(name):
        return Saying(f"{name} is still out: something else keeps it on the bench.", "warning")
    if here := only_here(engine):
        return Saying(f"{name} is back.{before} {here}", "warning")
    return Saying(f"{name} is back.{before}")


def benched(engine: Engine, name: str) -> Saying | None:
    """What is to be said of a bench that was laid just now; None if the board says all of it."""
    here = only_here(engine)
    return Saying(f"{name} is held. {here}", "warning") if here else None


def only_here(engine: Engine) -> str:
    """In a sentence, that others don't hear of what is done now; empty if they do."""
    away = engine.store.shared and not engine.store.ok
    return "This process only until the store is back." if away else ""


def _before(engine: Engine, name: str) -> str:
    """How something was out, in a sentence; empty if that is not known."""
    out: Benched | ModelStatus | None
    if "#" in name.partition("/")[0]:
        out = next((each for each in engine.benched() if each.name == name), None)
        state = "held" if out is not None and out.manual else "benched"
    else:
        out = next((status for status in engine.status() if status.model == name), None)
        state = out.state if out is not None else "benched"
    if out is None:
        return ""
    level = f"level {out.level}" if out.level > 1 and not out.manual else ""
    why = ", ".join(filter(None, (out.reason.replace("_", " "), level)))
    return f" It was {STATE_WORDS[state]}{f' ({why})' if why else ''}."
