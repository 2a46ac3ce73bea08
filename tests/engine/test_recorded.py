"""From one JSON object of the journal to the event it was."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine import events
from engine.events import Event, ModelBenched, ModelDue, RequestFailed, RequestStarted
from engine.recorded import event_from_json

KINDS = sorted(
    (
        each
        for each in vars(events).values()
        if isinstance(each, type) and issubclass(each, Event) and each.event
    ),
    key=lambda kind: kind.event,
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
TIMES = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(),
    "Kind": st.sampled_from(["transient", "auth_dead", "request_specific", "unknown"]),
    "int": st.integers(),
    "float": NUMBERS,
    "bool": st.booleans(),
    "tuple[str, ...]": st.lists(st.text()).map(tuple),
    "tuple[Mapping[str, Any], ...]": st.lists(st.dictionaries(st.text(), JSON)).map(tuple),
    "Any": JSON,
}


def value(field: dataclasses.Field[Any]) -> st.SearchStrategy[Any]:
    kind = str(field.type).removesuffix(" | None")
    values = TIMES if field.name in ("at", "until") else VALUES[kind]
    return values if kind == field.type else st.none() | values


@st.composite
def any_event(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(KINDS))
    shown = [each for each in dataclasses.fields(kind) if not each.metadata.get("in_process")]
    return kind(**{each.name: draw(value(each)) for each in shown})


@given(any_event())
def test_every_event_comes_back_from_json_as_it_was(event: Event) -> None:
    back = event_from_json(json.loads(json.dumps(event.to_json())))
    assert type(back) is type(event)
    assert back.to_json() == event.to_json()


def test_lists_are_tuples_again() -> None:
    data: dict[str, Any] = {
        "event": "request.started",
        "target": "main",
        "models": ["p/a", "p/b"],
        "mode": "stream",
    }
    data |= {"prompt": [{"role": "user"}]}
    event = event_from_json(data)
    assert isinstance(event, RequestStarted)
    assert event.models == ("p/a", "p/b")
    assert event.prompt == [{"role": "user"}]
    failed = event_from_json(
        {"event": "request.failed", "error": "E", "message": "", "causes": [{"model": "p/a"}], "elapsed_s": 1}
    )
    assert isinstance(failed, RequestFailed)
    assert failed.causes == ({"model": "p/a"},)


def test_a_field_that_a_newer_version_added_is_passed_over() -> None:
    event = event_from_json({"event": "model.due", "model": "p/a", "seq": 3, "colour": "red"})
    assert isinstance(event, ModelDue)
    assert (event.model, event.seq) == ("p/a", 3)


BENCHED = {
    "event": "model.benched", "at": "2026-11-21T14:02:10.000Z", "seq": 7, "engine": "api:1", "model": "p/a",
    "until": None, "for_s": 300.0, "level": 1, "failures": 1, "manual": False, "reason": "overloaded",
}  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"event": "model.retired"},
        {"level": None},
        {"level": "1"},
        {"level": True},
        {"for_s": "300"},
        {"manual": 0},
        {"until": "soon"},
        {"until": "2026-11-21T14:07:10"},
        {"model": ["p/a"]},
        {"model": ...},
    ],
)
def test_what_this_version_does_not_know_is_a_bare_event(changed: dict[str, Any]) -> None:
    assert isinstance(event_from_json(BENCHED), ModelBenched)
    data = {name: value for name, value in (BENCHED | changed).items() if value is not ...}
    event = event_from_json(data)
    assert type(event) is Event
    assert (event.at, event.seq, event.engine) == ("2026-11-21T14:02:10.000Z", 7, "api:1")


def test_a_bare_event_has_only_those_common_fields_that_make_sense() -> None:
    event = event_from_json({"event": "model.due", "at": "long ago", "seq": "x", "engine": "api:1"})
    assert (type(event), event.at, event.seq, event.engine) == (Event, "", 0, "api:1")


@pytest.mark.parametrize(
    "data", [None, [], "model.due", 3, {}, {"event": None}, {"event": ""}, {"event": []}]
)
def test_what_is_no_event_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="no event"):
        event_from_json(data)
