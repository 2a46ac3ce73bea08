"""OpenAI's chat completions: what is sent, and what is made of what comes back."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest

from engine.messages import Delta, ToolCall, ToolCallDelta, Usage
from engine.providers.base import Answer, End, Finish, Signal
from engine.providers.openai import OpenAIWire
from tests.providers.played import assembled, call, parts_of, played, sse

WIRE = OpenAIWire("http://localhost:8000/v1")
OPENAI = OpenAIWire("https://api.openai.com/v1/")

TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}

# https://platform.openai.com/docs/api-reference/chat/create, "Default"
WHOLE: dict[str, Any] = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion",
    "created": 1741569952,
    "model": "gpt-5.4",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello! How can I assist you today?",
                "refusal": None,
                "annotations": [],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    },
    "service_tier": "default",
}

# The same page, "Functions"
CALLS_A_TOOL: dict[str, Any] = {
    "id": "chatcmpl-abc123",
    "object": "chat.completion",
    "created": 1699896916,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_abc123",
                        "type": "function",
                        "function": {
                            "name": "get_current_weather",
                            "arguments": '{\n"location": "Boston, MA"\n}',
                        },
                    }
                ],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 82, "completion_tokens": 17, "total_tokens": 99},
}


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> str:
    """https://platform.openai.com/docs/api-reference/chat-streaming"""
    choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    return json.dumps(
        {
            "id": "chatcmpl-123",
            "object": "chat.completion.chunk",
            "created": 1694268190,
            "model": "gpt-4o-mini",
            "system_fingerprint": "fp_44709d6fcb",
            "choices": [choice],
            **more,
        }
    )


def piece(index: int | None = None, **more: Any) -> dict[str, Any]:
    """A delta with one piece of a tool call."""
    at = {} if index is None else {"index": index}
    names = {key: more.pop(key) for key in ("name", "arguments") if key in more}
    return {"tool_calls": [{**at, **more, "function": names}]}


USAGE_CHUNK = json.dumps(
    {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "choices": [],
        "usage": {"prompt_tokens": 19, "completion_tokens": 2, "total_tokens": 21},
    }
)


class TestWhatIsSent:
    def test_a_plain_call_is_its_model_and_its_messages(self) -> None:
        sent = WIRE.build(call(model="qwen/qwen3-4b"), stream=False)
        assert sent.url == "http://localhost:8000/v1/chat/completions"
        assert sent.headers == {}
        assert sent.body == b'{"model":"qwen/qwen3-4b","messages":[{"role":"user","content":"Hello"}]}'

    def test_a_stream_asks_for_its_usage(self) -> None:
        assert WIRE.build(call(), stream=True).body == (
            b'{"model":"tiny","messages":[{"role":"user","content":"Hello"}],'
            b'"stream":true,"stream_options":{"include_usage":true}}'
        )

    def test_every_parameter_has_its_place(self) -> None:
        asked = call(
            max_tokens=400,
            temperature=0.5,
            top_p=0.9,
            stop=("END", "\n\n"),
            seed=7,
            tools=(TOOL,),
            tool_choice="required",
            response_format={"type": "json_object"},
        )
        assert WIRE.build(asked, stream=False).body == (
            b'{"model":"tiny","messages":[{"role":"user","content":"Hello"}],"max_tokens":400,'
            b'"temperature":0.5,"top_p":0.9,"seed":7,"tool_choice":"required",'
            b'"response_format":{"type":"json_object"},"stop":["END","\\n\\n"],'
            b'"tools":[{"type":"function","function":{"name":"get_weather",'
            b'"parameters":{"type":"object","properties":{}}}}]}'
        )

    def test_zero_is_asked_for_and_not_left_out(self) -> None:
        body = json.loads(WIRE.build(call(temperature=0.0, seed=0), stream=False).body)
        assert (body["temperature"], body["seed"]) == (0.0, 0)

    @pytest.mark.parametrize(
        ("base_url", "name"),
        [
            ("https://api.openai.com/v1", "max_completion_tokens"),
            ("https://eu.api.openai.com/v1", "max_completion_tokens"),
            ("https://api.openai.com.evil.example/v1", "max_tokens"),
            ("https://openrouter.ai/api/v1", "max_tokens"),
            ("http://localhost:8000/v1", "max_tokens"),
        ],
    )
    def test_only_openai_itself_gets_the_new_name_of_the_limit(self, base_url: str, name: str) -> None:
        body = json.loads(OpenAIWire(base_url).build(call(max_tokens=5), stream=False).body)
        assert body[name] == 5
        assert len({"max_tokens", "max_completion_tokens"} & body.keys()) == 1

    def test_messages_pass_untouched(self) -> None:
        messages: list[dict[str, Any]] = [
            {"role": "developer", "content": "Be brief.", "name": "boss"},
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]},
            {"role": "assistant", "content": None, "tool_calls": [], "reasoning_content": "hm"},
            {"role": "tool", "tool_call_id": "call_1", "content": "11 °C"},
        ]
        body = json.loads(WIRE.build(call(*messages), stream=False).body)
        assert body["messages"] == messages

    def test_mappings_of_any_sort_are_objects(self) -> None:
        message = {"role": "user", "content": "Hi", "extra": MappingProxyType({"a": 1})}
        body = json.loads(WIRE.build(call(message), stream=False).body)
        assert body["messages"][0]["extra"] == {"a": 1}

    def test_text_goes_out_as_utf_8_without_escapes(self) -> None:
        body = WIRE.build(call({"role": "user", "content": "Grüße 🌍\u2028"}), stream=False).body
        assert "Grüße 🌍\u2028".encode() in body

    def test_a_lone_surrogate_becomes_the_replacement_character(self) -> None:
        body = WIRE.build(call({"role": "user", "content": "a\ud83db"}), stream=False).body
        assert json.loads(body)["messages"][0]["content"] == "a\ufffdb"

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}, {(1, 2): 3}])
    def test_what_json_cannot_carry_is_a_clear_error(self, value: Any) -> None:
        with pytest.raises(ValueError, match="the request can't be written as JSON: "):
            WIRE.build(call({"role": "user", "content": "", "x": value}), stream=False)

    def test_a_list_inside_itself_is_a_clear_error(self) -> None:
        endless: list[Any] = []
        endless.append(endless)
        with pytest.raises(ValueError, match="can't be written as JSON"):
            WIRE.build(call({"role": "user", "content": endless}), stream=False)

    def test_the_key_travels_as_a_bearer_token(self) -> None:
        assert WIRE.key_header("sk-1") == ("Authorization", "Bearer sk-1")

    def test_a_slash_at_the_end_of_the_base_url_does_not_matter(self) -> None:
        assert OPENAI.build(call(), stream=False).url == "https://api.openai.com/v1/chat/completions"


class TestWholeAnswers:
    def test_text_reason_and_usage_are_read(self) -> None:
        assert WIRE.read(WHOLE) == Answer("Hello! How can I assist you today?", "stop", Usage(19, 10))

    def test_tool_calls_are_read_as_the_model_wrote_them(self) -> None:
        arguments = '{\n"location": "Boston, MA"\n}'
        assert WIRE.read(CALLS_A_TOOL) == Answer(
            "",
            "tool_calls",
            Usage(82, 17),
            (ToolCall("call_abc123", "get_current_weather", arguments),),
        )

    @pytest.mark.parametrize(
        ("reason", "ours"),
        [
            ("stop", "stop"),
            ("length", "length"),
            ("tool_calls", "tool_calls"),
            ("function_call", "tool_calls"),
            ("content_filter", "content_filter"),
            ("content_filter: RECITATION", "content_filter"),
            ("SAFETY", "content_filter"),
            ("model_length", "length"),
            ("abort", "abort"),
            ("", ""),
            (None, ""),
        ],
    )
    def test_finish_reasons_become_ours_where_there_is_one(self, reason: Any, ours: str) -> None:
        assert WIRE.read(answer_with("Hi", reason)).finish_reason == ours

    @pytest.mark.parametrize(
        ("reason", "codes"),
        [
            ("error", ("error", "server_error")),
            ("insufficient_system_resource", ("insufficient_system_resource", "overloaded")),
        ],
    )
    def test_a_breakdown_is_no_reason_to_finish(self, reason: str, codes: tuple[str, ...]) -> None:
        with pytest.raises(Signal) as caught:
            WIRE.read(answer_with("Half of", reason))
        assert (caught.value.what, caught.value.codes) == ("error", codes)

    def test_a_choice_that_carries_its_error_tells_it(self) -> None:
        # https://openrouter.ai/docs/api/reference/errors-and-debugging
        body = answer_with("", "error")
        body["choices"][0]["error"] = {"code": 502, "message": "Provider disconnected"}
        with pytest.raises(Signal, match="Provider disconnected") as caught:
            WIRE.read(body)
        assert caught.value.status == 502

    def test_a_refusal_without_content_is_a_content_filter(self) -> None:
        # https://platform.openai.com/docs/guides/structured-outputs, "Refusals"
        body = answer_with(None, "stop")
        body["choices"][0]["message"]["refusal"] = "I'm sorry, I cannot assist with that request."
        answer = WIRE.read(body)
        assert (answer.text, answer.finish_reason) == ("", "content_filter")

    def test_a_refusal_beside_an_answer_changes_nothing(self) -> None:
        body = answer_with("Here you are", "stop")
        body["choices"][0]["message"]["refusal"] = "but not that"
        assert WIRE.read(body).finish_reason == "stop"

    def test_content_in_parts_is_joined_and_thinking_kept_apart(self) -> None:
        # https://docs.mistral.ai/capabilities/reasoning
        parts = [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Let me see."}]},
            {"type": "text", "text": "It is "},
            {"type": "text", "text": "42."},
            {"type": "reference", "reference_ids": [1]},
        ]
        answer = WIRE.read(answer_with(parts, "stop"))
        assert (answer.text, answer.reasoning) == ("It is 42.", "Let me see.")

    def test_a_refusal_among_the_parts_is_a_content_filter(self) -> None:
        answer = WIRE.read(answer_with([{"type": "refusal", "refusal": "No."}], "stop"))
        assert (answer.text, answer.finish_reason) == ("", "content_filter")

    @pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
    def test_reasoning_is_no_part_of_the_text(self, name: str) -> None:
        body = answer_with("42", "stop")
        body["choices"][0]["message"][name] = "Six by seven."
        answer = WIRE.read(body)
        assert (answer.text, answer.reasoning) == ("42", "Six by seven.")

    def test_the_old_function_call_is_a_tool_call(self) -> None:
        body = answer_with(None, "function_call")
        body["choices"][0]["message"]["function_call"] = {"name": "f", "arguments": "{}"}
        assert WIRE.read(body).tool_calls == (ToolCall("call_0", "f", "{}"),)

    def test_a_custom_tools_input_stands_as_it_is(self) -> None:
        body = answer_with(None, "tool_calls")
        call = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
        body["choices"][0]["message"]["tool_calls"] = [call]
        assert WIRE.read(body).tool_calls == (ToolCall("c", "sql", "select 1"),)

    def test_arguments_that_are_an_object_become_json_text(self) -> None:
        body = answer_with(None, "tool_calls")
        body["choices"][0]["message"]["tool_calls"] = [{"function": {"name": "f", "arguments": {"a": "ä"}}}]
        assert WIRE.read(body).tool_calls == (ToolCall("call_0", "f", '{"a":"ä"}'),)

    def test_other_choices_than_the_first_are_passed_over(self) -> None:
        body = answer_with("first", "stop")
        body["choices"].insert(0, {"index": 1, "message": {"content": "second"}, "finish_reason": "length"})
        assert WIRE.read(body).text == "first"

    def test_lone_surrogates_do_not_get_in(self) -> None:
        body = json.loads('{"choices":[{"message":{"content":"a\\ud83d b"}}]}')
        assert WIRE.read(body).text == "a\ufffd b"

    def test_an_error_inside_a_200_is_the_providers_error(self) -> None:
        with pytest.raises(Signal, match="The server is overloaded") as caught:
            WIRE.read({"error": {"message": "The server is overloaded", "type": "server_error", "code": None}})
        assert (caught.value.what, caught.value.codes) == ("error", ("server_error",))

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ([], "the answer is a list, not an object"),
            (None, "the answer is null, not an object"),
            ("<html>", "the answer is text, not an object"),
            ({}, "the answer has no choices"),
            ({"choices": []}, "the answer has no choices"),
            ({"choices": {}}, "choices is an object, not a list"),
            ({"choices": ["secret"]}, "an item of choices is text, not an object"),
            ({"choices": [{"index": 0}]}, "message is null, not an object"),
            ({"choices": [{"message": {"content": 5}}]}, "content is a number, not a list"),
            ({"choices": [{"message": {"tool_calls": [{}]}}]}, "a tool call has no name"),
            ({"choices": [{"message": {}, "finish_reason": 1}]}, "finish_reason is a number, not text"),
        ],
    )
    def test_what_cannot_be_read_is_named_and_not_quoted(self, body: Any, message: str) -> None:
        with pytest.raises(Signal) as caught:
            WIRE.read(body)
        assert (caught.value.what, caught.value.message) == ("protocol", message)

    @pytest.mark.parametrize("count", [-1, True, "12", None, float("nan"), float("inf"), 1e300])
    def test_a_count_that_is_none_is_unknown(self, count: Any) -> None:
        body = {**answer_with("Hi", "stop"), "usage": {"prompt_tokens": count, "completion_tokens": 3.0}}
        assert WIRE.read(body).usage == Usage(None, 3)


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

    def test_content_in_parts_is_read(self) -> None:
        parts = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "42"}]
        assert parts_of(WIRE, sse(chunk({"content": parts}))) == [Delta("42", "Hm.")]

    def test_a_refusal_without_text_finishes_as_a_content_filter(self) -> None:
        body = sse(chunk({"refusal": "I'm sorry"}), chunk({"refusal": ", no."}), chunk({}, "stop"))
        assert parts_of(WIRE, body) == [Finish("content_filter")]

    def test_a_refusal_after_text_finishes_as_the_server_says(self) -> None:
        body = sse(chunk({"content": "Well"}), chunk({"role": "assistant", "refusal": "no"}), chunk({}, "stop"))
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


class TestToolCallsInStreams:
    # https://platform.openai.com/docs/guides/function-calling, "Streaming"
    OPENAI = (
        piece(0, id="call_a", type="function", name="get_weather", arguments=""),
        piece(0, arguments='{"city":'),
        piece(0, arguments='"Rome"}'),
        piece(1, id="call_b", type="function", name="get_time", arguments=""),
        piece(1, arguments="{}"),
    )
    BOTH = [ToolCall("call_a", "get_weather", '{"city":"Rome"}'), ToolCall("call_b", "get_time", "{}")]

    def test_pieces_come_as_they_are_and_names_come_once(self) -> None:
        body = sse(*(chunk(delta) for delta in self.OPENAI), chunk({}, "tool_calls"))
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
    def test_calls_come_out_right_however_a_server_counts_them(self, deltas: tuple[Any, ...]) -> None:
        assert assembled(parts_of(WIRE, sse(*map(chunk, deltas)))) == self.BOTH

    def test_calls_without_ids_get_some(self) -> None:
        body = sse(chunk(piece(0, name="f", arguments="{}")), chunk(piece(1, id="", name="g", arguments="{}")))
        assert assembled(parts_of(WIRE, body)) == [ToolCall("call_0", "f", "{}"), ToolCall("call_1", "g", "{}")]

    def test_the_old_function_call_is_a_tool_call(self) -> None:
        deltas = ({"name": "f", "arguments": ""}, {"arguments": "{"}, {"arguments": "}"})
        body = sse(*(chunk({"role": "assistant", "function_call": d}) for d in deltas), chunk({}, "function_call"))
        parts = parts_of(WIRE, body)
        assert assembled(parts) == [ToolCall("call_0", "f", "{}")]
        assert parts[-1] == Finish("tool_calls")

    def test_a_piece_with_nothing_in_it_is_no_delta(self) -> None:
        body = sse(chunk(piece(0, id="a", name="f")), chunk(piece(0, arguments="")))
        assert len(parts_of(WIRE, body)) == 1


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
        "data", ['{"error":{"message":"too busy"}}', '{"message":"too busy","type":"server_error"}', "too busy"]
    )
    def test_an_event_named_error_is_an_error_whatever_it_holds(self, data: str) -> None:
        _, signal = played(WIRE, f"event: error\ndata: {data}\n\n".encode())
        assert signal is not None
        assert (signal.what, signal.message) == ("error", "too busy")

    def test_groq_tells_in_its_own_place_that_it_stopped_early(self) -> None:
        _, signal = played(WIRE, sse(chunk({}, "stop", x_groq={"error": "over capacity"})))
        assert signal is not None
        assert (signal.what, signal.message) == ("error", "over capacity")

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
            ('{"choices":[{"delta":{"tool_calls":[1]}}]}', "an item of tool_calls is a number, not an object"),
        ],
    )
    def test_what_cannot_be_read_is_named_and_not_quoted(self, data: str, message: str) -> None:
        _, signal = played(WIRE, sse(data))
        assert signal is not None
        assert (signal.what, signal.message) == ("protocol", message)


def answer_with(content: Any, reason: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}
