"""What each protocol can express, feature by feature: it is sent, or refused before anything is."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from engine.providers.anthropic import AnthropicWire
from engine.providers.base import Call, Signal
from engine.providers.ollama import OllamaWire
from engine.providers.openai import OpenAIWire
from engine.providers.wire import Wire
from tests.providers.played import call

WIRES: Final[dict[str, Wire]] = {
    "openai": OpenAIWire("http://x.example"),
    "anthropic": AnthropicWire("http://x.example"),
    "ollama": OllamaWire("http://x.example"),
}
PROTOCOLS: Final = {"anthropic": "Anthropic's Messages API", "ollama": "Ollama's chat API"}

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
STRICT = {"type": "function", "function": {"name": "f", "strict": True}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
NAMED = {"type": "function", "function": {"name": "f"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}
PAST = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def user(*parts: Any) -> Call:
    return call({"role": "user", "content": list(parts)})


def assistant(**message: Any) -> Call:
    return call({"role": "user", "content": "Hello"}, {"role": "assistant", **message})


def image(url: str, **more: Any) -> Call:
    return user({"type": "image_url", "image_url": {"url": url, **more}})


class Refused(str):
    """What the refusal names."""

    __slots__ = ()


Row = tuple[str, Call, dict[str, str]]


def row(feature: str, asked: Call, openai: str, anthropic: str, ollama: str | None = None) -> Row:
    """For each protocol what its body must hold, or what the refusal names; Ollama's may be Anthropic's."""
    wanted = {
        "openai": openai,
        "anthropic": anthropic,
        "ollama": anthropic if ollama is None else ollama,
    }
    return feature, asked, wanted


TABLE: Final[list[Row]] = [
    row(
        "system prompt",
        call({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}),
        '{"role":"system","content":"Be brief."}',
        '"system":"Be brief."',
        '{"role":"system","content":"Be brief."}',
    ),
    row(
        "developer prompt",
        call({"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}),
        '{"role":"developer","content":"Be brief."}',
        '"system":"Be brief."',
        '{"role":"system","content":"Be brief."}',
    ),
    row("max_tokens", call(max_tokens=5), '"max_tokens":5', '"max_tokens":5', '"num_predict":5'),
    row("temperature", call(temperature=0.5), '"temperature":0.5', '"temperature":0.5'),
    row("top_p", call(top_p=0.5), '"top_p":0.5', '"top_p":0.5'),
    row("stop", call(stop=("E",)), '"stop":["E"]', '"stop_sequences":["E"]', '"options":{"stop":["E"]}'),
    row("seed", call(seed=7), '"seed":7', Refused("a seed"), '"options":{"seed":7}'),
    row("tools", call(tools=(TOOL,)), '"parameters":{', '"input_schema":{', '"parameters":{'),
    row(
        "strict tools",
        call(tools=(STRICT,)),
        '"strict":true',
        '"strict":true',
        Refused("tools[0].function.strict"),
    ),
    row(
        "custom tools",
        call(tools=({"type": "custom", "custom": {"name": "sql"}},)),
        '"custom":{',
        Refused("tools[0], a tool of type 'custom'"),
    ),
    row(
        "tool_choice auto",
        call(tools=(TOOL,), tool_choice="auto"),
        '"tool_choice":"auto"',
        '"tools":[',
        '"tools":[',
    ),
    row(
        "tool_choice required",
        call(tools=(TOOL,), tool_choice="required"),
        '"tool_choice":"required"',
        '"tool_choice":{"type":"any"}',
        Refused("a tool_choice other than auto and none"),
    ),
    row(
        "tool_choice by name",
        call(tools=(TOOL,), tool_choice=NAMED),
        '"tool_choice":{"type":"function",',
        '"tool_choice":{"type":"tool","name":"f"}',
        Refused("a tool_choice other than auto and none"),
    ),
    row("tools that are none", call(tools=("f",)), '"tools":["f"]', Refused("tools[0], a tool of type None")),
    row(
        "tool_choice of no known form",
        call(tools=(TOOL,), tool_choice=["f"]),
        '"tool_choice":["f"]',
        Refused("the tool_choice ['f']"),
    ),
    row("a format's name", call(response_format="json"), '"json"', Refused("the response_format 'json'")),
    row(
        "tools with an extra",
        call(tools=({**TOOL, "cache": True},)),
        '"cache":true',
        Refused("tools[0].cache"),
    ),
    row(
        "functions with an extra",
        call(tools=({"type": "function", "function": {"name": "f", "examples": ["a"]}},)),
        '"examples"',
        Refused("tools[0].function.examples"),
    ),
    row(
        "functions without a name",
        call(tools=({"type": "function", "function": {"name": ""}},)),
        '"name":""',
        Refused("tools[0], a function without a name"),
    ),
    row(
        "functions with a number for a name",
        call(tools=({"type": "function", "function": {"name": 5}},)),
        '"name":5',
        Refused("tools[0], a function without a name"),
    ),
    row(
        "tool_choice among some",
        call(tools=(TOOL,), tool_choice=ALLOWED),
        '"allowed_tools"',
        Refused("the tool_choice {'type': 'allowed_tools'"),
    ),
    row("tool_choice unheard of", call(tool_choice="any"), '"any"', Refused("the tool_choice 'any'")),
    row(
        "tool calls in the past",
        assistant(tool_calls=[PAST]),
        '"tool_calls":[{"id":"c",',
        '{"type":"tool_use","id":"c","name":"f","input":{}}',
        '{"id":"c","function":{"name":"f","arguments":{}}}',
    ),
    row(
        "tool results",
        call({"role": "tool", "tool_call_id": "c", "content": "11"}),
        '"tool_call_id":"c"',
        '{"type":"tool_result","tool_use_id":"c","content":"11"}',
        '"tool_call_id":"c"',
    ),
    row(
        "past calls with broken arguments",
        assistant(tool_calls=[{"id": "c", "function": {"name": "f", "arguments": '{"a":'}}]),
        '"arguments"',
        Refused("messages[1].tool_calls[0], whose arguments are not a JSON object"),
    ),
    row(
        "past calls whose arguments are a list",
        assistant(tool_calls=[{"id": "c", "function": {"name": "f", "arguments": "[1]"}}]),
        '"arguments"',
        Refused("messages[1].tool_calls[0], whose arguments are not a JSON object"),
    ),
    row(
        "past calls without an id",
        assistant(tool_calls=[{"function": {"name": "f", "arguments": {}}}]),
        '"arguments":{}',
        '"id":"","name":"f","input":{}',
        '{"id":"","function":{"name":"f","arguments":{}}}',
    ),
    row(
        "past calls that are no list",
        assistant(tool_calls="f"),
        '"tool_calls":"f"',
        Refused("messages[1].tool_calls, which is no list"),
    ),
    row(
        "past calls that are no objects",
        assistant(tool_calls=["f"]),
        '"tool_calls":["f"]',
        Refused("messages[1].tool_calls[0], which is no function call"),
    ),
    row(
        "tool results without an id",
        call({"role": "tool", "content": "11"}),
        '"content":"11"',
        '"tool_use_id":""',
        '{"role":"tool","content":"11"}',
    ),
    row(
        "past calls of custom tools",
        assistant(tool_calls=[{"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}]),
        '"custom"',
        Refused("messages[1].tool_calls[0], which is no function call"),
    ),
    row(
        "image in data",
        image("data:image/png;base64,AAAA"),
        '"url":"data:',
        '"data":"AAAA"',
        '"images":["AAAA"]',
    ),
    row(
        "image by https",
        image("https://x.example/a.png"),
        '"url":"https://x.example/a.png"',
        '"source":{"type":"url","url":"https://x.example/a.png"}',
        Refused("an image by its URL (messages[0])"),
    ),
    row(
        "image by http",
        image("HTTP://x.example/a.png"),
        '"url":"HTTP://x.example/a.png"',
        '"url":"HTTP://x.example/a.png"',
        Refused("an image by its URL (messages[0])"),
    ),
    row(
        "image of unknown type",
        image("data:;base64,AAAA"),
        '"url":"data:;base64,AAAA"',
        Refused("an image of type unknown (messages[0])"),
        '"images":["AAAA"]',
    ),
    row(
        "image with an extra",
        image("data:image/png;base64,AA", crop="left"),
        '"crop":"left"',
        Refused("messages[0].content[0].image_url.crop"),
    ),
    row(
        "image part with an extra",
        user({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}, "alt": "a cat"}),
        '"alt":"a cat"',
        Refused("messages[0].content[0].alt"),
    ),
    row(
        "image part without an image",
        user({"type": "image_url", "image_url": "data:image/png;base64,AA"}),
        '"image_url":"data:',
        Refused("messages[0].content[0], a part of type 'image_url'"),
    ),
    row(
        "image by another URL",
        image("gs://bucket/a.png"),
        '"url":"gs:',
        Refused("an image whose URL is neither https: nor base64 in data:"),
    ),
    row(
        "image in another format",
        image("data:image/tiff;base64,AAAA"),
        '"url":"data:',
        Refused("an image of type image/tiff (messages[0])"),
        '"images":["AAAA"]',
    ),
    row(
        "image in detail",
        image("data:image/png;base64,AA", detail="high"),
        '"high"',
        '"data":"AA"',
        '"images":["AA"]',
    ),
    row(
        "image at a glance",
        image("data:image/png;base64,AA", detail="low"),
        '"low"',
        Refused("the image detail 'low' (messages[0].content[0])"),
    ),
    row(
        "image from the assistant",
        assistant(content=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]),
        '"url"',
        Refused("an image in a message of role assistant (messages[1])"),
    ),
    row(
        "audio",
        user({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}),
        '"input_audio"',
        Refused("messages[0].content[0], a part of type 'input_audio'"),
    ),
    row(
        "file",
        user({"type": "file", "file": {"file_id": "file-1"}}),
        '"file-1"',
        Refused("messages[0].content[0], a part of type 'file'"),
    ),
    row(
        "part without a type",
        user({"text": "Hi"}),
        '{"text":"Hi"}',
        Refused("messages[0].content[0], a part of type None"),
    ),
    row(
        "part with an extra",
        user({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}),
        '"cache_control"',
        Refused("messages[0].content[0].cache_control"),
    ),
    row(
        "content of no known form",
        call({"role": "user", "content": 5}),
        '"content":5',
        Refused("messages[0].content, which is neither text nor a list of parts"),
    ),
    row(
        "names of speakers",
        call({"role": "user", "content": "Hi", "name": "alice"}),
        '"name":"alice"',
        Refused("messages[0].name"),
    ),
    row(
        "a past refusal",
        assistant(content=None, refusal="No."),
        '"refusal":"No."',
        '{"role":"assistant","content":"No."}',
        '{"role":"assistant","content":"No."}',
    ),
    row(
        "an answer put back as it came",
        assistant(
            content="Hi", refusal=None, annotations=[], audio=None, function_call=None, tool_calls=None
        ),
        '"annotations":[]',
        '{"role":"assistant","content":"Hi"}',
        '{"role":"assistant","content":"Hi"}',
    ),
    row("past audio", assistant(content=None, audio={"id": "a"}), '"audio"', Refused("messages[1].audio")),
    row(
        "text on request",
        call(response_format={"type": "text"}),
        '"response_format"',
        '"messages"',
        '"messages"',
    ),
    row(
        "any JSON",
        call(response_format={"type": "json_object"}),
        '"response_format":{"type":"json_object"}',
        Refused("the response_format json_object"),
        '"format":"json"',
    ),
    row(
        "JSON of a schema",
        call(response_format=SCHEMA),
        '"response_format":{"type":"json_schema"',
        '"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}',
        '"format":{"type":"object"}',
    ),
    row(
        "a schema that is none",
        call(response_format={"type": "json_schema", "json_schema": {"name": "n"}}),
        '"json_schema"',
        Refused("a json_schema without a schema"),
    ),
    row(
        "a schema in place of its wrapping",
        call(response_format={"type": "json_schema", "json_schema": True}),
        '"json_schema":true',
        Refused("the response_format 'json_schema'"),
    ),
    row(
        "another format with a schema",
        call(response_format={"type": "xml_schema", "json_schema": {"schema": {"type": "object"}}}),
        '"xml_schema"',
        Refused("the response_format 'xml_schema'"),
    ),
    row(
        "another format",
        call(response_format={"type": "grammar", "grammar": "root ::= a"}),
        '"grammar"',
        Refused("the response_format 'grammar'"),
    ),
    row(
        "an unknown role",
        call({"role": "critic", "content": "Bad."}),
        '"critic"',
        Refused("the role 'critic'"),
    ),
]

CASES = [
    pytest.param(protocol, asked, wanted[protocol], id=f"{feature} / {protocol}")
    for feature, asked, wanted in TABLE
    for protocol in WIRES
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("protocol", "asked", "wanted"), CASES)
def test_a_feature_is_expressed_or_refused_by_name(
    protocol: str, asked: Call, wanted: str, stream: bool
) -> None:
    wire = WIRES[protocol]
    if isinstance(wanted, Refused):
        with pytest.raises(Signal) as caught:
            wire.build(asked, stream=stream)
        assert caught.value.what == "unsupported"
        assert caught.value.message.startswith(f"{PROTOCOLS[protocol]} can't express {wanted}")
    else:
        body = wire.build(asked, stream=stream).body.decode()
        json.loads(body)
        assert wanted in body


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_each_model_gets_its_own_name_and_the_same_messages(wire: Wire) -> None:
    asked = call({"role": "user", "content": "Hi"}, model="one")
    bodies = [
        json.loads(wire.build(asked._replace(model=name), stream=False).body) for name in ("one", "a/b:c")
    ]
    assert [body["model"] for body in bodies] == ["one", "a/b:c"]
    assert bodies[0]["messages"] == bodies[1]["messages"]


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_no_key_is_in_what_is_written_down(wire: Wire) -> None:
    sent = wire.build(call(), stream=True)
    name, value = wire.key_header("sk-canary")
    assert "sk-canary" in value
    assert name not in sent.headers
    assert "sk-canary" not in f"{sent!r} {wire!r}"


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_surrogates_and_nan_of_the_caller_break_nothing(wire: Wire) -> None:
    body = wire.build(call({"role": "user", "content": "\ud83d"}, model="\udc00"), stream=True).body
    assert json.loads(body)["model"] == "\ufffd"
    with pytest.raises(ValueError, match="can't be written as JSON"):
        wire.build(call(temperature=float("nan")), stream=False)
