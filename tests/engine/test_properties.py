"""What holds whatever the upstreams do and whatever the policy says: hypothesis plays both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from engine.engine import Engine
from engine.errors import AllBenched, ChainExhausted, StandbyError
from engine.messages import Delta, ToolCallDelta
from engine.policy import Backoff, Policy, Timeouts
from engine.providers.base import End, Finish, Signal, Vectors
from tests.scripted import HANG, After, Heard, Parts, Scripted, chain_of, running, speak, status
from tests.virtual_time import pass_time, run_virtual

OVERTIME_S = 0.05

FINISH = [Finish("stop"), End()]
REFUSALS = [
    *(status(code) for code in (400, 401, 403, 404, 408, 413, 418, 500, 503, 529)),
    *(status(429, retry_after_s=seconds) for seconds in (None, 0.0, 0.5, 1.9, 5.0, 29.0, 500.0, 1e7)),
    Signal("connection"),
    Signal("protocol"),
    Signal("content_filter"),
    Signal("unsupported"),
    ValueError("a fault of the adapter's own"),
]
SILENCE = [HANG, After(7.0, "late"), After(19.0, status(503)), Parts([3600.0]), Parts([[], 4.9, [], 4.9])]
NOTHING = ["", Parts([]), Parts([FINISH]), Parts([[Delta(reasoning="hm")], FINISH]), Vectors([])]
BROKEN = [
    Parts([[Delta("so")]]),
    Parts([[Delta("so")], Signal("connection")]),
    Parts([[Delta("so ")], 3.0, Signal("error", codes=("overloaded_error",))]),
    Parts([[Delta("so")], Signal("error", codes=("invalid_request_error",))]),
    Parts([[Delta("so")], 3600.0]),
    Parts([[Delta(tool_call=ToolCallDelta(0, "id", "name", "{"))], Signal("connection")]),
    Parts([[Delta(reasoning="hm")], Signal("connection")]),
]
GOOD = ["fine", speak("very fine"), After(3.0, "slow"), Parts([4.9, [Delta("x")], 3.9, FINISH, 3600.0])]

SCRIPTS = st.lists(
    st.lists(st.sampled_from(REFUSALS + SILENCE + NOTHING + BROKEN + GOOD), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
)


def _steady(attempt: int) -> float:
    return 3.0 * attempt


BACKOFFS: list[Backoff | Callable[[int], float]] = [Backoff(), Backoff(0, 0), Backoff(1e9, 1e9), _steady]
POLICIES = st.builds(
    Policy,
    attempts=st.integers(1, 4),
    backoff=st.sampled_from(BACKOFFS),
    cooldown=st.sampled_from([10.0, 60.0, 300.0]),
    cooldown_growth=st.sampled_from([1.0, 2.0, 1e300]),
    max_cooldown=st.sampled_from([300.0, 3600.0]),
    bench_after=st.integers(1, 3),
    timeouts=st.just(Timeouts(first_token=5, idle=4, attempt=20)),
    retry_after_patience=st.sampled_from([0.0, 2.0, 60.0]),
    max_wait=st.sampled_from([0.0, 3.0, 30.0]),
    when_all_benched=st.sampled_from(["try", "wait", "fail"]),
    trial=st.sampled_from(["request", "probe"]),
    on_auth_error=st.sampled_from(["bench", "raise"]),
    on_request_error=st.sampled_from(["next", "raise"]),
    on_content_filter=st.sampled_from(["next", "raise"]),
    mid_stream=st.sampled_from(["raise", "append", "continue", "restart"]),
)
MODES = st.sampled_from(["complete", "stream", "embed"])


async def ask(engine: Engine, mode: str, **asking: Any) -> None:
    match mode:
        case "complete":
            assert (await engine.complete("main", "hi", **asking)).text
        case "embed":
            assert (await engine.embed("main", "hi", **asking)).vectors
        case _:
            async with engine.stream("main", "hi", **asking) as stream:
                text = ""
                async for delta in stream:
                    text = delta.text if delta.restart else text + delta.text
            assert stream.reply is not None
            assert stream.reply.text == text


async def timed(engine: Engine, mode: str, deadline: float) -> None:
    """Asks, and takes the time. Ends with an answer or a StandbyError; anything else fails the test."""
    clock = asyncio.get_running_loop().time
    began = clock()
    with suppress(StandbyError):
        await ask(engine, mode, deadline=deadline)
    assert clock() - began <= deadline + OVERTIME_S


def check_story(heard: Heard) -> None:
    """Each request begins once and ends once, so does each attempt, and no event is missing."""
    assert all(later.seq == earlier.seq + 1 for earlier, later in pairwise(heard))
    stories: dict[str, list[str]] = {}
    for event in heard:
        if request := getattr(event, "request", None):
            stories.setdefault(request, []).append(event.event)
    for names in stories.values():
        assert names[0] == "request.started"
        assert names[-1] in {"request.succeeded", "request.failed", "request.cancelled"}
        assert sum(name.startswith("request.") for name in names) == 2
        under_way = 0
        for name in names:
            under_way += name == "attempt.started"
            under_way -= name in {"attempt.succeeded", "attempt.failed", "attempt.cancelled"}
            assert under_way in {0, 1}
        assert under_way == 0
    on_trial: dict[str, int] = {}
    for event in heard.of("model.trial"):
        on_trial[event.model] = on_trial.get(event.model, 0) + (1 if event.outcome is None else -1)
        assert on_trial[event.model] in {0, 1}
    assert not any(on_trial.values())


@settings(max_examples=150)
@example([[status(500)]], Policy(backoff=_steady), [(["complete"], 2.0, 0.0)])
@given(
    scripts=SCRIPTS,
    policy=POLICIES,
    rounds=st.lists(
        st.tuples(st.lists(MODES, min_size=1, max_size=3), st.floats(0.001, 200), st.floats(0, 400)),
        min_size=1,
        max_size=4,
    ),
)
def test_no_request_outlasts_its_deadline_and_each_tells_its_whole_story(
    scripts: list[list[Any]], policy: Policy, rounds: list[tuple[list[str], float, float]]
) -> None:
    names = [f"m{number}" for number in range(len(scripts))]

    async def play() -> Heard:
        provider = Scripted(dict(zip(names, scripts, strict=True)))
        async with running(chain_of(provider, *names, policy=policy)) as (engine, heard):
            for modes, deadline, pause_s in rounds:
                await asyncio.gather(*(timed(engine, mode, deadline) for mode in modes))
                await pass_time(pause_s)
        assert provider.open == 0
        assert len(provider.calls) + len(provider.embeds) == len(heard.of("attempt.started"))
        return heard

    heard = run_virtual(play())
    check_story(heard)
    for started in heard.of("request.started"):
        calls = sum(event.request == started.request for event in heard.of("attempt.started"))
        # One more for each model that may have refused to go on from a partial answer.
        refusals = started.mode == "stream" and policy.mid_stream == "continue"
        assert calls <= (policy.attempts + refusals) * len(started.models)


OUTAGE = st.lists(
    st.lists(
        st.sampled_from(
            [
                *(status(code) for code in (401, 404, 418, 500, 503)),
                *(status(429, retry_after_s=seconds) for seconds in (None, 0.5, 5.0, 90.0, 1e7)),
                Signal("connection"),
                HANG,
            ]
        ),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150)
@given(
    scripts=OUTAGE,
    attempts=st.integers(1, 4),
    first=MODES,
    bursts=st.lists(st.tuples(st.floats(0, 900), st.lists(MODES, min_size=1, max_size=20)), max_size=6),
)
def test_an_outage_is_not_made_worse(
    scripts: list[list[Any]], attempts: int, first: str, bursts: list[tuple[float, list[str]]]
) -> None:
    names = [f"m{number}" for number in range(len(scripts))]
    limits = Timeouts(first_token=20, attempt=20)
    policy = Policy(attempts=attempts, when_all_benched="fail", timeouts=limits, deadline=1e6)

    async def play() -> None:
        provider = Scripted(dict(zip(names, scripts, strict=True)))
        async with running(chain_of(provider, *names, policy=policy)) as (engine, heard):
            with pytest.raises(ChainExhausted):
                await ask(engine, first)
            assert len(heard.of("attempt.started")) <= attempts * len(names)
            heard.clear()
            for pause_s, modes in bursts:
                await pass_time(pause_s)
                ends = await asyncio.gather(*(ask(engine, mode) for mode in modes), return_exceptions=True)
                assert all(isinstance(end, AllBenched | ChainExhausted) for end in ends)
            taken = [event for event in heard.of("model.trial") if event.outcome is None]
            assert len(heard.of("attempt.started")) == len(taken)

    run_virtual(play())
