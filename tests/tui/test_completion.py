"""How a half-typed target goes on."""

from __future__ import annotations

from engine.config.model import ChainConfig, Config
from tui.completion import ghost, matches, target_names

NAMES = ("support", "drafts", "cheap", "acme/large", "acme/small", "openrouter/qwen/qwen3-4b")


def test_chains_come_first_then_aliases_then_models() -> None:
    config = Config(
        chains={"support": ChainConfig("support", ("acme/large",))},
        aliases={"cheap": ("acme/small",)},
    )
    names = target_names(config, ["acme/large", "acme/small", "cheap"])
    assert names == ("support", "cheap", "acme/large", "acme/small")


def test_a_name_that_no_terminal_could_take_is_not_offered() -> None:
    assert target_names(Config(), ["acme/\x1b[2J", "acme/\u202egpt", "acme/ok"]) == ("acme/ok",)


def test_a_start_is_completed_whatever_its_case() -> None:
    assert ghost("SUP", NAMES) == "support"
    assert ghost("acme/s", NAMES) == "acme/small"


def test_nothing_typed_and_nothing_left_to_add_offer_nothing() -> None:
    assert ghost("", NAMES) is None
    assert ghost("support", NAMES) is None
    assert ghost("support, ", NAMES) is None
    assert ghost("xyz", NAMES) is None


def test_only_the_part_after_the_last_comma_is_completed() -> None:
    assert ghost("support, acme/l", NAMES) == "support, acme/large"
    assert ghost("support,che", NAMES) == "support,cheap"


def test_names_that_hold_the_part_come_after_those_that_start_with_it() -> None:
    assert matches("qwen", NAMES) == ["openrouter/qwen/qwen3-4b"]
    assert matches("a", NAMES)[0] == "acme/large"
    assert "drafts" in matches("a", NAMES)


def test_with_nothing_typed_every_name_may_be_chosen() -> None:
    assert matches("", NAMES) == list(NAMES)
    assert matches("support, ", NAMES)[:2] == ["support, support", "support, drafts"]
