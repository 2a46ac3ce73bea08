"""How long an operator benches something, as the dialog offers it; and what that leaves of the chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Final, NamedTuple

from engine import KeyStatus
from tui.glyphs import STATE_WORDS
from tui.health import Place
from tui.local_time import moments_around

TERMS: Final = (("5m", 300.0), ("15m", 900.0), ("1h", 3600.0))
"""Lengths by name, in seconds; after these come a time of day, and no end."""

OPTIONS: Final = (*(name for name, _ in TERMS), "until a time", "until I lift it")
UNTIL_A_TIME: Final = len(TERMS)


class Left(NamedTuple):
    """What is left of a chain without one of its models, or of a provider without one of its keys.

    Attributes:
        name: The chain, or the provider.
        text: In words.
        enough: False if nothing would be left.
    """

    name: str
    text: str
    enough: bool


def next_time(text: str, now: datetime) -> datetime:
    """The next time of day that is written as `18:30`.

    Args:
        text: Hours and minutes, local time.
        now: The time now.

    Returns:
        Today, or tomorrow if that has passed. Where the clocks leave it out, the first moment after it.

    Raises:
        ValueError: That is no time of day.
    """
    return next(moment for moment in moments_around(time_of_day(text), now) if moment > now)


def time_of_day(text: str) -> time:
    """A time of day that is written as `18:30`.

    Raises:
        ValueError: That is none.
    """
    hours, _, minutes = text.strip().partition(":")
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        raise ValueError("write the time as HH:MM, as 18:30") from None


def what_is_left(model: str, chains: Mapping[str, Sequence[Place]]) -> list[Left]:
    """What every chain that a model serves has left without it."""
    found = []
    for chain, places in chains.items():
        own = next((place for place in places if place.model == model), None)
        if own is None:
            continue
        others = [place for place in places if place.model != model]
        live = [place.model for place in others if place.state == "live"]
        coming = next((place for place in others if place.is_coming_back), None)
        if live:
            stay = "1 other stays" if len(live) == 1 else f"{len(live)} others stay"
            found.append(Left(chain, f"{stay} live, {live[0]} first", True))
        elif own.state != "live" and not own.is_coming_back:
            found.append(Left(chain, "no model of it is live", False))
        elif coming is not None:
            found.append(
                Left(chain, f"no other is live, {coming.model} is {STATE_WORDS[coming.state]}", False)
            )
        else:
            found.append(Left(chain, "this is its last live model", False))
    return found


def what_is_left_of_keys(name: str, keys: Sequence[KeyStatus]) -> list[Left]:
    """What a provider has left without one of its keys.

    Args:
        name: The key, `provider#name`, everywhere or on one model.
        keys: Every provider's keys.
    """
    key, _, model = name.partition("/")
    provider = key.partition("#")[0]
    of = f"{provider}/{model}" if model else provider

    def is_usable(status: KeyStatus) -> bool:
        out = (bench.name for bench in status.on_models)
        return status.state == "usable" and not (model and f"{status.key}/{model}" in out)

    usable = [status.key for status in keys if status.provider == provider and is_usable(status)]
    others = [other for other in usable if other != key]
    if others:
        stay = "1 other key stays" if len(others) == 1 else f"{len(others)} other keys stay"
        return [Left(of, f"{stay} usable, {others[0]} first", True)]
    if usable:
        return [Left(of, "this is its last usable key, so it can't be asked", False)]
    return [Left(of, "no key of it is usable", False)]
