"""Tool calls in streams of chat completions, which no two servers number alike."""

from __future__ import annotations

from typing import Any, Final

import pytest

from engine.messages import Delta, ToolCall, ToolCallDelta
from engine.providers.base import Finish
from engine.providers.openai import OpenAIWire
from tests.providers.openai_bodies import chunk, piece
from tests.providers.played import assembled, parts_of, sse

WIRE = OpenAIWire("http://localhost:8000/v1")

# https://platform.openai.com/docs/guides/function-calling, "Streaming"
OPENAI: Final = (
    piece(0, id="call_a", type="function", name="get_weather", arguments=""),
    piece(0, arguments='{"city":'),
    piece(0, arguments='"Rome"}'),
    piece(1, id="call_b", type="function", name="get_time", arguments=""),
    piece(1, arguments="{}"),
)
BOTH: Final = (ToolCall("call_a", "get_weather", '{"city":"Rome"}'), ToolCall("call_b", "get_time", "{}"))


def test_pieces_come_as_they_are_and_names_come_once() -> None:
    body = sse(*(chunk(delta) for delta in OPENAI), chunk({}, "tool_calls"))
    assert parts_of(WIRE, body) == [
        Delta(tool_call=ToolCallDelta(0, "call_a", "get_weather", "")),
        Delta(tool_call=ToolCallDelta(0, arguments='{"city":')),
        Delta(tool_call=ToolCallDelta(0, arguments='"Rome"}')),
        Delta(tool_call=ToolCallDelta(1, "call_b", "get_time", "")),
        Delta(tool_call=ToolCallDelta(1, arguments="{}")),
        Finish("tool_calls"),
    ]


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param(OPENAI, id="as OpenAI does"),
        pytest.param(
            (
                piece(id="call_a", name="get_weather", arguments='{"city":"Rome"}'),
                piece(id="call_b", name="get_time", arguments="{}"),
            ),
            id="whole and without an index, as Gemini does",
        ),
        pytest.param(
            (
                piece(id="call_a", name="get_weather", arguments='{"city":'),
                piece(arguments='"Rome"}'),
                piece(id="call_b", name="get_time"),
                piece(id="call_b", arguments="{}"),
            ),
            id="in pieces without an index",
        ),
        pytest.param(
            (
                piece(0, id="call_a", name="get_weather", arguments='{"city":"Rome"}'),
                piece(0, id="call_b", name="get_time", arguments="{}"),
            ),
            id="all under index 0",
        ),
        pytest.param(
            (
                piece(0, id="call_a", name="get_weather", arguments='{"city":'),
                piece(0, id="call_a", name="get_weather", arguments='"Rome"}'),
                piece(1, id="call_b", name="get_time", arguments="{}"),
            ),
            id="id and name repeated",
        ),
        pytest.param(
            (
                piece(0, id="call_a", name="get_weather"),
                piece(0, id="call_x", arguments='{"city":'),
                piece(0, id="call_y", arguments='"Rome"}'),
                piece(1, id="call_b", name="get_time"),
                piece(1, id="call_z", arguments="{}"),
            ),
            id="another id with every piece",
        ),
        pytest.param(
            (
                {"tool_calls": piece(1, id="call_a", name="get_weather")["tool_calls"]
                 + piece(2, id="call_b", name="get_time")["tool_calls"]},
                piece(2, arguments="{}"),
                piece(1, arguments='{"city":"Rome"}'),
            ),
            id="counted from 1, interleaved",
        ),
    ],
)  # fmt: skip
def test_calls_come_out_right_however_a_server_counts_them(deltas: tuple[Any, ...]) -> None:
    assert assembled(parts_of(WIRE, sse(*map(chunk, deltas)))) == list(BOTH)


def test_calls_without_ids_get_some() -> None:
    body = sse(chunk(piece(0, name="f", arguments="{}")), chunk(piece(1, id="", name="g", arguments="{}")))
    assert assembled(parts_of(WIRE, body)) == [
        ToolCall("call_0", "f", "{}"),
        ToolCall("call_1", "g", "{}"),
    ]


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param((piece(0, name="f", arguments="{"), piece(0, name="f", arguments="}")), id="name twice"),
        pytest.param((piece(name="f", arguments="{"), piece(arguments="}")), id="neither index nor id"),
        pytest.param((piece(0, arguments="{}"), piece(0, name="f")), id="name last"),
    ],
)
def test_one_call_stays_one_however_little_a_server_says(deltas: tuple[Any, ...]) -> None:
    assert assembled(parts_of(WIRE, sse(*map(chunk, deltas)))) == [ToolCall("call_0", "f", "{}")]


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        pytest.param(
            (piece(name="f", arguments="{}"), piece(name="g", arguments="{}")),
            [ToolCall("call_0", "f", "{}"), ToolCall("call_1", "g", "{}")],
            id="by name alone",
        ),
        pytest.param(
            (piece(id="a", arguments="1"), piece(id="b", arguments="2")),
            [ToolCall("a", "", "1"), ToolCall("b", "", "2")],
            id="by id alone",
        ),
        pytest.param(
            (piece(arguments="{"), piece(arguments="}")),
            [ToolCall("call_0", "", "{}")],
            id="by nothing",
        ),
    ],
)
def test_calls_without_an_index_are_told_apart_as_well_as_can_be(deltas: Any, calls: Any) -> None:
    assert assembled(parts_of(WIRE, sse(*map(chunk, deltas)))) == calls


def test_the_old_function_call_beside_tool_calls_is_no_second_one() -> None:
    both = {
        **piece(0, id="a", name="f", arguments="{}"),
        "function_call": {"name": "f", "arguments": "{}"},
    }
    assert assembled(parts_of(WIRE, sse(chunk(both)))) == [ToolCall("a", "f", "{}")]


def test_the_old_function_call_is_a_tool_call() -> None:
    deltas = ({"name": "f", "arguments": ""}, {"arguments": "{"}, {"arguments": "}"})
    body = sse(
        *(chunk({"role": "assistant", "function_call": d}) for d in deltas), chunk({}, "function_call")
    )
    parts = parts_of(WIRE, body)
    assert assembled(parts) == [ToolCall("call_0", "f", "{}")]
    assert parts[-1] == Finish("tool_calls")


def test_a_piece_with_nothing_in_it_is_no_delta() -> None:
    body = sse(chunk(piece(0, id="a", name="f")), chunk(piece(0, arguments="")))
    assert len(parts_of(WIRE, body)) == 1
