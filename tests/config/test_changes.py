from __future__ import annotations

from dataclasses import replace

import pytest

from engine.config.watch import changes
from engine.policy import Policy
from tests.config.reading import config

OLD = """
defaults: {cooldown: 5m, attempts: 3, backoff: {base: 200ms}, timeouts: {idle: 1m}}
providers:
  o: {kind: openai, headers: {x-team: one}}
  s: {kind: simulated, models: {m: {tokens: 3}}}
aliases: {cheap: o/small}
chains:
  support: [o/big, cheap]
  drafts: {models: [cheap], cooldown: 1m}
traffic: {rate: 1/s, through: [quiet]}
"""
OLD = OLD.replace("  drafts", "  quiet: [s/m]\n  drafts")


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("[o/big, cheap]", "[cheap, o/big]", ["chain support: models changed"]),
        (
            "cooldown: 1m",
            "cooldown: 90s, attempts: 2",
            ["chain drafts: attempts 3 → 2", "chain drafts: cooldown 1m → 1m30s"],
        ),
        ("{models: [cheap], cooldown: 1m}", "[cheap]", ["chain drafts: cooldown 1m → 5m"]),
        ("cooldown: 5m", "cooldown: 1m", ["defaults: cooldown 5m → 1m"]),
        ("base: 200ms", "base: 1s", ["defaults: backoff.base 200ms → 1s"]),
        ("idle: 1m", "connect: 1s", ["defaults: timeouts.connect 10s → 1s"]),
        ("attempts: 3", "cooldown_growth: 1.5", ["defaults: cooldown_growth 2 → 1.5"]),
        ("attempts: 3", "on_auth_error: raise", ["defaults: on_auth_error bench → raise"]),
        ("cheap: o/small", "cheap: o/tiny", ["alias cheap: changed"]),
        ("cheap: o/small", "cheap: o/small, dear: o/large", ["alias dear: added"]),
        ("x-team: one", "x-team: two", ["provider o: headers changed"]),
        ("kind: openai,", "kind: ollama,", ["provider o: kind changed", "provider o: base_url changed"]),
        ("tokens: 3", "tokens: 4", ["provider s: models changed"]),
        ("aliases:", "  n: {kind: ollama}\naliases:", ["provider n: added"]),
        ("  quiet: [s/m]\n", "  quiet: [s/m]\n  loud: [s/m]\n", ["chain loud: added"]),
        ("through: [quiet]", "through: [quiet], rate: 2/s", ["traffic: changed"]),
        (
            "aliases:",
            "store: memory\njournal: {rows: 1}\naliases:",
            ["store: changed, which counts from the next start on", "journal: changed"],
        ),
        (
            "aliases:",
            "record_prompts: true\ndashboard: {bell: true}\naliases:",
            ["record_prompts: changed", "dashboard: changed"],
        ),
    ],
)
def test_each_change_is_one_line(old: str, new: str, lines: list[str]) -> None:
    assert OLD.count(old) == 1
    text = OLD.replace(old, new).replace("rate: 1/s, through: [quiet], rate", "through: [quiet], rate")
    assert list(changes(config(OLD), config(text))) == lines


OWNERS = """
owners:
  alice: {providers: {mine: {kind: openai, headers: {x: a}}}, aliases: {cheap: mine/a}}
groups: [[o/big, o/small]]
fallback: [o/last]
"""


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("[o/big, o/small]", "[o/small, o/big]", ["groups: changed"]),
        ("[o/last]", "none", ["fallback: changed"]),
        ("{x: a}", "{x: b}", ["owner alice: provider mine: headers changed"]),
        ("cheap: mine/a", "cheap: mine/b", ["owner alice: alias cheap: changed"]),
        ("cheap: mine/a", "cheap: mine/a, dear: mine/b", ["owner alice: alias dear: added"]),
        ("groups:", "  bob: {}\ngroups:", ["owner bob: added"]),
        ("  drafts: {", "  drafts: {owner: alice, ", ["chain drafts: owner - → alice"]),
        ("  drafts: {", "  drafts: {fallback: none, ", ["chain drafts: fallback changed"]),
    ],
)
def test_groups_fallback_and_owners_are_named_too(old: str, new: str, lines: list[str]) -> None:
    text = OLD.replace("through: [quiet]", "through: [alone]") + OWNERS
    text = text.replace("  quiet:", "  alone: {models: s/m, fallback: none}\n  quiet:")
    assert text.count(old) == 1
    assert list(changes(config(text), config(text.replace(old, new)))) == lines


def test_what_is_gone_is_told() -> None:
    text = OLD.replace(", cheap]", "]").replace("[cheap]", "[o/x]").replace("aliases: {cheap: o/small}\n", "")
    assert set(changes(config(OLD), config(text))) == {
        "alias cheap: removed",
        "chain support: models changed",
        "chain drafts: models changed",
    }


def test_chains_in_another_order_are_a_change() -> None:
    old, new = "chains: {a: [o/x], b: [o/x]}", "chains: {b: [o/x], a: [o/x]}"
    head = "providers: {o: {kind: openai}}\n"
    assert changes(config(head + old), config(head + new)) == ("chains: order changed",)


def test_configurations_that_are_alike_differ_in_nothing() -> None:
    assert changes(config(OLD), config("# a comment\n" + OLD)) == ()


def test_a_backoff_of_one_s_own_is_told_by_its_name() -> None:
    def steady(attempt: int) -> float:
        return float(attempt)

    old = config(OLD)
    new = replace(old, defaults=Policy(cooldown=300.0, backoff=steady))
    assert "defaults: backoff.base 200ms → -" in changes(old, new)
    assert "defaults: backoff - → steady" in changes(old, new)
