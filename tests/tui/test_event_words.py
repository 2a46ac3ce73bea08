"""What happened, in a line for people."""

from __future__ import annotations

from typing import Any

import pytest

from engine import event_from_json
from tui.event_words import subject, what

REQUEST: dict[str, Any] = {
    "event": "request.failed",
    "error": "ChainExhausted",
    "message": "no",
    "causes": [],
}
FAILED: dict[str, Any] = {
    "event": "attempt.failed", "model": "p/a", "key": "p#k", "attempt": 1, "kind": "transient",
    "reason": "timeout", "status": 0, "message": "", "elapsed_s": 2.0,
}  # fmt: skip
BENCHED: dict[str, Any] = {"event": "model.benched", "model": "p/a", "until": None, "for_s": None, "level": 0}
BENCHED |= {"failures": 0, "manual": True, "reason": "cost", "by": "alice"}
BACK: dict[str, Any] = {"event": "key.unbenched", "key": "p#k", "manual": False}


@pytest.mark.parametrize(
    ("data", "about", "words"),
    [
        ({**REQUEST, "elapsed_s": 3.2, "chain": "main"}, "main", "ChainExhausted after 3.2s: no"),
        (
            {"event": "request.cancelled", "elapsed_s": 0.5, "chain": "main"},
            "main",
            "the caller left after 500ms",
        ),
        (
            {
                "event": "stream.broken",
                "model": "p/a",
                "delivered_chars": 7,
                "mode": "append",
                "next_model": "p/b",
            },
            "p/a",
            "broke off after 7 characters, p/b goes on (append)",
        ),
        (
            {"event": "stream.broken", "model": "p/a", "delivered_chars": 7, "mode": "raise"},
            "p/a",
            "broke off after 7 characters",
        ),
        (FAILED, "p/a", "timeout after 2.0s"),
        (
            {
                **FAILED,
                "status": 429,
                "benched": True,
                "benched_for_s": 300.0,
                "next_model": "p/b",
                "message": "m",
            },
            "p/a",
            "timeout (HTTP 429) after 2.0s, benched for 5m, next p/b: m",
        ),
        ({**FAILED, "retry_in_s": 0.25}, "p/a", "timeout after 2.0s, again in 250ms"),
        (
            {"event": "attempt.cancelled", "model": "p/a", "attempt": 1, "elapsed_s": 1.0, "why": "deadline"},
            "p/a",
            "deadline after 1.0s",
        ),
        (
            {"event": "model.skipped", "model": "p/a", "why": "benched", "until": None},
            "p/a",
            "benched, no end",
        ),
        ({"event": "model.skipped", "model": "p/a", "why": "no_key"}, "p/a", "no key is set"),
        ({"event": "model.skipped", "model": "p/a", "why": "tired"}, "p/a", "tired"),
        (BENCHED, "p/a", "without end, held by alice: cost"),
        ({**BENCHED, "manual": False, "for_s": 61.2, "level": 2}, "p/a", "for 1m1s, level 2: cost"),
        ({**BACK, "why": "operator", "by": "bob"}, "p#k", "brought back by bob"),
        ({**BACK, "why": "expired"}, "p#k", "its time is over"),
        ({**BACK, "why": "success"}, "p#k", "answered again"),
        ({"event": "model.due", "model": "p/a"}, "p/a", "its bench is over, it may be tried"),
        ({"event": "model.trial", "model": "p/a", "by": "probe"}, "p/a", "taken by a probe"),
        ({"event": "model.trial", "model": "p/a", "by": "probe", "outcome": "lapsed"}, "p/a", "never ended"),
        ({"event": "model.trial", "model": "p/a", "by": "probe", "outcome": "new"}, "p/a", "new"),
        ({"event": "config.reloaded", "path": "c", "changes": ["a", "b"]}, "", "c: a; b"),
        ({"event": "config.rejected", "path": "c", "faults": ["a"]}, "", "c: a"),
        ({"event": "store.degraded", "store": "/x", "why": "full"}, "", "/x: full"),
        ({"event": "store.restored", "store": "/x", "why": ""}, "", "/x"),
        ({"event": "feed.dropped", "count": 12}, "", "12 events are missing here"),
        ({"event": "new.thing", "model": "p/a", "size": 3, "at": "x", "none": None}, "p/a", "size=3"),
    ],
)
def test_every_event_is_told_in_words(data: dict[str, Any], about: str, words: str) -> None:
    event = event_from_json(data)
    assert (subject(event, data), what(event, data)) == (about, words)
