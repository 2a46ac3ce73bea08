"""What a store is: one contract for memory, SQLite and Redis.

A store is dumb. It keeps one text for each name on the bench, a journal of records, and who is there. What
the texts mean, and which steps a bench may take, is the engine's affair: a store hands the present text to
a pure function and puts back what that returns, atomically.

Every method blocks, and all of them are called by one thread of the engine's own, never by its event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from engine.errors import StandbyError

Step = Callable[[Mapping[str, str], float], str | None]
"""A change to one row: (the texts that there are, by name; the store's time) → the new text, None for no
change. Pure: it may be called more than once."""


class StoreError(StandbyError):
    """The store can't be used now; what it is and what to do is in the message, and no password."""


class StoreRefused(StoreError):
    """The store can't be used at all as it is: trying again in a while does not help."""


class Row(NamedTuple):
    """What is known of one name on the bench.

    Attributes:
        name: A model, `provider/*`, or a key.
        version: Grows with each change of anything in the store; 0 if there is no row.
        state: The text; empty if there is no row.
    """

    name: str
    version: int
    state: str


class Update(NamedTuple):
    """What came of a change.

    Attributes:
        row: The row as it is now.
        now: The store's time when that was so, seconds since the epoch.
    """

    row: Row
    now: float


class Changes(NamedTuple):
    """What changed on the bench since somebody last looked.

    Attributes:
        rows: Every row whose version is higher than the one asked for.
        version: The highest there is: ask for those after it the next time.
        incarnation: Made up when the store was made. Another one means that all it had was lost.
        now: The store's time, seconds since the epoch.
    """

    rows: list[Row]
    version: int
    incarnation: str
    now: float


class Record(NamedTuple):
    """One event in the journal.

    Attributes:
        at: When it happened by the clock of its engine, seconds since the epoch.
        engine: The engine's name.
        run: Tells engines of one name apart: unique for each engine object.
        data: The event as one JSON object.
        number: Counts the records of a run from 1 on, so that none is written twice. 0 for none: that is
            always written. It does not come back.
    """

    at: float
    engine: str
    run: str
    data: str
    number: int = 0


class Journaled(NamedTuple):
    """A record and its place in the journal.

    Attributes:
        place: Opaque; ask for what comes after it.
        record: The record.
    """

    place: str
    record: Record


class Presence(NamedTuple):
    """An engine that uses the store.

    Attributes:
        run: Unique for each engine object.
        name: What its events call it.
        host: The machine's name.
        pid: The process.
        started: When it came, seconds since the epoch, by the store's clock.
        seen: When it last gave a sign of life, by the store's clock.
    """

    run: str
    name: str
    host: str
    pid: int
    started: float = 0.0
    seen: float = 0.0


class Store(Protocol):
    """A store. Any method may raise `StoreError`; after that `open` is called again before any other.

    Times across processes are the store's: whoever asks says how many seconds back, never since when.

    Attributes:
        name: As it is shown to people: a path, or a URL without its password.
        poll_s: Seconds between two looks at `changed`.
    """

    name: str
    poll_s: float

    def open(self) -> list[str]:
        """Connects; creates or migrates what is there. Called again after an error, and then begins anew.

        Returns:
            What somebody should be told, as that a damaged file was set aside; usually nothing.

        Raises:
            StoreRefused: It was written by a newer version, or can never be used as it is.
            StoreError: It can't be used now.
        """
        ...

    def close(self) -> None:
        """Closes the connection; never raises. A store that is not open has nothing to close."""
        ...

    def hint(self) -> int | None:
        """A descriptor that becomes readable when the bench may have changed, None without one."""
        ...

    def changed(self) -> bool:
        """True if others may have changed anything (bench or journal) since this was last asked. Cheap."""
        ...

    # The bench

    def update(self, name: str, beside: Sequence[str], step: Step) -> Update:
        """Changes one row by a pure function of what is there, atomically.

        Args:
            name: Whose row.
            beside: Further names whose texts the step is to see.
            step: The change. It sees only those of the names that have a row.

        Returns:
            The row after it, changed or not; with version 0 and no text if there is none.
        """
        ...

    def rows(self, after: int = 0) -> Changes:
        """The rows that changed after a version; all of them after 0."""
        ...

    def forget(self, names: Mapping[str, int]) -> None:
        """Removes rows, each only if its version is still the one given."""
        ...

    # The journal

    def append(self, records: Sequence[Record]) -> None:
        """Writes records at the journal's end, all or none, in their order.

        After an error nobody knows whether they were written: they are given again. Those with a number
        that is not higher than the last one of their run are there already, and left out.
        """
        ...

    def end(self) -> str:
        """The place of the last record; empty if there is none."""
        ...

    def read(self, after: str = "", since_s: float | None = None, limit: int = 1000) -> list[Journaled]:
        """Records in the journal's order; fewer than the limit only at its end.

        Args:
            after: The place behind which to begin; empty for the beginning.
            since_s: Seconds back from the store's time; older records are left out. None for none.
            limit: Most records.

        Raises:
            ValueError: No such journal ever gave that place.
        """
        ...

    def prune(self, keep_s: float, rows: int, limit: int = 1000) -> int:
        """Removes the oldest records, a few at a time.

        Args:
            keep_s: Seconds back from the store's time; older ones go.
            rows: Most records that stay.
            limit: Most records that are removed now.

        Returns:
            How many went; as many as the limit means that there may be more.
        """
        ...

    # Who is there

    def beat(self, engine: Presence) -> None:
        """A sign of life. The store's own clock says when; `started` is kept from the first."""
        ...

    def leave(self, run: str) -> None:
        """An engine goes."""
        ...

    def engines(self) -> tuple[list[Presence], float]:
        """Who gave a sign of life within a day, in the order of their names; and the store's time."""
        ...
