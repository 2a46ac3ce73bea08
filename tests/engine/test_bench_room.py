"""Room on the bench when nothing on it is idle: more names come in, and none makes all be looked over."""

from __future__ import annotations

import pytest

from engine import bench
from engine.entry import Entry
from tests.engine.benching import Scene


def test_a_full_bench_is_not_looked_over_for_each_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_MOST_ENTRIES", 100)
    looks = 0
    is_idle = Entry.is_idle.fget  # type: ignore[attr-defined]  # a property has one

    def counting(entry: Entry) -> bool:
        nonlocal looks
        looks += 1
        return bool(is_idle(entry))

    monkeypatch.setattr(Entry, "is_idle", property(counting))
    scene = Scene()
    for number in range(1_000):
        scene.fail(f"p/{number}")
    assert len(scene.bench.blocks()) == 1_000
    assert looks < 20 * 1_000


def test_names_that_came_into_a_full_bench_make_room_once_they_are_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench, "_MOST_ENTRIES", 100)
    scene = Scene()
    for number in range(300):
        scene.fail(f"p/{number}")
    scene.at(200.0)
    for number in range(1_000):
        scene.bench.unbench(f"q/{number}", "alice")
    assert len(scene.bench._entries) < 400
