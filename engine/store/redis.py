"""A store in a Redis or Valkey server, for engines on several machines.

The bench is one hash, the journal one stream, who is there one hash. A change of a row is a look, the step,
and a script that writes only if all it looked at is as it was; the clock is the server's. Pub/sub says early
that the bench changed, and looking now and then says surely that anything did.

The store does not know when a bench ends, so the bench has no expiry while it has a row, and idle rows go by
`forget`: no bench can end early, and what stays behind a fleet that is gone is as small as its bench was. An
empty bench goes after 30 days, a journal 400 days after its last record, and who was there after two days.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Concatenate, Final, ParamSpec, TypeVar

from engine.store.base import (
    Changes,
    Journaled,
    Presence,
    Record,
    Row,
    Step,
    StoreError,
    StoreRefused,
    Update,
)
from engine.store.places import entry_of
from engine.store.redis_answers import (
    field_of,
    incarnation_and_version,
    journal_state,
    listed,
    presences,
    row,
    rows_of,
    seconds,
    unpacked,
)
from engine.store.redis_journal import FEW, MANY, Stream, happened
from engine.store.redis_link import NOT_HEARD, TROUBLE, Ear, Link, read_url, told
from engine.store.redis_scripts import (
    BEAT,
    FORGET,
    FORMAT,
    ID,
    JOURNAL,
    LOOK,
    ROWS,
    VERSION,
    WRITE,
)

P = ParamSpec("P")
T = TypeVar("T")

_TRIES: Final = 50
_DAY_S: Final = 86_400.0
_POLL_S: Final = 0.2
_POLL_WITH_HINTS_S: Final = 1.0


class RedisStore:
    """A store in a Redis server.

    Args:
        url: `redis://USER:PASSWORD@HOST:PORT/DB`, `rediss://` for TLS.
        prefix: What the names of its keys begin with.
        answer_within_s: Seconds after which a server that does not answer counts as gone.

    Raises:
        StoreRefused: The URL can't be read.

    Attributes:
        name: The URL without user, password and options.
        poll_s: Seconds between two looks at `changed`; more with hints than without.
    """

    def __init__(self, url: str, *, prefix: str = "standby", answer_within_s: float = 0.25) -> None:
        self._address = read_url(url, answer_within_s)
        self.name = self._address.name
        self.poll_s = _POLL_S
        self._prefix = prefix
        self._bench, self._engines, self._channel = (
            f"{prefix}:{what}" for what in ("bench", "engines", "changed")
        )
        self._journal = Stream(prefix)
        self._link: Link | None = None
        self._ear: Ear | None = None
        self._pid = 0
        self._known = ("", 0)  # incarnation and version

    def __repr__(self) -> str:
        return f"RedisStore({self.name!r})"

    def open(self) -> list[str]:
        """Connects, and makes an empty bench where there is none."""
        self.close()
        self._pid = os.getpid()
        self._link = Link(self._address)
        self._asked(self._begin)
        return []

    def _begin(self, link: Link) -> None:
        link.connect()
        incarnation, version, form, _ = self._read_bench(link, 0)[1:]
        if not form.isdigit() or int(form) > FORMAT:
            raise StoreRefused(f"{self.name}: its bench was written by a newer version: update standby here")
        self._ear = Ear(self._address)
        try:
            self._ear.connect()
            self._ear.listen(self._channel)
        except NOT_HEARD:  # who may not subscribe looks more often
            self._stop_listening()
        else:
            self.poll_s = _POLL_WITH_HINTS_S * random.uniform(0.8, 1.0)  # noqa: S311  (not all at once)
        self._known = (incarnation, version)
        self._journal.look(link)

    def close(self) -> None:
        """Closes the connections."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._stop_listening()

    def _stop_listening(self) -> None:
        ear, self._ear = self._ear, None
        self.poll_s = _POLL_S
        if ear is not None:
            ear.close()

    def hint(self) -> int | None:
        """The descriptor of the connection that hears of changes."""
        return self._ear.fileno() if self._ear is not None and self._pid == os.getpid() else None

    def changed(self) -> bool:
        """Looks: one round trip. The hints that came are taken in."""
        return self._asked(self._look_for_changes)

    def _look_for_changes(self, link: Link) -> bool:
        if self._ear is not None and not self._ear.drain():
            self._stop_listening()
        look = ("HMGET", self._bench, ID, VERSION)
        bench, journal = link.ask_and_run(look, JOURNAL, self._journal.key)
        before = self._known, self._journal.known
        self._known = incarnation_and_version(listed(bench))
        self._journal.known = journal_state(journal)
        return before != (self._known, self._journal.known)

    def _wrote(self, version: int) -> None:
        # If nobody wrote in between, all there is to know is known.
        incarnation, known = self._known
        if version == known + 1:
            self._known = (incarnation, version)

    # The bench

    def update(self, name: str, beside: Sequence[str], step: Step) -> Update:
        """Changes one row: looks, takes the step, writes if nothing changed since; else once more."""
        names = list(dict.fromkeys((name, *beside)))
        for tried in range(_TRIES):
            if tried > 1:
                pause = min(2.0**tried, 32.0) / 1000.0
                time.sleep(random.random() * pause)  # noqa: S311  (so that those who collide part)
            seen, now = self._asked(self._look, names)
            text = step({row.name: row.state for row in seen if row.version}, now)
            if text is None:
                return Update(seen[0], now)
            written = self._asked(self._write, seen, now, text)
            if written is not None:
                return written
        raise StoreError(f"{self.name}: {name} changes so fast that no change of it could be written")

    def _look(self, link: Link, names: Sequence[str]) -> tuple[list[Row], float]:
        now, values = listed(link.run(LOOK, self._bench, *map(field_of, names)))
        return [row(name, value) for name, value in zip(names, listed(values), strict=True)], seconds(now)

    def _write(self, link: Link, seen: Sequence[Row], now: float, text: str) -> Update | None:
        as_seen = [word for row in seen for word in (field_of(row.name), row.version)]
        answer = listed(link.run(WRITE, self._bench, _made_up(), self._channel, now, text, *as_seen))
        if len(answer) == 1:
            return None
        version = int(unpacked(answer[1]))
        self._wrote(version)
        return Update(Row(seen[0].name, version, text), seconds(answer[0]))

    def rows(self, after: int = 0) -> Changes:
        """The rows that changed after a version."""
        now, incarnation, version, _, rows = self._asked(self._read_bench, after)
        return Changes([one for one in rows if one.version > after], version, incarnation, now)

    def _read_bench(self, link: Link, after: int) -> tuple[float, str, int, str, list[Row]]:
        now, known, fields = map(
            listed, listed(link.run(ROWS, self._bench, _made_up(), self._channel, after))
        )
        incarnation, version = incarnation_and_version(known)
        return seconds(now), incarnation, version, unpacked(known[2]), rows_of(fields)

    def forget(self, names: Mapping[str, int]) -> None:
        """Removes rows that are still as they were."""
        if names:
            self._asked(self._forget, names)

    def _forget(self, link: Link, names: Mapping[str, int]) -> None:
        as_seen = [word for name, version in names.items() for word in (field_of(name), version)]
        answer = link.run(FORGET, self._bench, _made_up(), self._channel, *as_seen)
        if answer is not None:
            self._wrote(int(unpacked(answer)))

    # The journal

    def append(self, records: Sequence[Record]) -> None:
        """Writes records at the stream's end, but none that is there."""
        if records:
            self._asked(self._journal.append, records)

    def end(self) -> str:
        """The id of the stream's last entry."""
        return self._asked(self._journal.end)

    def read(self, after: str = "", since_s: float | None = None, limit: int = 1000) -> list[Journaled]:
        """Entries of the stream. Raises ValueError for what is no place."""
        place = entry_of(after)
        found: list[Journaled] = []
        since = self._asked(self._journal.since, since_s)
        # Nothing arrives before it happened, by the clock of the server.
        start = f"({place}" if place else str(int(max(0.0, since * 1000)))
        while len(found) < limit:
            page, is_end = self._asked(self._journal.page, start, min(MANY, limit - len(found)))
            found += [one for one in page if happened(one) >= since]
            if is_end:
                break
            start = f"({page[-1].place}"
        return found

    def prune(self, keep_s: float, rows: int, limit: int = 1000) -> int:
        """Removes the oldest entries, in steps so short that nobody notices."""
        gone = 0
        while gone < limit:
            went = self._asked(self._journal.prune, keep_s, rows, min(FEW, limit - gone))
            gone += went
            if not went:
                break
        return gone

    # Who is there

    def beat(self, engine: Presence) -> None:
        """A sign of life, by the server's clock."""
        what = json.dumps([engine.name, engine.host, engine.pid], ensure_ascii=False)
        self._asked(Link.run, BEAT, self._engines, engine.run, what)

    def leave(self, run: str) -> None:
        """An engine goes."""
        self._asked(Link.ask, "HDEL", self._engines, run)

    def engines(self) -> tuple[list[Presence], float]:
        """Who gave a sign of life within a day."""
        return self._asked(self._read_engines)

    def _read_engines(self, link: Link) -> tuple[list[Presence], float]:
        time_there, fields = map(listed, link.ask_all([("TIME",), ("HGETALL", self._engines)]))
        now = seconds(time_there)
        there = [one for one in presences(fields) if one.seen > now - _DAY_S]
        return sorted(there, key=lambda one: (one.name, one.started, one.run)), now

    # What goes wrong

    def _asked(self, work: Callable[Concatenate[Link, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does something with the connection; after any trouble there is none any more."""
        if self._pid != os.getpid():
            self.close()
        try:
            if self._link is not None:
                return work(self._link, *args, **kwargs)
            trouble = StoreError(f"{self.name}: not open in this process")
        except TROUBLE as error:
            trouble = StoreError(told(error, self._address, self._prefix))
        except BaseException:
            self.close()
            raise
        # Raised here, where no exception that may hold the password hangs on to it.
        self.close()
        raise trouble


def _made_up() -> str:
    return secrets.token_hex(8)
