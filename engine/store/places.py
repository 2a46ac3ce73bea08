"""Places in a journal."""

from __future__ import annotations

from typing import Final

_LARGEST: Final = 2**63 - 1


def number_of(place: str) -> int:
    """The number of the record at a place; 0 for the beginning.

    Raises:
        ValueError: No journal with numbers ever gave such a place.
    """
    if not place:
        return 0
    if not (place.isascii() and place.isdigit()):
        raise ValueError(f"{place!r} is no place in this journal")
    return min(int(place[:20]), _LARGEST)


def entry_of(place: str) -> str:
    """The id of the entry of a stream at a place; empty for the beginning.

    Raises:
        ValueError: No stream ever gave such a place.
    """
    if not place:
        return ""
    time, dash, count = place.partition("-")
    if not dash:
        raise ValueError(f"{place!r} is no place in this journal")
    return f"{number_of(time or '-')}-{number_of(count or '-')}"


def order_of(place: str) -> tuple[int, ...]:
    """What places of one journal are sorted by: the later, the greater."""
    return tuple(map(number_of, place.split("-")))
