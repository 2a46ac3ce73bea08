"""What the engine reports while it works: one immutable fact an event, one class a name.

Times named `*_s` are seconds, `until` is ISO 8601 in UTC or None (no end), a key is `provider#name`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar

from engine.errors import Kind
from engine.flat import fact, flat

_DEBUG, _INFO, _WARNING = logging.DEBUG, logging.INFO, logging.WARNING


@fact
class Event:
    """What every event carries.

    Attributes:
        at: When, ISO 8601 in UTC with milliseconds.
        seq: Counts this engine's events from 1.
        engine: The engine's name.
    """

    event: ClassVar[str] = ""
    log_level: ClassVar[int] = _DEBUG

    at: str = ""
    seq: int = 0
    engine: str = ""

    @property
    def severity(self) -> int:
        """The level under which the logger `standby` tells of it."""
        return self.log_level

    def __repr__(self) -> str:
        # One for all: a dataclass's own would cost at each import.
        return f"{type(self).__name__}({self.to_json()})"

    def to_json(self) -> dict[str, Any]:
        """The event as one flat object for `json.dumps`; `request` and `chain` where they apply."""
        return {"event": self.event, **flat(self)}


@fact
class RequestEvent(Event):
    """What every event of a request carries.

    Attributes:
        request: The request's id.
        chain: The chain it named, None where it named none.
        live: The request itself, for observers in this process; never written anywhere. Given, it gives
            the other two.
    """

    request: str | None = field(default=None, metadata={"of_live": "id"})
    chain: str | None = field(default=None, metadata={"of_live": "chain"})
    live: Any = field(default=None, repr=False, metadata={"in_process": True})


@fact
class RequestStarted(RequestEvent):
    """A caller asked for something."""

    event = "request.started"
    target: str
    models: tuple[str, ...]
    mode: str
    owner: str | None = None
    prompt: Any = None


@fact
class ModelSkipped(RequestEvent):
    """A model of the list was passed over: benched, due, on_trial, unresolved, no_key or too_long."""

    event = "model.skipped"
    model: str
    why: str
    until: str | None = None


@fact
class AttemptStarted(RequestEvent):
    """One upstream call begins."""

    event = "attempt.started"
    model: str
    provider: str
    key: str | None
    attempt: int
    attempts: int
    position: int
    positions: int
    trial: bool = False


@fact
class AttemptFirstToken(RequestEvent):
    """The first token of a stream arrived."""

    event = "attempt.first_token"
    model: str
    after_s: float


@fact
class AttemptFailed(RequestEvent):
    """One upstream call failed, and what follows from it."""

    event = "attempt.failed"
    log_level = _INFO
    model: str
    key: str | None
    attempt: int
    kind: Kind
    reason: str
    status: int
    message: str
    elapsed_s: float
    retry_after_s: float | None = None
    retry_in_s: float | None = None
    benched: bool = False
    bench: str | None = None
    benched_for_s: float | None = None
    next_model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def severity(self) -> int:
        """A failover is a warning, a retry is not."""
        return _INFO if self.next_model is None else _WARNING


@fact
class AttemptSucceeded(RequestEvent):
    """One upstream call brought an answer."""

    event = "attempt.succeeded"
    model: str
    key: str | None
    attempt: int
    elapsed_s: float
    first_token_s: float | None
    finish_reason: str
    input_tokens: int | None
    output_tokens: int | None


@fact
class AttemptCancelled(RequestEvent):
    """One upstream call was cut short by the caller or by the deadline."""

    event = "attempt.cancelled"
    model: str
    attempt: int
    elapsed_s: float
    why: str


@fact
class StreamBroken(RequestEvent):
    """A stream broke after content had reached the caller."""

    event = "stream.broken"
    log_level = _WARNING
    model: str
    delivered_chars: int
    mode: str
    next_model: str | None = None


@fact
class RequestSucceeded(RequestEvent):
    """A caller got an answer."""

    event = "request.succeeded"
    model: str
    attempts: int
    fallback: bool
    elapsed_s: float
    first_token_s: float | None
    input_tokens: int | None
    output_tokens: int | None
    answer: str | None = None


@fact
class RequestFailed(RequestEvent):
    """A caller got an error."""

    event = "request.failed"
    log_level = _WARNING
    error: str
    message: str
    causes: tuple[Mapping[str, Any], ...]
    elapsed_s: float
    retry_after_s: float | None = None


@fact
class RequestCancelled(RequestEvent):
    """The caller went away."""

    event = "request.cancelled"
    elapsed_s: float


@fact
class _Benched(Event):
    """Something went on the bench."""

    log_level = _WARNING
    until: str | None
    for_s: float | None
    level: int
    failures: int
    manual: bool
    reason: str
    by: str | None = None


@fact
class ModelBenched(_Benched):
    """A model, or `provider/*`, went on the bench."""

    event = "model.benched"
    model: str


@fact
class KeyBenched(_Benched):
    """A key, everywhere or on one model, went on the bench."""

    event = "key.benched"
    key: str


@fact
class _Unbenched(Event):
    """Something came back from the bench."""

    log_level = _WARNING
    manual: bool
    why: str
    by: str | None = None


@fact
class ModelUnbenched(_Unbenched):
    """A model is back: success, operator or expired."""

    event = "model.unbenched"
    model: str


@fact
class KeyUnbenched(_Unbenched):
    """A key is back: success, operator or expired."""

    event = "key.unbenched"
    key: str


@fact
class ModelDue(Event):
    """A model's automatic bench has run out: one request, or a probe, may try it."""

    event = "model.due"
    log_level = _INFO
    model: str


@fact
class ModelTrial(Event):
    """A trial was taken by a request or a probe; with an outcome, it was settled.

    The outcome is success, failure, given_back (it told nothing of the model) or lapsed (nobody settled it).
    """

    event = "model.trial"
    log_level = _INFO
    model: str
    by: str
    outcome: str | None = None


@fact
class ConfigReloaded(Event):
    """The configuration file changed and was taken over."""

    event = "config.reloaded"
    log_level = _INFO
    path: str
    changes: tuple[str, ...]


@fact
class ConfigRejected(Event):
    """The configuration file changed and has faults; the old configuration stays."""

    event = "config.rejected"
    log_level = _WARNING
    path: str
    faults: tuple[str, ...]


@fact
class StoreDegraded(Event):
    """The store can't be used: the bench is this process's own until it can, and the journal waits."""

    event = "store.degraded"
    log_level = _WARNING
    store: str
    why: str


@fact
class StoreRestored(Event):
    """The store is there again, and has what happened meanwhile."""

    event = "store.restored"
    log_level = _WARNING
    store: str
    why: str


@fact
class FeedDropped(Event):
    """This observer was too slow and did not get that many events."""

    event = "feed.dropped"
    count: int
