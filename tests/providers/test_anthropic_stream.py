"""Anthropic's Messages API as a stream: which parts come out of its events.

Names of sections are those of https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import pytest

from engine.messages import Delta, ToolCall, ToolCallDelta, Usage
from engine.providers.anthropic import AnthropicWire
from engine.providers.base import End, Finish
from tests.providers.anthropic_bodies import PING, STOP, block, block_stop, delta, end, start, stream
from tests.providers.played import assembled, parts_of, played

WIRE = AnthropicWire("https://api.anthropic.com")


class TestStreams:
    def test_a_basic_stream_is_read(self) -> None:
        # "Basic streaming request"
        body = stream(
            start(),
            block(0, type="text", text=""),
            PING,
            delta(0, "text_delta", text="Hello"),
            delta(0, "text_delta", text="!"),
            block_stop(0),
            end("end_turn"),
            STOP,
        )
        assert parts_of(WIRE, body) == [
            Usage(25, 1),
            Delta("Hello"),
            Delta("!"),
            Finish("stop"),
            Usage(25, 15),
            End(),
        ]

    def test_thinking_is_reasoning_and_its_signature_nothing(self) -> None:
        # "Streaming request with extended thinking"
        body = stream(
            start(),
            block(0, type="thinking", thinking="", signature=""),
            delta(0, "thinking_delta", thinking="I need to find the GCD"),
            delta(0, "signature_delta", signature="EqQBCgIYAhIM1gbcDa9GJwZA2b3h"),
            block_stop(0),
            block(1, type="redacted_thinking", data="EmwKAhgB"),
            block_stop(1),
            block(2, type="text", text=""),
            delta(2, "text_delta", text="21"),
            block_stop(2),
            end("end_turn"),
        )
        deltas = [part for part in parts_of(WIRE, body) if isinstance(part, Delta)]
        assert deltas == [Delta(reasoning="I need to find the GCD"), Delta("21")]

    def test_tool_use_comes_in_pieces(self) -> None:
        # "Streaming request with tool use"
        body = stream(
            start(),
            block(0, type="text", text=""),
            delta(0, "text_delta", text="Okay"),
            block_stop(0),
            block(1, type="tool_use", id="toolu_01T1", name="get_weather", input={}),
            delta(1, "input_json_delta", partial_json=""),
            delta(1, "input_json_delta", partial_json='{"location":'),
            delta(1, "input_json_delta", partial_json=' "San Francisco, CA"}'),
            block_stop(1),
            end("tool_use", output_tokens=89),
        )
        assert parts_of(WIRE, body) == [
            Usage(25, 1),
            Delta("Okay"),
            Delta(tool_call=ToolCallDelta(0, "toolu_01T1", "get_weather")),
            Delta(tool_call=ToolCallDelta(0, arguments='{"location":')),
            Delta(tool_call=ToolCallDelta(0, arguments=' "San Francisco, CA"}')),
            Finish("tool_calls"),
            Usage(25, 89),
        ]

    def test_calls_are_counted_without_the_other_blocks_between_them(self) -> None:
        body = stream(
            block(0, type="tool_use", id="a", name="f", input={}),
            delta(0, "input_json_delta", partial_json="{}"),
            block_stop(0),
            block(1, type="server_tool_use", id="s", name="web_search", input={}),
            delta(1, "input_json_delta", partial_json='{"query":"no call of ours"}'),
            block_stop(1),
            block(2, type="tool_use", id="b", name="g", input={}),
            delta(2, "input_json_delta", partial_json='{"x":1}'),
            block_stop(2),
        )
        assert assembled(parts_of(WIRE, body)) == [ToolCall("a", "f", "{}"), ToolCall("b", "g", '{"x":1}')]

    def test_a_tool_without_arguments_gets_an_empty_object(self) -> None:
        body = stream(
            block(0, type="tool_use", id="a", name="f", input={}),
            delta(0, "input_json_delta", partial_json=""),
            block_stop(0),
            block_stop(0),
        )
        assert assembled(parts_of(WIRE, body)) == [ToolCall("a", "f", "{}")]

    def test_arguments_that_come_with_the_start_are_kept(self) -> None:
        body = stream(block(0, type="tool_use", id="a", name="f", input={"x": 1}), block_stop(0))
        assert assembled(parts_of(WIRE, body)) == [ToolCall("a", "f", '{"x":1}')]

    def test_what_comes_with_the_start_of_a_block_is_part_of_it(self) -> None:
        body = stream(block(0, type="thinking", thinking="Hm."), block(1, type="text", text="42"))
        assert parts_of(WIRE, body) == [Delta(reasoning="Hm."), Delta("42")]

    def test_counts_are_cumulative_and_the_caches_are_part_of_the_input(self) -> None:
        body = stream(
            start(
                input_tokens=10, cache_read_input_tokens=20, cache_creation_input_tokens=30, output_tokens=1
            ),
            end("end_turn", input_tokens=11, output_tokens=7),
        )
        usages = [part for part in parts_of(WIRE, body) if isinstance(part, Usage)]
        assert usages == [Usage(60, 1), Usage(61, 7)]

    def test_a_refusal_in_the_middle_is_a_content_filter(self) -> None:
        # https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
        body = stream(delta(0, "text_delta", text="Sure"), end("refusal"), STOP)
        assert parts_of(WIRE, body) == [Delta("Sure"), Finish("content_filter"), Usage(None, 15), End()]

    def test_unknown_events_and_deltas_are_passed_over(self) -> None:
        # "Other events"
        body = stream(
            {"type": "message_pondered", "depth": 3},
            delta(0, "citations_delta", citation={}),
            block(0, type="hologram"),
            PING,
        )
        assert parts_of(WIRE, body) == []

    def test_an_error_event_is_the_providers_error(self) -> None:
        # "Error events"
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        parts, signal = played(WIRE, stream(delta(0, "text_delta", text="Hi"), error))
        assert parts == [Delta("Hi")]
        assert signal is not None
        assert (signal.what, signal.message, signal.codes) == ("error", "Overloaded", ("overloaded_error",))

    @pytest.mark.parametrize("kind", ['"type":"error",', ""])
    def test_an_error_without_an_events_name_is_one_too(self, kind: str) -> None:
        data = f'{{{kind}"error":{{"type":"api_error","message":"Internal server error"}}}}'
        _, signal = played(WIRE, f"data: {data}\n\n".encode())
        assert signal is not None
        assert (signal.what, signal.codes) == ("error", ("api_error",))

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ("garbage", "an event of the stream is not JSON"),
            ("[]", "an event of the stream is a list, not an object"),
            ("{}", "an event of the stream has no type"),
            ('{"type":"message_start"}', "message_start's message is null, not an object"),
            ('{"type":"message_delta","delta":[]}', "message_delta's delta is a list, not an object"),
            ('{"type":"content_block_delta","index":0}', "a block's delta is null, not an object"),
            ('{"type":"content_block_stop"}', "a block has no index"),
            (
                '{"type":"content_block_delta","delta":{"type":"text_delta","text":[]}}',
                "a text delta is a list, not text",
            ),
            (
                '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"f"}}',
                "a tool call has no name or no id",
            ),
        ],
    )
    def test_what_cannot_be_read_is_named_and_not_quoted(self, data: str, message: str) -> None:
        _, signal = played(WIRE, f"data: {data}\n\n".encode())
        assert signal is not None
        assert (signal.what, signal.message) == ("protocol", message)
