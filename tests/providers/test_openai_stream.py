"""OpenAI's chat completions as a stream: which parts come out, however a server sends them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.messages import Delta, ToolCallDelta, Usage
from engine.providers.base import End, Finish, Signal
from engine.providers.openai import OpenAIWire
from tests.providers.openai_bodies import USAGE_CHUNK, chunk, piece
from tests.providers.played import parts_of, played, sse

WIRE = OpenAIWire("http://localhost:8000/v1")


class TestStreams:
    def test_text_reason_usage_and_terminator_are_read(self) -> None:
        body = sse(
            chunk({"role": "assistant", "content": "", "refusal": None}),
            chunk({"content": "Hel"}),
            chunk({"content": "lo"}),
            chunk({}, "stop", usage=None),
            USAGE_CHUNK,
            "[DONE]",
        )
        assert parts_of(WIRE, body) == [
            Delta("Hel"),
            Delta("lo"),
            Finish("stop"),
            Usage(19, 2),
            End(),
        ]

    def test_the_terminator_may_have_blanks_around_it(self) -> None:
        assert parts_of(WIRE, b"data:   [DONE] \r\n\r\n") == [End()]

    @pytest.mark.parametrize(
        "more",
        [
            {"usage": {"prompt_tokens": 3, "completion_tokens": 4}},
            {"x_groq": {"id": "req_1", "usage": {"prompt_tokens": 3, "completion_tokens": 4}}},
        ],
    )
    def test_usage_may_come_with_the_last_chunk(self, more: dict[str, Any]) -> None:
        assert parts_of(WIRE, sse(chunk({}, "stop", **more))) == [Finish("stop"), Usage(3, 4)]

    def test_usage_may_stand_in_the_last_choice(self) -> None:
        # https://platform.moonshot.ai/docs/api/chat
        choice = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"completion_tokens": 4}}
        body = sse(json.dumps({"choices": [choice]}))
        assert parts_of(WIRE, body) == [Finish("stop"), Usage(None, 4)]

    def test_usage_may_come_without_choices(self) -> None:
        assert parts_of(WIRE, sse('{"usage":{"prompt_tokens":3,"completion_tokens":4}}')) == [Usage(3, 4)]

    @pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
    def test_reasoning_comes_as_reasoning(self, name: str) -> None:
        body = sse(chunk({name: "Hm.", "content": None}), chunk({"content": "42"}))
        assert parts_of(WIRE, body) == [Delta(reasoning="Hm."), Delta("42")]

    def test_text_and_reasoning_of_one_chunk_are_one_delta(self) -> None:
        assert parts_of(WIRE, sse(chunk({"reasoning": "Hm.", "content": "42"}))) == [Delta("42", "Hm.")]

    def test_a_tool_call_may_come_with_the_last_of_the_text(self) -> None:
        body = sse(chunk({"content": "Wait.", **piece(0, id="a", name="f", arguments="{}")}))
        assert parts_of(WIRE, body) == [Delta("Wait."), Delta(tool_call=ToolCallDelta(0, "a", "f", "{}"))]

    def test_content_in_parts_is_read(self) -> None:
        parts = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "42"}]
        assert parts_of(WIRE, sse(chunk({"content": parts}))) == [Delta("42", "Hm.")]

    def test_a_refusal_without_text_finishes_as_a_content_filter(self) -> None:
        body = sse(chunk({"refusal": "I'm sorry"}), chunk({"refusal": ", no."}), chunk({}, "stop"))
        assert parts_of(WIRE, body) == [Finish("content_filter")]

    def test_a_refusal_among_parts_finishes_as_a_content_filter(self) -> None:
        body = sse(chunk({"content": [{"type": "refusal", "refusal": "No."}]}), chunk({}, "stop"))
        assert parts_of(WIRE, body) == [Finish("content_filter")]

    def test_a_refusal_after_text_finishes_as_the_server_says(self) -> None:
        body = sse(
            chunk({"content": "Well"}), chunk({"role": "assistant", "refusal": "no"}), chunk({}, "stop")
        )
        assert parts_of(WIRE, body) == [Delta("Well"), Finish("stop")]

    def test_other_choices_than_the_first_are_passed_over(self) -> None:
        second = {"index": 1, "delta": {"content": "no"}, "finish_reason": "stop"}
        first = {"index": 0, "delta": {"content": "yes"}, "finish_reason": None}
        body = sse(json.dumps({"choices": [second]}), json.dumps({"choices": [second, first]}))
        assert parts_of(WIRE, body) == [Delta("yes")]

    def test_chunks_with_empty_choices_are_signs_of_life(self) -> None:
        # Azure's first chunk: https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
        body = sse('{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}', chunk({"content": "Hi"}))
        assert parts_of(WIRE, body) == [Delta("Hi")]

    def test_a_pair_of_surrogates_cut_in_two_breaks_nothing(self) -> None:
        body = (
            b'data: {"choices":[{"delta":{"content":"\\ud83c"}}]}\n\n'
            b'data: {"choices":[{"delta":{"content":"\\udf0d"}}]}\n\n'
        )
        assert parts_of(WIRE, body) == [Delta("\ufffd"), Delta("\ufffd")]

    def test_line_separators_of_unicode_stay_text(self) -> None:
        body = 'data: {"choices":[{"delta":{"content":"a\u2028b\u0085c"}}]}\n\n'.encode()
        assert parts_of(WIRE, body) == [Delta("a\u2028b\u0085c")]


class TestErrorsInStreams:
    def test_an_error_chunk_is_the_providers_error(self) -> None:
        error = {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}
        parts, signal = played(WIRE, sse(chunk({"content": "Hi"}), json.dumps({"error": error})))
        assert parts == [Delta("Hi")]
        assert signal is not None
        assert (signal.what, signal.codes[0]) == ("error", "rate_limit_exceeded")

    def test_an_error_beside_choices_is_an_error(self) -> None:
        # https://openrouter.ai/docs/api/reference/streaming, "Handling Errors During Streaming"
        error = {"code": "server_error", "message": "Provider disconnected unexpectedly"}
        _, signal = played(WIRE, sse(chunk({"content": ""}, "error", error=error)))
        assert signal is not None
        assert signal.message == "Provider disconnected unexpectedly"

    @pytest.mark.parametrize(
        "data",
        ['{"error":{"message":"too busy"}}', '{"message":"too busy","type":"server_error"}', "too busy"],
    )
    def test_an_event_named_error_is_an_error_whatever_it_holds(self, data: str) -> None:
        _, signal = played(WIRE, f"event: error\ndata: {data}\n\n".encode())
        assert signal is not None
        assert (signal.what, signal.message) == ("error", "too busy")

    def test_an_event_named_error_that_says_nothing_is_one_all_the_same(self) -> None:
        _, signal = played(WIRE, b"event: error\ndata: {}\n\n")
        assert signal is not None
        assert (signal.what, signal.message) == ("error", "the stream sent an error event")

    def test_an_error_in_place_of_the_choices_is_one(self) -> None:
        data = {"object": "error", "message": "out of memory", "type": "InternalServerError", "code": 500}
        _, signal = played(WIRE, sse(json.dumps(data)))
        assert signal is not None
        assert (signal.what, signal.message, signal.status) == ("error", "out of memory", 500)

    @pytest.mark.parametrize(
        ("error", "message"),
        [("over capacity", "over capacity"), ({"message": ""}, "the stream was stopped early")],
    )
    def test_groq_tells_in_its_own_place_that_it_stopped_early(self, error: Any, message: str) -> None:
        _, signal = played(WIRE, sse(chunk({}, "stop", x_groq={"error": error})))
        assert signal is not None
        assert (signal.what, signal.message) == ("error", message)

    def test_an_error_field_that_is_null_is_no_error(self) -> None:
        assert parts_of(WIRE, sse(chunk({"content": "Hi"}, error=None))) == [Delta("Hi")]

    def test_what_came_before_the_error_in_the_same_read_is_not_lost(self) -> None:
        reader = WIRE.reader()
        body = sse(chunk({"content": "Hi"}), chunk({}, "stop"), "garbage")
        assert reader.feed(body) == [Delta("Hi"), Finish("stop")]
        with pytest.raises(Signal, match="a chunk of the stream is not JSON"):
            reader.finish()

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ("<html>", "a chunk of the stream is not JSON"),
            ('{"choices":[', "a chunk of the stream is not JSON"),
            ('{"n":' + "1" * 5000 + "}", "a chunk of the stream is not JSON"),
            ("[" * 50_000, "a chunk of the stream is not JSON"),
            ('{"choices":[]} {}', "a chunk of the stream is JSON with more behind it"),
            ("[1, 2, 3, 4, 5, 6, 7]", "a chunk of the stream is a list, not an object"),
            ("[]", "a chunk of the stream is a list, not an object"),
            ("{}", "a chunk of the stream has no choices"),
            ('{"choices":[{"delta":"Hi"}]}', "delta is text, not an object"),
            ('{"choices":[{"delta":{"content":1}}]}', "content is a number, not a list"),
            ('{"choices":[{"delta":{"tool_calls":{}}}]}', "tool_calls is an object, not a list"),
            (
                '{"choices":[{"delta":{"tool_calls":[1]}}]}',
                "an item of tool_calls is a number, not an object",
            ),
        ],
    )
    def test_what_cannot_be_read_is_named_and_not_quoted(self, data: str, message: str) -> None:
        _, signal = played(WIRE, sse(data))
        assert signal is not None
        assert (signal.what, signal.message) == ("protocol", message)
