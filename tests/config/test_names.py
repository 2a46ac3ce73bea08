"""Aliases and chains: what they list, what they refer to, and circles."""

from __future__ import annotations

import pytest

from tests.config.reading import config, faults, with_providers


def test_chains_and_aliases_are_kept_in_the_file_s_order_and_not_resolved() -> None:
    text = """
        aliases:
          cheap: o/small, s/tiny
          one: o/small
          list: [o/a, "o/b, o/c"]
        chains:
          support: [o/big, cheap]
          drafts: {models: [support, cheap]}
          inline: o/x, cheap
    """
    found = config(with_providers(text))
    assert found.aliases == {
        "cheap": ("o/small", "s/tiny"),
        "one": ("o/small",),
        "list": ("o/a", "o/b", "o/c"),
    }
    assert list(found.chains) == ["support", "drafts", "inline"]
    assert [chain.models for chain in found.chains.values()] == [
        ("o/big", "cheap"),
        ("support", "cheap"),
        ("o/x", "cheap"),
    ]


def test_empty_parts_are_dropped_and_blanks_trimmed() -> None:
    assert config(with_providers("chains: {c: [' o/x ', '', 'o/y, ,', ~]}")).chains["c"].models == (
        "o/x",
        "o/y",
    )


def test_names_are_taken_as_they_were_written() -> None:
    text = """
        aliases: {on: o/x, 3.10: o/y, 007: o/z}
        chains: {yes: [on, 3.10, 007]}
    """
    assert config(with_providers(text)).chains["yes"].models == ("on", "3.10", "007")


def test_what_stands_right_of_the_first_slash_is_the_provider_s_own_business() -> None:
    names = ["o/qwen/qwen3-4b", "o/llama3.2:3b", "o/ft:gpt-4o@x", "o//x"]
    assert config(with_providers(f"chains: {{c: {names}}}")).chains["c"].models == tuple(names)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("chains: {c: []}", "13: chains.c: is empty; it must be a list of models, with at least one"),
        ("chains: {c: ''}", "13: chains.c: is empty; it must be a list of models, with at least one"),
        ("chains: {c: ' , '}", "13: chains.c: is empty; it must be a list of models, with at least one"),
        ("chains: {c: }", "13: chains.c: is empty; it must be a list of models, with at least one"),
        ("chains: {c: [~, '']}", "13: chains.c: is empty; it must be a list of models, with at least one"),
        (
            "chains: {c: {models: []}}",
            "22: chains.c.models: is empty; it must be a list of models, with at least one",
        ),
        ("chains: {c: {attempts: 1}}", "10: chains.c: has no `models`; list at least one"),
        ("chains: {c: {}}", "10: chains.c: has no `models`; list at least one"),
        ("chains: {c: {models: {a: b}}}", "22: chains.c.models: must be a list of models, not a mapping"),
        ("chains: {c: [[o/x]]}", "14: chains.c[0]: must be a name, not a list"),
        (
            "aliases: {a: []}",
            "14: aliases.a: is empty; it must be a model, or a list of models, with at least one",
        ),
        (
            "aliases: {a: {models: [o/x]}}",
            "14: aliases.a: must be a model, or a list of models, not a mapping",
        ),
    ],
)
def test_a_chain_or_alias_lists_at_least_one_name(line: str, fault: str) -> None:
    assert faults(with_providers(line)) == [f"2:{fault}"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "chains: {support: [o/x], c: [suport]}",
            "30: chains.c[0]: unknown name 'suport'; did you mean 'support'?",
        ),
        ("aliases: {Cheap: o/x, a: cheap}", "26: aliases.a: unknown name 'cheap'; did you mean 'Cheap'?"),
        (
            "chains: {c: [zzz]}",
            "14: chains.c[0]: unknown name 'zzz': no chain or alias; a model is written provider/model",
        ),
        (
            "chains: {c: [no]}",
            "14: chains.c[0]: unknown name 'no': no chain or alias; a model is written provider/model",
        ),
        ("chains: {c: [oo/x]}", "14: chains.c[0]: unknown provider 'oo'; did you mean 'o'?"),
        ("chains: {c: [azure/x]}", "14: chains.c[0]: unknown provider 'azure'; it must stand in `providers`"),
        ("chains: {c: [/x]}", "14: chains.c[0]: unknown provider ''; it must stand in `providers`"),
        ("chains: {c: [o]}", "14: chains.c[0]: 'o' is a provider; name one of its models, as o/MODEL"),
        ("chains: {c: [o/]}", "14: chains.c[0]: names no model; write o/MODEL"),
        ("chains: {c: [o/*]}", "14: chains.c[0]: names no model; write o/MODEL"),
        ("chains: {c: [o/x o/y]}", "14: chains.c[0]: holds a blank; separate models with commas"),
        ("chains: {c: 'o/x, oo/y,o/z'}", "19: chains.c: unknown provider 'oo'; did you mean 'o'?"),
        (
            "chains: {c: o/x, oo/y}",
            "18: chains.oo/y: the name of a chain can't hold '/', which means something in a target",
        ),
    ],
)
def test_a_name_that_names_nothing_is_a_fault_at_its_own_place(line: str, fault: str) -> None:
    assert faults(with_providers(line))[0] == f"2:{fault}"


def test_a_name_in_a_text_of_several_is_found_at_its_own_column() -> None:
    assert [fault.split(": ")[0] for fault in faults(with_providers("chains:\n  c: o/a, x, y"))] == [
        "3:11",
        "3:14",
    ]
    assert [fault.split(": ")[0] for fault in faults(with_providers('chains:\n  c: "\\x6f/a, x"'))] == ["3:6"]


def test_a_provider_with_faults_of_its_own_is_known_all_the_same() -> None:
    assert faults("providers: {o: {kind: opnai}}\nchains: {c: [o/x]}") == [
        (
            "1:23: providers.o.kind: unknown value 'opnai'; did you mean 'openai'? "
            "(one of openai, anthropic, ollama, simulated)"
        )
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("aliases: {a: a}", "14: aliases.a: goes in a circle: a → a"),
        ("aliases: {a: b, b: [o/x, a]}", "26: aliases.b[1]: goes in a circle: a → b → a"),
        ("chains: {a: [b], b: [c], c: [b]}", "30: chains.c[0]: goes in a circle: b → c → b"),
        ("chains: {a: [b]}\naliases: {b: a}", "14: chains.a[0]: goes in a circle: b → a → b"),
    ],
)
def test_lists_that_go_in_a_circle_are_a_fault_where_it_closes(line: str, fault: str) -> None:
    assert faults(with_providers(line)) == [f"2:{fault}"]


def test_every_circle_is_told() -> None:
    found = faults(with_providers("aliases: {a: a, b: [c, b], c: b}"))
    assert [fault.split(": ", 1)[1] for fault in found] == [
        "aliases.a: goes in a circle: a → a",
        "aliases.b[1]: goes in a circle: b → b",
        "aliases.c: goes in a circle: b → c → b",
    ]


def test_a_long_circle_is_cut_short_and_does_not_exhaust_the_stack() -> None:
    names = "".join(f"  a{n}: a{(n + 1) % 5000}\n" for n in range(5000))
    assert faults(with_providers(f"aliases:\n{names}")) == [
        "5002:10: aliases.a4999: goes in a circle: a0 → a1 → a2 → a3 → … → a4998 → a4999 → a0"
    ]


def test_an_alias_that_a_chain_hides_is_not_followed() -> None:
    assert faults(with_providers("aliases: {c: c}\nchains: {c: [o/x]}")) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "chains: {a/b: [o/x]}",
            "10: chains.a/b: the name of a chain can't hold '/', which means something in a target",
        ),
        (
            "aliases: {'a,b': o/x}",
            "11: aliases.a,b: the name of an alias can't hold ',', which means something in a target",
        ),
        (
            "aliases: {'a#b': o/x}",
            "11: aliases.a#b: the name of an alias can't hold '#', which means something in a target",
        ),
        (
            "aliases: {' a': o/x}",
            (
                "11: aliases. a: the name of an alias can't hold blanks at its ends or characters that don't "
                "print"
            ),
        ),
        (
            'chains: {"a\\x07": o/x}',
            "10: chains.a�: the name of a chain can't hold blanks at its ends or characters that don't print",
        ),
    ],
)
def test_a_name_holds_nothing_that_means_something_in_a_target(line: str, fault: str) -> None:
    assert faults(with_providers(line)) == [f"2:{fault}"]


def test_a_name_may_hold_blanks_inside() -> None:
    assert faults(with_providers("aliases: {my own: o/x}\nchains: {c: [my own]}")) == []
