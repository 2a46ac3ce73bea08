"""Events as texts for the journal: each can be sent, however much was asked, and everybody can read it."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import pytest

from engine.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    RequestFailed,
    RequestStarted,
    RequestSucceeded,
)
from engine.recorded import event_from_json
from engine.store.sendable import LONGEST, sendable

HEAD: dict[str, Any] = {"at": "2026-01-01T00:00:00.000Z", "seq": 7, "engine": "api", "request": "r1"}
MANY = "(1,234,567 characters, too many for the journal)"


def started(prompt: object, models: tuple[str, ...] = ("p/a",)) -> RequestStarted:
    return RequestStarted(**HEAD, target="main", models=models, mode="complete", prompt=prompt)


def succeeded(answer: str | None, elapsed_s: float = 1.0) -> RequestSucceeded:
    return RequestSucceeded(
        **HEAD,
        model="p/a",
        attempts=1,
        fallback=False,
        elapsed_s=elapsed_s,
        first_token_s=None,
        input_tokens=None,
        output_tokens=None,
        answer=answer,
    )


def failed(message: str, causes: tuple[dict[str, Any], ...] = ()) -> RequestFailed:
    return RequestFailed(**HEAD, error="E", message=message, causes=causes, elapsed_s=1.0)


def no_number(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


def sent(event: Event) -> dict[str, Any]:
    """What a strict reader reads."""
    text = sendable(event)
    assert len(text) <= LONGEST
    data: dict[str, Any] = json.loads(text, parse_constant=no_number)
    return data


@pytest.mark.parametrize("prompt", ["x" * 190_000, [{"role": "user", "content": "\ud83d" * 30_000}]])
def test_what_is_not_too_long_is_sent_as_it_is(prompt: object) -> None:
    assert sent(started(prompt)) == started(prompt).to_json()


def test_a_huge_prompt_is_told_as_such_and_all_else_stays() -> None:
    before, long = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "x" * 1_234_567}
    event = started([before, long])
    assert sent(event) == event.to_json() | {"prompt": [before, {"role": "user", "content": MANY}]}
    assert event.prompt == [before, long]
    assert len(long["content"]) == 1_234_567
    assert sent(started("\n" * 1_234_567))["prompt"] == MANY


def test_a_huge_answer_is_told_as_such() -> None:
    assert sent(succeeded("x" * 1_234_567)) == succeeded(MANY).to_json()


def test_the_longest_texts_go_first() -> None:
    texts = ["a" * 40_000, "b" * 120_000, "c" * 60_000]
    assert sent(started(texts))["prompt"] == [
        texts[0],
        "(120,000 characters, too many for the journal)",
        "(60,000 characters, too many for the journal)",
    ]


@pytest.mark.parametrize(
    "event",
    [
        started("x" * 5_000_000),
        started("\U0001f600" * 50_000),
        started(["x" * 10_000] * 500),
        started([{"role": "user", "content": "x" * 400}] * 5_000),
        started({f"name {number}": number for number in range(50_000)}),
        started([[0.5] * 1000] * 1000),
        started("x" * 400_000, ("p/" + "m" * 400_000,)),
        started("hi", tuple(f"p/{number}" for number in range(100_000))),
        succeeded('"' * 400_000),
        failed("\x00" * 400_000, ({"message": "x" * 400_000},)),
        failed("no", ({"message": "x"},) * 50_000),
    ],
)
def test_an_event_of_any_size_can_be_sent_and_is_still_that_event(event: Event) -> None:
    data = sent(event)
    assert {name: data[name] for name in HEAD} == HEAD
    assert type(event_from_json(data)) is type(event)
    assert data.keys() == event.to_json().keys()


def test_many_short_texts_are_told_as_one_long() -> None:
    prompt = ["x" * 400] * 5_000
    assert sent(started(prompt))["prompt"] == "(2,020,000 characters, too many for the journal)"


# Numbers


@pytest.mark.parametrize("none", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_null_wherever_it_is(none: Any) -> None:
    assert sent(succeeded(None, elapsed_s=none))["elapsed_s"] is None
    prompt = {"top": none, "deep": [{"values": (1.5, none, "NaN")}]}
    assert sent(started(prompt))["prompt"] == {"top": None, "deep": [{"values": [1.5, None, "NaN"]}]}
    assert sent(failed("no", ({"elapsed_s": none},)))["causes"] == [{"elapsed_s": None}]
    attempt = AttemptSucceeded(
        **HEAD,
        model="p/a",
        key=None,
        attempt=none,
        elapsed_s=1.0,
        first_token_s=none,
        finish_reason="",
        input_tokens=none,
        output_tokens=None,
    )
    data = sent(attempt)
    assert (data["attempt"], data["first_token_s"], data["input_tokens"]) == (None, None, None)


@pytest.mark.parametrize("number", [0, 3, True, -2.5, 10**15])
def test_a_number_of_another_type_reads_back_equal(number: Any) -> None:
    event = AttemptFailed(
        **HEAD,
        model="p/a",
        key=None,
        attempt=number,
        kind="transient",
        reason="x",
        status=number,
        message="",
        elapsed_s=number,
        retry_in_s=number,
        output_tokens=number,
    )
    assert sent(event) == event.to_json()


def test_what_is_true_or_false_is_written_as_that() -> None:
    event = AttemptStarted(
        **HEAD,
        model="p/a",
        provider="p",
        key=None,
        attempt=1,
        attempts=1,
        position=1,
        positions=1,
        trial=True,
    )
    assert sent(event) == event.to_json()
