"""Tool calls of several models in one stream."""

from __future__ import annotations

from engine.messages import Delta, ToolCallDelta
from engine.policy import Backoff, Policy
from engine.providers.base import End, Finish
from tests.scripted import Parts, Scripted, chain_of, running, status
from tests.virtual_time import virtual

APPEND = Policy(attempts=1, backoff=Backoff(0, 0), mid_stream="append")


def _tools(*indices: int, end: list[object]) -> Parts:
    return Parts([*([Delta(tool_call=ToolCallDelta(i, f"c{i}", "f", "{}"))] for i in indices), *end])


@virtual
async def test_tool_calls_of_two_models_share_no_index_however_they_count() -> None:
    broken: list[object] = [status(500)]
    provider = Scripted(
        {
            "a": [_tools(0, 5, end=broken)],
            "b": [Parts([[Delta("hm")], status(500)])],
            "c": [_tools(1, end=broken)],
            "d": [_tools(0, 1, end=[[Finish("tool_calls")], [End()]])],
        }
    )
    async with running(chain_of(provider, *"abcd", policy=APPEND)) as (engine, _):
        async with engine.stream("main", "hi") as stream:
            got = [delta.tool_call.index async for delta in stream if delta.tool_call]
        assert got == [0, 5, 7, 8, 9]
        assert stream.reply is not None
        assert len(stream.reply.tool_calls) == 5
