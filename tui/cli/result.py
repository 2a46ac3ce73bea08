"""What `standby run --json` prints: the request's events, then the result, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from engine import (
    ConfigError,
    Event,
    NoUsableModel,
    Reply,
    RequestEvent,
    StandbyError,
    StreamInterrupted,
    UnknownTarget,
    UpstreamError,
)
from tui.exits import FAILED, USAGE, OutputLost
from tui.output import Output


class EventLines:
    """An observer that prints each event of the request as one line of JSON.

    Args:
        out: Where the lines go.
        stop: Called when they can't be written any more.

    Attributes:
        lost: Why they can't be written; None while they can.
    """

    def __init__(self, out: Output, stop: Callable[[], object]) -> None:
        self._out = out
        self._stop = stop
        self.lost: OutputLost | None = None

    def __call__(self, event: Event) -> None:
        """Prints the event, if it belongs to a request."""
        if not isinstance(event, RequestEvent) or self.lost is not None:
            return
        try:
            self._out.write(json_line(event.to_json()))
        except OutputLost as lost:
            # An observer that raises is put out; the request would go on, for nobody.
            self.lost = lost
            self._stop()


def json_line(value: object) -> str:
    """A value as one line of ASCII, so that nothing in it reaches a terminal as it is."""
    return json.dumps(value, default=str) + "\n"


def success(reply: Reply) -> str:
    """The result line of an answer."""
    result: dict[str, Any] = {
        "event": "result",
        "ok": True,
        "text": reply.text,
        "model": reply.model,
        "attempts": reply.attempts,
    }
    if reply.tool_calls:
        result["tool_calls"] = [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls
        ]
    return json_line(result)


def failure(error: StandbyError) -> str:
    """The result line of a request that failed, or was never sent."""
    result: dict[str, Any] = {
        "event": "result",
        "ok": False,
        "error": type(error).__name__,
        "message": str(error),
        "causes": [
            {
                "model": cause.model,
                "kind": cause.kind,
                "reason": cause.reason,
                "status": cause.status,
                "message": cause.message,
            }
            for cause in _causes(error)
        ],
    }
    if isinstance(error, StreamInterrupted):
        result["text"] = error.text
    return json_line(result)


def interruption(message: str) -> str:
    """The result line of a request that the user stopped."""
    result = {"event": "result", "ok": False, "error": "Interrupted", "message": message, "causes": []}
    return json_line(result)


def exit_code(error: StandbyError) -> int:
    """The exit code that goes with an error: 2 if nothing was sent until somebody changes something."""
    return USAGE if isinstance(error, ConfigError | UnknownTarget | NoUsableModel) else FAILED


def _causes(error: StandbyError) -> tuple[UpstreamError, ...]:
    if isinstance(error, UpstreamError):
        return (error,)
    return tuple(getattr(error, "causes", ()))
