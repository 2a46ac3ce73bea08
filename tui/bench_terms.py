"""How long an operator benches something, as the dialog offers it; and what that leaves of the chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from tui.health import Place

TERMS: Final = (("5m", 300.0), ("15m", 900.0), ("1h", 3600.0))
"""Lengths by name, in seconds; after these come a time of day, and no end."""

OPTIONS: Final = (*(name for name, _ in TERMS), "until a time", "until I lift it")
UNTIL_A_TIME: Final = len(TERMS)

_PLAYS: Final = ("live", "due", "on_trial")


class Left(NamedTuple):
    """What is left of a chain without one of its models.

    Attributes:
        chain: The chain.
        text: In words.
        enough: False if nothing would be left.
    """

    chain: str
    text: str
    enough: bool


def next_time(text: str, now: datetime) -> datetime:
    """The next time of day that is written as `18:30`.

    Args:
        text: Hours and minutes, local time.
        now: The local time now.

    Returns:
        Today, or tomorrow if that has passed.

    Raises:
        ValueError: That is no time of day.
    """
    try:
        hours, _, minutes = text.strip().partition(":")
        time = now.replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
    except ValueError:
        raise ValueError("write the time as HH:MM, as 18:30") from None
    return time if time > now else time + timedelta(days=1)


def what_is_left(model: str, chains: Mapping[str, Sequence[Place]]) -> list[Left]:
    """What every chain that a model serves has left without it."""
    found = []
    for chain, places in chains.items():
        own = next((place for place in places if place.model == model), None)
        if own is None:
            continue
        others = [place.model for place in places if place.model != model and place.state in _PLAYS]
        if others:
            stay = "1 other stays" if len(others) == 1 else f"{len(others)} others stay"
            found.append(Left(chain, f"{stay} live, {others[0]} first", True))
        elif own.state in _PLAYS:
            found.append(Left(chain, "this is its last live model", False))
        else:
            found.append(Left(chain, "no model of it is live", False))
    return found
