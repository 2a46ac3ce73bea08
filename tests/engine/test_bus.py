"""Events on their way to whoever listens."""

from __future__ import annotations

import gc
import json
import logging
import sys
from types import SimpleNamespace

import pytest

from engine.bus import Bus, as_line, iso
from engine.events import AttemptFailed, Event, ModelSkipped, ModelUnbenched
from tests.virtual_time import virtual


def _back(model: str = "p/m") -> ModelUnbenched:
    return ModelUnbenched(model=model, manual=False, why="expired")


def _wall() -> float:
    return 1_700_000_000.0125


def test_every_event_is_stamped_with_time_number_and_engine() -> None:
    bus, heard = Bus("svc:1", wall=_wall), list[Event]()
    bus.observe(heard.append)
    bus.emit(_back())
    bus.emit(_back())
    assert [(event.at, event.seq, event.engine) for event in heard] == [
        ("2023-11-14T22:13:20.012Z", 1, "svc:1"),
        ("2023-11-14T22:13:20.012Z", 2, "svc:1"),
    ]


def test_an_event_becomes_one_flat_json_object() -> None:
    event = ModelSkipped(live=SimpleNamespace(id="r", chain=None), model="p/m", why="benched")
    assert json.loads(json.dumps(event.to_json())) == {
        "event": "model.skipped",
        "at": "",
        "seq": 0,
        "engine": "",
        "request": "r",
        "model": "p/m",
        "why": "benched",
        "until": None,
    }


def test_an_observer_that_raises_is_logged_and_hears_no_more(caplog: pytest.LogCaptureFixture) -> None:
    bus, heard = Bus("e"), list[Event]()

    def broken(event: Event) -> None:
        heard.append(event)
        raise RuntimeError("observer is broken")

    bus.observe(broken)
    bus.emit(_back())
    bus.emit(_back())
    assert len(heard) == 1
    assert "an observer failed" in caplog.text


def test_an_observation_ends_with_its_context() -> None:
    bus, heard = Bus("e"), list[Event]()
    with bus.observe(heard.append):
        bus.emit(_back())
    bus.emit(_back())
    assert len(heard) == 1


def test_nobody_wants_a_quiet_event_when_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "standby")
    bus = Bus("e")
    assert not bus.wants(ModelSkipped)
    assert bus.wants(ModelUnbenched)  # the logger tells of it
    with bus.observe(lambda _: None):
        assert bus.wants(ModelSkipped)


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    bus = Bus("e")
    events = bus.events(maxsize=2)
    for number in range(5):
        bus.emit(_back(f"p/{number}"))
    bus.close()
    got = [event async for event in events]
    assert got[0].to_json()["count"] == 3
    assert [event.to_json().get("model") for event in got[1:]] == ["p/3", "p/4"]


async def test_a_queue_hears_what_happened_before_it_was_first_read() -> None:
    bus = Bus("e")
    events = bus.events()
    bus.emit(_back())
    assert (await anext(events)).event == "model.unbenched"


def test_a_queue_that_nobody_holds_any_more_does_not_listen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "standby")
    bus = Bus("e")
    events = bus.events()
    assert bus.wants(ModelSkipped)
    del events
    gc.collect()
    assert not bus.wants(ModelSkipped)


def test_words_from_outside_cannot_break_a_log_line() -> None:
    event = AttemptFailed(
        model="p/m\n",
        key=None,
        attempt=1,
        kind="transient",
        reason="x",
        status=500,
        message="a\nb\x1b[2J",
        elapsed_s=0.1,
    )
    line = as_line(event)
    assert line.isprintable()
    assert line.startswith('attempt.failed model="p/m\\n"')


def _failure(next_model: str | None) -> AttemptFailed:
    return AttemptFailed(
        model="p/m",
        key=None,
        attempt=1,
        kind="transient",
        reason="x",
        status=0,
        message="",
        elapsed_s=0.1,
        next_model=next_model,
    )


def test_a_failover_is_a_warning_and_a_retry_is_not() -> None:
    assert _failure("p/n").severity == logging.WARNING
    assert _failure(None).severity == logging.INFO


@pytest.mark.parametrize(
    ("epoch_s", "text"),
    [
        (1e15, "9999-12-31T23:59:59.000Z"),
        (253_402_300_799.9999, "9999-12-31T23:59:59.000Z"),
        (sys.float_info.max, "9999-12-31T23:59:59.000Z"),
        (-1e15, "0001-01-01T00:00:00.000Z"),
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000.9999, "2023-11-14T22:13:20.999Z"),
    ],
)
def test_a_time_that_no_calendar_holds_is_told_as_its_end(epoch_s: float, text: str) -> None:
    assert iso(epoch_s) == text


@virtual
async def test_a_feed_taken_from_a_closed_bus_is_over_and_hears_nothing() -> None:
    bus = Bus("e")
    bus.close()
    events = bus.events()
    bus.emit(_back())
    assert [event async for event in events] == []
