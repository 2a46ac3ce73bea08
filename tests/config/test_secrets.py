"""No secret stands in a configuration, and none in what is said about one."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from engine.config.inline import HIDDEN, looks_like_key, names_a_secret, quoted, shown
from engine.config.load import parse_config
from engine.errors import ConfigError
from tests.config.reading import faults

KEYS = "keys are read from where `keys` says"
PUT = "an inline secret: put the key into an environment variable or a file, and name that here"
URL = f"an inline secret: a URL here has no user and no password; {KEYS}"
QUERY = f"an inline secret: no key goes into a URL; {KEYS}"
HEADER = f"an inline secret: this header carries a key; {KEYS}"
VALUE = f"an inline secret: this value looks like a key; {KEYS}"
STORE = "an inline secret: put the URL into an environment variable and write `store: env:NAME`"
KEY = "an inline secret: no key stands in this file; write `keys: [NAME_OF_VARIABLE]`"
VARIABLE = f"is not the name of an environment variable (letters, digits, _); or {PUT}"

OPENAI = "sk-proj-canary0123456789"
HEX = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        (f"keys: [{OPENAI}]", f"7: providers.p.keys[0]: {PUT}"),
        (f"keys: {OPENAI}", f"6: providers.p.keys: {PUT}"),
        (f"keys: [{HEX}]", f"7: providers.p.keys[0]: {PUT}"),
        ("keys: [AIzaSyCanary_canary-canary]", f"7: providers.p.keys[0]: {PUT}"),
        ("keys: [hf_canarycanarycanary]", f"7: providers.p.keys[0]: {PUT}"),
        ("keys: [correct-horse-battery]", f"7: providers.p.keys[0]: {VARIABLE}"),
        (f"keys: [{{env: {OPENAI}}}]", f"13: providers.p.keys[0].env: {PUT}"),
        (f"keys: [{{file: {OPENAI}}}]", f"14: providers.p.keys[0].file: {PUT}"),
        (f"keys: [{{env: A, name: {OPENAI}}}]", f"22: providers.p.keys[0].name: {PUT}"),
        ("keys: [{env: A, value: hunter2}]", f"16: providers.p.keys[0].value: {PUT}"),
        ("keys: [{env: A, key: hunter2}]", f"16: providers.p.keys[0].key: {PUT}"),
        ("api_key: hunter2", f"0: providers.p.api_key: {KEY}"),
        ("apiKey: hunter2", f"0: providers.p.apiKey: {KEY}"),
        ("password: hunter2", f"0: providers.p.password: {KEY}"),
        ("access_token: hunter2", f"0: providers.p.access_token: {KEY}"),
        ("base_url: 'http://user:hunter2@host/v1'", f"10: providers.p.base_url: {URL}"),
        ("base_url: 'http://hunter2@host/v1'", f"10: providers.p.base_url: {URL}"),
        ("base_url: 'http://:hunter2@host/v1'", f"10: providers.p.base_url: {URL}"),
        ("base_url: 'ftp://user:hunter2@host/v1'", f"10: providers.p.base_url: {URL}"),
        ("base_url: 'http://host/v1?key=hunter2'", f"10: providers.p.base_url: {QUERY}"),
        ("base_url: 'http://host/v1?a=b&api_key=hunter2'", f"10: providers.p.base_url: {QUERY}"),
        (f"base_url: 'http://host/v1?x={HEX}'", f"10: providers.p.base_url: {QUERY}"),
        ("proxy: 'http://user:hunter2@host:3128'", f"7: providers.p.proxy: {URL}"),
        ("headers: {Authorization: hunter2}", f"10: providers.p.headers.Authorization: {HEADER}"),
        ("headers: {proxy-authorization: hunter2}", f"10: providers.p.headers.proxy-authorization: {HEADER}"),
        ("headers: {X-API-Key: hunter2}", f"10: providers.p.headers.X-API-Key: {HEADER}"),
        ("headers: {api-key: hunter2}", f"10: providers.p.headers.api-key: {HEADER}"),
        ("headers: {x-goog-api-key: hunter2}", f"10: providers.p.headers.x-goog-api-key: {HEADER}"),
        ("headers: {Cookie: hunter2}", f"10: providers.p.headers.Cookie: {HEADER}"),
        ("headers: {x-auth-token: hunter2}", f"10: providers.p.headers.x-auth-token: {HEADER}"),
        ("headers: {x-team: Bearer hunter2}", f"18: providers.p.headers.x-team: {VALUE}"),
        (f"headers: {{x-team: {OPENAI}}}", f"18: providers.p.headers.x-team: {VALUE}"),
    ],
)
def test_a_secret_in_a_provider_is_a_fault_that_does_not_repeat_it(inner: str, fault: str) -> None:
    told = faults(f"providers:\n  p:\n    kind: openai\n    {inner}")
    column, rest = fault.split(": ", 1)
    assert told == [f"4:{int(column) + 5}: {rest}"]
    assert not any(secret in told[0] for secret in ("canary", "hunter2", HEX, "horse"))


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:hunter2@host:1/0",
        "redis://:hunter2@host",
        "rediss://host?password=hunter2",
        "x://a:hunter2@b",
    ],
)
def test_a_password_in_the_store_s_url_is_a_fault_that_does_not_repeat_it(url: str) -> None:
    assert faults(f"providers: {{o: {{kind: openai}}}}\nstore: {url}") == [f"2:8: store: {STORE}"]


@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-5-20250929", "gpt-4o-mini-2024-07-18", "Meta-Llama-3.1-405B-Instruct",
        "OPENAI_API_KEY_FOR_TEAM_2", "risk-averse", "hf-inference", "xai-backup", "api-gateway-production-eu",
        "fw-models", "task-runner-0123456789", "qwen3-coder:480b",
    ],
)  # fmt: skip
def test_names_as_people_give_them_are_shown(name: str) -> None:
    assert shown(name) == name


@pytest.mark.parametrize(
    "name",
    [OPENAI, HEX, f"o/{OPENAI}", f"x {OPENAI}", "redis://a:hunter2@host", "Bearer hunter2", "x" * 70 + HEX],
)
def test_what_could_be_a_secret_is_hidden(name: str) -> None:
    assert shown(name) == quoted(name) == HIDDEN


def test_a_long_name_is_cut_and_a_name_shows_no_control_characters() -> None:
    assert shown("a-" * 100) == "a-" * 39 + "a…"
    assert quoted("a\x1b[2J\u202e") == "'a�[2J�'"


def test_a_setting_s_name_tells_whether_it_holds_a_secret() -> None:
    assert all(
        map(names_a_secret, ["api_key", "API-KEY", "openai_api_key", "client-secret", "auth", "credentials"])
    )
    assert not any(map(names_a_secret, ["tokens", "max_tokens", "x-team", "keys", "tokenizer", "secretary"]))


TEMPLATE = """
store: {0}
record_prompts: {0}
journal: {{keep: {0}, rows: {0}}}
defaults:
  attempts: {0}
  backoff: {{base: {0}, cap: {0}}}
  cooldown: {0}
  cooldown_growth: {0}
  timeouts: {{connect: {0}}}
  when_all_benched: {0}
  mid_stream: {0}
  {0}: {0}
providers:
  {0}:
    kind: {0}
  real:
    kind: openai
    base_url: {0}
    keys: [{0}, {{name: {0}, env: {0}, tier: {0}}}, {{file: {0}}}, {{{0}: {0}}}]
    headers: {{{0}: {0}, authorization: {0}}}
    errors: {{{0}: {0}, 403: {0}}}
    proxy: {0}
    ca_bundle: {0}
    models: {{{0}: {{timeouts: {{{0}: {0}}}, context_tokens: {0}, {0}: {0}}}}}
    {0}: {0}
    api_key: {0}
  simulated:
    kind: simulated
    speaks: {0}
    seed: {0}
    models:
      m: {{first_token: {0}, tokens: {0}, fails: {{rate: {0}, with: [{0}]}}}}
      n: {{incident: {{every: {0}, with: {0}}}}}
aliases:
  {0}: [{0}, {1}, {2}]
  x: {0}
chains:
  {0}: {{models: [{0}], fallback: {0}, owner: {0}, {0}: {0}, cooldown: {0}}}
  y: [{0}, {3}]
traffic: {{rate: {0}, through: [{0}], {0}: {0}}}
dashboard: {{theme: {0}, glyphs: {0}, keys: {{{0}: [{0}]}}, bell: {0}}}
groups: [[{0}, {1}], {0}, [x]]
fallback: [{0}, {1}]
owners:
  {0}: {0}
  al:
    providers: {{{0}: {{kind: {0}, {0}: {0}}}}}
    aliases: {{{0}: {0}, a: [{1}]}}
    {0}: {0}
{0}: {0}
"""

alphabet = st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
secrets = st.builds(
    "{}{}7{}".format,
    st.sampled_from(["sk-", "sk-ant-api03-", "sk_live_", "gsk_", "xai-", "hf_", "ghp_", "AIza", "eyJ", ""]),
    st.text(alphabet, min_size=12, max_size=40),
    st.text(alphabet.filter(str.isalpha), min_size=12, max_size=40),
)


@given(secrets, st.sampled_from(["", "user:", "redis://u:", "https://x:", "Bearer "]))
def test_a_secret_anywhere_in_a_configuration_is_in_no_fault(secret: str, before: str) -> None:
    value = f"{before}{secret}@host" if "://" in before else before + secret
    texts = [f"'{text}'" for text in (value, f"real/{value}", f"{value}/x", f"{value} {value}")]
    with pytest.raises(ConfigError) as raised:
        parse_config(TEMPLATE.format(*texts), "f")
    assert len(raised.value.faults) > 40
    assert secret not in str(raised.value)
    assert not any(secret in part for fault in raised.value.faults for part in map(str, fault))


@given(secrets)
def test_a_secret_in_broken_yaml_is_in_no_fault(secret: str) -> None:
    for text in (
        f"a: '{secret}",
        f"a: {secret}: x",
        f"{secret}\nb: c",
        f"a: [{secret}",
        f"a: *{secret}",
        f'a: "\\{secret}"',
    ):
        with pytest.raises(ConfigError) as raised:
            parse_config(text, "f")
        assert secret not in str(raised.value)


@given(secrets)
def test_every_key_of_a_known_shape_is_known(secret: str) -> None:
    assert looks_like_key(secret)
    assert looks_like_key(f"  {secret}\n")
