"""Anthropic's Messages API: what is sent, and what is made of what comes back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from engine.messages import ToolCall, Usage
from engine.providers.anthropic import MAX_TOKENS, AnthropicWire
from engine.providers.base import Answer, Signal
from tests.providers.anthropic_bodies import CALLS_A_TOOL, WHOLE
from tests.providers.played import call

WIRE = AnthropicWire("https://api.anthropic.com")

USER = {"role": "user", "content": "Hello"}


def body_of(*messages: dict[str, Any], **params: Any) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(WIRE.build(call(*messages, **params), stream=False).body)
    return sent


class TestWhatIsSent:
    def test_a_plain_call_names_model_limit_and_messages(self) -> None:
        sent = WIRE.build(call(model="claude-opus-4-6"), stream=False)
        assert sent.url == "https://api.anthropic.com/v1/messages"
        assert sent.headers == {"anthropic-version": "2023-06-01"}
        assert sent.body == (
            b'{"model":"claude-opus-4-6","max_tokens":8192,"messages":[{"role":"user","content":"Hello"}]}'
        )

    def test_every_parameter_has_its_place(self) -> None:
        function = {"name": "f", "description": "Does it.", "parameters": {"type": "object"}, "strict": True}
        asked = call(
            {"role": "system", "content": "Be brief."},
            USER,
            max_tokens=400,
            temperature=0.5,
            top_p=0.9,
            stop=("END",),
            tools=({"type": "function", "function": function},),
            tool_choice={"type": "function", "function": {"name": "f"}},
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "n", "strict": True, "schema": {"type": "object"}},
            },
        )
        assert WIRE.build(asked, stream=True).body == (
            b'{"model":"tiny","max_tokens":400,"system":"Be brief.",'
            b'"messages":[{"role":"user","content":"Hello"}],"temperature":0.5,"top_p":0.9,'
            b'"stop_sequences":["END"],'
            b'"tools":[{"name":"f","description":"Does it.","input_schema":{"type":"object"},"strict":true}],'
            b'"tool_choice":{"type":"tool","name":"f"},'
            b'"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},"stream":true}'
        )

    @pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
    def test_the_base_url_may_end_in_v1(self, end: str) -> None:
        assert (
            AnthropicWire(f"https://x.example{end}").build(call(), stream=False).url
            == "https://x.example/v1/messages"
        )

    def test_the_key_has_a_header_of_its_own(self) -> None:
        assert WIRE.key_header("sk-ant-1") == ("x-api-key", "sk-ant-1")

    def test_the_limit_is_the_callers_if_there_is_one(self) -> None:
        assert body_of()["max_tokens"] == MAX_TOKENS
        assert body_of(max_tokens=1)["max_tokens"] == 1

    def test_system_and_developer_messages_become_the_system_prompt_in_their_order(self) -> None:
        body = body_of(
            {"role": "system", "content": "One."},
            USER,
            {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
            {"role": "system", "content": ""},
        )
        assert body["system"] == "One.\n\nTwo."
        assert body["messages"] == [USER]

    def test_a_conversation_of_system_messages_only_cannot_be_expressed(self) -> None:
        with pytest.raises(Signal, match="nobody but the system says anything") as caught:
            body_of({"role": "system", "content": "Be brief."})
        assert caught.value.what == "unsupported"

    def test_tool_calls_and_their_results_become_blocks_of_two_turns(self) -> None:
        body = body_of(
            USER,
            {
                "role": "assistant",
                "content": "Let me look.",
                "refusal": None,
                "reasoning_content": "They want the weather.",
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                    {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": ""}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "name": "f", "content": "11 °C"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "noon"}]},
            {"role": "user", "content": "And?"},
        )
        assert body["messages"] == [
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me look."},
                    {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
                    {"type": "tool_use", "id": "call_2", "name": "g", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "11 °C"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "call_2",
                        "content": [{"type": "text", "text": "noon"}],
                    },
                    {"type": "text", "text": "And?"},
                ],
            },
        ]

    def test_ids_of_other_servers_are_made_to_fit_on_both_ends(self) -> None:
        tool_call = {"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        body = body_of(
            USER,
            {"role": "assistant", "content": None, "tool_calls": [tool_call]},
            {"role": "tool", "tool_call_id": "functions.f:0", "content": "1"},
        )
        assert body["messages"][1]["content"][0]["id"] == "functions_f_0"
        assert body["messages"][2]["content"][0]["tool_use_id"] == "functions_f_0"

    def test_messages_of_one_side_are_merged_and_empty_ones_left_out(self) -> None:
        body = body_of(
            USER,
            {"role": "user", "content": "Anybody?"},
            {"role": "assistant", "content": ""},
            {"role": "user", "content": [{"type": "text", "text": ""}]},
            {"role": "assistant", "content": "Yes"},
        )
        assert body["messages"] == [
            {
                "role": "user",
                "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "Anybody?"}],
            },
            {"role": "assistant", "content": "Yes"},
        ]

    def test_images_become_sources(self) -> None:
        body = body_of(
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "auto"}},
                    {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}},
                ],
            }
        )
        assert body["messages"][0]["content"] == [
            {"type": "text", "text": "What is this?"},
            {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"}},
        ]

    def test_a_tool_may_answer_with_an_image(self) -> None:
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
        body = body_of(USER, {"role": "tool", "tool_call_id": "1", "content": [image]})
        assert body["messages"][0]["content"][1]["content"][0]["type"] == "image"

    @pytest.mark.parametrize(
        ("choice", "sent"),
        [
            (None, None),
            ("auto", None),
            ("none", {"type": "none"}),
            ("required", {"type": "any"}),
            ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
        ],
    )
    def test_each_tool_choice_has_its_like(self, choice: Any, sent: Any) -> None:
        tool = {"type": "function", "function": {"name": "f"}}
        body = body_of(tools=(tool,), tool_choice=choice)
        assert body.get("tool_choice") == sent
        assert body["tools"] == [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]

    def test_no_tool_of_none_is_nothing(self) -> None:
        assert "tool_choice" not in body_of(tool_choice="none")

    def test_what_a_schema_is_for_goes_into_the_schema(self) -> None:
        wanted = {"name": "n", "description": "A place.", "schema": {"type": "object"}}
        body = body_of(response_format={"type": "json_schema", "json_schema": wanted})
        assert body["output_config"]["format"]["schema"] == {"description": "A place.", "type": "object"}

    def test_the_callers_messages_stay_as_they_are(self) -> None:
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {"role": "user", "content": "b"},
            {
                "role": "assistant",
                "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
            {"role": "tool", "tool_call_id": "x", "content": [{"type": "text", "text": "c"}]},
        ]
        before = copy.deepcopy(messages)
        first = WIRE.build(call(*messages), stream=False)
        assert messages == before
        assert WIRE.build(call(*messages), stream=False) == first


class TestWholeAnswers:
    def test_text_and_reason_are_read_and_input_tokens_are_the_sum(self) -> None:
        assert WIRE.read(WHOLE) == Answer("Hi! My name is Claude.", "stop", Usage(6197, 503))

    def test_thinking_and_tool_calls_are_read(self) -> None:
        assert WIRE.read(CALLS_A_TOOL) == Answer(
            "I'll check the current weather in San Francisco for you.",
            "tool_calls",
            Usage(12, 6),
            (
                ToolCall(
                    "toolu_01A09q90qw90lq917835lq9",
                    "get_weather",
                    '{"location":"San Francisco, CA","unit":"celsius"}',
                ),
            ),
            "The user wants weather.",
        )

    @pytest.mark.parametrize(
        ("reason", "ours"),
        [
            ("end_turn", "stop"),
            ("stop_sequence", "stop"),
            ("max_tokens", "length"),
            ("model_context_window_exceeded", "length"),
            ("tool_use", "tool_calls"),
            ("refusal", "content_filter"),
            ("pause_turn", "pause_turn"),
            (None, ""),
        ],
    )
    def test_stop_reasons_become_ours_where_there_is_one(self, reason: str | None, ours: str) -> None:
        assert WIRE.read({**WHOLE, "stop_reason": reason}).finish_reason == ours

    def test_what_is_not_counted_is_unknown(self) -> None:
        assert WIRE.read({"content": [], "stop_reason": "end_turn"}) == Answer("", "stop", Usage())

    def test_a_call_without_input_has_an_empty_object(self) -> None:
        content = [{"type": "tool_use", "id": "a", "name": "f", "input": None}]
        assert WIRE.read({**WHOLE, "content": content}).tool_calls == (ToolCall("a", "f", "{}"),)

    def test_blocks_of_the_servers_own_tools_are_passed_over(self) -> None:
        content = [{"type": "server_tool_use", "name": "web_search"}, {"type": "text", "text": "Found."}]
        answer = WIRE.read({**WHOLE, "content": content})
        assert (answer.text, answer.tool_calls) == ("Found.", ())

    def test_an_error_inside_a_200_is_the_providers_error(self) -> None:
        error = {"type": "overloaded_error", "message": "Overloaded"}
        with pytest.raises(Signal, match="Overloaded") as caught:
            WIRE.read({"type": "error", "error": error, "request_id": "req_1"})
        assert (caught.value.what, caught.value.codes) == ("error", ("overloaded_error",))

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("Bad gateway", "the answer is text, not an object"),
            ({}, "the answer has no content"),
            ({"content": "Hi"}, "content is text, not a list"),
            ({"content": [None]}, "an item of content is null, not an object"),
            ({"content": [{"type": "text", "text": 1}]}, "a text block is a number, not text"),
            ({"content": [{"type": "tool_use", "id": "a"}]}, "a tool call has no name or no id"),
            (
                {"content": [{"type": "tool_use", "id": "a", "name": "f", "input": "x"}]},
                "a tool call's input is text, not an object",
            ),
        ],
    )
    def test_what_cannot_be_read_is_named_and_not_quoted(self, body: Any, message: str) -> None:
        with pytest.raises(Signal) as caught:
            WIRE.read(body)
        assert (caught.value.what, caught.value.message) == ("protocol", message)
