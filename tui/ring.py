"""The last lines of a stream, each under a number that it keeps for good."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

Outcome = Literal[
    "running",
    "succeeded",
    "failed",
    "cancelled",
    "lost",  # it ran when events went missing or its engine fell silent, so nobody knows
    "skipped",  # the model was passed over
    "broken",  # the stream broke after content was delivered
    "request_failed",
    "benched",
    "unbenched",
    "due",  # a bench has run out
    "trial",  # somebody tries a model that was due
    "passed",  # how that trial was settled, in the same line
    "not_passed",
    "undecided",
]


class Line(NamedTuple):
    """One line of the stream, as the engine told it: nothing here is safe to show yet.

    Attributes:
        at: When it began, ISO 8601.
        outcome: What the line tells of.
        request: The request's id.
        chain: The chain it named.
        model: The model; a key or `provider/*` for benches.
        attempt: Which try on this model, from 1; 0 where there is none.
        attempts: Of how many.
        trial: Whether it decides about a model whose bench ran out.
        since: When it began, seconds on the dashboard's clock.
        elapsed_s: How long it took; None while it runs, and where nothing was timed.
        first_token_s: Seconds until the first token.
        reason: A short word: why it failed, was skipped, benched or brought back.
        status: The HTTP status, 0 where there was none.
        message: The provider's or the operator's own words.
        next_model: Who goes on.
        retry_in_s: Seconds until the next try on the same model.
        for_s: How long a bench lasts, None for no end.
        manual: Whether an operator did it.
        by: Who; for a trial `request` or `probe`.
        level: Of an automatic bench.
        kind: The kind of a failure: transient, auth-dead, request-specific.
        engine: Whose event it was.
    """

    at: str
    outcome: Outcome
    request: str = ""
    chain: str = ""
    model: str = ""
    attempt: int = 0
    attempts: int = 0
    trial: bool = False
    since: float = 0.0
    elapsed_s: float | None = None
    first_token_s: float | None = None
    reason: str = ""
    status: int = 0
    message: str = ""
    next_model: str = ""
    retry_in_s: float | None = None
    for_s: float | None = None
    manual: bool = False
    by: str = ""
    level: int = 0
    kind: str = ""
    engine: str = ""


class Ring:
    """Lines by number; the oldest go when there are too many.

    Args:
        size: Most lines.

    Attributes:
        first: Number of the oldest line.
        end: The number that the next line gets.
        version: Grows with every change.
    """

    def __init__(self, size: int = 5000) -> None:
        self.size = size
        self.first = 0
        self.end = 0
        self.version = 0
        self._lines: dict[int, Line] = {}
        self._parts: list[_Part] = []

    def __len__(self) -> int:
        return self.end - self.first

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines.values())

    def append(self, line: Line) -> int:
        """Takes a line in.

        Returns:
            Its number.
        """
        number = self.end
        self._lines[number] = line
        self.end += 1
        self.version += 1
        if len(self._lines) > self.size:
            self.drop_oldest()
        for part in self._parts:
            part.appended(number, line)
        return number

    def replace(self, number: int, line: Line) -> bool:
        """Puts a line in another's place; False if that one has gone."""
        if number not in self._lines:
            return False
        self._lines[number] = line
        self.version += 1
        for part in self._parts:
            part.replaced(number, line)
        return True

    def insert(self, number: int, line: Line) -> None:
        """Takes a line in before others, whose numbers grow by one."""
        for later in range(self.end, number, -1):
            self._lines[later] = self._lines[later - 1]
        self._lines[number] = line
        self.end += 1
        self.version += 1

    def get(self, number: int) -> Line | None:
        """The line of a number, None if it has gone or is yet to come."""
        return self._lines.get(number)

    def copy(self) -> Ring:
        """The ring as it is now; lines are never changed, so this takes hardly any memory."""
        copy = Ring(self.size)
        copy.first, copy.end, copy.version = self.first, self.end, self.version
        copy._lines = self._lines.copy()
        return copy

    def part(self, keep: Callable[[Line], bool]) -> Ring:
        """A ring of those lines that are kept, under numbers of its own; it follows this one.

        Args:
            keep: Which lines. One that becomes one of them when it is replaced comes in at its place; one
                that was one of them stays.
        """
        part = _Part(Ring(self.size), keep)
        for number, line in self._lines.items():
            part.appended(number, line)
        self._parts.append(part)
        return part.ring

    def let_go(self, ring: Ring) -> None:
        """Follows this one no more: nobody looks at that part any longer."""
        self._parts = [part for part in self._parts if part.ring is not ring]

    def drop_oldest(self) -> None:
        """Lets the oldest line go; there must be one."""
        del self._lines[self.first]
        for part in self._parts:
            part.dropped(self.first)
        self.first += 1
        self.version += 1


class _Part:
    """Those lines of a ring that somebody wants to see."""

    def __init__(self, ring: Ring, keep: Callable[[Line], bool]) -> None:
        self.ring = ring
        self._keep = keep
        self._wholes: list[int] = []  # the lines' numbers in the whole; here they follow on `ring.first`

    def appended(self, number: int, line: Line) -> None:
        if self._keep(line):
            self._wholes.append(number)
            self.ring.append(line)

    def replaced(self, number: int, line: Line) -> None:
        place = bisect_left(self._wholes, number)
        if place < len(self._wholes) and self._wholes[place] == number:
            self.ring.replace(self.ring.first + place, line)
        elif self._keep(line):
            self._wholes.insert(place, number)
            self.ring.insert(self.ring.first + place, line)

    def dropped(self, number: int) -> None:
        if self._wholes and self._wholes[0] == number:
            del self._wholes[0]
            self.ring.drop_oldest()
