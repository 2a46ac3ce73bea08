"""What Redis answers, and what a store makes of it.

An answer of another shape raises ValueError, TypeError or IndexError: it is none of Redis, or the value is
none that standby wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from engine.store.base import Journaled, Presence, Record, Row

_ROW: Final = "="
"""Before the name of a row, so that no name is taken for a field of the bookkeeping."""


def unpacked(answer: object) -> str:
    """An answer that is a text."""
    if not isinstance(answer, bytes):
        raise TypeError("no text")
    try:
        return answer.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # not written by standby
        return answer.decode("utf-8", "replace")


def listed(answer: object) -> list[object]:
    """An answer that is a list."""
    if not isinstance(answer, list):
        raise TypeError("no list")
    return answer


def numbered(answer: object) -> int:
    """An answer that is a number."""
    if not isinstance(answer, int):
        raise TypeError("no number")
    return answer


def pairs(answer: Sequence[object]) -> Iterator[tuple[str, object]]:
    """A hash: the fields and their values."""
    return zip(map(unpacked, answer[::2]), answer[1::2], strict=True)


def field_of(name: str) -> str:
    """Where a row stands in the hash."""
    return _ROW + name


def row(name: str, value: object) -> Row:
    """A row as it stands in the hash; none if there is nothing, or something else."""
    version, _, state = unpacked(value).partition(" ") if value is not None else ("", "", "")
    return Row(name, int(version), state) if version.isdecimal() else Row(name, 0, "")


def rows_of(fields: Sequence[object]) -> list[Row]:
    """All rows of the hash, in the order of their versions."""
    rows = [row(field.removeprefix(_ROW), value) for field, value in pairs(fields) if field.startswith(_ROW)]
    return sorted(rows, key=lambda one: one.version)


def incarnation_and_version(values: Sequence[object]) -> tuple[str, int]:
    """What the hash says of itself; nothing if there is none."""
    if values[0] is None or values[1] is None:
        return "", 0
    return unpacked(values[0]), int(unpacked(values[1]))


def journal_state(answer: object) -> tuple[str, int]:
    """The place of the last record that there ever was, and how many there are."""
    last, length = listed(answer)
    return unpacked(last), numbered(length)


def journaled(entry: Sequence[object]) -> Journaled:
    """An entry of the stream; of one that is somebody else's, or damaged, what there is of it."""
    place = unpacked(entry[0])
    fields = {name: unpacked(value) for name, value in pairs(listed(entry[1]))}
    try:
        at = float(fields.get("at", ""))
    except ValueError:
        at = arrival(place)
    return Journaled(
        place, Record(at, fields.get("engine", ""), fields.get("run", ""), fields.get("data", ""))
    )


def arrival(place: str) -> float:
    """When an entry of the stream came, by the server's clock."""
    return int(place.partition("-")[0]) / 1000


def presences(fields: Sequence[object]) -> list[Presence]:
    """Who is in the hash of engines."""
    found: list[Presence] = []
    for run, value in pairs(fields):
        started, seen, what = unpacked(value).split(" ", 2)
        name, host, pid = json.loads(what)
        found.append(Presence(run, name, host, pid, float(started), float(seen)))
    return found


def seconds(answer: object) -> float:
    """The server's time, seconds since the epoch."""
    whole, micros = map(unpacked, listed(answer))
    return int(whole) + int(micros) / 1e6
