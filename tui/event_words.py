"""What happened, in a line for people, and whom it was about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from engine import (
    AttemptCancelled,
    AttemptFailed,
    AttemptFirstToken,
    AttemptStarted,
    AttemptSucceeded,
    ConfigRejected,
    ConfigReloaded,
    Event,
    FeedDropped,
    KeyBenched,
    KeyUnbenched,
    ModelBenched,
    ModelDue,
    ModelSkipped,
    ModelTrial,
    ModelUnbenched,
    RequestCancelled,
    RequestFailed,
    RequestStarted,
    RequestSucceeded,
    StoreDegraded,
    StoreRestored,
    StreamBroken,
    format_duration,
)
from tui.text import clock, latency

_COMMON: Final = frozenset({"event", "at", "seq", "engine", "request", "chain", "model", "key"})
_BACK: Final = {"success": "answered again", "operator": "brought back", "expired": "its time is over"}
_SKIPPED: Final = {
    "no_key": "no key is set",
    "unresolved": "nothing has this name",
    "due": "due, waits for its probe",
    "on_trial": "another request tries it out",
    "too_long": "the request is longer than its context",
}
_TRIAL: Final = {
    None: "taken by a {by}",
    "success": "passed",
    "failure": "failed",
    "given_back": "told nothing",
    "lapsed": "never ended",
}


def subject(event: Event, data: Mapping[str, Any]) -> str:
    """The model or key that an event is about; the chain of one that is about a whole request."""
    for name in ("model", "key"):
        value = getattr(event, name, data.get(name))
        if isinstance(value, str):
            return value
    chain = getattr(event, "chain", None)
    return chain if isinstance(chain, str) else getattr(event, "target", "")


def what(event: Event, data: Mapping[str, Any]) -> str:
    """What happened. Not safe to show yet: it may hold anybody's words.

    Args:
        event: The event.
        data: The same as it was recorded.
    """
    match event:
        case RequestStarted():
            return f"{event.mode}: {', '.join(event.models)}"
        case RequestSucceeded():
            tries = "" if event.attempts == 1 else f", {event.attempts} attempts"
            fallback = ", not the first of its list" if event.fallback else ""
            return f"answered in {latency(event.elapsed_s)}{tries}{fallback}"
        case RequestFailed():
            return f"{event.error} after {latency(event.elapsed_s)}: {event.message}"
        case RequestCancelled():
            return f"the caller left after {latency(event.elapsed_s)}"
        case StreamBroken():
            then = f", {event.next_model} goes on ({event.mode})" if event.next_model else ""
            return f"broke off after {event.delivered_chars} characters{then}"
    return _of_attempt(event) or _of_bench(event) or _of_engine(event) or _of_unknown(data)


def _of_attempt(event: Event) -> str:
    match event:
        case AttemptStarted():
            key = f" with {event.key}" if event.key else ""
            return f"{event.attempt}/{event.attempts}{key}{', on trial' if event.trial else ''}"
        case AttemptFirstToken():
            return f"after {latency(event.after_s)}"
        case AttemptSucceeded():
            return f"{event.finish_reason} in {latency(event.elapsed_s)}"
        case AttemptCancelled():
            return f"{event.why} after {latency(event.elapsed_s)}"
        case AttemptFailed():
            return _failed(event)
        case ModelSkipped(why="benched"):
            return "benched, no end" if event.until is None else f"benched until {clock(event.until)}"
        case ModelSkipped():
            return _SKIPPED.get(event.why, event.why)
    return ""


def _of_bench(event: Event) -> str:
    match event:
        case ModelBenched() | KeyBenched():
            length = "without end" if event.for_s is None else f"for {short(event.for_s)}"
            who = f"held by {event.by}" if event.manual else f"level {event.level}"
            return f"{length}, {who}{f': {event.reason}' if event.reason else ''}"
        case ModelUnbenched() | KeyUnbenched():
            return f"{_BACK.get(event.why, event.why)}{f' by {event.by}' if event.by else ''}"
        case ModelDue():
            return "its bench is over, it may be tried"
        case ModelTrial():
            return _TRIAL.get(event.outcome, event.outcome or "").format(by=event.by)
    return ""


def _of_engine(event: Event) -> str:
    match event:
        case ConfigReloaded():
            return f"{event.path}: {'; '.join(event.changes)}"
        case ConfigRejected():
            return f"{event.path}: {'; '.join(event.faults)}"
        case StoreDegraded() | StoreRestored():
            return f"{event.store}: {event.why}" if event.why else event.store
        case FeedDropped():
            return f"{event.count} events are missing here"
    return ""


def _failed(event: AttemptFailed) -> str:
    status = f" (HTTP {event.status})" if event.status else ""
    parts = [f"{event.reason}{status} after {latency(event.elapsed_s)}"]
    if event.benched and event.benched_for_s is not None:
        parts.append(f"benched for {short(event.benched_for_s)}")
    if event.retry_in_s is not None:
        parts.append(f"again in {latency(event.retry_in_s)}")
    if event.next_model is not None:
        parts.append(f"next {event.next_model}")
    return f"{', '.join(parts)}{f': {event.message}' if event.message else ''}"


def _of_unknown(data: Mapping[str, Any]) -> str:
    facts = ((name, value) for name, value in data.items() if name not in _COMMON and value is not None)
    return " ".join(f"{name}={json.dumps(value, ensure_ascii=False, default=str)}" for name, value in facts)


def short(seconds: float) -> str:
    """A length of time to the second, below ten seconds to the millisecond."""
    return format_duration(round(seconds) if seconds >= 10 else seconds)


def when(at: str) -> datetime | None:
    """An event's time; None if it has none that makes sense."""
    try:
        return datetime.fromisoformat(at) if at else None
    except ValueError:
        return None
