"""Recordings: what can be played, and how things stood at any moment of one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine import (
    Dashboard,
    KeyBenched,
    ModelDue,
    ModelTrial,
    ModelUnbenched,
    RequestStarted,
    StoreDegraded,
    StoreRestored,
)
from tests.tui.recordings import MODELS, at, happened, incident, lines, put_out, recorded, recordings
from tests.tui.stage import AT_S, answered, begun
from tui.engines import Engines
from tui.replay.playback import SPEEDS, NotARecording, Playback, Recording, load, moment, recording
from tui.replay.source import ReplaySource

GOOD = lines([put_out(0.0)])[0]


def fault(*given_lines: bytes) -> str:
    with pytest.raises(NotARecording) as error:
        recording("x.jsonl", given_lines)
    return str(error.value)


# Loading


def test_what_an_export_wrote_is_read_in_the_order_of_its_times() -> None:
    made = recording("x.jsonl", [b"\n", *lines([put_out(5.0), begun("r", at=at(1.0))]), b"  \n"])
    assert [event.event for event in made.events] == ["attempt.started", "model.benched"]
    assert (made.start, made.end) == (AT_S + 1.0, AT_S + 5.0)


def test_events_of_newer_versions_are_passed_over() -> None:
    made = recording("x.jsonl", [GOOD, b'{"event": "model.sang", "at": "2026-03-01T12:00:01.000Z"}'])
    assert len(made.events) == 2
    Playback(made).go_to(made.end)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"# Incident", "this is not JSON: Expecting value, column 1"),
        (b'{"event": "model.due"', "this is not JSON: Expecting ',' delimiter, column 22"),
        (b"[]", "no event"),
        (b"17", "no event"),
        (b'{"model": "p/large"}', "no event"),
        (b'{"event": "model.due", "model": "p/large"}', "the event tells no time in `at`"),
        (b'{"event": "model.due", "model": "p/large", "at": "soon"}', "tells no time in `at`"),
        (b'{"event": "caf\xe9"}', "this is not UTF-8"),
        (b"[" * 100_000, "this is nested too deeply for an event"),
    ],
)
def test_a_line_that_is_no_event_is_told_with_its_number(line: bytes, says: str) -> None:
    told = fault(GOOD, b"\n", line, GOOD)
    assert told.startswith(":3: ")
    assert says in told
    assert len(told.splitlines()) == 1


def test_of_many_bad_lines_the_first_are_told_and_the_rest_counted() -> None:
    told = fault(*[b"x"] * 40).splitlines()
    assert [line.partition(": ")[0] for line in told] == [":1", ":2", ":3", ":4", ":5", ""]
    assert told[-1] == ": 35 more lines can't be played"


def test_without_any_event_there_is_nothing_to_play() -> None:
    assert fault() == fault(b"\n", b"  ") == ": there is no event in it"
    other = b'{"event": "deploy", "at": "2026-03-01T12:00:01.000Z"}'
    assert fault(other) == ": there is no event in it that this version knows"


def test_what_is_wrong_with_a_file_begins_with_its_name(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(GOOD + b"x\n")
    for path, says in (
        (tmp_path / "none.jsonl", f"{tmp_path}/none.jsonl can't be read: No such file or directory"),
        (tmp_path, f"{tmp_path} can't be read: Is a directory"),
        (bad, f"{bad}:2: this is not JSON: Expecting value, column 1"),
    ):
        with pytest.raises(NotARecording) as error:
            load(path)
        assert str(error.value) == says


# Playing


def facts(playback: Playback) -> dict[str, Any]:
    """All that the dashboard can see of a playback."""
    source, feed = ReplaySource(playback, Dashboard()), playback.feed
    Engines(source).refresh(playback.position, feed)
    return {
        "position": playback.position,
        "status": source.status(),
        "chains": dict(source.chains()),
        "keys": source.keys(),
        "store": source.store,
        "lines": list(feed.ring),
        "figures": [feed.figures.of(model) for model in MODELS],
        "heard": dict(feed.engines),
        "last": (feed.last_at, feed.seen, feed.dropped),
        "since": [feed.benched_since(model) for model in MODELS],
        "tried": [feed.tried_by(model) for model in MODELS],
    }


@given(recordings, st.lists(st.floats(-10.0, 910.0), min_size=1, max_size=8))
def test_seeking_anywhere_shows_what_playing_straight_up_to_there_shows(
    made: Recording, places: list[float]
) -> None:
    sought = Playback(made)
    for place in places:
        sought.go_to(AT_S + place)
    straight = Playback(made)
    straight.go_to(sought.position)
    assert facts(sought) == facts(straight)


@given(recordings, st.lists(st.floats(0.0, 400.0), max_size=8), st.sampled_from(SPEEDS))
def test_playing_in_steps_shows_what_one_leap_shows(
    made: Recording, steps: list[float], speed: float
) -> None:
    played = Playback(made, speed=speed)
    looked = ReplaySource(played, Dashboard())
    for step in steps:
        played.run(step)
        Engines(looked).refresh(played.position, played.feed)
    leapt = Playback(made)
    leapt.go_to(played.position)
    assert facts(played) == facts(leapt)


@given(recordings, st.floats(-1e6, 1e6))
def test_the_position_is_always_within_the_recording(made: Recording, place: float) -> None:
    playback = Playback(made)
    playback.go_to(AT_S + place)
    assert made.start <= playback.position <= made.end


def test_it_plays_at_its_speed_and_stops_at_its_end() -> None:
    playback = Playback(incident(), speed=8.0)
    playback.run(2.0)
    assert playback.position == AT_S + 16.0
    playback.playing = False
    playback.run(2.0)
    assert playback.position == AT_S + 16.0
    playback.playing = True
    playback.run(60.0)
    assert playback.is_over
    assert not playback.playing


def test_an_event_is_seen_at_its_moment_and_not_before() -> None:
    playback = Playback(incident())
    source = ReplaySource(playback, Dashboard())
    states = {}
    for second in (29.999, 30.0, 89.9, 90.0, 92.0, 95.0):
        playback.go_to(AT_S + second)
        states[second] = {each.model: each.state for each in source.status()}["p/large"]
    assert list(states.values()) == ["live", "benched", "benched", "due", "on_trial", "live"]


def test_a_dense_recording_is_played_in_pieces() -> None:
    made = recorded(*(begun(f"r{number}", at=at(number / 100_000)) for number in range(45_000)))
    playback = Playback(made, speed=64.0)
    seen = []
    while playback.playing:
        playback.run(1.0)
        seen.append(playback.feed.seen)
    assert len(seen) == 3
    assert seen[-1] == 45_000


def test_speeds_go_up_and_down_by_two_between_their_ends() -> None:
    playback = Playback(incident(), speed=3.0)
    found = []
    for by in (1, -1, -1, 1, 1, 1, 1, 1, 1, 1):
        playback.faster(by)
        found.append(playback.speed)
    assert found == [4.0, 2.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 64.0]
    for _ in range(20):
        playback.faster(-1)
    assert playback.speed == 0.25


# How things stand


def at_end(*events: Any, seconds: float = 0.0) -> ReplaySource:
    playback = Playback(recorded(*events, begun("last", at=at(max(seconds, 0.001)))))
    playback.go_to(playback.recording.end)
    return ReplaySource(playback, Dashboard())


def state(source: ReplaySource, model: str) -> str:
    return next(each.state for each in source.status() if each.model == model)


def test_a_bench_tells_how_long_why_and_by_whom() -> None:
    source = at_end(
        put_out(0.0, level=2, failures=3),
        put_out(0.0, "q/small", None, manual=True, by="alice", reason="cost"),
        seconds=20.0,
    )
    large, small = (next(each for each in source.status() if each.model == m) for m in ("p/large", "q/small"))
    assert (large.state, large.remaining_s, large.for_s, large.reason) == (
        "benched",
        40.0,
        60.0,
        "overloaded",
    )
    assert (large.level, large.failures, large.until) == (2, 3, at(60.0))
    assert (small.state, small.remaining_s, small.manual, small.by) == ("held", None, True, "alice")


def test_a_hold_lies_over_a_bench_and_ends_by_itself() -> None:
    events = (put_out(0.0, for_s=100.0), put_out(1.0, for_s=10.0, manual=True, by="al"))
    assert state(at_end(*events, seconds=5.0), "p/large") == "held"
    assert state(at_end(*events, seconds=50.0), "p/large") == "benched"
    assert state(at_end(*events, seconds=150.0), "p/large") == "due"


def test_a_hold_of_a_provider_holds_its_models_but_for_those_that_are_spared() -> None:
    request = happened(RequestStarted, 0.0, request="r", chain="support", models=MODELS)
    held = put_out(1.0, "p/*", None, manual=True, by="al")
    source = at_end(request, held, seconds=2.0)
    assert [state(source, model) for model in MODELS] == ["held", "held", "live"]
    spared = happened(ModelUnbenched, 2.0, model="p/mini", why="operator", manual=True)
    assert [state(at_end(request, held, spared, seconds=3.0), model) for model in MODELS] == [
        "held",
        "live",
        "live",
    ]
    lifted = happened(ModelUnbenched, 2.0, model="p/*", why="operator", manual=True)
    assert state(at_end(request, held, lifted, seconds=3.0), "p/large") == "live"


@pytest.mark.parametrize(
    ("outcome", "then"), [("given_back", "due"), ("lapsed", "due"), ("failure", "due"), (None, "on_trial")]
)
def test_a_trial_is_under_way_until_it_is_settled(outcome: str | None, then: str) -> None:
    taken = happened(ModelTrial, 61.0, model="p/large", by="request", outcome=None)
    settled = happened(ModelTrial, 62.0, model="p/large", by="request", outcome=outcome)
    due = happened(ModelDue, 60.0, model="p/large")
    assert state(at_end(put_out(0.0), due, taken, settled, seconds=63.0), "p/large") == then


def test_a_bench_ends_a_trial_whose_end_was_not_recorded() -> None:
    due = happened(ModelDue, 60.0, model="p/large")
    taken = happened(ModelTrial, 61.0, model="p/large", by="request", outcome=None)
    assert state(at_end(put_out(0.0), due, taken, put_out(62.0), seconds=63.0), "p/large") == "benched"


def test_a_key_is_out_until_its_time_is_over() -> None:
    key = happened(KeyBenched, 0.0, key="p#main", for_s=30.0, until=at(30.0), reason="quota")
    on_model = happened(
        KeyBenched, 0.0, key="p#main/large", for_s=90.0, until=at(90.0), reason="rate_limited"
    )
    (found,) = at_end(key, on_model, seconds=10.0).keys()
    assert (found.key, found.state, found.remaining_s, found.reason) == ("p#main", "benched", 20.0, "quota")
    assert [each.name for each in found.on_models] == ["p#main/large"]
    (found,) = at_end(key, on_model, seconds=40.0).keys()
    assert (found.state, len(found.on_models)) == ("usable", 1)


def test_chains_are_as_their_latest_request_had_them_and_are_there_from_the_beginning() -> None:
    playback = Playback(
        recorded(
            begun("r0", at=at(0.0)),
            happened(RequestStarted, 10.0, request="r1", chain="support", models=("p/large", "p/mini")),
            happened(RequestStarted, 20.0, request="r2", chain="support", models=("p/mini",)),
            begun("r3", "solo/x", at=at(30.0)),
        )
    )
    source = ReplaySource(playback, Dashboard())
    assert source.chains() == {"support": ("p/large", "p/mini"), "in no chain": ("solo/x",)}
    playback.go_to(AT_S + 25.0)
    assert source.chains() == {"support": ("p/mini",), "in no chain": ("p/large", "solo/x")}


def test_who_would_have_been_asked_are_those_in_play() -> None:
    request = happened(RequestStarted, 0.0, request="r", chain="support", models=MODELS)
    source = at_end(request, put_out(1.0), seconds=2.0)
    assert [(each.model, each.would) for each in source.explain("support")] == [
        ("p/large", "skip"),
        ("p/mini", "try"),
        ("q/small", "try"),
    ]
    assert source.is_benched("p/large")
    assert not source.is_benched("p/mini")


def test_a_store_is_down_while_an_engine_says_so() -> None:
    down = happened(StoreDegraded, 1.0, store="standby.db", why="disk full")
    source = at_end(down, seconds=2.0)
    assert (source.store.ok, source.store.why) == (False, "search:71: disk full")
    assert at_end(down, happened(StoreRestored, 2.0, store="standby.db", why=""), seconds=3.0).store.ok


# Moments


def local(text: str) -> float:
    return datetime.fromisoformat(text).astimezone().timestamp()


def night() -> Recording:
    """From 23:50:30 to 00:10:30 local time."""
    start = datetime.fromtimestamp(local("2026-03-01T23:50:30"), UTC)
    times = (start.timestamp(), start.timestamp() + 1200.0)
    return Recording("x", (answered("a"), answered("b")), times)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("23:55", "2026-03-01T23:55:00"),
        ("23:55:10", "2026-03-01T23:55:10"),
        ("23:50", "2026-03-01T23:50:30"),
        ("0:05", "2026-03-02T00:05:00"),
        ("2026-03-02T00:05", "2026-03-02T00:05:00"),
        (" 2026-03-01 23:51:00 ", "2026-03-01T23:51:00"),
    ],
)
def test_a_moment_is_written_as_people_do(text: str, wanted: str) -> None:
    assert moment(text, night()) == local(wanted)


def test_a_moment_may_have_a_zone() -> None:
    wanted = datetime.fromtimestamp(local("2026-03-01T23:55:00"), UTC)
    assert moment(wanted.isoformat(), night()) == wanted.timestamp()


@pytest.mark.parametrize("text", ["12:00", "23:49", "0:11", "2026-03-02T00:11", "2025-03-01"])
def test_a_moment_outside_of_the_recording_is_told_with_its_span(text: str) -> None:
    with pytest.raises(ValueError, match="from 2026-03-01 23:50:30 to 2026-03-02 00:10:30"):
        moment(text, night())


@pytest.mark.parametrize("text", ["", "noon", "25:00", "12:99", "9999-99-99"])
def test_what_is_no_time_is_told_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is no time: write it as 14:05, 14:05:30 or 2026-03-01T23:50"):
        moment(text, night())


def test_a_last_line_that_is_cut_off_is_left_out_with_a_note() -> None:
    made = recording("x.jsonl", [GOOD, GOOD[:-20]])
    assert (len(made.events), made.note) == (1, "line 2, the last one, is cut off and left out")
    assert recording("x.jsonl", [GOOD]).note == ""
    for bad in ([GOOD[:-20]], [GOOD, GOOD[:-20] + b"\n", GOOD], [GOOD, b"# no event"], [GOOD, b'{"at": 1}']):
        with pytest.raises(NotARecording):
            recording("x.jsonl", bad)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotARecording, match="pipe is no file that could be played"):
        load(tmp_path / "pipe")
