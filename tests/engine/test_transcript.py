"""What a stream has said so far, put together from its parts."""

from __future__ import annotations

from typing import Any

import pytest

from engine.messages import Delta, ToolCall, ToolCallDelta
from engine.transcript import Transcript


def _tool(index: int, **facts: Any) -> Delta:
    return Delta(tool_call=ToolCallDelta(index, **facts))


def test_a_tool_call_in_pieces_becomes_whole() -> None:
    transcript = Transcript()
    for delta in (
        _tool(1, id="c2", name="near", arguments='{"x"'),
        _tool(0, id="c1", name="far"),
        _tool(1, arguments=":1"),
        _tool(0, arguments="{}"),
        _tool(1, id="ignored", name="ignored", arguments="}"),
    ):
        transcript.deliver(delta)
    assert transcript.answer().tool_calls == (ToolCall("c1", "far", "{}"), ToolCall("c2", "near", '{"x":1}'))


class Piece(str):
    """A piece of arguments that must not be put together with others before the end."""

    __slots__ = ()

    def __radd__(self, other: str) -> str:
        raise AssertionError("all that came so far was copied for one piece")


def test_a_piece_costs_the_same_however_many_came_before() -> None:
    transcript = Transcript()
    for _ in range(3):
        transcript.deliver(_tool(0, arguments=Piece("ab")))
    assert transcript.answer().tool_calls[0].arguments == "ababab"


@pytest.mark.parametrize(
    ("first", "indices", "following"), [(0, [], 0), (0, [0, 5], 6), (0, [1], 2), (6, [], 6), (6, [6, 7], 8)]
)
def test_what_follows_on_an_answer_is_told_an_index_that_no_tool_call_has(
    first: int, indices: list[int], following: int
) -> None:
    transcript = Transcript(first)
    for index in indices:
        transcript.deliver(_tool(index, id=f"c{index}"))
    assert (transcript.first_tool, transcript.next_tool) == (first, following)
