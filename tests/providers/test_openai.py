"""OpenAI's chat completions: what is sent, and what is made of what comes back."""

from __future__ import annotations

import copy
import json
from types import MappingProxyType
from typing import Any

import pytest

from engine.messages import ToolCall, Usage
from engine.providers.base import Answer, Signal
from engine.providers.openai import OpenAIWire
from tests.providers.openai_bodies import CALLS_A_TOOL, WHOLE, answer_with
from tests.providers.played import call

WIRE = OpenAIWire("http://localhost:8000/v1")
OPENAI = OpenAIWire("https://api.openai.com/v1/")

TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}


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
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}],
            },
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

    def test_a_refusal_beside_a_tool_call_changes_nothing(self) -> None:
        body = copy.deepcopy(CALLS_A_TOOL)
        body["choices"][0]["message"]["refusal"] = "but not that"
        assert WIRE.read(body).finish_reason == "tool_calls"

    def test_an_empty_answer_is_no_refusal(self) -> None:
        assert WIRE.read(answer_with("", "stop")) == Answer("", "stop", Usage())

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

    def test_the_old_function_call_beside_tool_calls_is_no_second_one(self) -> None:
        body = copy.deepcopy(CALLS_A_TOOL)
        body["choices"][0]["message"]["function_call"] = {"name": "f", "arguments": "{}"}
        assert WIRE.read(body) == WIRE.read(CALLS_A_TOOL)

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
            WIRE.read(
                {"error": {"message": "The server is overloaded", "type": "server_error", "code": None}}
            )
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
