"""However a provider writes a prompt when it repeats it, it is taken out; and only that."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, strategies as st

from engine.messages import whole_text
from engine.private import texts_of, without

Writing = Callable[[str], str]

PROMPT = 'Tell "Müller & Co" <at once>: 5% of C:\\new\\table\r\n\tis 🙂 "Straße 4711"; it\'s \\u00e9 &lt; %41'


WRITINGS: Mapping[str, Writing] = {
    "as it is": str,
    "as JSON": json.dumps,
    "as JSON of all characters": lambda text: json.dumps(text, ensure_ascii=False),
    "as JSON in JSON": lambda text: json.dumps(json.dumps({"content": text})),
    "as JSON in JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "as JSON for a page": lambda text: json.dumps(text).replace("<", "\\u003c").replace("&", "\\u0026"),
    "as Python's": repr,
    "as Python's in ASCII": ascii,
    "as Python's bytes": lambda text: repr(text.encode("utf-8", "replace")),
    "with octal escapes": lambda text: "".join(
        chr(code) if 32 <= code < 127 else f"\\{code:03o}" for code in text.encode("utf-8", "replace")
    ),
    "as HTML": html.escape,
    "as HTML of ASCII": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "as HTML twice": lambda text: html.escape(html.escape(text)),
    "as JSON in HTML": lambda text: html.escape(json.dumps(text)),
    "for a URL": lambda text: quote(text, safe="", errors="replace"),
    "for a form": lambda text: quote_plus(text, errors="replace"),
    "as JSON for a URL": lambda text: quote(json.dumps(text)),
    "on one line": lambda text: " ".join(text.split()),
    "without what is no ASCII": lambda text: text.encode("ascii", "replace").decode(),
    "as if it were Latin-1": lambda text: text.encode("utf-8", "replace").decode("latin-1"),
    "in capitals": str.upper,
    "with its backslashes doubled": lambda text: text.replace("\\", "\\\\"),
    "with U+FFFD for surrogates": whole_text,
}

a_writing = pytest.mark.parametrize("write", WRITINGS.values(), ids=WRITINGS)


def letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def left_of(prompt: str, words: str) -> set[str]:
    """All that is left of a prompt: twelve letters and digits in a row, or twelve of any characters."""
    prompt, plain = whole_text(prompt), letters(prompt)
    found = set()
    for part in words.split("(prompt)"):
        found |= {plain[at : at + 12] for at in range(len(plain) - 11)} & {
            letters(part)[at : at + 12] for at in range(len(letters(part)) - 11)
        }
        rows = {part[at : at + 12] for at in range(len(part) - 11)}
        found |= {prompt[at : at + 12] for at in range(len(prompt) - 11)} & {
            row for row in rows if not row.isspace()
        }
    return found


@a_writing
def test_a_prompt_is_taken_out_whole_however_it_is_written(write: Writing) -> None:
    words = without(f"this request is bad: {write(PROMPT)} is what you sent", [PROMPT])
    assert words.startswith("this request is bad:")
    assert words.endswith(" is what you sent")
    assert words.count("(prompt)") == 1
    rest = words.removeprefix("this request is bad:").removesuffix(" is what you sent")
    assert len(letters(rest)) <= len("prompt") + len("content") + 11
    for told in ("Müller", "4711", "once", "new", "table", "Stra"):
        assert told not in rest


TEXTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("abcdefghijklmnop 0123 \"'\\&%<>;\n\t\r"),
        st.sampled_from("éßПри你🙂"),
    ),
    max_size=80,
)


@a_writing
@given(prompt=TEXTS, cut=st.tuples(st.integers(0, 60), st.integers(0, 200)))
def test_no_twelve_characters_of_any_prompt_are_left_wherever_it_is_cut(
    write: Writing, prompt: str, cut: tuple[int, int]
) -> None:
    begin, size = cut
    echo = write(prompt)[begin : begin + size]
    words = without(whole_text(f"Refused. {echo} Refused."), [prompt])
    assert not left_of(prompt, words)


@given(st.lists(st.text(), max_size=5), st.text(), st.booleans())
def test_it_never_fails_and_takes_nothing_of_a_prompt_that_is_not_repeated(
    private: list[str], words: str, are_repeated: bool
) -> None:
    repeated = f"{words}{''.join(private)}" if are_repeated else words
    assert isinstance(without(repeated, private), str)
    assert (
        without("Q: zq zq zq zq", ["something else altogether, " + words.replace("z", "y")])
        == "Q: zq zq zq zq"
    )


@pytest.mark.parametrize(
    ("said", "prompt"),
    [
        ("the maximum context length is 128000 tokens", "What is the maximum context length of a model?"),
        ("please check your plan and billing details.", "So please check your spelling, and your plan."),
        ("The model `gpt-9` does not exist or you do not have access to it.", "Say why it does not exist."),
        ("Supported values are: 'user', 'function', and 'tool'.", "The values are: a function and a tool."),
    ],
)
def test_what_providers_say_stays_though_a_long_prompt_has_the_same_common_words(
    said: str, prompt: str
) -> None:
    assert without(said, [f"{prompt}{' Lorem ipsum dolor.' * 200}"]) == said


def test_of_a_prompt_that_is_not_long_common_words_go_too() -> None:
    assert without("bad: ACCESS:TOKEN", ["ACCESS:TOKEN"]) == "bad: (prompt)"


@pytest.mark.parametrize("word", ["hi", "model", "invalid"])
def test_a_word_stays_though_it_is_the_prompt(word: str) -> None:
    assert without(f"Invalid request, {word}: '{word}'", [word]) == f"Invalid request, {word}: '{word}'"


def test_where_every_word_has_lost_a_character_the_rest_is_known() -> None:
    prompt = "Grüße Frau Müller für später, möge sie kürzer träumen"
    assert without(f"bad: {prompt.encode('ascii', 'replace').decode()}!", [prompt]) == "bad: (prompt)!"


def test_what_little_is_between_two_pieces_goes_with_them() -> None:
    prompt = "my account number is 4711 because of it"
    assert without("bad: my account number is [digits] because of it", [prompt]) == "bad: (prompt)"


def test_several_messages_leave_what_stands_between_them() -> None:
    system, user = "You are the bank's own assistant.", 'Why is "4711" closed, and by whom?'
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    words = without(f"bad: {json.dumps(messages)}", [system, user])
    assert (
        words == 'bad: [{"role": "system", "content": "(prompt)"}, {"role": "user", "content": "(prompt)"}]'
    )


@pytest.mark.parametrize(
    ("said", "short", "told"),
    [
        ('content "PIN 4711" is bad', "PIN 4711", 'content "(prompt)" is bad'),
        (r"{\"content\": \"PIN\n4711\"}", "PIN\n4711", r"{\"content\": \"(prompt)\"}"),
        ("content &quot;b@d w&#39;rd&quot;", "b@d w'rd", "content &quot;(prompt)&quot;"),
        ("'hunter2' is bad", "hunter2", "'(prompt)' is bad"),
        ("“你好吗” is bad", "你好吗", "“(prompt)” is bad"),
        ('"user", "content"', "content", '"user", "content"'),
        ('unknown "temperature"', "temperature", 'unknown "temperature"'),
        ('at most "5"', "5", 'at most "5"'),
        ("not found: no such thing", "not found", "not found: no such thing"),
        ("", "not found", ""),
    ],
)
def test_a_short_prompt_goes_where_it_is_quoted_whole_if_it_is_more_than_a_word(
    said: str, short: str, told: str
) -> None:
    assert without(said, [short]) == told


def test_a_prompt_of_a_megabyte_is_passed_through_however_often_it_repeats_itself() -> None:
    for prompt in ("a" * 1_000_000, "\\n" * 500_000, "account 4711 of Müller; " * 42_000):
        assert without("x" * 20, [prompt]) == "x" * 20
        assert without(f"no: {prompt[:7000]}", [prompt]).startswith("no:")


def test_of_endless_words_the_beginning_is_kept_and_ends_with_a_word() -> None:
    words = without("word " * 4000, [PROMPT])
    assert words.startswith("word word")
    assert words.endswith("word")
    assert len(words) < 8000


def test_texts_are_those_of_every_part_of_a_prompt() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"who": "me"}'}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "found"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "this"},
                {"type": "image_url", "image_url": {"url": "https://clinic.example/doe.png"}},
                {"type": "file", "file": {"filename": "doe.pdf", "file_data": "JVBE"}},
            ],
        },
    ]
    found = {
        "a",
        "look",
        '{"who": "me"}',
        "found",
        "this",
        "https://clinic.example/doe.png",
        "doe.pdf",
        "JVBE",
    }
    assert set(texts_of(messages)) == found


def test_texts_of_what_holds_itself_have_an_end() -> None:
    content: list[object] = ["this"]
    content.append({"role": "user", "content": content})
    assert list(texts_of(content)) == ["this"]
