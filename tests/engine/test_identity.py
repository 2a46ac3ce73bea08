"""What an engine is called."""

from __future__ import annotations

import os

import pytest

from engine import Config, Engine
from engine.identity import engine_name


def test_an_engine_is_called_by_its_program_and_process() -> None:
    assert engine_name().endswith(f":{os.getpid()}")


@pytest.mark.parametrize(
    ("value", "name"),
    [("api-3", "api-3"), (" api 3 ", "api 3"), ("a\x1b[2J\nb", "a\ufffd[2J\ufffdb"), ("x" * 200, "x" * 80)],
)
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
