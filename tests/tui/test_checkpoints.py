"""Checkpoints: whoever goes to a moment by one finds what going there from the beginning would show."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine import Dashboard, Event, FeedDropped, Figures, RequestSucceeded
from tests.tui.recordings import MODELS, at, happened, incident, put_out, recorded, recordings
from tests.tui.stage import AT_S, answered, begun, failed
from tui.feed import Feed
from tui.merger import Merger
from tui.replay.checkpoints import Checkpoint, Checkpoints
from tui.replay.playback import Playback, Recording
from tui.replay.source import ReplaySource
from tui.replay.stand import Stand


def facts(stand: Stand, feed: Feed) -> dict[str, Any]:
    """All that a stand and a feed know, as far as anything can come of it."""
    ring, figures = feed.ring, feed.figures
    merger: Merger = feed._merger
    assert merger.ring is ring
    return {
        "chains": list(stand.chains.items()),
        "models": list(stand.models),
        "keys": list(stand.keys),
        "degraded": list(stand.degraded.items()),
        "places": list(stand._places.items()),
        "ring": (ring.first, ring.end, ring.version, list(ring._lines.items())),
        "running": {key: number for key, number in merger._running.items() if number >= ring.first},
        "trials": {key: number for key, number in merger._trials.items() if number >= ring.first},
        "unseen": (merger._unseen, merger._passed),
        "tallies": [
            (model, [_plain(getattr(tally, name)) for name in tally.__slots__])
            for model, tally in figures._models.items()
        ],
        "servers": list(figures._servers.items()),
        "figures": [figures.of(model) for model in MODELS],
        "heard": list(feed.engines.items()),
        "told": (feed.seen, feed.dropped, feed.last_at, feed._benched_at, feed._tried_by),
        "edits": (feed.rejected, feed.rejections, feed.reloads),
    }


def _plain(fact: Any) -> Any:
    return (fact._counts, fact._head) if hasattr(fact, "_counts") else fact


def straight(made: Recording, position: float) -> Checkpoint:
    """How things stand at a position, from the beginning in one go."""

    def clock() -> float:
        return position

    begin = Checkpoint(0, Stand(), Feed(Figures(clock=clock, wall=clock)))
    return begin.go_on(made.events, made.times, bisect_right(made.times, position))[0]


@given(recordings, st.integers(1, 9), st.lists(st.floats(-10.0, 910.0), min_size=1, max_size=8))
def test_a_seek_by_checkpoints_finds_exactly_what_going_there_from_the_beginning_finds(
    made: Recording, every: int, places: list[float]
) -> None:
    playback = Playback(made, every=every)
    for place in (*places, made.end - AT_S):
        playback.go_to(AT_S + place)
        wanted = straight(made, playback.position)
        assert facts(playback.stand, playback.feed) == facts(wanted.stand, wanted.feed)


@given(recordings, st.integers(1, 9), st.lists(st.floats(0.0, 910.0), min_size=1, max_size=5))
def test_what_one_does_after_a_seek_changes_no_checkpoint(
    made: Recording, every: int, places: list[float]
) -> None:
    playback = Playback(made, every=every)
    for place in places:
        playback.go_to(AT_S + place)
        playback.feed.silence({event.engine for event in made.events})
        playback.run(30.0)
    fresh = Playback(made, playback.position, every=every)
    for mark, wanted in zip(playback.checkpoints._kept, fresh.checkpoints._kept, strict=True):
        assert facts(mark.stand, mark.feed) == facts(wanted.stand, wanted.feed)


def long() -> Recording:
    """More lines than the ring holds; some attempts and trials end when their lines have gone, or never."""
    events: list[Event] = []
    for number in range(9000):
        request, seconds = f"r{number}", number / 100
        events.append(begun(request, MODELS[number % 3], at=at(seconds), engine=f"e{number % 7}"))
        if number % 4:
            events.append(answered(request, MODELS[number % 3], at=at(seconds + 0.005)))
        if number >= 7000 and number % 8 == 0:
            late = f"r{number - 7000}"
            events.append(failed(late, MODELS[(number - 7000) % 3], at=at(seconds + 0.006)))
            events.append(happened(RequestSucceeded, seconds + 0.007, request=late, model="p/mini"))
        if number % 1000 == 500:
            events.append(put_out(seconds + 0.008, for_s=1.0))
            events.append(happened(FeedDropped, seconds + 0.009, count=2))
    return recorded(*events)


def test_lines_that_have_left_the_ring_make_no_difference() -> None:
    made = long()
    playback = Playback(made, every=1000)
    for second in (89.0, 30.0, 75.5, 60.0, 90.0, 0.0, 80.0):
        playback.go_to(AT_S + second)
        wanted = straight(made, playback.position)
        assert facts(playback.stand, playback.feed) == facts(wanted.stand, wanted.feed)


@pytest.mark.parametrize("heaviest", [1, 20_000, 1_000_000])
def test_however_long_a_recording_its_checkpoints_take_a_bounded_room(heaviest: int) -> None:
    made = long()
    marks = Checkpoints(made.events, made.times, float, every=500, heaviest=heaviest)
    assert sum(each.weight for each in marks._kept) <= max(heaviest, 6000)
    counts = [each.taken for each in marks._kept]
    assert counts == sorted(set(counts))
    assert counts[0] == 0
    found = [marks.before(count).taken for count in range(0, len(made.events) + 1, 97)]
    assert all(taken <= count for taken, count in zip(found, range(0, len(made.events) + 1, 97), strict=True))


def test_no_seek_takes_in_more_events_than_lie_between_two_checkpoints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = long()
    playback = Playback(made, every=1000)
    steps: list[int] = []
    take = Feed.take

    def counted(feed: Feed, timed: Any) -> Any:
        steps.append(len(timed))
        return take(feed, timed)

    monkeypatch.setattr(Feed, "take", counted)
    for second in (90.0, 80.0, 79.9, 0.0, 45.0, 44.0, 90.0):
        playback.go_to(AT_S + second)
    assert max(steps) < 2 * 1000


def test_a_short_way_ahead_keeps_what_one_looks_at() -> None:
    playback = Playback(incident())
    ring = playback.feed.ring
    assert not playback.go_to(AT_S + 60.0)
    assert playback.feed.ring is ring
    assert playback.go_to(AT_S + 30.0)


def test_chains_and_models_are_those_of_the_whole_recording() -> None:
    playback = Playback(incident(), every=3)
    assert playback.checkpoints.chains == {"support": MODELS}
    assert playback.checkpoints.models == MODELS
    assert [each.model for each in ReplaySource(playback, Dashboard()).status()] == list(MODELS)


def test_going_through_a_recording_is_told_until_all_of_it_is_done() -> None:
    made = incident()
    told: list[float] = []
    Playback(made, every=100, told=told.append)
    assert told == sorted(told)
    assert len(told) == len(made.events) // 100 + 1
    assert told[-1] == 1.0
