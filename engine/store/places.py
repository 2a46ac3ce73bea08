"""Places in a journal whose records are numbered."""

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
