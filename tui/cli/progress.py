"""The events of one request as lines a person can follow on stderr."""

from __future__ import annotations

from typing import Final

from engine import (
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    ModelDue,
    ModelSkipped,
    ModelTrial,
    RequestSucceeded,
    StreamBroken,
)
from tui.output import Notes
from tui.text import clock, countdown, latency

_HEAD: Final = 9
_WHY: Final = {
    "no_key": "no key is set",
    "unresolved": "nothing has this name",
    "due": "its bench is over, a probe tries it first",
    "on_trial": "another request tries it",
    "too_long": "the request is longer than its context",
}
_TRIAL: Final = {
    None: "is tried out by a {by}",
    "success": "passed its trial, it is live again",
    "failure": "failed its trial",
    "given_back": "is due still, its trial told nothing",
    "lapsed": "is due still, its trial never ended",
}


class Progress:
    """An observer that tells of each step of a request: one line an event.

    Args:
        notes: Where the lines go.
        simulated: Names of the providers that are simulated, so that nobody takes them for real ones.
    """

    def __init__(self, notes: Notes, simulated: frozenset[str] = frozenset()) -> None:
        self._notes = notes
        self._simulated = simulated
        self._attempts = 0
        self._finish_reason = ""

    def __call__(self, event: Event) -> None:
        """Prints the line that goes with an event, if one does."""
        match event:
            case AttemptStarted():
                self._attempts = event.attempts
                self._line("try", f"{event.model} {event.attempt}/{event.attempts}{_position(event)}")
            case AttemptFailed():
                self._line("failed", self._failed(event), bad=True)
            case AttemptSucceeded():
                self._finish_reason = event.finish_reason
            case AttemptCancelled():
                why = "the deadline is over" if event.why == "deadline" else "stopped"
                self._line("cut off", f"{event.model} after {latency(event.elapsed_s)}: {why}", bad=True)
            case ModelSkipped():
                self._line("skipped", f"{event.model}: {_why(event)}")
            case StreamBroken():
                self._line("broken", _broken(event), bad=True)
            case ModelDue():
                self._line("due", f"{event.model} has sat out its bench", dim=True)
            case ModelTrial():
                what = _TRIAL.get(event.outcome, "had its trial")
                self._line("trial", f"{event.model} {what.format(by=event.by)}", dim=True)
            case RequestSucceeded():
                self._line("answered", self._answered(event))

    def _line(self, head: str, text: str, *, bad: bool = False, dim: bool = False) -> None:
        self._notes.line(text, head=head.ljust(_HEAD), bad=bad, dim=dim)

    def _failed(self, event: AttemptFailed) -> str:
        status = f" (HTTP {event.status})" if event.status else ""
        number = f"{event.attempt}/{max(self._attempts, event.attempt)}"
        parts = [f"{event.model} {number}: {event.reason}{status} after {latency(event.elapsed_s)}"]
        if event.benched:
            what = "benched" if event.bench in (None, event.model) else f"{event.bench} benched"
            length = "" if event.benched_for_s is None else f" for {countdown(event.benched_for_s)}"
            parts.append(f"{what}{length}")
        if event.retry_in_s is not None:
            parts.append(f"again in {latency(event.retry_in_s)}")
        line = _then(", ".join(parts), event.next_model)
        return f"{line}: {event.message}" if event.message else line

    def _answered(self, event: RequestSucceeded) -> str:
        parts = [f"{event.model} in {latency(event.elapsed_s)}"]
        if event.first_token_s is not None:
            parts.append(f"first token {latency(event.first_token_s)}")
        if event.input_tokens is not None:
            parts.append(f"{event.input_tokens} tokens in")
        if event.output_tokens is not None:
            parts.append(f"{event.output_tokens} tokens out")
        parts.append("1 attempt" if event.attempts == 1 else f"{event.attempts} attempts")
        if event.fallback:
            parts.append("fallback")
        if self._finish_reason == "length":
            parts.append("cut at the token limit")
        if event.model.partition("/")[0] in self._simulated:
            parts.append("simulated")
        return ", ".join(parts)


def _position(event: AttemptStarted) -> str:
    place = f", model {event.position} of {event.positions}" if event.positions > 1 else ""
    return f"{place}, on trial" if event.trial else place


def _why(event: ModelSkipped) -> str:
    if event.why == "benched":
        return "benched, no end" if event.until is None else f"benched until {clock(event.until)}"
    return _WHY.get(event.why, event.why)


def _broken(event: StreamBroken) -> str:
    got = f"{event.model} broke off after {event.delivered_chars} characters"
    if event.mode == "raise":
        return got
    if event.next_model is None:
        return f"{got}; no other model can take over"
    return f"{got}; {event.next_model} {'answers from the start' if event.mode == 'restart' else 'goes on'}"


def _then(text: str, next_model: str | None) -> str:
    return text if next_model is None else f"{text} → {next_model}"
