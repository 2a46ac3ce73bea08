"""What an incident is made of: failures, outages, requests, engines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Errors:
    """One model's failures for one reason.

    Attributes:
        first: When the first one came.
        kind: What they mean.
        status: HTTP status, 0 for none.
        last: When the last one came.
        count: How many.
        example: What one of them said.
    """

    first: datetime
    kind: str
    status: int
    last: datetime
    count: int = 0
    example: str = ""


@dataclass(slots=True)
class Outage:
    """One time that a model or key was out: from its bench until it was back, however many came in between.

    Attributes:
        name: The model, `provider/*`, or the key.
        manual: True for an operator's hold.
        began: None if that was before the first event.
        ended: None if it has not.
        until: When its bench ends or ended, as far as is known.
        is_due: True if its bench has run out, and nobody has answered for it since.
        reasons: Why, in order.
        level: The highest.
        benches: How many in a row.
        by: Who held it.
        back: What ended it: success, operator, expired.
        lifted_by: Who, where an operator did.
        known_from: Where `began` is None although there were events before: when it was first told of.
    """

    name: str
    manual: bool
    began: datetime | None
    ended: datetime | None = None
    until: datetime | None = None
    is_due: bool = False
    reasons: dict[str, None] = field(default_factory=dict)
    level: int = 0
    benches: int = 0
    by: str | None = None
    back: str = ""
    lifted_by: str | None = None
    known_from: datetime | None = None


@dataclass(slots=True)
class Requests:
    """What became of a chain's requests.

    Attributes:
        started: How many began.
        answered: How many were.
        failed: How many did.
        cancelled: How many callers went away.
        first_failed: When the first one did.
        last_failed: When the last one did.
        instead: Who answered where the first model of the list did not, and how often.
    """

    started: int = 0
    answered: int = 0
    failed: int = 0
    cancelled: int = 0
    first_failed: datetime | None = None
    last_failed: datetime | None = None
    instead: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many there were; some may have begun before the first event, or not have ended."""
        return max(self.started, self.answered + self.failed + self.cancelled)


@dataclass(slots=True)
class StoreTrouble:
    """One time that an engine was without its store.

    Attributes:
        engine: Which one.
        store: The store.
        why: What was wrong.
        began: When it told of it.
        ended: None if it was not back.
    """

    engine: str
    store: str
    why: str
    began: datetime
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """An engine that gives no sign of life, and never said goodbye.

    Attributes:
        engine: Its name.
        last: When it gave the last one.
    """

    engine: str
    last: datetime


@dataclass(slots=True)
class Witness:
    """What came from one engine.

    Attributes:
        first: When its first event came.
        last: When its last one did.
        runs: How many engines of that name there were, one after another or at once.
        count: Events.
    """

    first: datetime
    last: datetime
    runs: set[str] = field(default_factory=set)
    count: int = 0
