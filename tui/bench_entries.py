"""What is on the bench, for commands that change it: what a name means, what stands there, and who asks."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from engine import LONGEST_BY, Benched, Engine, UnknownTarget, is_key, is_model
from tui.bench_terms import Left, what_is_left, what_is_left_of_keys
from tui.cli.parser import text
from tui.health import Place
from tui.moments import told
from tui.text import countdown

_SAME_TIME_S: Final = 1.0


def benchable(engine: Engine, name: str) -> str:
    """What a name stands for on the bench.

    Args:
        engine: The engine.
        name: A model, an alias of one model, `provider/*`, or a key, everywhere or on one model.

    Raises:
        UnknownTarget: It is not the name of one model.
    """
    name = name.strip()
    if is_key(name) or name.endswith("/*"):
        return name
    return engine.explain(name, only=True)[0].model


def known(engine: Engine, name: str) -> str:
    """As `benchable`; also what the bench knows although the configuration no longer does.

    Raises:
        UnknownTarget: Nobody knows it.
    """
    try:
        return benchable(engine, name)
    except UnknownTarget:
        if any(each.name == name for each in engine.benched()):
            return name
        raise


def is_named(engine: Engine, name: str) -> bool:
    """True for all that is no model, and for a model that the configuration names or the bench knows."""
    return not is_model(name) or any(each.model == name for each in engine.status())


def did_you_mean(engine: Engine, name: str) -> str:
    """The end of a sentence that names the model nearest to a name; empty if none is near."""
    models = {each.model.lower(): each.model for each in engine.status()}
    near = get_close_matches(name.lower(), models, n=1)
    return f", did you mean {models[near[0]]}?" if near else ""


def entry(engine: Engine, name: str) -> Benched | None:
    """What is on the bench under a name; also a model that is due or on trial. None if it is not out."""
    out = next((each for each in engine.benched() if each.name == name), None)
    if out is not None:
        return out
    status = next((each for each in engine.status() if each.model == name and each.state != "live"), None)
    if status is None:
        return None
    return Benched(
        name,
        status.until,
        status.remaining_s,
        status.for_s,
        status.manual,
        status.reason,
        status.by,
        status.level,
        status.failures,
        status.state == "on_trial",
    )


def fields(out: Benched) -> dict[str, Any]:
    """An entry as JSON has it."""
    return out._asdict()


def end(out: Benched, at: datetime) -> str:
    """When it is back, in words: `until 18:30:00 (09:59 left)`, or `without end`."""
    if out.until is None:
        return "without end"
    return f"until {told(datetime.fromisoformat(out.until), at)} ({countdown(out.remaining_s)} left)"


def remaining(out: Benched) -> float:
    """Seconds until it is back; infinite if it has no end."""
    return math.inf if out.remaining_s is None else out.remaining_s


def length(for_: float | None, until: datetime | None, at: datetime) -> float:
    """Seconds that a bench would last; infinite if it would have no end."""
    if for_ is not None:
        return for_
    return math.inf if until is None else until.timestamp() - at.timestamp()


def is_same(one: Benched | None, other: Benched | None) -> bool:
    """True if two looks saw the same hold, or none."""
    if one is None or other is None:
        return one is other
    if (one.by, one.reason, one.for_s) != (other.by, other.reason, other.for_s):
        return False
    if one.until is None or other.until is None:
        return one.until == other.until
    apart = datetime.fromisoformat(one.until) - datetime.fromisoformat(other.until)
    return abs(apart.total_seconds()) < _SAME_TIME_S


def left_without(name: str, engine: Engine, chains: Mapping[str, Sequence[Place]]) -> list[Left]:
    """What is left of every chain without a model or a whole provider, or of a provider without a key."""
    if is_key(name):
        return what_is_left_of_keys(name, engine.keys())
    if not name.endswith("/*"):
        return what_is_left(name, chains)
    found = []
    for chain, places in chains.items():
        others = [place for place in places if not place.model.startswith(name[:-1])]
        if len(others) == len(places):
            continue
        live = [place.model for place in others if place.state == "live"]
        if live:
            stay = "1 other stays" if len(live) == 1 else f"{len(live)} others stay"
            found.append(Left(chain, f"{stay} live, {live[0]} first", True))
        elif any(place.state == "live" for place in places):
            found.append(Left(chain, "this takes its last live models", False))
        else:
            found.append(Left(chain, "no model of it is live", False))
    return found


def who(argument: str) -> str:
    """An argument that names who does it.

    Raises:
        ArgumentTypeError: It names nobody, or is too long.
    """
    name = short(argument, LONGEST_BY)
    if not name:
        raise argparse.ArgumentTypeError("nobody is named")
    return name


def short(argument: str, most: int) -> str:
    """An argument of a few words.

    Args:
        argument: As it was given.
        most: As many characters as it may have.

    Raises:
        ArgumentTypeError: It is longer.
    """
    given = text(argument).strip()
    if len(given) > most:
        raise argparse.ArgumentTypeError(f"longer than {most} characters")
    return given
