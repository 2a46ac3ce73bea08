"""What somebody probably meant: the known names that look like an unknown one."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_NAME = 100


def nearest(name: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """Known names that look like the given one, the likest first.

    Args:
        name: What was written; upper and lower case are taken for the same.
        known: What could have been meant.
        most: How many to give at most.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - `import engine` is measured, and few err

    if not name or len(name) > _LONGEST_NAME:
        return ()
    folded: dict[str, str] = {}
    for other in known:
        folded.setdefault(other.casefold(), other)
    return tuple(folded[match] for match in get_close_matches(name.casefold(), folded, n=most))
