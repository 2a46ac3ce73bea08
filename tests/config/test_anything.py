"""Whatever stands in a file, reading it gives a configuration or faults with their places, and soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings, strategies as st

from engine.config.load import parse_config
from engine.config.nodes import MOST_BYTES
from engine.errors import ConfigError

GOOD = """\
store: memory
record_prompts: false
journal: {keep: 7d, rows: 1000}
defaults:
  attempts: 3
  backoff: {base: 200ms, cap: 10s}
  cooldown: 5m
  cooldown_growth: 2
  timeouts: {connect: 10s, first_token: 60s}
  when_all_benched: try
providers:
  openai:
    kind: openai
    base_url: https://api.openai.com/v1
    keys:
      - {name: main, env: OPENAI_API_KEY, tier: 1}
      - {name: spare, file: ~/.secrets/openai-spare, tier: 2}
    headers: {x-team: search}
    errors: {403: transient, model_overloaded: auth_dead}
    proxy: http://proxy:3128
    models:
      o3: {timeouts: {first_token: 5m}, context_tokens: 200000}
  acme:
    kind: simulated
    speaks: openai
    seed: 7
    models:
      flaky: {fails: {rate: 0.2, with: [500, 429, cut]}}
      storm: {incident: {every: 90s, lasts: 30s, with: 429, retry_after: 12s}}
aliases:
  cheap: acme/flaky, acme/storm
chains:
  support: {models: [cheap, "acme/large"], fallback: none}
  drafts:
    models: [openai/gpt-5, cheap]
    cooldown: 1m
    owner: alice
    fallback: [mine/tiny, acme/large]
groups:
  - [openai/gpt-5, acme/large]
fallback: [acme/last, cheap]
owners:
  alice:
    providers: {mine: {kind: openai, base_url: http://127.0.0.1:8001/v1}}
    aliases: {cheap: mine/tiny}
traffic: {rate: 2/s, through: [support]}
dashboard: {theme: nord, glyphs: auto, keys: {quit: q}, bell: true}
"""

PIECES = [
    "", " ", "\n", "\t", "\r", "\0", "\x85", "\u2028", "\ufeff", "\ud800", "é", "\U0001f600", "a" * 200,
    ":", ": ", "- ", "? ", ",", "[", "]", "{", "}", "#", "&a ", "*a", "!x ", "!!int ", "<<: ", "|\n", "%",
    "'", '"', "\\", "@", "`", "/", "*", "[" * 40, "- " * 40, "---\n", "...\n", "~", "null", "yes", "-1", "0",
    "1e999", ".inf", ".nan", "0x10", "9" * 30, "5m", "http://", "openai", "acme/x", "cheap", "support",
]  # fmt: skip


def told(text: str) -> tuple[int, ...]:
    """Reads a text; the lines of its faults, none if it is good. Anything but a `ConfigError` is raised."""
    try:
        parse_config(text, "f.yaml")
    except ConfigError as error:
        found = error.faults
    else:
        return ()
    assert found
    assert all(fault.what and "\n" not in str(fault) for fault in found)
    return tuple(fault.line for fault in found)


def test_the_configuration_that_is_mutated_below_is_good() -> None:
    assert told(GOOD) == ()


@given(st.text())
def test_any_text_is_a_configuration_or_has_faults(text: str) -> None:
    told(text)


@given(st.lists(st.sampled_from([*PIECES, "a", "b", "1", "\n  ", "\n- "]), max_size=40))
def test_any_yaml_like_text_is_a_configuration_or_has_faults(pieces: list[str]) -> None:
    told("".join(pieces))


@settings(max_examples=300)
@given(st.data())
def test_any_edit_of_a_good_configuration_is_good_or_has_faults(data: st.DataObject) -> None:
    text = GOOD
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    lines = told(text)
    assert lines == tuple(sorted(lines))
    assert all(0 < line <= sum(map(text.count, "\n\r\x85\u2028")) + 2 for line in lines)


@settings(max_examples=200)
@given(st.data())
def test_any_value_in_any_place_of_a_good_configuration_is_good_or_has_faults(data: st.DataObject) -> None:
    words = [at for at, character in enumerate(GOOD) if character in " [{"]
    at = data.draw(st.sampled_from(words)) + 1
    end = at
    while GOOD[end] not in ",]}\n:":
        end += 1
    value = data.draw(st.sampled_from(PIECES) | st.text(max_size=20))
    told(GOOD[:at] + value + GOOD[end:])


HEAD = "providers: {s: {kind: simulated}, o: {kind: openai}}\n"
QUARTER = MOST_BYTES // 4


def numbered(head: str, line: str, size: int = QUARTER) -> str:
    """A text of nearly that size: the head, and then the line again and again with `#` counted up."""
    count = (size - len(head)) // (len(line) + 5 * line.count("#"))
    return head + "".join(line.replace("#", f"{number:x}") for number in range(count))


DENSE = {
    "chains": numbered(HEAD + "chains:\n", "  c#: [s/a, o/b#]\n", MOST_BYTES),
    "providers": numbered("providers:\n", "  p#: {kind: openai}\n"),
    "unknown keys": numbered(HEAD, "k#: 1\n"),
    "unknown names": numbered(HEAD + "chains:\n", "  n#: [m#]\n"),
    "circles": numbered(HEAD + "aliases:\n", "  a#: [a#, a1, a2]\n"),
    "owners": numbered(HEAD + "owners:\n", "  o#: {providers: {p: {kind: openai}}, aliases: {a: p/x}}\n"),
    "groups": numbered(HEAD + "groups:\n", "- [s/a#, o/b#]\n"),
    "a deep list": HEAD
    + "aliases:\n"
    + "".join(f"  a{n}: a{n + 1}\n" for n in range(15_000))
    + "  a15000: s/x\n",
    "a long list": f"{HEAD}chains: {{c: [{'a,' * (QUARTER // 2)}]}}",
    "a long text": f"{HEAD}chains: {{c: '{'s/a,' * (QUARTER // 4)}'}}",
    "duplicate keys": HEAD + "a: 1\n" * (QUARTER // 5),
    "aliases": f"a: [{'*a,' * (QUARTER // 3)}]",
    "brackets": "[" * MOST_BYTES,
    "dashes": "- " * (MOST_BYTES // 2),
    "an open quote": "a: '" + "x" * (MOST_BYTES - 10),
    "blanks": " " * MOST_BYTES,
    "a comment": "#" * MOST_BYTES,
}


@pytest.mark.parametrize("text", DENSE.values(), ids=DENSE)
def test_a_mebibyte_of_anything_is_read_in_seconds(text: str) -> None:
    assert len(text) <= MOST_BYTES
    assert seconds_to_read(text) < 45


@pytest.mark.parametrize(
    "piece", ["a", "0", "://a:", "a:", "@", "+", "-_", "sk-", "basic ", "?key=", "&a=", "."]
)
@pytest.mark.parametrize(
    "place", ["kind2: '#'", "base_url: '#'", "proxy: '#'", "keys: ['#']", "headers: {x: '#'}"]
)
def test_no_text_is_so_long_that_checking_it_takes_long(place: str, piece: str) -> None:
    long = place.replace("#", piece * (10**6 // len(piece)))
    assert seconds_to_read(f"providers: {{o: {{kind: openai, {long}}}}}") < 15


@pytest.mark.parametrize("end", ["", "x", "_", ".", "e", "e9", "m"])
@pytest.mark.parametrize("key", ["attempts", "cooldown", "cooldown_growth"])
def test_no_number_is_so_long_that_checking_it_takes_long(key: str, end: str) -> None:
    assert seconds_to_read(f"{HEAD}defaults: {{{key}: {'1' * 10**6}{end}}}") < 15


def seconds_to_read(text: str) -> float:
    """Of the processor's time. Bounds on it tell shapes apart, not machines: quadratic takes minutes."""
    began = time.process_time()
    told(text)
    return time.process_time() - began
