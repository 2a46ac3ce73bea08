"""Names that a target may be made of, and how a half-typed one goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine import Config
from tui.text import safe_line


def target_names(config: Config, models: Iterable[str]) -> tuple[str, ...]:
    """What a target may name: chains first, then aliases, then models.

    Args:
        config: The configuration in force.
        models: The models it knows.

    Returns:
        Each name once. Names that a terminal could not take as they are stay out: they can be typed.
    """
    names = dict.fromkeys((*config.chains, *config.aliases, *models))
    return tuple(name for name in names if safe_line(name) == name)


def matches(typed: str, names: Sequence[str]) -> list[str]:
    """Targets that what is typed may become, best first; the part after the last comma is completed.

    Args:
        typed: What stands in the input.
        names: As from `target_names`.
    """
    done, part = _parts(typed)
    low = part.casefold()
    starts = [name for name in names if name.casefold().startswith(low)]
    inside = [name for name in names if low in name.casefold() and name not in starts] if low else []
    return [done + name for name in starts + inside]


def ghost(typed: str, names: Sequence[str]) -> str | None:
    """The first target that goes on where the typing stopped; None if there is none, or nothing typed."""
    if not _parts(typed)[1]:
        return None
    return next((match for match in matches(typed, names) if _goes_on(match, typed)), None)


def _parts(typed: str) -> tuple[str, str]:
    head, comma, tail = typed.rpartition(",")
    blanks = tail[: len(tail) - len(tail.lstrip())]
    return head + comma + blanks, tail.lstrip()


def _goes_on(match: str, typed: str) -> bool:
    return len(match) > len(typed) and match.casefold().startswith(typed.casefold())
