"""The top of a configuration, its simple sections, and what every section has in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config.load import parse_config
from engine.config.model import Dashboard, Journal
from engine.errors import ConfigError
from engine.policy import Policy
from tests.config.reading import config, faults, with_providers

MINIMAL = (
    "a configuration needs at least one provider, as "
    "`providers: {openai: {kind: openai, keys: [OPENAI_API_KEY]}}`, "
    "and may name chains, as `chains: {support: [openai/gpt-5]}`; `standby init` writes a whole one"
)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null", "~"])
def test_an_empty_file_shows_what_a_configuration_looks_like(text: str) -> None:
    assert faults(text) == [f"1:1: file: is empty; {MINIMAL}"]


def test_what_the_empty_file_s_fault_shows_is_a_good_configuration() -> None:
    shown = "providers: {openai: {kind: openai, keys: [OPENAI_API_KEY]}}\nchains: {support: [openai/gpt-5]}"
    assert all(line in MINIMAL for line in shown.splitlines())
    assert faults(shown) == []


@pytest.mark.parametrize("text", ["hello", "[a, b]", "12"])
def test_a_file_is_a_mapping(text: str) -> None:
    assert faults(text) == [f"1:1: file: must be a mapping; {MINIMAL}"]


def test_a_configuration_without_providers_can_do_nothing() -> None:
    assert faults("store: auto") == [f"1:1: providers: there is none; {MINIMAL}"]
    assert faults("store: auto\nproviders:") == [f"2:1: providers: there is none; {MINIMAL}"]


def test_all_that_is_left_out_has_its_usual_value() -> None:
    found = config("providers: {o: {kind: openai}}")
    assert (found.aliases, found.chains, found.defaults) == ({}, {}, Policy())
    assert (found.store, found.record_prompts, found.traffic) == ("auto", False, None)
    assert (found.journal, found.dashboard) == (Journal(), Dashboard())


def test_a_section_whose_lines_are_all_commented_out_counts_as_left_out() -> None:
    text = """
        providers: {o: {kind: openai, keys: , headers: , models: }}
        aliases:
          # cheap: o/small
        chains:
        defaults:
        dashboard:
        journal:
    """
    assert config(text).aliases == {}


def test_every_section_is_read() -> None:
    text = """
        store: memory
        record_prompts: true
        journal: {keep: 2d, rows: 1_000}
        dashboard: {theme: nord, glyphs: ascii, keys: {quit: ctrl+q, bench: "1"}, bell: on}
        providers: {o: {kind: openai}}
    """
    found = config(text)
    assert (found.store, found.record_prompts) == ("memory", True)
    assert found.journal == Journal(172_800.0, 1000)
    assert found.dashboard == Dashboard("nord", "ascii", {"quit": "ctrl+q", "bench": "1"}, bell=True)


def test_a_configuration_knows_its_file_by_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_config("providers: {o: {kind: openai}}", "c.yaml").path == tmp_path / "c.yaml"


KNOWN = (
    "aliases, chains, dashboard, defaults, fallback, groups, journal, owners, providers, record_prompts, "
    "store, traffic"
)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("record_prompt: true", "record_prompt: unknown key; did you mean 'record_prompts'?"),
        ("zzz: 1", f"zzz: unknown key; known here: {KNOWN}"),
        ("defaults: {atempts: 1}", "defaults.atempts: unknown key; did you mean 'attempts'?"),
        ("journal: {kept: 1}", "journal.kept: unknown key; did you mean 'keep'?"),
        ("dashboard: {Theme: x}", "dashboard.Theme: unknown key; did you mean 'theme'?"),
    ],
)
def test_an_unknown_key_is_a_fault_where_it_stands(line: str, fault: str) -> None:
    column = line.find("{") + 2 or 1
    assert faults(with_providers(line)) == [f"2:{column}: {fault}"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("record_prompts: 1", "17: record_prompts: must be true or false"),
        ("record_prompts: 'true'", "17: record_prompts: must be true or false"),
        ("record_prompts: [true]", "17: record_prompts: must be true or false, not a list"),
        ("record_prompts:", "16: record_prompts: must be true or false, but nothing stands here"),
        ("journal: []", "10: journal: must be a mapping, not a list"),
        ("journal: 7d", "10: journal: must be a mapping, not a single value"),
        ("journal: {keep: 0}", "17: journal.keep: must be longer than 0s"),
        ("journal: {rows: 0}", "17: journal.rows: must be at least 1"),
        ("journal: {rows: 1.5}", "17: journal.rows: must be a whole number, as 3"),
        ("journal: {rows: '5'}", "17: journal.rows: must be a whole number, not text in quotes, as 3"),
        ("journal: {rows: 017}", "17: journal.rows: must be a whole number, as 3"),
        ("journal: {rows: 12345678901234567890}", "17: journal.rows: must be a whole number, as 3"),
        ("journal: {rows: {a: b}}", "17: journal.rows: must be a whole number, not a mapping"),
        ("dashboard: {glyphs: emoji}", "21: dashboard.glyphs: must be one of auto, unicode, ascii"),
        (
            "dashboard: {glyphs: ascci}",
            (
                "21: dashboard.glyphs: unknown value 'ascci'; did you mean 'ascii'? "
                "(one of auto, unicode, ascii)"
            ),
        ),
        ("dashboard: {theme: ' '}", "20: dashboard.theme: must be the name of a theme, not blank"),
        (
            'dashboard: {theme: "a\\nb"}',
            "20: dashboard.theme: holds a line break or another character that can't be printed",
        ),
        ("dashboard: {keys: [q]}", "19: dashboard.keys: must be a mapping of command to key, not a list"),
        ("dashboard: {keys: {quit: [q]}}", "26: dashboard.keys.quit: must be a key, not a list"),
        ("dashboard: {bell: loud}", "19: dashboard.bell: must be true or false"),
        ("aliases: [a]", "10: aliases: must be a mapping, not a list"),
        ("chains: a/b", "9: chains: must be a mapping, not a single value"),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_fault_where_it_stands(line: str, fault: str) -> None:
    assert faults(with_providers(line)) == [f"2:{fault}"]


def test_every_fault_is_told_at_once_one_a_line_in_the_file_s_order() -> None:
    text = """
        chains: {c: [o/x, x/y], d: []}
        defaults: {attempts: 0, cooldown: -1}
        providers: {o: {kind: opnai}}
        store: [x]
        journal: {rows: x}
    """
    with pytest.raises(ConfigError) as raised:
        config(text)
    told = str(raised.value).splitlines()
    assert [line.split(": ")[0] for line in told] == [
        "test.yaml:1:19", "test.yaml:1:28", "test.yaml:2:22", "test.yaml:2:35",
        "test.yaml:3:23", "test.yaml:4:8", "test.yaml:5:17",
    ]  # fmt: skip
    assert [str(fault) for fault in raised.value.faults] == told


def test_something_refused_in_the_yaml_itself_is_told_once() -> None:
    assert faults("providers: &p {o: {kind: openai}}\nchains: *p\ndefaults: {attempts: *p}") == [
        "1:12: providers: an anchor (`&name`) is not allowed; there are no aliases here",
        "2:9: chains: an alias (`*name`) is not allowed; write the value out",
        "3:22: defaults.attempts: an alias (`*name`) is not allowed; write the value out",
    ]
