"""The journal in Redis: one stream, and beside it, for some days, the last number that each run wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Final

from engine.store.base import Journaled, Record
from engine.store.redis_answers import arrival, journal_state, journaled, listed, numbered, seconds, unpacked
from engine.store.redis_link import Link
from engine.store.redis_scripts import APPEND, JOURNAL, PRUNE, READ

FEW: Final = 200
"""Records that one script removes: the server serves nobody else meanwhile."""
MANY: Final = 1000
"""Records in one answer."""


class Stream:
    """The stream, as one connection after the other uses it.

    Args:
        prefix: What the names of its keys begin with.

    Attributes:
        key: Where it is.
        known: The place of the last record that there ever was, and how many stand there, as last seen.
    """

    def __init__(self, prefix: str) -> None:
        self.key = f"{prefix}:journal"
        # On a cluster's node it lies where the stream does, for what stands in braces is the stream's key.
        self._numbers = f"{prefix}:written:{{{self.key}}}:"
        self.known = ("", 0)

    def look(self, link: Link) -> None:
        """Sees how it is."""
        self.known = journal_state(link.run(JOURNAL, self.key))

    def append(self, link: Link, records: Sequence[Record]) -> None:
        """Writes records at the end, but none that is there."""
        runs = {run: 2 + place for place, run in enumerate(dict.fromkeys(one.run for one in records))}
        keys = [self.key, *(self._numbers + run for run in runs)]
        lines = [
            (runs[run], number, repr(at), engine, run, data) for at, engine, run, data, number in records
        ]
        answer = link.run_on(APPEND, keys, json.dumps(lines, ensure_ascii=False))
        before, after = map(journal_state, listed(answer))
        if before == self.known:
            self.known = after

    def end(self, link: Link) -> str:
        """The id of the last entry; empty if there is none."""
        entries = listed(link.ask("XREVRANGE", self.key, "+", "-", "COUNT", 1))
        return unpacked(listed(entries[0])[0]) if entries else ""

    def since(self, link: Link, since_s: float | None) -> float:
        """So many seconds back from the server's time."""
        return -math.inf if since_s is None else seconds(link.ask("TIME")) - since_s

    def page(self, link: Link, start: str, most: int) -> tuple[list[Journaled], bool]:
        """Entries from a place on: few if they are large. → They, and whether they are the last."""
        entries, is_end = listed(link.run(READ, self.key, start, most))
        return [journaled(listed(entry)) for entry in listed(entries)], bool(numbered(is_end))

    def prune(self, link: Link, keep_s: float, rows: int, most: int) -> int:
        """Removes some of the oldest entries. → How many; 0 if there is none to remove."""
        went = numbered(link.run(PRUNE, self.key, keep_s, rows, most))
        self.known = (self.known[0], self.known[1] - went)
        return went


def happened(one: Journaled) -> float:
    """When something happened by the server's clock, as far as one can tell: not after it arrived."""
    return min(one.record.at, arrival(one.place))
