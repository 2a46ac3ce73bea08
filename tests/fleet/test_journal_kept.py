"""How much of the journal is kept: as the configuration in force says, and only by who stays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Config, Engine, load_config
from engine.config.model import Journal
from engine.store import chores
from engine.store.base import Record, Store
from tests.fleet.stage import until
from tests.store.backends import MakeStore

PROVIDERS = "providers: {p: {kind: simulated, models: {a: {}}}}\n"
DAY_S = 86_400


@pytest.fixture
def store(make_store: MakeStore) -> Iterator[Store]:
    """A store with a hundred records of three days ago."""
    store = make_store()
    store.open()
    at, text = time.time() - 3 * DAY_S, '{"event": "x"}'
    store.append([Record(at, "old", "old", text, number) for number in range(1, 101)])
    yield store
    store.close()


def old(store: Store) -> int:
    return sum(each.record.run == "old" for each in store.read())


async def test_after_a_reload_the_journal_is_cut_as_the_new_configuration_says(
    make_store: MakeStore, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "_PRUNE_EVERY_S", 0.01)
    path = tmp_path / "config.yaml"
    path.write_text(f"{PROVIDERS}journal: {{keep: 30d}}\n")
    async with Engine(load_config(path), store=make_store()) as engine:
        await engine.flush()
        assert old(store) == 100
        path.write_text(f"{PROVIDERS}journal: {{keep: 30d, rows: 50}}\n")
        assert await engine.reload()
        await until(lambda: old(store) <= 50)
        path.write_text(f"{PROVIDERS}journal: {{keep: 1d}}\n")
        assert await engine.reload()
        await until(lambda: old(store) == 0)


@pytest.mark.parametrize(("visible", "left"), [(False, 100), (True, 0)])
async def test_an_engine_that_is_gone_in_a_moment_cuts_no_journal(
    make_store: MakeStore, store: Store, visible: bool, left: int
) -> None:
    config = Config(journal=Journal(keep=1.0, rows=1))
    async with Engine(config, store=make_store(), visible=visible) as engine:
        await engine.flush()
    assert old(store) == left
