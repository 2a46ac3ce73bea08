"""The lines that tell of a request's steps."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine import (
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    Event,
    ModelDue,
    ModelSkipped,
    ModelTrial,
    StreamBroken,
)
from tui.cli.progress import Progress
from tui.output import Notes

UNTIL = "2026-03-01T12:00:00.000Z"


def failed(**facts: Any) -> AttemptFailed:
    common: dict[str, Any] = {
        "model": "p/a",
        "key": None,
        "attempt": 1,
        "kind": "transient",
        "reason": "rate_limited",
        "status": 429,
        "message": "slow down",
        "elapsed_s": 0.25,
    }
    return AttemptFailed(**(common | facts))


def started(**facts: Any) -> AttemptStarted:
    common: dict[str, Any] = {
        "model": "p/a",
        "provider": "p",
        "key": None,
        "attempt": 1,
        "attempts": 3,
        "position": 1,
        "positions": 1,
    }
    return AttemptStarted(**(common | facts))


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (started(), "try      p/a 1/3"),
        (started(position=2, positions=4, trial=True), "try      p/a 1/3, model 2 of 4, on trial"),
        (
            failed(retry_in_s=2.0),
            "failed   p/a 1/1: rate_limited (HTTP 429) after 250ms, again in 2.0s: slow down",
        ),
        (
            failed(benched=True, bench="p#main", benched_for_s=300.0, message=""),
            "failed   p/a 1/1: rate_limited (HTTP 429) after 250ms, p#main benched for 05:00",
        ),
        (
            failed(benched=True, bench="p/a", status=0, reason="connection", message="", next_model="p/b"),
            "failed   p/a 1/1: connection after 250ms, benched → p/b",
        ),
        (ModelSkipped(model="p/a", why="benched"), "skipped  p/a: benched, no end"),
        (ModelSkipped(model="p/a", why="no_key"), "skipped  p/a: no key is set"),
        (ModelSkipped(model="p/a", why="unresolved"), "skipped  p/a: nothing has this name"),
        (ModelSkipped(model="p/a", why="due"), "skipped  p/a: its bench is over, a probe tries it first"),
        (ModelSkipped(model="p/a", why="on_trial"), "skipped  p/a: another request tries it"),
        (ModelSkipped(model="p/a", why="too_long"), "skipped  p/a: the request is longer than its context"),
        (ModelSkipped(model="p/a", why="something new"), "skipped  p/a: something new"),
        (ModelDue(model="p/a"), "due      p/a has sat out its bench"),
        (ModelTrial(model="p/a", by="request"), "trial    p/a is tried out by a request"),
        (ModelTrial(model="p/a", by="probe"), "trial    p/a is tried out by a probe"),
        (
            ModelTrial(model="p/a", by="probe", outcome="success"),
            "trial    p/a passed its trial, it is live again",
        ),
        (ModelTrial(model="p/a", by="probe", outcome="failure"), "trial    p/a failed its trial"),
        (
            ModelTrial(model="p/a", by="request", outcome="given_back"),
            "trial    p/a is due still, its trial told nothing",
        ),
        (
            StreamBroken(model="p/a", delivered_chars=9, mode="append", next_model="p/b"),
            "broken   p/a broke off after 9 characters; p/b goes on",
        ),
        (
            StreamBroken(model="p/a", delivered_chars=9, mode="continue", next_model="p/b"),
            "broken   p/a broke off after 9 characters; p/b goes on",
        ),
        (
            StreamBroken(model="p/a", delivered_chars=9, mode="restart", next_model="p/b"),
            "broken   p/a broke off after 9 characters; p/b answers from the start",
        ),
        (
            StreamBroken(model="p/a", delivered_chars=9, mode="restart"),
            "broken   p/a broke off after 9 characters; no other model can take over",
        ),
        (
            StreamBroken(model="p/a", delivered_chars=9, mode="raise"),
            "broken   p/a broke off after 9 characters",
        ),
        (
            AttemptCancelled(model="p/a", attempt=1, elapsed_s=1.5, why="caller"),
            "cut off  p/a after 1.5s: stopped",
        ),
    ],
)
def test_each_event_is_one_line(event: Event, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Progress(Notes())(event)
    assert capsys.readouterr().err == f"{line}\n"


def test_a_bench_with_an_end_says_when_in_local_time(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(Notes())(ModelSkipped(model="p/a", why="benched", until=UNTIL))
    assert re.fullmatch(r"skipped  p/a: benched until \d\d:\d\d:\d\d\n", capsys.readouterr().err)
