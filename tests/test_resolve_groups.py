"""Groups, the fallback and owners: who stands in for whom, who comes last, and whose names count first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.config.model import ChainConfig, Config, Owner, ProviderConfig
from engine.errors import ConfigError, UnknownTarget
from engine.policy import Policy
from engine.resolve import resolve
from tests.config.reading import config as read

CONFIG = read(
    """
    providers:
      vertex: {kind: openai}
      anthropic: {kind: openai}
      router: {kind: openai}
      local: {kind: openai}
    aliases:
      claude: anthropic/claude
      best: claude
      cheap: local/tiny
      pair: [anthropic/claude, local/tiny]
      listed: [support]
    chains:
      support: [anthropic/claude, cheap]
      single: [anthropic/claude]
      private: {models: [local/x], fallback: none}
      own: {models: [local/x], fallback: [support, router/last], attempts: 9}
      hers: {models: [mine/tiny, cheap, anthropic/claude], owner: alice}
      mixed: [hers, cheap]
    groups:
      - [vertex/claude, claude, router/anthropic/claude]
      - [vertex/gpt, router/gpt]
    fallback: [local/last, vertex/gpt]
    owners:
      alice:
        providers: {mine: {kind: openai}, anthropic: {kind: openai}}
        aliases: {cheap: mine/tiny, support: [mine/big, cheap], mix: [cheap, single]}
      bob:
        providers: {mine: {kind: openai}}
        aliases: {cheap: [mine/tiny, mine/small]}
    """
)
CLAUDES = ("anthropic/claude", "vertex/claude", "router/anthropic/claude")
LAST = ("local/last", "vertex/gpt")


def models(target: str | Sequence[str], **options: Any) -> tuple[str, ...]:
    return resolve(CONFIG, target, **options).models


@pytest.mark.parametrize("target", ["anthropic/claude", "claude", "best", " best, ", ["claude"]])
def test_a_target_that_is_one_model_becomes_its_group_itself_first(target: Any) -> None:
    assert models(target, fallback=False) == CLAUDES


def test_the_others_of_a_group_come_in_the_group_s_order() -> None:
    expected = ("router/anthropic/claude", "vertex/claude", "anthropic/claude")
    assert models("router/anthropic/claude", fallback=False) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("support", ("anthropic/claude", "local/tiny")),
        ("single", ("anthropic/claude",)),
        ("pair", ("anthropic/claude", "local/tiny")),
        ("claude, local/x", ("anthropic/claude", "local/x")),
        ("claude, claude", ("anthropic/claude",)),
        ("claude, nobody/x", ("anthropic/claude",)),
        ("local/x", ("local/x",)),
    ],
)
def test_members_of_chains_and_lists_are_not_expanded(target: str, expected: tuple[str, ...]) -> None:
    assert models(target, fallback=False) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("support", ("anthropic/claude", "local/tiny", *LAST)),
        ("claude", (*CLAUDES, *LAST)),
        ("local/last", ("local/last", "vertex/gpt")),
        ("vertex/gpt", ("vertex/gpt", "router/gpt", "local/last")),
        ("local/x, nobody/y", ("local/x", *LAST)),
        ("private", ("local/x",)),
        ("private, local/y", ("local/x", "local/y", *LAST)),
        ("own", ("local/x", "anthropic/claude", "local/tiny", "router/last")),
    ],
)
def test_the_fallback_comes_last_unless_the_chain_says_otherwise(
    target: str, expected: tuple[str, ...]
) -> None:
    found = resolve(CONFIG, target)
    assert found.models == expected
    without = models(target, fallback=False)
    assert found.fallback == expected[len(without) :]
    assert expected[: len(without)] == without


def test_what_is_unknown_is_not_made_known_by_the_fallback() -> None:
    with pytest.raises(UnknownTarget, match="did you mean 'support'"):
        models("suport")


@pytest.mark.parametrize("target", ["claude", "anthropic/claude", "best"])
def test_only_asks_for_exactly_that_model(target: str) -> None:
    found = resolve(CONFIG, target, only=True)
    assert (found.models, found.fallback) == (("anthropic/claude",), ())


def test_only_suggests_what_the_target_lists_and_not_the_fallback() -> None:
    with pytest.raises(UnknownTarget, match=r"name one of anthropic/claude, local/tiny$"):
        models("support", only=True)


@pytest.mark.parametrize(
    ("target", "owner", "expected"),
    [
        ("cheap", None, ("local/tiny",)),
        ("cheap", "alice", ("alice:mine/tiny",)),
        ("cheap", "bob", ("bob:mine/tiny", "bob:mine/small")),
        ("mine/any", "bob", ("bob:mine/any",)),
        ("local/x", "alice", ("local/x",)),
        ("support", "alice", ("alice:mine/big", "alice:mine/tiny")),
        ("support", "bob", ("anthropic/claude", "bob:mine/tiny", "bob:mine/small")),
        ("listed", "alice", ("alice:mine/big", "alice:mine/tiny")),
        ("mix", "alice", ("alice:mine/tiny", "alice:anthropic/claude")),
        ("hers", None, ("alice:mine/tiny", "alice:anthropic/claude")),
        ("hers", "bob", ("alice:mine/tiny", "alice:anthropic/claude")),
        ("mixed", "bob", ("alice:mine/tiny", "alice:anthropic/claude", "bob:mine/tiny", "bob:mine/small")),
        ("hers, mine/x", "bob", ("alice:mine/tiny", "alice:anthropic/claude", "bob:mine/x")),
        ("best", "alice", ("alice:anthropic/claude", "vertex/claude", "router/anthropic/claude")),
        ("vertex/claude", "alice", ("vertex/claude", "alice:anthropic/claude", "router/anthropic/claude")),
        ("alice:mine/tiny", "bob", ("alice:mine/tiny",)),
        ("alice:anthropic/claude", None, ("alice:anthropic/claude",)),
    ],
)
def test_names_resolve_in_the_owner_s_layer_first(
    target: str, owner: str | None, expected: tuple[str, ...]
) -> None:
    assert models(target, owner=owner, fallback=False) == expected


@pytest.mark.parametrize(
    ("target", "asks", "chain", "owner"),
    [
        ("single", None, "single", None),
        ("single", "bob", "single", "bob"),
        ("hers", "bob", "hers", "alice"),
        ("hers, single", "bob", None, "bob"),
        ("support", "alice", None, "alice"),
        ("cheap", "alice", None, "alice"),
    ],
)
def test_the_owner_is_the_chain_s_else_who_asks(
    target: str, asks: str | None, chain: str | None, owner: str | None
) -> None:
    found = resolve(CONFIG, target, owner=asks)
    assert (found.chain, found.owner) == (chain, owner)


def test_the_fallback_resolves_in_the_layer_of_the_same_owner() -> None:
    config = read(
        """
        providers: {o: {kind: openai}}
        chains: {hers: {models: o/x, owner: alice}, plain: [o/x]}
        fallback: [cheap]
        aliases: {cheap: o/tiny}
        owners: {alice: {providers: {o: {kind: openai}}, aliases: {cheap: o/mine}}}
        """
    )
    assert resolve(config, "hers").fallback == ("alice:o/mine",)
    assert resolve(config, "plain", owner="alice").fallback == ("alice:o/mine",)
    assert resolve(config, "plain").fallback == ("o/tiny",)


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        ("alcie", "unknown owner 'alcie', did you mean 'alice'?"),
        ("", "unknown owner ''; known owners: alice, bob"),
        ("zz", "unknown owner 'zz'; known owners: alice, bob"),
    ],
)
def test_an_owner_that_is_unknown_is_refused_whatever_is_asked(owner: str, message: str) -> None:
    for target in ("support", "nobody/x", "hers"):
        with pytest.raises(UnknownTarget) as raised:
            models(target, owner=owner)
        assert str(raised.value) == message


def test_a_configuration_without_owners_says_so() -> None:
    config = Config(providers={"o": ProviderConfig("o")})
    with pytest.raises(UnknownTarget, match=r"^unknown owner 'al'; there are no `owners`$"):
        resolve(config, "o/x", owner="al")


@pytest.mark.parametrize(
    ("target", "owner", "message"),
    [
        ("mine/tiny", None, "unknown provider 'mine', did you mean 'alice:mine/tiny'?"),
        ("mien/tiny", "bob", "unknown provider 'mien', did you mean 'mine/tiny'?"),
        ("alcie:mine/x", "bob", "unknown provider 'alcie:mine', did you mean 'alice:mine/x'?"),
        ("mine", "alice", "'mine' is a provider; name one of its models, as mine/tiny"),
        ("mixx", "alice", "unknown name 'mixx', did you mean 'mix'?"),
        ("mixx", None, "unknown name 'mixx', did you mean 'mixed'?"),
        ("alice:mine/", None, "names no model; write alice:mine/MODEL"),
    ],
)
def test_what_an_owner_s_name_could_have_meant_is_told(target: str, owner: str | None, message: str) -> None:
    with pytest.raises(UnknownTarget) as raised:
        models(target, owner=owner)
    assert str(raised.value) == message


def test_a_chain_built_in_code_whose_owner_is_unknown_is_a_clear_error() -> None:
    chain = ChainConfig("c", ("o/x",), owner="zz")
    config = Config(providers={"o": ProviderConfig("o")}, aliases={"a": ("c",)}, chains={"c": chain})
    for target in ("c", "a"):
        with pytest.raises(ConfigError, match=r"^configuration: chains\.c\.owner: unknown owner 'zz'$"):
            resolve(config, target)


def test_unknown_names_in_a_group_or_a_fallback_built_in_code_are_skipped() -> None:
    config = Config(
        providers={"o": ProviderConfig("o")}, groups=(("o/x", "zz/x", "o/y"),), fallback=("qq/z, o/z",)
    )
    found = resolve(config, "o/x")
    assert found.models == ("o/x", "o/y", "o/z")
    assert [part for part, _ in found.skipped] == ["zz/x", "qq/z"]


# Any configuration: a few names for everything, so that they meet, hide each other and go in circles.

PROVIDERS = ("p", "q")
MODELS = [f"{provider}/{model}" for provider in PROVIDERS for model in "xyz"]
LISTS = ("a", "b", "c")
OWNERS = ("al", "bo")

parts = st.sampled_from([*MODELS, *LISTS])
lists = st.lists(parts, min_size=1, max_size=3).map(tuple)
aliases = st.dictionaries(st.sampled_from(LISTS), lists, max_size=3)
layers = st.builds(
    lambda names, aliases: (names, aliases), st.lists(st.sampled_from(PROVIDERS), unique=True), aliases
)
groups = st.permutations(MODELS).map(lambda models: (tuple(models[:2]), tuple(models[2:5])))


@st.composite
def configs(draw: st.DrawFn) -> Config:
    owners = {
        name: Owner(name, {short: ProviderConfig(short) for short in names}, own)
        for name, (names, own) in draw(st.fixed_dictionaries(dict.fromkeys(OWNERS, layers))).items()
    }
    fallbacks = st.none() | st.just(()) | lists
    chains = {
        name: ChainConfig(name, listed, Policy(), draw(st.none() | st.sampled_from(OWNERS)), draw(fallbacks))
        for name, listed in draw(aliases).items()
    }
    return Config(
        providers={name: ProviderConfig(name) for name in PROVIDERS},
        aliases=draw(aliases),
        chains=chains,
        groups=draw(groups),
        fallback=draw(st.just(()) | lists),
        owners=owners,
    )


def found(config: Config, target: Sequence[str], **options: Any) -> Any:
    """The resolution, None if there is none: circles and names that nobody knows."""
    try:
        return resolve(config, target, **options)
    except (ConfigError, UnknownTarget):
        return None


whoever = st.none() | st.sampled_from(OWNERS)
targets = st.lists(parts, min_size=1, max_size=3)


@given(configs(), targets, whoever)
def test_each_model_stands_once_and_its_first_place_counts(
    config: Config, target: list[str], owner: str | None
) -> None:
    whole = found(config, target, owner=owner)
    if whole is None:
        return
    assert len(set(whole.models)) == len(whole.models)
    # One name alone may be a model with a group; from the second on each adds at the end.
    before: tuple[str, ...] = ()
    for end in range(2, len(target) + 1):
        until = found(config, target[:end], owner=owner, fallback=False)
        models = until.models if until else ()
        assert models[: len(before)] == before
        before = models
    assert len(target) == 1 or whole.models == before + whole.fallback


@given(configs(), parts, whoever)
def test_the_model_asked_for_comes_first_and_only_is_that_model_alone(
    config: Config, target: str, owner: str | None
) -> None:
    alone = found(config, [target], owner=owner, only=True)
    if alone is None:
        return
    assert len(alone.models) == 1
    whole = found(config, [target], owner=owner)
    if whole is None:
        return
    assert whole.models[0] == alone.models[0]
    group = [group for group in config.groups if alone.models[0].rpartition(":")[2] in group]
    others = {model.rpartition(":")[2] for model in whole.models[: len(whole.models) - len(whole.fallback)]}
    assert others == set(group[0] if group else others)


@given(configs(), targets, whoever)
def test_a_fallback_has_neither_a_group_nor_a_fallback_of_its_own(
    config: Config, target: list[str], owner: str | None
) -> None:
    whole = found(config, target, owner=owner)
    if whole is None:
        return
    chain = config.chains.get(whole.chain)
    last = config.fallback if chain is None or chain.fallback is None else chain.fallback
    # Twice the same name is a list, which has no group; and it is asked for without a fallback.
    spliced = found(config, [*last, *last], owner=whole.owner, fallback=False) if last else None
    own = found(config, target, owner=owner, fallback=False)
    expected = [model for model in (spliced.models if spliced else ()) if model not in own.models]
    assert whole.models == (*own.models, *expected)
    assert whole.fallback == tuple(expected)


@given(configs(), targets, whoever)
def test_no_model_of_another_owner_is_reached_except_through_a_chain_of_that_owner(
    config: Config, target: list[str], owner: str | None
) -> None:
    lent = Config(
        providers=config.providers,
        aliases=config.aliases,
        chains={
            name: ChainConfig(name, chain.models, chain.policy, None, chain.fallback)
            for name, chain in config.chains.items()
        },
        groups=config.groups,
        fallback=config.fallback,
        owners=config.owners,
    )
    whole = found(lent, target, owner=owner)
    if whole is not None:
        assert {model.partition(":")[0] for model in whole.models if ":" in model} <= {owner}
