"""Ollama's chat API: what is sent, and what is made of what comes back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from engine.messages import Delta, ToolCall, ToolCallDelta, Usage
from engine.providers.base import Answer, End, Finish, Signal
from engine.providers.ollama import OllamaWire
from tests.providers.played import assembled, call, parts_of, played

WIRE = OllamaWire("http://localhost:11434")

# https://docs.ollama.com/api/chat, "Chat request (No streaming)"
WHOLE: dict[str, Any] = {
    "model": "llama3.2",
    "created_at": "2023-12-12T14:13:43.416799Z",
    "message": {"role": "assistant", "content": "Hello! How are you today?"},
    "done_reason": "stop",
    "done": True,
    "total_duration": 5191566416,
    "load_duration": 2154458,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 383809000,
    "eval_count": 298,
    "eval_duration": 4799921000,
}

# The same page, "Chat request (No streaming, with tools)"
CALLS_A_TOOL: dict[str, Any] = {
    **WHOLE,
    "message": {
        "role": "assistant",
        "content": "",
        "thinking": "Tokyo it is.",
        "tool_calls": [
            {"function": {"name": "get_weather", "arguments": {"city": "Tokyo"}}},
            {"id": "call_9x", "function": {"index": 1, "name": "get_time", "arguments": {}}},
        ],
    },
}


def stream(*lines: dict[str, Any]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def line(content: str = "", **message: Any) -> dict[str, Any]:
    """The same page, "Chat request (Streaming)"."""
    return {
        "model": "llama3.2",
        "created_at": "2023-08-04T08:52:19.385406455-07:00",
        "message": {"role": "assistant", "content": content, **message},
        "done": False,
    }


DONE = {**line(), "done": True, "done_reason": "stop", "prompt_eval_count": 26, "eval_count": 282}


def body_of(*messages: dict[str, Any], **params: Any) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(WIRE.build(call(*messages, **params), stream=False).body)
    return sent


class TestWhatIsSent:
    def test_a_plain_call_says_that_it_does_not_stream(self) -> None:
        sent = WIRE.build(call(model="qwen3:4b"), stream=False)
        assert sent.url == "http://localhost:11434/api/chat"
        assert sent.headers == {}
        assert sent.body == (
            b'{"model":"qwen3:4b","messages":[{"role":"user","content":"Hello"}],"stream":false}'
        )

    def test_every_parameter_has_its_place(self) -> None:
        function = {"name": "f", "description": "Does it.", "parameters": {"type": "object"}}
        asked = call(
            max_tokens=400,
            temperature=0.5,
            top_p=0.9,
            stop=("END",),
            seed=7,
            tools=({"type": "function", "function": function},),
            tool_choice="auto",
            response_format={"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
        )
        assert WIRE.build(asked, stream=True).body == (
            b'{"model":"tiny","messages":[{"role":"user","content":"Hello"}],"stream":true,'
            b'"tools":[{"type":"function","function":{"name":"f","description":"Does it.",'
            b'"parameters":{"type":"object"}}}],"format":{"type":"object"},'
            b'"options":{"num_predict":400,"temperature":0.5,"top_p":0.9,"seed":7,"stop":["END"]}}'
        )

    @pytest.mark.parametrize("end", ["", "/", "/api", "/api/"])
    def test_the_base_url_may_end_in_api(self, end: str) -> None:
        assert (
            OllamaWire(f"http://x.example{end}").build(call(), stream=False).url
            == "http://x.example/api/chat"
        )

    def test_the_key_travels_as_a_bearer_token(self) -> None:
        assert WIRE.key_header("k") == ("Authorization", "Bearer k")

    def test_zero_is_asked_for_and_not_left_out(self) -> None:
        assert body_of(temperature=0.0, seed=0)["options"] == {"temperature": 0.0, "seed": 0}

    def test_json_without_a_schema_is_a_word(self) -> None:
        assert body_of(response_format={"type": "json_object"})["format"] == "json"
        assert "format" not in body_of(response_format={"type": "text"})

    def test_system_messages_stay_where_they_are(self) -> None:
        body = body_of(
            {"role": "system", "content": "One."},
            {"role": "user", "content": "Hello"},
            {
                "role": "developer",
                "content": [{"type": "text", "text": "Two."}, {"type": "text", "text": "Three."}],
            },
        )
        assert body["messages"] == [
            {"role": "system", "content": "One."},
            {"role": "user", "content": "Hello"},
            {"role": "system", "content": "Two.\nThree."},
        ]

    def test_tool_calls_are_objects_and_results_name_their_tool(self) -> None:
        # As in "Chat request (With history, with tools)".
        body = body_of(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "11"},
            {"role": "tool", "name": "g", "content": "12"},
        )
        assert body["messages"] == [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
            {"role": "tool", "content": "11", "tool_name": "f", "tool_call_id": "c1"},
            {"role": "tool", "content": "12", "tool_name": "g"},
        ]

    def test_images_stand_beside_the_text(self) -> None:
        # As in "Chat request (with images)".
        body = body_of(
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:;base64,BBBB", "detail": "high"}},
                ],
            }
        )
        assert body["messages"] == [
            {"role": "user", "content": "What is this?", "images": ["AAAA", "BBBB"]},
        ]

    def test_no_tool_may_be_called_if_none_is_sent(self) -> None:
        tool = {"type": "function", "function": {"name": "f"}}
        assert "tools" not in body_of(tools=(tool,), tool_choice="none")
        assert "tools" in body_of(tools=(tool,))

    def test_the_callers_messages_stay_as_they_are(self) -> None:
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
            {"role": "tool", "tool_call_id": "x", "content": "c"},
        ]
        before = copy.deepcopy(messages)
        first = WIRE.build(call(*messages), stream=False)
        assert messages == before
        assert WIRE.build(call(*messages), stream=False) == first


class TestWholeAnswers:
    def test_text_reason_and_usage_are_read(self) -> None:
        assert WIRE.read(WHOLE) == Answer("Hello! How are you today?", "stop", Usage(26, 298))

    def test_tool_calls_get_ids_and_their_arguments_become_text(self) -> None:
        assert WIRE.read(CALLS_A_TOOL) == Answer(
            "",
            "tool_calls",
            Usage(26, 298),
            (ToolCall("call_0", "get_weather", '{"city":"Tokyo"}'), ToolCall("call_9x", "get_time", "{}")),
            "Tokyo it is.",
        )

    @pytest.mark.parametrize(
        ("reason", "ours"),
        [("stop", "stop"), ("length", "length"), ("load", "load"), ("unload", "unload"), (None, "stop")],
    )
    def test_done_reasons_are_ours_or_stay(self, reason: str | None, ours: str) -> None:
        assert WIRE.read({**WHOLE, "done_reason": reason}).finish_reason == ours

    def test_a_call_without_arguments_has_an_empty_object(self) -> None:
        message = {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}
        assert WIRE.read({**WHOLE, "message": message}).tool_calls == (ToolCall("call_0", "f", "{}"),)

    def test_the_limit_in_the_middle_of_calls_is_still_the_limit(self) -> None:
        assert WIRE.read({**CALLS_A_TOOL, "done_reason": "length"}).finish_reason == "length"

    def test_what_is_not_done_is_no_whole_answer(self) -> None:
        with pytest.raises(Signal) as caught:
            WIRE.read({**WHOLE, "done": False})
        assert caught.value.what == "truncated"

    def test_counts_may_be_missing(self) -> None:
        assert WIRE.read({"message": {"content": "Hi"}, "done": True}).usage == Usage()

    def test_an_error_inside_a_200_is_the_providers_error(self) -> None:
        with pytest.raises(Signal, match="the model failed to generate a response") as caught:
            WIRE.read({"error": "the model failed to generate a response"})
        assert caught.value.what == "error"

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ([], "the answer is a list, not an object"),
            ({"done": True}, "message is null, not an object"),
            ({"message": {"content": ["Hi"]}}, "content is a list, not text"),
            ({"message": {"tool_calls": "f"}}, "tool_calls is text, not a list"),
            ({"message": {"tool_calls": [{}]}}, "a tool call's function is null, not an object"),
            ({"message": {"tool_calls": [{"function": {}}]}}, "a tool call has no name"),
        ],
    )
    def test_what_cannot_be_read_is_named_and_not_quoted(self, body: Any, message: str) -> None:
        with pytest.raises(Signal) as caught:
            WIRE.read(body)
        assert (caught.value.what, caught.value.message) == ("protocol", message)


class TestStreams:
    def test_text_reason_usage_and_end_are_read(self) -> None:
        assert parts_of(WIRE, stream(line("The"), line(" sky"), DONE)) == [
            Delta("The"),
            Delta(" sky"),
            Finish("stop"),
            Usage(26, 282),
            End(),
        ]

    def test_the_last_line_may_hold_text_and_lack_its_end(self) -> None:
        last = {**DONE, "message": {"role": "assistant", "content": "!"}}
        body = stream(line("Hi"), last).rstrip(b"\n")
        assert parts_of(WIRE, body)[1:] == [Delta("!"), Finish("stop"), Usage(26, 282), End()]

    def test_the_last_line_may_come_without_message_reason_and_counts(self) -> None:
        # As in "Chat request (With History)".
        assert parts_of(WIRE, stream({"model": "llama3.2", "done": True})) == [Finish("stop"), End()]

    def test_thinking_is_reasoning(self) -> None:
        # https://docs.ollama.com/capabilities/thinking
        body = stream(line(thinking="Hm."), line("42", thinking="So."))
        assert parts_of(WIRE, body) == [Delta(reasoning="Hm."), Delta("42", "So.")]

    def test_tool_calls_come_whole_and_are_counted_across_lines(self) -> None:
        # As in "Chat request (Streaming with tools)".
        first = {"function": {"name": "get_weather", "arguments": {"city": "Tokyo"}}}
        second = {"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}
        body = stream(line(tool_calls=[first]), line(tool_calls=[second]), DONE)
        parts = parts_of(WIRE, body)
        assert parts[0] == Delta(tool_call=ToolCallDelta(0, "call_0", "get_weather", '{"city":"Tokyo"}'))
        assert assembled(parts) == [
            ToolCall("call_0", "get_weather", '{"city":"Tokyo"}'),
            ToolCall("call_1", "get_weather", '{"city":"Oslo"}'),
        ]
        assert Finish("tool_calls") in parts

    @pytest.mark.parametrize("reason", ["length", "load"])
    def test_other_reasons_come_as_they_are(self, reason: str) -> None:
        assert Finish(reason) in parts_of(WIRE, stream({**DONE, "done_reason": reason}))

    def test_an_error_line_is_the_providers_error(self) -> None:
        # https://docs.ollama.com/api/errors, "Errors that occur while streaming"
        error = {"error": "an error was encountered while running the model"}
        parts, signal = played(WIRE, stream(line("Hi"), error))
        assert parts == [Delta("Hi")]
        assert signal is not None
        assert (signal.what, signal.message) == ("error", "an error was encountered while running the model")

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ("<html>", "a line of the stream is not JSON"),
            ("[]", "a line of the stream is a list, not an object"),
            ("{}", "a line of the stream has no message"),
            ('{"message":"Hi"}', "message is text, not an object"),
            ('{"message":{"content":1}}', "content is a number, not text"),
            ('{"message":{},"done":true,"done_reason":1}', "done_reason is a number, not text"),
        ],
    )
    def test_what_cannot_be_read_is_named_and_not_quoted(self, data: str, message: str) -> None:
        _, signal = played(WIRE, data.encode() + b"\n")
        assert signal is not None
        assert (signal.what, signal.message) == ("protocol", message)
