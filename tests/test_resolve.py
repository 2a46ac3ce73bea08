from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.config.model import ChainConfig, Config, ProviderConfig
from engine.errors import ConfigError, UnknownTarget
from engine.layers import walk
from engine.policy import Policy
from engine.resolve import Resolution, resolve, split_model

PATIENT = Policy(attempts=9)

CONFIG = Config(
    providers={name: ProviderConfig(name) for name in ("openai", "groq", "local")},
    aliases={
        "cheap": ("groq/llama", "local/llama"),
        "best": ("openai/gpt-5",),
        "also-best": ("best",),
        "helpdesk": ("support",),
        "nested": ("cheap", "openai/gpt-5", "cheap"),
        "drafts": ("local/never",),
    },
    chains={
        "support": ChainConfig("support", ("openai/gpt-5", "cheap"), PATIENT),
        "drafts": ChainConfig("drafts", ("openai/gpt-5-mini", "support")),
        "single": ChainConfig("single", ("openai/gpt-5",), PATIENT),
    },
    defaults=Policy(attempts=2),
)


def models(target: Any, **options: Any) -> tuple[str, ...]:
    return resolve(CONFIG, target, **options).models


def refused(target: Any, **options: Any) -> UnknownTarget:
    with pytest.raises(UnknownTarget) as raised:
        resolve(CONFIG, target, **options)
    return raised.value


def test_a_model_s_name_is_split_at_its_first_slash() -> None:
    assert split_model("openrouter/qwen/qwen3-4b") == ("openrouter", "qwen/qwen3-4b")
    assert split_model("nothing") == ("nothing", "")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("openai/gpt-5", ("openai/gpt-5",)),
        ("openai/any/model:it@knows", ("openai/any/model:it@knows",)),
        ("support", ("openai/gpt-5", "groq/llama", "local/llama")),
        ("cheap", ("groq/llama", "local/llama")),
        ("also-best", ("openai/gpt-5",)),
        ("helpdesk", ("openai/gpt-5", "groq/llama", "local/llama")),
        ("local/x, cheap", ("local/x", "groq/llama", "local/llama")),
        (" , local/x ,, support, ", ("local/x", "openai/gpt-5", "groq/llama", "local/llama")),
        (["local/x", "support"], ("local/x", "openai/gpt-5", "groq/llama", "local/llama")),
        (["local/x, groq/y", " best "], ("local/x", "groq/y", "openai/gpt-5")),
        (("local/x",), ("local/x",)),
    ],
)
def test_a_target_is_spliced_into_one_list(target: Any, expected: tuple[str, ...]) -> None:
    assert models(target) == expected


def test_the_first_place_of_a_model_counts() -> None:
    assert models("nested") == ("groq/llama", "local/llama", "openai/gpt-5")
    assert models("local/llama, cheap, local/llama") == ("local/llama", "groq/llama")


def test_a_chain_hides_an_alias_of_the_same_name() -> None:
    assert models("drafts") == ("openai/gpt-5-mini", "openai/gpt-5", "groq/llama", "local/llama")


@pytest.mark.parametrize(
    ("target", "chain", "policy"),
    [
        ("support", "support", PATIENT),
        (" support, ", "support", PATIENT),
        (["support"], "support", PATIENT),
        ("drafts", "drafts", Policy()),
        ("helpdesk", "support", PATIENT),
        ("support, local/x", None, CONFIG.defaults),
        ("support, support", None, CONFIG.defaults),
        ("openai/gpt-5", None, CONFIG.defaults),
    ],
)
def test_the_policy_is_that_of_the_one_chain_the_target_names(
    target: Any, chain: str | None, policy: Policy
) -> None:
    found = resolve(CONFIG, target)
    assert (found.chain, found.policy) == (chain, policy)


def test_what_is_unknown_is_skipped_with_why_and_the_rest_is_taken() -> None:
    target = "suport, openai/gpt-5, opnai/x, groq, groq/, groq/*, zzz, zzz/y, suport"
    assert resolve(CONFIG, target) == Resolution(
        chain=None,
        models=("openai/gpt-5",),
        skipped=(
            ("suport", "unknown name 'suport', did you mean 'support'"),
            ("opnai/x", "unknown provider 'opnai', did you mean 'openai/x'"),
            ("groq", "'groq' is a provider; name one of its models, as groq/llama"),
            ("groq/", "names no model; write groq/MODEL"),
            ("groq/*", "names no model; write groq/MODEL"),
            ("zzz", "unknown name 'zzz'"),
            ("zzz/y", "unknown provider 'zzz'"),
        ),
        policy=CONFIG.defaults,
    )


@pytest.mark.parametrize(
    ("target", "message", "suggestions"),
    [
        ("suport", "unknown name 'suport', did you mean 'support'?", ("support",)),
        ("Support", "unknown name 'Support', did you mean 'support'?", ("support",)),
        ("opnai/gpt-5", "unknown provider 'opnai', did you mean 'openai/gpt-5'?", ("openai/gpt-5",)),
        (
            "gpt-5-mini",
            "unknown name 'gpt-5-mini', did you mean 'openai/gpt-5-mini'?",
            ("openai/gpt-5-mini",),
        ),
        ("zzz", "unknown name 'zzz'; known chains: support, drafts, single", ()),
        (
            "openai",
            "'openai' is a provider; name one of its models, as openai/gpt-5",
            ("openai/gpt-5", "openai/gpt-5-mini"),
        ),
        (
            "local",
            "'local' is a provider; name one of its models, as local/llama",
            ("local/llama", "local/never"),
        ),
        ("/x", "unknown provider ''; known chains: support, drafts, single", ()),
        (
            "suport, zz/y",
            (
                "no part of the target is known: 'suport': unknown name 'suport', did you mean 'support'; "
                "'zz/y': unknown provider 'zz'"
            ),
            ("support",),
        ),
    ],
)
def test_a_target_that_names_nothing_is_refused_with_what_was_meant(
    target: Any, message: str, suggestions: tuple[str, ...]
) -> None:
    error = refused(target)
    assert (str(error), error.suggestions) == (message, suggestions)


@pytest.mark.parametrize("target", ["", " , ", [], ["", " "]])
def test_an_empty_target_is_refused_with_what_there_is(target: Any) -> None:
    error = refused(target)
    assert str(error) == "the target is empty; name a chain, an alias, or a model as provider/model"
    assert error.suggestions == ("support", "drafts", "single")


def test_the_error_knows_the_target() -> None:
    assert refused(["suport", "zz/y"]).target == "suport, zz/y"


def test_control_characters_and_absurd_lengths_do_not_reach_the_message() -> None:
    assert str(refused("a\x1b[2J")).startswith("unknown name 'a\\x1b[2J'")
    assert len(str(refused("x" * 10_000))) < 200
    assert len(str(refused(", ".join(f"zz{n}" for n in range(1000))))) < 500


@pytest.mark.parametrize("target", ["openai/gpt-5", "best", "also-best", " best ,", ["openai/gpt-5"]])
def test_only_takes_one_model_or_an_alias_of_one(target: Any) -> None:
    assert models(target, only=True) == ("openai/gpt-5",)


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("support", "openai/gpt-5, groq/llama, local/llama"),
        ("single", "openai/gpt-5"),
        ("cheap", "groq/llama, local/llama"),
        ("openai/gpt-5, zzz", "openai/gpt-5"),
        ("openai/gpt-5, openai/gpt-5", "openai/gpt-5"),
        ("helpdesk", "openai/gpt-5, groq/llama, local/llama"),
    ],
)
def test_only_refuses_what_is_not_the_name_of_one_model(target: str, options: str) -> None:
    error = refused(target, only=True)
    assert str(error) == (
        f"exactly one model is asked for, and {target!r} is not the name of one; name one of {options}"
    )
    assert error.suggestions == tuple(options.split(", "))


def test_only_of_something_unknown_says_what_was_meant() -> None:
    assert str(refused("suport", only=True)) == "unknown name 'suport', did you mean 'support'?"


@pytest.mark.parametrize("target", [None, 3, b"support", [3], ["support", None]])
def test_a_target_is_text_or_a_list_of_texts(target: Any) -> None:
    with pytest.raises(TypeError):
        resolve(CONFIG, target)


def in_code(chains: dict[str, tuple[str, ...]], aliases: dict[str, tuple[str, ...]]) -> Config:
    return Config(
        providers={"s": ProviderConfig("s")},
        aliases=aliases,
        chains={name: ChainConfig(name, listed) for name, listed in chains.items()},
    )


@pytest.mark.parametrize(
    ("chains", "aliases", "message"),
    [
        ({"a": ("a",)}, {}, "configuration: chains.a: goes in a circle: a → a"),
        ({"a": ("b",)}, {"b": ("s/x", "a")}, "configuration: aliases.b: goes in a circle: a → b → a"),
        ({"a": ("b",)}, {"b": ("c",), "c": ("b",)}, "configuration: aliases.c: goes in a circle: b → c → b"),
    ],
)
def test_a_circle_in_a_configuration_built_in_code_is_a_clear_error(
    chains: dict[str, tuple[str, ...]], aliases: dict[str, tuple[str, ...]], message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        resolve(in_code(chains, aliases), "a")
    assert str(raised.value) == message


def test_a_circle_that_the_target_does_not_reach_is_no_matter() -> None:
    assert resolve(in_code({"a": ("s/x",), "b": ("b",)}, {}), "a").models == ("s/x",)


def test_a_chain_built_in_code_may_hold_unknown_names_and_commas() -> None:
    found = resolve(in_code({"a": ("s/x, s/y", "zz/z")}, {}), "a")
    assert found.models == ("s/x", "s/y")
    assert found.skipped == (("zz/z", "unknown provider 'zz'"),)


def test_a_chain_built_in_code_that_lists_nothing_is_refused() -> None:
    with pytest.raises(UnknownTarget, match=r"^'a' lists no model; known chains: a$"):
        resolve(in_code({"a": ()}, {}), "a")


def test_lists_nested_deeper_than_the_stack_are_resolved() -> None:
    aliases = {f"a{n}": (f"a{n + 1}",) for n in range(50_000)}
    assert resolve(in_code({}, {**aliases, "a50000": ("s/x",)}), "a0").models == ("s/x",)


def test_lists_that_name_each_other_over_and_over_are_walked_once_each() -> None:
    aliases = {f"a{n}": (f"a{n + 1}",) * 10 for n in range(60)}
    assert resolve(in_code({}, {**aliases, "a60": ("s/x",)}), "a0").models == ("s/x",)


names = st.sampled_from(["a", "b", "c", "d", "s/x", "s/y", "zz"])


@given(st.dictionaries(st.sampled_from("abcd"), st.lists(names, max_size=4)), st.lists(names, max_size=3))
def test_walking_any_lists_ends_and_finds_what_naive_splicing_finds(
    lists: dict[str, list[str]], roots: list[str]
) -> None:
    steps = list(walk(roots, lists.get))
    if any(step.circle for step in steps):
        return

    def spliced(listed: list[str]) -> list[str]:
        return [name for part in listed for name in (spliced(lists[part]) if part in lists else [part])]

    assert list(dict.fromkeys(step.name for step in steps)) == list(dict.fromkeys(spliced(roots)))


@given(st.lists(names | st.text(max_size=5), max_size=6), st.booleans())
def test_any_target_resolves_or_is_unknown(target: list[str], only: bool) -> None:
    try:
        found = resolve(CONFIG, target, only=only)
    except UnknownTarget as error:
        unknown = error
    else:
        assert found.models
        return
    assert str(unknown)
