"""Recordings for tests: events as an export has them, made by hand or by hypothesis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from hypothesis import strategies as st

from engine import (
    AttemptStarted,
    Event,
    KeyBenched,
    KeyUnbenched,
    ModelBenched,
    ModelDue,
    ModelTrial,
    ModelUnbenched,
    RequestFailed,
    RequestStarted,
    RequestSucceeded,
    StoreDegraded,
    StoreRestored,
)
from tests.tui.stage import AT_S, answered, begun, failed, told
from tui.replay.playback import Recording, recording

E = TypeVar("E", bound=Event)
MODELS = ("p/large", "p/mini", "q/small")


def at(seconds: float) -> str:
    """A time so long after the beginning, as events tell it."""
    when = datetime.fromtimestamp(AT_S + seconds, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def put_out(seconds: float, model: str = "p/large", for_s: float | None = 60.0, **facts: Any) -> ModelBenched:
    until = None if for_s is None else at(seconds + for_s)
    facts = {"reason": "overloaded", "engine": "search:71", **facts}
    return told(ModelBenched, at=at(seconds), model=model, for_s=for_s, until=until, **facts)


def happened(kind: type[E], seconds: float, **facts: Any) -> E:
    return told(kind, at=at(seconds), **{"engine": "search:71", **facts})


def lines(events: Sequence[Event]) -> list[bytes]:
    """Events as the lines of a file."""
    return [json.dumps(event.to_json()).encode() + b"\n" for event in events]


def recorded(*events: Event) -> Recording:
    return recording("incident.jsonl", lines(events))


def incident() -> Recording:
    """Two minutes: requests each second by two engines, and a model that is benched, tried, and back."""
    events: list[Event] = []
    for second in range(120):
        engine = ("search:71", "api:2")[second % 2]
        where = {"engine": engine, "request": f"r{second}"}
        model = "p/mini" if 30 <= second < 95 else "p/large"
        events += [
            happened(RequestStarted, second, chain="support", models=MODELS, **where),
            begun(at=at(second + 0.1), model=model, key="p#main", **where),
            answered(at=at(second + 0.8), model=model, first_token_s=0.34, **where),
            happened(RequestSucceeded, second + 0.8, chain="support", model=model, **where),
        ]
    events += [
        put_out(30.0),
        happened(ModelDue, 90.0, model="p/large"),
        happened(ModelTrial, 92.0, model="p/large", by="request", outcome=None),
        happened(ModelTrial, 95.0, model="p/large", by="request", outcome="success"),
        happened(ModelUnbenched, 95.0, model="p/large", why="success"),
        put_out(60.0, "q/small", None, manual=True, by="alice", reason="cost", engine="api:2"),
        happened(
            ModelUnbenched, 110.0, model="q/small", why="operator", manual=True, by="bob", engine="api:2"
        ),
    ]
    return recorded(*events)


_SECONDS = st.integers(0, 900_000).map(lambda ms: ms / 1000)
_ENGINES = st.sampled_from(["search:71", "api:2", "standby:9"])
_REQUESTS = st.sampled_from(["r1", "r2", "r3"])
_NAMES = st.sampled_from([*MODELS, "p/*", "q/*"])
_KEYS = st.sampled_from(["p#main", "p#spare/large"])
_LENGTHS = st.none() | st.sampled_from([0.5, 30.0, 600.0])
_FLAGS = st.booleans()
_MODELS = st.sampled_from(MODELS)
_WHY = st.sampled_from(["success", "operator", "expired"])
_OUTCOMES = st.none() | st.sampled_from(["success", "failure", "given_back", "lapsed"])


@st.composite
def _events(draw: st.DrawFn) -> Any:
    """Any event at any time: not what an engine would tell, but what a file may hold."""
    seconds = draw(_SECONDS)
    where = {"at": at(seconds), "engine": draw(_ENGINES)}
    kind: Any = draw(
        st.sampled_from([
            RequestStarted, AttemptStarted, "answered", "failed", RequestSucceeded, RequestFailed,
            ModelBenched, KeyBenched, ModelUnbenched, KeyUnbenched, ModelDue, ModelTrial,
            StoreDegraded, StoreRestored,
        ])
    )  # fmt: skip
    request, model = draw(_REQUESTS), draw(_MODELS)
    chain = draw(st.sampled_from(["support", "drafts", None]))
    if kind is AttemptStarted:
        return begun(request, model, key=draw(st.none() | _KEYS), **where)
    if kind == "answered":
        return answered(request, model, first_token_s=draw(st.none() | st.just(0.3)), **where)
    if kind == "failed":
        return failed(request, model, **where)
    if kind in (RequestStarted, RequestSucceeded, RequestFailed):
        models = draw(st.permutations(MODELS).map(tuple))
        facts = {"models": models} if kind is RequestStarted else {"model": model}
        if kind is RequestFailed:
            facts = {}
        return told(kind, request=request, chain=chain, **facts, **where)
    if kind in (ModelBenched, KeyBenched):
        for_s = draw(_LENGTHS)
        until = None if for_s is None else at(seconds + for_s)
        name = {"model": draw(_NAMES)} if kind is ModelBenched else {"key": draw(_KEYS)}
        return told(kind, for_s=for_s, until=until, manual=draw(_FLAGS), **name, **where)
    if kind in (ModelUnbenched, KeyUnbenched):
        name = {"model": draw(_NAMES)} if kind is ModelUnbenched else {"key": draw(_KEYS)}
        return told(kind, why=draw(_WHY), manual=draw(_FLAGS), **name, **where)
    if kind is ModelTrial:
        return told(kind, model=model, by="request", outcome=draw(_OUTCOMES), **where)
    return told(kind, **({"model": model} if kind is ModelDue else {}), **where)


recordings = st.lists(_events(), min_size=1, max_size=60).map(lambda events: recorded(*events))
