"""`owners:`: layers of providers and aliases, and names that resolve through them."""

from __future__ import annotations

import pytest

from engine.config.load import parse_config
from engine.config.model import Config, KeySource, Owner, ProviderConfig
from tests.config.reading import config, faults, with_providers


def test_an_owner_s_providers_are_read_whole_and_named_after_the_owner() -> None:
    text = """
        owners:
          alice:
            providers: {mine: {kind: openai, base_url: http://h/v1, keys: [A_KEY]}, o: {kind: ollama}}
            aliases: {cheap: "mine/tiny, o/x"}
          bob: {}
          carol:
    """
    found = config(with_providers(text))
    assert list(found.owners) == ["alice", "bob", "carol"]
    alice = found.owners["alice"]
    assert alice.providers["mine"] == ProviderConfig(
        "alice:mine", base_url="http://h/v1", keys=(KeySource("A_KEY", env="A_KEY"),)
    )
    assert alice.aliases == {"cheap": ("mine/tiny", "o/x")}
    assert list(found.every_provider) == ["o", "s", "alice:mine", "alice:o"]
    assert found.every_provider["alice:o"].kind == "ollama"
    assert found.owners["bob"] == Owner("bob")


def test_an_owner_built_in_code_names_its_providers_alike() -> None:
    owner = Owner("alice", providers={"a": ProviderConfig("a"), "b": ProviderConfig("alice:b")})
    assert list(Config(owners={"alice": owner}).every_provider) == ["alice:a", "alice:b"]


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        ("al: {provider: {}}", "15: owners.al.provider: unknown key; did you mean 'providers'?"),
        ("al: {chains: {}}", "15: owners.al.chains: unknown key; known here: aliases, providers"),
        ("al: [o/x]", "14: owners.al: must be a mapping of providers and aliases, not a list"),
        ("al: {providers: [x]}", "26: owners.al.providers: must be a mapping, not a list"),
        (
            "al: {providers: {p: {kind: opnai}}}",
            (
                "37: owners.al.providers.p.kind: unknown value 'opnai'; did you mean 'openai'? "
                "(one of openai, anthropic, ollama, simulated)"
            ),
        ),
        (
            "al: {providers: {p: {kind: openai, api_key: hunter2}}}",
            (
                "45: owners.al.providers.p.api_key: an inline secret: no key stands in this file; "
                "write `keys: [NAME_OF_VARIABLE]`"
            ),
        ),
        (
            "'a:b': {}",
            "10: owners.a:b: the name of an owner can't hold ':', which means something in a target",
        ),
        (
            "a b: {}",
            (
                "10: owners.a b: the name of an owner can't hold blanks at its ends "
                "or characters that don't print"
            ),
        ),
        (
            "al: {providers: {'a:b': {kind: openai}}}",
            (
                "27: owners.al.providers.a:b: the name of a provider can't hold ':', "
                "which means something in a target"
            ),
        ),
        (
            "al: {aliases: {a/b: o/x}}",
            (
                "25: owners.al.aliases.a/b: the name of an alias can't hold '/', "
                "which means something in a target"
            ),
        ),
    ],
)
def test_what_is_no_owner_is_a_fault_where_it_stands(inner: str, fault: str) -> None:
    assert faults(with_providers(f"owners: {{{inner}}}")) == [f"2:{fault}"]


ALICE = "owners: {alice: {providers: {mine: {kind: openai}}, aliases: {cheap: mine/x, best: %s}}}\n"


@pytest.mark.parametrize("name", ["mine/y", "cheap", "o/x", "general", "support", "alice:mine/y"])
def test_names_in_an_owner_s_layer_are_those_of_the_layer_and_of_the_file(name: str) -> None:
    text = ALICE % name + "aliases: {general: o/x}\nchains: {support: [o/x]}"
    assert faults(with_providers(text)) == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("mien/x", "unknown provider 'mien'; did you mean 'mine'?"),
        ("ss/x", "unknown provider 'ss'; did you mean 's'?"),
        ("cheep", "unknown name 'cheep'; did you mean 'cheap'?"),
        ("suport", "unknown name 'suport'; did you mean 'support'?"),
        ("mine", "'mine' is a provider; name one of its models, as mine/MODEL"),
        ("mine/", "names no model; write mine/MODEL"),
        ("alcie:mine/x", "unknown provider 'alcie:mine'; did you mean 'alice:mine'?"),
        ("alice:o/x", "unknown provider 'alice:o'; did you mean 'alice:mine'?"),
        ("best", "goes in a circle: best → best"),
        ("support", "goes in a circle: best → support → general → best"),
    ],
)
def test_a_fault_in_an_owner_s_alias_stands_at_its_name(name: str, fault: str) -> None:
    text = ALICE % name + "aliases: {general: best, best: o/x}\nchains: {support: [general]}"
    (found,) = faults(with_providers(text))
    assert found.split(": ", 2)[2] == fault


def test_a_circle_that_only_an_owner_sees_is_a_fault_of_the_owner_s_layer_or_where_it_closes() -> None:
    text = """
        aliases: {a: b, b: o/x}
        owners: {al: {aliases: {b: a}}, bo: {aliases: {b: o/y}}}
    """
    assert faults(with_providers(text)) == ["2:14: aliases.a: goes in a circle: b → a → b"]


def test_a_circle_of_the_file_is_told_once_however_many_owners_see_it() -> None:
    text = """
        aliases: {a: a}
        owners: {al: {aliases: {x: a}}, bo: {aliases: {x: a}}}
    """
    assert faults(with_providers(text)) == ["2:14: aliases.a: goes in a circle: a → a"]


def test_a_circle_through_a_chain_of_an_owner_is_a_fault() -> None:
    text = """
        chains: {c: {models: [mine], owner: al}}
        owners: {al: {aliases: {mine: c}}}
    """
    assert faults(with_providers(text)) == ["2:23: chains.c.models[0]: goes in a circle: mine → c → mine"]


def test_an_owner_s_alias_may_hide_a_name_of_the_file_and_lead_out_of_its_layer() -> None:
    text = """
        aliases: {cheap: o/x}
        chains: {support: [cheap]}
        owners: {al: {aliases: {cheap: s/x, support: o/z}}}
    """
    assert faults(with_providers(text)) == []


def test_a_chain_of_an_owner_is_checked_in_the_owner_s_layer() -> None:
    text = """
        chains: {c: {models: [mine/x, own, s/x], owner: al, fallback: [mine/y]}}
        owners:
          al: {providers: {mine: {kind: openai}}, aliases: {own: o/x}}
          bo: {providers: {his: {kind: openai}}}
    """
    assert faults(with_providers(text)) == []
    assert faults(with_providers(text.replace("mine/y", "his/y"))) == [
        "2:64: chains.c.fallback[0]: unknown provider 'his'; it must stand in `providers`"
    ]
    assert [fault.split(": ")[1] for fault in faults(with_providers(text.replace("owner: al, ", "")))] == [
        "chains.c.models[0]",
        "chains.c.models[1]",
        "chains.c.fallback[0]",
    ]


@pytest.mark.parametrize(
    ("owner", "fault"),
    [
        ("alcie", "36: chains.c.owner: unknown owner 'alcie'; did you mean 'alice'?"),
        ("zz", "36: chains.c.owner: unknown owner 'zz'; it must stand in `owners`"),
        ("[alice]", "36: chains.c.owner: must be the name of an owner, not a list"),
    ],
)
def test_a_chain_s_owner_is_one_there_is(owner: str, fault: str) -> None:
    text = f"chains: {{c: {{models: s/x, owner:   {owner}}}}}\n" + ALICE % "o/x"
    assert [found.removeprefix("2:") for found in faults(with_providers(text))] == [fault]


def test_a_chain_whose_owner_is_misspelt_is_not_told_that_the_owner_s_names_are_unknown() -> None:
    text = "chains: {c: {models: [mine/x, cheap, his/x], owner: alcie}}\n" + ALICE % "o/x"
    assert [fault.split(": ")[1] for fault in faults(with_providers(text))] == [
        "chains.c.models[2]",
        "chains.c.owner",
    ]


def test_a_chain_keeps_its_owner() -> None:
    text = "chains: {c: {models: mine/x, owner: alice}, d: [s/x]}\n" + ALICE % "o/x"
    assert [chain.owner for chain in config(with_providers(text)).chains.values()] == ["alice", None]


def test_paths_in_an_owner_s_layer_are_relative_to_the_file_s_folder(tmp_path: object) -> None:
    text = "providers: {o: {kind: openai}}\nowners: {a: {providers: {m: {kind: openai, keys: [{file: k}]}}}}"
    found = parse_config(text, f"{tmp_path}/c.yaml")
    assert str(found.owners["a"].providers["m"].keys[0].file) == f"{tmp_path}/k"


def test_owners_whose_aliases_lead_through_the_whole_file_again_and_again_are_refused_in_time() -> None:
    deep = "".join(f"  a{n}: a{n + 1}\n" for n in range(3000)) + "  a3000: s/x\n"
    owners = "".join(f"  o{n}: {{aliases: {{own: a0}}}}\n" for n in range(300))
    (found,) = faults(with_providers(f"owners:\n{owners}aliases:\n{deep}"))
    assert found.split(": ", 1)[1] == (
        "owners: their aliases lead through so many lists that these can't be checked; shorten them"
    )
