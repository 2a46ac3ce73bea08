"""Events become lines: one for each attempt and trial, changed in place when it ends, one for each bench."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, Final

from engine import (
    AttemptCancelled,
    AttemptFailed,
    AttemptFirstToken,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    KeyBenched,
    KeyUnbenched,
    ModelBenched,
    ModelDue,
    ModelSkipped,
    ModelTrial,
    ModelUnbenched,
    RequestCancelled,
    RequestFailed,
    RequestSucceeded,
    StreamBroken,
)
from tui.ring import Line, Outcome, Ring

_SETTLED: Final[Mapping[str, Outcome]] = {"success": "passed", "failure": "not_passed"}
_BROKEN: Final[Mapping[str, str]] = {
    "raise": "the caller gets an error",
    "append": "adds its answer",
    "continue": "goes on",
    "restart": "answers anew",
}
"""What follows on a stream's break: what the next model does, behind its name."""


class Merger:
    """Writes events into a ring.

    Args:
        ring: Where the lines go.
        skips: Whether models that were passed over get lines, too.
    """

    def __init__(self, ring: Ring, *, skips: bool = False) -> None:
        self.ring = ring
        self._skips = skips
        self._running: dict[str, int] = {}  # a request runs one attempt at a time
        self._trials: dict[str, int] = {}  # a model has one trial at a time
        self._unseen: set[int] = set()
        self._passed: set[str] = set()
        self._takes: dict[type[Event], Callable[[Any, float], None]] = {
            AttemptStarted: self._started,
            AttemptFirstToken: self._first_token,
            AttemptSucceeded: self._succeeded,
            AttemptFailed: self._failed,
            AttemptCancelled: self._cancelled,
            StreamBroken: self._broken,
            ModelSkipped: self._skipped,
            RequestSucceeded: self._request_succeeded,
            RequestCancelled: self._request_cancelled,
            RequestFailed: self._request_failed,
            ModelBenched: self._benched,
            KeyBenched: self._benched,
            ModelUnbenched: self._unbenched,
            KeyUnbenched: self._unbenched,
            ModelDue: self._due,
            ModelTrial: self._trial,
        }

    def copy(self) -> Merger:
        """As it is now, with a ring of its own. What began in lines that are gone is left out."""
        copy = Merger(self.ring.copy(), skips=self._skips)
        first = self.ring.first
        copy._running = {request: number for request, number in self._running.items() if number >= first}
        copy._trials = {model: number for model, number in self._trials.items() if number >= first}
        copy._unseen = {number for number in self._unseen if number >= first}
        copy._passed = self._passed.copy()
        return copy

    def take(self, event: Event, now: float) -> None:
        """Takes one event in.

        Args:
            event: Any event; those without a line are passed over.
            now: When it happened, seconds on the dashboard's clock.
        """
        take = self._takes.get(type(event))
        if take is not None:
            take(event, now)

    def silence(self, engines: Container[str]) -> None:
        """Some engines give no sign of life: nobody knows what became of their attempts.

        Args:
            engines: Which. What an engine has under way that speaks again runs again.
        """
        for request, number in tuple(self._running.items()):
            line = self.ring.get(number)
            if line is None:  # it has left the ring, and may never be heard of again
                del self._running[request]
                self._unseen.discard(number)
            elif line.outcome == "running" and line.engine in engines:
                self._unseen.add(number)
                self.ring.replace(number, line._replace(outcome="lost"))
            elif number in self._unseen and line.engine not in engines:
                self._unseen.discard(number)
                self.ring.replace(number, line._replace(outcome="running"))

    def lost_events(self) -> None:
        """Some events never arrived: what runs may have ended unseen, and is marked so."""
        for number in (*self._running.values(), *self._trials.values()):
            line = self.ring.get(number)
            if line is not None and line.outcome in ("running", "trial"):
                self.ring.replace(number, line._replace(outcome="lost"))
        self._passed.clear()
        self._unseen.clear()

    def _started(self, event: AttemptStarted, now: float) -> None:
        line = Line(
            event.at,
            "running",
            event.request or "",
            event.chain or "",
            event.model,
            event.attempt,
            event.attempts,
            event.trial,
            now,
            engine=event.engine,
        )
        self._running[line.request] = self.ring.append(line)

    def _first_token(self, event: AttemptFirstToken, _now: float) -> None:
        number = self._running.get(event.request or "")
        line = None if number is None else self.ring.get(number)
        if number is not None and line is not None:
            self.ring.replace(number, line._replace(first_token_s=event.after_s))

    def _succeeded(self, event: AttemptSucceeded, now: float) -> None:
        reason = event.finish_reason if event.finish_reason != "stop" else ""
        self._end(event, now, outcome="succeeded", reason=reason, first_token_s=event.first_token_s)

    def _failed(self, event: AttemptFailed, now: float) -> None:
        self._end(
            event,
            now,
            outcome="failed",
            kind=event.kind,
            reason=event.reason,
            status=event.status,
            message=event.message,
            next_model=event.next_model or "",
            retry_in_s=event.retry_in_s,
        )

    def _cancelled(self, event: AttemptCancelled, now: float) -> None:
        self._end(event, now, outcome="cancelled", reason=event.why)

    def _end(
        self, event: AttemptSucceeded | AttemptFailed | AttemptCancelled, now: float, **changes: Any
    ) -> None:
        changes["elapsed_s"] = event.elapsed_s
        number = self._running.pop(event.request or "", None)
        line = None if number is None else self.ring.get(number)
        if number is not None and line is not None and line.model == event.model:
            self._unseen.discard(number)
            self.ring.replace(number, line._replace(**changes))
            return
        # Its beginning was lost, or has left the ring meanwhile: the end gets a line of its own.
        begun = Line(event.at, "running", event.request or "", event.chain or "", event.model, event.attempt)
        self.ring.append(begun._replace(since=now, engine=event.engine, **changes))

    def _broken(self, event: StreamBroken, now: float) -> None:
        self.ring.append(
            Line(
                event.at,
                "broken",
                event.request or "",
                event.chain or "",
                event.model,
                since=now,
                reason=f"after {event.delivered_chars} chars",
                message=_BROKEN.get(event.mode, event.mode),
                next_model=event.next_model or "",
                engine=event.engine,
            )
        )

    def _skipped(self, event: ModelSkipped, now: float) -> None:
        if self._skips:
            self.ring.append(
                Line(
                    event.at,
                    "skipped",
                    event.request or "",
                    event.chain or "",
                    event.model,
                    since=now,
                    reason=event.why,
                    engine=event.engine,
                )
            )

    def _request_succeeded(self, event: RequestSucceeded, _now: float) -> None:
        self._settle(event.request or "", "succeeded")

    def _request_cancelled(self, event: RequestCancelled, _now: float) -> None:
        self._settle(event.request or "", "cancelled")

    def _request_failed(self, event: RequestFailed, now: float) -> None:
        request = event.request or ""
        self._settle(request, "failed")
        self.ring.append(
            Line(
                event.at,
                "request_failed",
                request,
                event.chain or "",
                since=now,
                elapsed_s=event.elapsed_s,
                reason=event.error,
                message=event.message,
                engine=event.engine,
            )
        )

    def _settle(self, request: str, outcome: Outcome) -> None:
        """An attempt whose end was lost has ended all the same once its request has."""
        number = self._running.pop(request, None)
        line = None if number is None else self.ring.get(number)
        if number is not None and line is not None:
            self._unseen.discard(number)
            self.ring.replace(number, line._replace(outcome=outcome))

    def _benched(self, event: ModelBenched | KeyBenched, now: float) -> None:
        self.ring.append(
            Line(
                event.at,
                "benched",
                model=event.model if isinstance(event, ModelBenched) else event.key,
                since=now,
                reason=event.reason,
                for_s=event.for_s,
                manual=event.manual,
                by=event.by or "",
                level=event.level,
                engine=event.engine,
            )
        )

    def _unbenched(self, event: ModelUnbenched | KeyUnbenched, now: float) -> None:
        model = event.model if isinstance(event, ModelUnbenched) else event.key
        passed = model in self._passed
        self._passed.discard(model)
        self.ring.append(
            Line(
                event.at,
                "unbenched",
                model=model,
                trial=passed and event.why == "success",
                since=now,
                reason=event.why,
                manual=event.manual,
                by=event.by or "",
                engine=event.engine,
            )
        )

    def _due(self, event: ModelDue, now: float) -> None:
        self.ring.append(Line(event.at, "due", model=event.model, since=now, engine=event.engine))

    def _trial(self, event: ModelTrial, now: float) -> None:
        if event.outcome is None:
            line = Line(event.at, "trial", model=event.model, trial=True, since=now, by=event.by)
            self._trials[event.model] = self.ring.append(line._replace(engine=event.engine))
            return
        outcome = _SETTLED.get(event.outcome, "undecided")
        if outcome == "passed":
            self._passed.add(event.model)  # its end of the bench is told next
        number = self._trials.pop(event.model, None)
        begun = None if number is None else self.ring.get(number)
        if number is not None and begun is not None:
            self.ring.replace(number, begun._replace(outcome=outcome, reason=event.outcome))
            return
        # As with attempts: the end gets a line of its own.
        end = Line(event.at, outcome, model=event.model, trial=True, since=now, by=event.by)
        self.ring.append(end._replace(reason=event.outcome, engine=event.engine))
