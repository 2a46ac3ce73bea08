"""`groups:` and `fallback:`: what they may name, and what becomes of it."""

from __future__ import annotations

import pytest

from tests.config.reading import config, faults, with_providers

HEAD = """
aliases: {one: o/x, again: one, two: "o/x, s/x", round: round}
chains: {c: [o/x]}
owners: {al: {providers: {mine: {kind: openai}}}}
"""


def of(line: str) -> list[str]:
    """The faults of one line, as `COLUMN: where: what`; the circle of `round` is always there."""
    found = faults(with_providers(line + HEAD))
    assert [fault for fault in found if not fault.startswith("2:")] == [
        "3:57: aliases.round: goes in a circle: round → round"
    ]
    return [fault.removeprefix("2:") for fault in found if fault.startswith("2:")]


def test_groups_are_kept_as_models_in_their_order() -> None:
    text = """
        aliases: {one: o/x, again: one}
        groups:
          - [s/a, o/a, s/qwen/b]
          - "again, s/x"
    """
    assert config(with_providers(text)).groups == (("s/a", "o/a", "s/qwen/b"), ("o/x", "s/x"))


@pytest.mark.parametrize("line", ["groups: []", "groups:", "fallback: []", "fallback: none", "fallback:"])
def test_nothing_may_be_asked_for_in_so_many_words(line: str) -> None:
    found = config(with_providers(line))
    assert (found.groups, found.fallback) == ((), ())


LEAST = "must be a list of models that stand in for one another, with at least two"
LISTS = "a group lists models, and aliases of one model each"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("groups: [[o/x]]", f"10: groups[0]: {LEAST}"),
        ("groups: [[]]", f"10: groups[0]: is empty; it {LEAST}"),
        ("groups: [o/x, s/x]", f"10: groups[0]: {LEAST}"),
        ("groups: o/x", "9: groups: must be a list of groups, as [[a/x, b/x]], not a single value"),
        ("groups: [{a: b}]", f"10: groups[0]: {LEAST.removesuffix(', with at least two')}, not a mapping"),
        ("groups: [[s/y, oo/y]]", "16: groups[0][1]: unknown provider 'oo'; did you mean 'o'?"),
        ("groups: [[s/y, onee]]", "16: groups[0][1]: unknown name 'onee'; did you mean 'one'?"),
        ("groups: [[s/y, c]]", f"16: groups[0][1]: 'c' is a chain; {LISTS}"),
        ("groups: [[s/y, two]]", f"16: groups[0][1]: 'two' is not one model; {LISTS}"),
        ("groups: [[s/y, round]]", f"16: groups[0][1]: 'round' is not one model; {LISTS}"),
        (
            "groups: [[s/y, al:mine/x]]",
            (
                "16: groups[0][1]: 'al:mine/x' belongs to an owner; "
                "a group lists models of the file's `providers`"
            ),
        ),
        (
            "groups: [[s/y, mine/x]]",
            "16: groups[0][1]: unknown provider 'mine'; it must stand in `providers`",
        ),
    ],
)
def test_what_is_no_group_is_a_fault_where_it_stands(line: str, fault: str) -> None:
    assert of(line)[0] == fault


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "groups: [[o/x, s/x], [s/y, o/x]]",
            "28: groups[1][1]: 'o/x' is in a group already, at groups[0][0]",
        ),
        ("groups: [[o/x, s/x, o/x]]", "21: groups[0][2]: 'o/x' is in a group already, at groups[0][0]"),
        (
            "groups: [[o/x, s/x], [s/y, again]]",
            "28: groups[1][1]: 'o/x' is in a group already, at groups[0][0]",
        ),
        ("groups: ['o/x, s/x', 's/y, o/x']", "28: groups[1]: 'o/x' is in a group already, at groups[0]"),
    ],
)
def test_a_model_is_in_one_group_only(line: str, fault: str) -> None:
    assert of(line) == [f"{fault}; a model may be in one group only"]


def test_a_fallback_is_kept_as_it_is_written() -> None:
    text = """
        aliases: {one: o/x}
        chains:
          plain: [s/a]
          own: {models: s/a, fallback: [s/b, one]}
          text: {models: s/a, fallback: "s/b, one"}
          none: {models: s/a, fallback: none}
          empty: {models: s/a, fallback: []}
        fallback: [one, none]
    """
    found = config(with_providers(text))
    assert found.fallback == ("one", "none")
    assert {name: chain.fallback for name, chain in found.chains.items()} == {
        "plain": None,
        "own": ("s/b", "one"),
        "text": ("s/b", "one"),
        "none": (),
        "empty": (),
    }


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("fallback: [o/x, onee]", "17: fallback[1]: unknown name 'onee'; did you mean 'one'?"),
        ("fallback: oo/x", "11: fallback: unknown provider 'oo'; did you mean 'o'?"),
        ("fallback: [mine/x]", "12: fallback[0]: unknown provider 'mine'; it must stand in `providers`"),
        ("fallback: {a: b}", "11: fallback: must be `none`, or a list of models, not a mapping"),
        (
            "fallback: [~]",
            "11: fallback: is empty; it must be `none`, or a list of models, with at least one",
        ),
    ],
)
def test_a_fallback_names_what_there_is(line: str, fault: str) -> None:
    assert of(line) == [fault]


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        ("fallback: [oo/x]", "38: chains.c.fallback[0]: unknown provider 'oo'; did you mean 'o'?"),
        (
            "fallback: ",
            "37: chains.c.fallback: is empty; it must be `none`, or a list of models, with at least one",
        ),
        ("fallback: None", "37: chains.c.fallback: unknown name 'None': no chain or alias; a model is"),
    ],
)
def test_a_chain_s_own_fallback_names_what_there_is(inner: str, fault: str) -> None:
    (found,) = faults(with_providers(f"chains: {{c: {{models: o/x, {inner}}}}}"))
    assert found.startswith(f"2:{fault}")
