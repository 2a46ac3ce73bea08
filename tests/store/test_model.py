"""Two connections to one storage do whatever comes to mind, and a plain model says what has to come of it."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.store.base import Presence, Record, Row, Store
from tests.store.backends import BACKENDS, connections
from tests.store.patience import soon

NAMES = st.sampled_from(["p/a", "p/b", "p/*", "p#key", "\ud800"])
TEXTS = st.text(max_size=8)
AGO = st.integers(1, 20).map(float)
STEP_S = 10_000.0
"""Longer than the test takes."""
WHO = st.integers(0, 1)


class Model(RuleBasedStateMachine):
    """The storage, two connections to it, and what it should hold."""

    backend = "memory"

    @initialize()
    def begin(self) -> None:
        self.begun = time.time()
        self.stack = ExitStack()
        connect = self.stack.enter_context(connections(self.backend))
        self.stores: list[Store] = [connect(), connect()]
        self.bench: dict[str, Row] = {}
        self.versions = [0]
        self.gone: list[Row] = []
        self.journal: list[tuple[str, Record]] = []
        self.places = [""]
        self.passed: dict[str, int] = {"": 0}
        self.appended = 0
        self.engines: dict[str, str] = {}
        self.news = [False, False]
        self.incarnation = self.stores[0].rows().incarnation
        for store in self.stores:
            store.changed()

    def teardown(self) -> None:
        self.stack.close()

    def wrote(self, who: int) -> None:
        self.news[1 - who] = True

    @rule(who=WHO, name=NAMES, beside=st.lists(NAMES, max_size=3), text=st.none() | TEXTS)
    def update(self, who: int, name: str, beside: list[str], text: str | None) -> None:
        seen: dict[str, str] = {}

        def step(rows: object, _now: float) -> str | None:
            assert isinstance(rows, dict)
            seen.clear()
            seen.update(rows)
            return text

        row = self.stores[who].update(name, beside, step).row
        assert seen == {each: self.bench[each].state for each in (name, *beside) if each in self.bench}
        if text is None:
            assert row == self.bench.get(name, Row(name, 0, ""))
            return
        assert (row.name, row.state) == (name, text)
        assert row.version > self.versions[-1]
        self.bench[name] = row
        self.versions.append(row.version)
        self.wrote(who)

    @rule(who=WHO, data=st.data())
    def rows(self, who: int, data: st.DataObject) -> None:
        after = data.draw(st.sampled_from(self.versions))
        changes = self.stores[who].rows(after)
        expected = [row for row in self.bench.values() if row.version > after]
        assert sorted(changes.rows) == sorted(expected)
        assert changes.version >= self.versions[-1]
        assert changes.incarnation == self.incarnation

    @precondition(lambda self: self.bench or self.gone)
    @rule(who=WHO, data=st.data())
    def forget(self, who: int, data: st.DataObject) -> None:
        known = [*self.bench.values(), *self.gone]
        asked = {row.name: row.version for row in data.draw(st.lists(st.sampled_from(known), min_size=1))}
        self.stores[who].forget(asked)
        for name, version in asked.items():
            if name in self.bench and self.bench[name].version == version:
                self.gone.append(self.bench.pop(name))
                self.wrote(who)

    def back_s(self, ago: float) -> float:
        """As many seconds back as reach what happened so many steps before the beginning."""
        return time.time() - self.begun + (ago + 0.5) * STEP_S

    def is_within(self, record: Record, ago: float) -> bool:
        return record.at >= self.begun - (ago + 0.5) * STEP_S

    @rule(who=WHO, steps=st.lists(AGO, max_size=4), again=st.booleans())
    def append(self, who: int, steps: list[float], again: bool) -> None:
        records = [
            Record(self.begun - ago * STEP_S, "engine", "run", str(number))
            for number, ago in enumerate(steps, self.appended)
        ]
        for _ in range(1 + again):
            self.stores[who].append([each._replace(number=int(each.data) + 1) for each in records])
        self.appended += len(records)
        if records:
            found = self.stores[who].read(after=self.places[-1], limit=100)
            assert [each.record for each in found] == records
            for each in found:
                self.journal.append((each.place, each.record))
                self.places.append(each.place)
                self.passed[each.place] = int(each.record.data) + 1
            self.wrote(who)

    @rule(who=WHO, data=st.data(), ago=AGO, limit=st.integers(1, 6))
    def read(self, who: int, data: st.DataObject, ago: float, limit: int) -> None:
        after = data.draw(st.sampled_from(self.places))
        expected = [
            (place, record)
            for place, record in self.journal
            if int(record.data) >= self.passed[after] and self.is_within(record, ago)
        ]
        assert self.stores[who].read(after, self.back_s(ago), limit) == expected[:limit]

    @rule(who=WHO, rows=st.integers(0, 8), limit=st.integers(1, 5))
    def prune_by_number(self, who: int, rows: int, limit: int) -> None:
        too_many = min(max(0, len(self.journal) - rows), limit)
        assert self.stores[who].prune(self.back_s(30), rows, limit) == too_many
        del self.journal[:too_many]

    @rule(who=WHO, ago=AGO)
    def prune_by_age(self, who: int, ago: float) -> None:
        young = [entry for entry in self.journal if self.is_within(entry[1], ago)]
        removed = self.stores[who].prune(self.back_s(ago), 1000)
        left = self.stores[who].read(limit=1000)
        # What is old behind something young may go later.
        assert [each for each in left if self.is_within(each.record, ago)] == young
        assert removed == len(self.journal) - len(left)
        assert [tuple(each) for each in left] == [entry for entry in self.journal if entry in left]
        if not self.journal or not self.is_within(self.journal[0][1], ago):
            assert removed or not self.journal
        self.journal = [(place, record) for place, record in left]

    @rule(who=WHO, run=st.sampled_from("abc"), name=TEXTS.filter(str.isascii))
    def beat(self, who: int, run: str, name: str) -> None:
        self.stores[who].beat(Presence(run, name, "host", 1))
        self.engines[run] = name

    @rule(who=WHO, run=st.sampled_from("abc"))
    def leave(self, who: int, run: str) -> None:
        self.stores[who].leave(run)
        self.engines.pop(run, None)

    @rule(who=WHO)
    def changed(self, who: int) -> None:
        assert not self.news[who] or soon(self.stores[who].changed)
        self.news[who] = False

    @rule(who=WHO)
    def reopen(self, who: int) -> None:
        self.stores[who].close()
        assert self.stores[who].open() == []
        self.news[who] = False

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        if not hasattr(self, "stores"):
            return
        for store in self.stores:
            assert {row.name: row for row in store.rows().rows} == self.bench
            there = store.engines()[0]
            assert {each.run: each.name for each in there} == self.engines
            assert [each.name for each in there] == sorted(self.engines.values())
            assert store.end() == (self.journal[-1][0] if self.journal else "")


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_two_connections_agree_with_a_plain_model(backend: str) -> None:
    machine = type("Machine", (Model,), {"backend": backend})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=30, deadline=None)
    )
