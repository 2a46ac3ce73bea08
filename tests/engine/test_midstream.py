"""Streams that break after content, in virtual time: raise, append, continue, restart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.config.model import KeySource
from engine.errors import DeadlineExceeded, StreamInterrupted
from engine.messages import Delta, ToolCallDelta, Usage
from engine.policy import Backoff, MidStream, Policy, Timeouts
from engine.providers.base import Call, End, Finish, Signal
from engine.stream import Stream
from tests.scripted import HANG, After, Parts, Scripted, chain_of, running, speak, status
from tests.virtual_time import pass_time, virtual

RESET = Signal("connection", "reset by peer")
BROKEN = Parts([[Delta("so ")], [Delta("far")], RESET])
END = [Finish("stop"), Usage(3, 2), End()]


def going(mode: MidStream, **changes: Any) -> Policy:
    return Policy(mid_stream=mode, backoff=Backoff(0, 0), **changes)


def says(*pieces: str) -> Parts:
    return Parts([*([Delta(piece)] for piece in pieces), END])


def tool(index: int, arguments: str, name: str = "") -> list[Delta]:
    return [Delta(tool_call=ToolCallDelta(index, f"id-{name}" if name else "", name, arguments))]


async def seen(stream: Stream) -> str:
    """What a caller has who does as the deltas say."""
    text = ""
    async for delta in stream:
        text = delta.text if delta.restart else text + delta.text
    return text


@virtual
async def test_append_lets_the_next_model_answer_from_the_start_behind_what_there_is() -> None:
    provider = Scripted({"a": [BROKEN], "b": [says("All ", "anew")]})
    async with running(chain_of(provider, "a", "b", policy=going("append"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            assert await seen(stream) == "so farAll anew"
            assert (stream.text, stream.model, stream.attempts) == ("so farAll anew", "p/b", 2)
        reply = stream.reply
        assert reply is not None
        assert (reply.text, reply.model, reply.attempts, reply.fallback) == ("so farAll anew", "p/b", 2, True)
        assert (reply.finish_reason, reply.usage) == ("stop", Usage(3, 2))
    assert provider.calls[0].messages == provider.calls[1].messages
    (broken,) = heard.of("stream.broken")
    assert (broken.model, broken.delivered_chars, broken.mode, broken.next_model) == (
        "p/a",
        6,
        "append",
        "p/b",
    )
    assert heard.names() == [
        "request.started",
        "attempt.started",
        "attempt.first_token",
        "attempt.failed",
        "model.benched",
        "stream.broken",
        "attempt.started",
        "attempt.first_token",
        "attempt.succeeded",
        "request.succeeded",
    ]
    assert heard.of("attempt.failed")[0].next_model == "p/b"


@virtual
async def test_continue_sends_the_partial_answer_as_the_assistants_and_its_text_follows() -> None:
    broken = Parts([[Delta("The sky")], [Delta(" is \n")], RESET])
    provider = Scripted({"a": [broken], "b": [says("blue", ".")]})
    async with running(chain_of(provider, "a", "b", policy=going("continue"))) as (engine, heard):
        async with engine.stream("main", "why?", system="Be brief.") as stream:
            assert await seen(stream) == "The sky is \nblue."
        assert stream.reply is not None
        assert (stream.reply.text, stream.reply.model) == ("The sky is \nblue.", "p/b")
    system, user, assistant = provider.calls[1].messages
    assert system["content"].startswith("Be brief.\n\n")
    assert user == {"role": "user", "content": "why?"}
    assert assistant == {"role": "assistant", "content": "The sky is"}
    assert [message["role"] for message in provider.calls[0].messages] == ["system", "user"]
    assert heard.of("stream.broken")[0].mode == "continue"


@pytest.mark.parametrize(
    ("kept", "pieces", "whole"),
    [
        ("one ", ["two"], "one two"),
        ("one ", [" two"], "one two"),
        ("one", [" two"], "one two"),
        ("one\n\n", ["\n\ntwo"], "one\n\ntwo"),
        ("one\n\n", ["\n", "\n", "two"], "one\n\ntwo"),
        ("one\n\n", ["\n", "two"], "one\n\ntwo"),
        ("one\n", ["\n\ntwo"], "one\n\ntwo"),
        ("one \n", ["two \n", " \nthree"], "one \ntwo \n \nthree"),
    ],
)
@virtual
async def test_blanks_at_the_seam_are_there_once(kept: str, pieces: list[str], whole: str) -> None:
    provider = Scripted({"a": [Parts([[Delta(kept)], RESET])], "b": [says(*pieces)]})
    async with running(chain_of(provider, "a", "b", policy=going("continue"))) as (engine, _):
        async with engine.stream("main", "hi") as stream:
            assert await seen(stream) == whole
            assert stream.text == whole


@virtual
async def test_a_model_that_refuses_to_go_on_is_asked_anew_and_nobody_hears_of_the_refusal() -> None:
    provider = Scripted({"a": [BROKEN], "b": [status(400), says("All ", "anew")]})
    async with running(chain_of(provider, "a", "b", policy=going("continue"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            deltas = [delta async for delta in stream]
        assert [(delta.text, delta.restart) for delta in deltas] == [
            ("so ", False),
            ("far", False),
            ("", True),
            ("All ", False),
            ("anew", False),
        ]
        assert stream.reply is not None
        assert (stream.reply.text, stream.reply.model, stream.reply.attempts) == ("All anew", "p/b", 3)
        assert not engine.is_benched("p/b")
    assert provider.models() == ["a", "b", "b"]
    assert provider.calls[2].messages == provider.calls[0].messages
    assert [event.attempt for event in heard.of("attempt.started")] == [1, 1, 1]
    assert [event.retry_in_s for event in heard.of("attempt.failed")] == [None, 0.0]
    (succeeded,) = heard.of("request.succeeded")
    assert [cause.reason for cause in succeeded.live.causes] == ["connection"]


@virtual
async def test_a_refused_continuation_is_in_no_error_even_when_nobody_answers() -> None:
    def refusing(call: Call) -> Exception:
        return status(400 if call.messages[-1]["role"] == "assistant" else 503)

    provider = Scripted({"a": [BROKEN], "b": refusing, "c": refusing})
    policy = going("continue", attempts=2)
    async with running(chain_of(provider, "a", "b", "c", policy=policy)) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted) as caught:
                await seen(stream)
    error = caught.value
    assert (error.text, error.model, error.cause.reason) == ("so far", "p/a", "connection")
    assert [(cause.model, cause.status) for cause in error.causes] == [
        ("p/a", 0),
        *[("p/b", 503)] * 2,
        *[("p/c", 503)] * 2,
    ]
    assert "HTTP 400" not in str(error)
    assert provider.models() == ["a", "b", "b", "b", "c", "c", "c"]
    (failed,) = heard.of("request.failed")
    assert failed.error == "StreamInterrupted"
    assert [cause["status"] for cause in failed.causes] == [0, 503, 503, 503, 503]


TOOL_THEN_BREAK = Parts([[Delta("Let me see. ")], tool(0, '{"ci', "weather"), RESET])


@virtual
async def test_a_broken_tool_call_is_never_continued() -> None:
    provider = Scripted({"a": [TOOL_THEN_BREAK], "b": [says("Rain.")]})
    async with running(chain_of(provider, "a", "b", policy=going("continue"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            assert await seen(stream) == "Rain."
        assert stream.reply is not None
        assert (stream.reply.text, stream.reply.tool_calls) == ("Rain.", ())
    assert heard.of("stream.broken")[0].mode == "restart"
    assert provider.calls[1].messages == provider.calls[0].messages


@pytest.mark.parametrize("kept", ['{"sky": "bl', " \n"])
@virtual
async def test_neither_json_nor_mere_blanks_are_continued(kept: str) -> None:
    provider = Scripted({"a": [Parts([[Delta(kept)], RESET])], "b": [says('{"sky": "blue"}')]})
    form = {"type": "json_object"} if kept.strip() else None
    async with running(chain_of(provider, "a", "b", policy=going("continue"))) as (engine, heard):
        async with engine.stream("main", "hi", response_format=form) as stream:
            assert await seen(stream) == '{"sky": "blue"}'
    assert heard.of("stream.broken")[0].mode == "restart"
    assert provider.calls[1].messages == provider.calls[0].messages


@virtual
async def test_tool_calls_that_are_appended_count_on() -> None:
    following = Parts([tool(0, "{}", "time"), tool(1, "{}", "place"), END])
    provider = Scripted({"a": [TOOL_THEN_BREAK], "b": [following]})
    async with running(chain_of(provider, "a", "b", policy=going("append"))) as (engine, _):
        async with engine.stream("main", "hi") as stream:
            calls = [delta.tool_call async for delta in stream if delta.tool_call]
        assert [call.index for call in calls] == [0, 1, 2]
        assert stream.reply is not None
        assert [call.name for call in stream.reply.tool_calls] == ["weather", "time", "place"]
        assert stream.reply.tool_calls[0].arguments == '{"ci'


@virtual
async def test_a_model_that_goes_on_and_breaks_too_is_followed_by_the_next() -> None:
    provider = Scripted({"a": [BROKEN], "b": [Parts([[Delta(", but")], RESET])], "c": [says(" no further")]})
    async with running(chain_of(provider, "a", "b", "c", policy=going("continue"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            assert await seen(stream) == "so far, but no further"
        assert [out.name for out in engine.benched()] == ["p/a", "p/b"]
    assert provider.calls[2].messages[-1]["content"] == "so far, but"
    told = [(event.model, event.delivered_chars, event.next_model) for event in heard.of("stream.broken")]
    assert told == [("p/a", 6, "p/b"), ("p/b", 11, "p/c")]


@pytest.mark.parametrize("mode", ["append", "continue", "restart"])
@virtual
async def test_when_nobody_goes_on_the_error_has_the_text_so_far_and_every_cause(mode: MidStream) -> None:
    provider = Scripted({"a": [BROKEN], "b": [status(503)]})
    policy = going(mode, attempts=2)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted) as caught:
                await seen(stream)
            assert stream.text == "so far"
    error = caught.value
    assert (error.text, error.model, error.cause.model) == ("so far", "p/a", "p/a")
    assert [(cause.model, cause.reason) for cause in error.causes] == [
        ("p/a", "connection"),
        ("p/b", "overloaded"),
        ("p/b", "overloaded"),
    ]
    assert "reset by peer" in str(error)
    assert "overloaded (HTTP 503)" in str(error)
    (failed,) = heard.of("request.failed")
    assert [cause["model"] for cause in failed.causes] == ["p/a", "p/b", "p/b"]


@pytest.mark.parametrize("mode", ["append", "continue", "restart"])
@virtual
async def test_a_last_model_that_breaks_is_not_asked_again(mode: MidStream) -> None:
    provider = Scripted({"a": [BROKEN]})
    async with running(chain_of(provider, "a", policy=going(mode, attempts=5))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted, match="nobody"):
                await seen(stream)
    assert len(provider.calls) == 1
    assert heard.of("stream.broken")[0].next_model is None


@pytest.mark.parametrize("brings", [HANG, After(2, says("one", "two")), Parts([[Delta("x")], 60.0])])
@virtual
async def test_a_deadline_that_passes_while_going_on_leaves_the_text_with_the_caller(brings: Any) -> None:
    slow = Parts([[Delta("so far")], 2.5, RESET])
    provider = Scripted({"a": [slow], "b": [brings]})
    async with running(chain_of(provider, "a", "b", policy=going("append"))) as (engine, heard):
        async with engine.stream("main", "hi", deadline=4) as stream:
            with pytest.raises(DeadlineExceeded) as caught:
                await seen(stream)
            assert stream.text.startswith("so far")
        assert asyncio.get_running_loop().time() == pytest.approx(4.0)
        assert [cause.reason for cause in caught.value.causes] == ["connection"]
        assert [out.name for out in engine.benched()] == ["p/a"]
    assert heard.of("attempt.cancelled")[0].why == "deadline"
    assert provider.open == 0


@virtual
async def test_a_break_counts_once_and_benches_as_the_policy_says() -> None:
    provider = Scripted({"a": [BROKEN], "b": [says("b")]})
    policy = going("append", bench_after=3, attempts=5)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        for count in range(1, 4):
            async with engine.stream("main", "hi") as stream:
                await seen(stream)
            assert engine.is_benched("p/a") == (count == 3)
        assert [event.failures for event in heard.of("model.benched")] == [3]
        failed = [(event.benched, event.retry_in_s) for event in heard.of("attempt.failed")]
        assert failed == [(False, None), (False, None), (True, None)]
    assert provider.models() == ["a", "b"] * 3


@virtual
async def test_with_raise_too_a_break_is_the_models_failure() -> None:
    provider = Scripted({"a": [BROKEN], "b": [says("b")]})
    async with running(chain_of(provider, "a", "b", policy=going("raise"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted) as caught:
                await seen(stream)
        assert engine.is_benched("p/a")
    assert provider.models() == ["a"]
    assert (caught.value.text, [cause.reason for cause in caught.value.causes]) == ("so far", ["connection"])
    (failed,) = heard.of("attempt.failed")
    assert (failed.benched, failed.next_model) == (True, None)


@virtual
async def test_a_restart_comes_only_with_the_words_of_who_really_answers() -> None:
    provider = Scripted(
        {"a": [BROKEN], "b": [status(503)], "c": [HANG], "d": [After(1, says("All ", "anew"))]}
    )
    policy = going("restart", timeouts=Timeouts(first_token=5))
    async with running(chain_of(provider, "a", "b", "c", "d", policy=policy)) as (engine, _):
        async with engine.stream("main", "hi") as stream:
            deltas = aiter(stream)
            assert [(await anext(deltas)).text for _ in range(2)] == ["so ", "far"]
            waiting = asyncio.create_task(anext(deltas))
            await pass_time(5.5)
            assert (stream.text, stream.model) == ("so far", None)
            assert await waiting == Delta(restart=True)
            assert stream.text == ""
            assert "".join([delta.text async for delta in deltas]) == "All anew"
        assert stream.reply is not None
        assert (stream.reply.text, stream.reply.model) == ("All anew", "p/d")


@pytest.mark.parametrize("nothing", [Parts([END]), Parts([[Delta(reasoning="done already")], END])])
@virtual
async def test_a_model_that_has_nothing_to_add_has_succeeded(nothing: Parts) -> None:
    provider = Scripted({"a": [BROKEN], "b": [nothing]})
    async with running(chain_of(provider, "a", "b", policy=going("continue"))) as (engine, _):
        async with engine.stream("main", "hi") as stream:
            assert await seen(stream) == "so far"
        assert stream.reply is not None
        assert (stream.reply.text, stream.reply.model) == ("so far", "p/b")
        assert not engine.is_benched("p/b")


@virtual
async def test_an_answer_from_the_start_that_is_empty_has_failed() -> None:
    provider = Scripted({"a": [BROKEN], "b": [Parts([END])], "c": [says("c")]})
    async with running(chain_of(provider, "a", "b", "c", policy=going("append"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            assert await seen(stream) == "so farc"
    assert [event.reason for event in heard.of("attempt.failed")] == ["connection", "empty"]


@virtual
async def test_a_failure_of_the_next_model_before_its_first_word_is_an_ordinary_one() -> None:
    provider = Scripted({"a": [BROKEN], "b": [status(503), says(" and on")]})
    async with running(chain_of(provider, "a", "b", policy=going("continue"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            assert await seen(stream) == "so far and on"
    assert provider.models() == ["a", "b", "b"]
    assert [event.attempt for event in heard.of("attempt.started")] == [1, 1, 2]
    assert len(heard.of("stream.broken")) == 1


@virtual
async def test_a_caller_who_leaves_a_resumed_stream_cancels_the_model_that_goes_on() -> None:
    provider = Scripted({"a": [BROKEN], "b": [speak("and on and on")]})
    async with running(chain_of(provider, "a", "b", policy=going("append"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            async for delta in stream:
                if delta.text == "and":
                    break
            assert provider.open == 1
        assert provider.open == 0
        assert [out.name for out in engine.benched()] == ["p/a"]
    assert [event.model for event in heard.of("attempt.cancelled")] == ["p/b"]
    assert heard.names()[-1] == "request.cancelled"


@virtual
async def test_a_break_that_benches_a_key_goes_on_with_the_next_model_and_not_with_the_next_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONE", "a" * 20)
    monkeypatch.setenv("TWO", "b" * 20)
    limited = Parts([[Delta("so ")], Signal("error", "slow down", codes=("rate_limit_error",))])
    provider = Scripted({"a": [limited], "b": [says("anew")]})
    keys = tuple(KeySource(name, env=name) for name in ("ONE", "TWO"))
    async with running(chain_of(provider, "a", "b", keys=keys, policy=going("append"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            assert await seen(stream) == "so anew"
    assert provider.models() == ["a", "b"]
    (failed,), (broken,) = heard.of("attempt.failed"), heard.of("stream.broken")
    assert (failed.bench, failed.next_model, broken.next_model) == ("p#ONE/a", "p/b", "p/b")


@virtual
async def test_a_break_at_which_the_policy_stops_names_no_model_that_would_go_on() -> None:
    withheld = Parts([[Delta("so ")], Signal("content_filter", "no more of this")])
    provider = Scripted({"a": [withheld], "b": [says("anew")]})
    async with running(chain_of(provider, "a", "b", policy=going("append"))) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted):
                await seen(stream)
    assert provider.models() == ["a"]
    (failed,), (broken,) = heard.of("attempt.failed"), heard.of("stream.broken")
    assert (failed.next_model, broken.next_model, broken.mode) == (None, None, "raise")
