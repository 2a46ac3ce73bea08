"""A provider's keys as they are read: from files that change, and what is remembered of them."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path

import pytest

from engine.config.model import KeySource, ProviderConfig
from engine.errors import ChainExhausted
from engine.keys import KeyRing
from engine.policy import Policy
from engine.providers.base import Signal
from tests.engine.benching import Clock
from tests.scripted import After, Scripted, chain_of, running
from tests.virtual_time import pass_time, virtual

OLD, NEW = "OLDvalue1234567890", "NEWvalue-longer-000"


def _ring(*files: Path, clock: Clock | None = None) -> KeyRing:
    sources = tuple(KeySource(file.name, file=file) for file in files)
    return KeyRing(ProviderConfig("p", keys=sources), clock or Clock())


def _taken(keys: KeyRing) -> str | None:
    """The value that a request goes out with, once somebody has asked which keys have one."""
    keys.set_keys()
    secret = keys.take(lambda _: True)
    return None if secret is None else secret.reveal()


def _remembered(keys: KeyRing) -> list[str]:
    return [secret.reveal() for secret in keys.secrets()]


@virtual
async def test_an_error_that_quotes_a_key_replaced_meanwhile_does_not_show_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(OLD)
    provider = Scripted({"a": [After(5.0, Signal("status", f"no such key: {OLD}", status=401))], "b": ["ok"]})
    config = chain_of(provider, "a", "b", keys=(KeySource("k", file=file),), policy=Policy(attempts=1))
    async with running(config) as (engine, heard):
        asking = asyncio.create_task(engine.complete("p/a", "hi"))
        await pass_time(1.0)
        file.write_text(NEW)
        await engine.complete("p/b", "hi")
        with pytest.raises(ChainExhausted) as ended:
            await asking
    assert OLD not in str(ended.value)
    (failed,) = heard.of("attempt.failed")
    assert failed.message == "no such key: [redacted]"


def test_the_last_eight_values_of_a_key_are_remembered_beside_the_one_in_use(tmp_path: Path) -> None:
    file = tmp_path / "key"
    keys = _ring(file)
    for number in range(12):
        file.write_text("v" * (number + 1))
        assert _taken(keys) == "v" * (number + 1)
    assert sorted(map(len, _remembered(keys))) == [4, 5, 6, 7, 8, 9, 10, 11, 12]


def test_the_value_of_a_key_whose_file_is_gone_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(OLD)
    keys = _ring(file)
    assert _taken(keys) == OLD
    file.unlink()
    assert _taken(keys) is None
    assert _remembered(keys) == [OLD]


def test_a_file_that_was_written_again_with_the_same_key_replaces_nothing(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(OLD)
    keys = _ring(file)
    assert _taken(keys) == OLD
    file.write_text(f"{OLD}\n")
    assert _taken(keys) == OLD
    assert _remembered(keys) == [OLD]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was looked at."""
    counted = Counter[str]()
    look = Path.stat

    def counting(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        counted[path.name] += 1
        return look(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", counting)
    return counted


def test_only_the_key_in_turn_is_looked_at_more_than_once_a_second(
    tmp_path: Path, looks: Counter[str]
) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for file in (one, two, three):
        file.write_text(f"key-of-{file.name}")
    clock = Clock()
    keys = _ring(one, two, three, clock=clock)
    keys.set_keys()
    looks.clear()
    for _ in range(5):
        keys.set_keys()
    assert looks == {"one": 5}
    assert _taken(keys) == "key-of-one"
    clock.now += 1.0
    looks.clear()
    for _ in range(5):
        keys.set_keys()
    assert looks == {"one": 1, "two": 5, "three": 1}


def test_a_key_that_is_used_out_of_turn_is_looked_at_first(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("key-of-one")
    two.write_text(OLD)
    keys = _ring(one, two)
    keys.set_keys()
    two.write_text(NEW)
    secret = keys.take(lambda name: name != "p#one")
    assert secret is not None
    assert secret.reveal() == NEW


def test_a_key_whose_file_went_between_two_looks_serves_once_more(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("key-of-one")
    two.write_text(OLD)
    keys = _ring(one, two)
    assert keys.set_keys() == ["p#one", "p#two"]
    two.unlink()
    secret = keys.take(lambda name: name != "p#one")
    assert secret is not None
    assert secret.reveal() == OLD
    assert keys.set_keys() == ["p#one"]


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_key_written_later_serves_the_next_request(tmp_path: Path, name: str) -> None:
    keys = _ring(tmp_path / "one", tmp_path / "two")
    assert _taken(keys) is None
    (tmp_path / name).write_text(NEW)
    assert _taken(keys) == NEW
