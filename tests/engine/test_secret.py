"""Keys that do not show themselves, and other people's texts without them."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given, strategies as st

from engine.secret import LONGEST_MESSAGE, MASK, Secret, checked_key, redact

VALUE = "sk-abcdef0123456789"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{0!r}".format, lambda secret: f"{secret:>40}"])
def test_a_secret_shows_its_name_and_never_its_value(show: object) -> None:
    assert callable(show)
    try:
        shown = show(Secret("openai#main", VALUE))
    except TypeError:
        return  # refuses to be formatted at all
    assert VALUE not in shown
    assert "openai#main" in shown


@pytest.mark.parametrize("leak", [pickle.dumps, copy.deepcopy, json.dumps])
def test_a_secret_is_not_written_or_copied(leak: object) -> None:
    assert callable(leak)
    with pytest.raises(TypeError):
        leak(Secret("k", VALUE))


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abcDEF123456789xyz.",
        "key sk-ab**********wxyz is invalid",
        "Authorization: Bearer abc.def-ghi",
        "GET https://x.example/v1?key=AIzaSyA0123456789abc&alt=json",
        "http://user:password@proxy.example:3128 refused",
        "token ghp_0123456789abcdefABCDEF",
    ],
)
def test_what_looks_like_a_key_is_taken_out(text: str) -> None:
    shown = redact(text)
    assert MASK in shown
    for secret in ("abcDEF123456789", "wxyz", "abc.def-ghi", "AIzaSyA", "password", "0123456789abcdef"):
        assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "api_connection_error while reaching the upstream",
        "key_not_found_in_request_body",
        "skateboarding-and-other-sports",
        "The model gpt-5-mini-2026-01-01 does not exist",
        "max_tokens must be at most 8192",
    ],
)
def test_what_an_operator_needs_to_read_stays(text: str) -> None:
    assert redact(text) == text


def test_a_long_message_is_cut_and_says_so() -> None:
    shown = redact("word " * 1000)
    assert len(shown) == LONGEST_MESSAGE
    assert shown.endswith("…")


@given(
    before=st.text(max_size=600),
    after=st.text(max_size=600),
    value=st.text("abcXYZ019-_", min_size=6, max_size=80),
)
def test_a_known_key_never_survives_wherever_it_stands(before: str, after: str, value: str) -> None:
    secret = Secret("k", value)
    outside = (before + after).replace(value, "") if value in before + after else before + after
    cut = outside[: len(before)] + value + outside[len(before) :]
    assert value not in redact(cut, [secret])


def test_of_two_keys_that_begin_alike_nothing_is_left() -> None:
    short, long = Secret("p#a", "abcdefgh1234"), Secret("p#b", "abcdefgh1234-and-more")
    assert redact("it says abcdefgh1234-and-more", [short, long]) == f"it says {MASK}"


@pytest.mark.parametrize("raw", ["", "  \n", "with blank", "\x00abc", "clé"])
def test_what_is_no_key_is_refused_without_being_repeated(raw: str) -> None:
    problem = checked_key("k", raw)
    assert isinstance(problem, str)
    assert not raw.strip() or raw.strip() not in problem


def test_white_space_around_a_key_is_stripped() -> None:
    key = checked_key("k", f"  {VALUE}\r\n")
    assert isinstance(key, Secret)
    assert key.reveal() == VALUE
