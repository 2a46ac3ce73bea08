"""What an engine is called."""

from __future__ import annotations

import os
from typing import Any

import pytest

from engine import Config, Engine
from engine.identity import engine_name


def test_an_engine_is_called_by_its_program_and_process() -> None:
    assert engine_name().endswith(f":{os.getpid()}")


NAMED = [
    ("api-3", "api-3"),
    (" api 3 ", "api 3"),
    ("a\x1b[2J\nb\udc80", "a\ufffd[2J\ufffdb\ufffd"),
    ("x" * 200, "x" * 80),
]


@pytest.mark.parametrize(("value", "name"), NAMED)
def test_the_environment_may_name_it(value: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDBY_NAME", value)
    assert engine_name() == name


@pytest.mark.parametrize("value", ["", "  "])
def test_a_blank_name_is_none(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDBY_NAME", value)
    assert engine_name().endswith(f":{os.getpid()}")


async def test_a_name_in_code_counts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDBY_NAME", "api-3")
    assert Engine(Config()).name == "api-3"
    assert Engine(Config(), name="worker").name == "worker"


@pytest.mark.parametrize(("value", "name"), NAMED)
def test_a_name_in_code_is_cut_and_printable_too(value: str, name: str) -> None:
    assert Engine(Config(), name=value).name == name


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_blank_name_in_code_is_the_default_one(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Engine(Config(), name=value).name == engine_name()
    monkeypatch.setenv("STANDBY_NAME", "api-3")
    assert Engine(Config(), name=value).name == "api-3"


def test_a_name_that_is_no_text_is_refused_at_once() -> None:
    name: Any = 7
    with pytest.raises(TypeError, match="name is int, not text"):
        Engine(Config(), name=name)
