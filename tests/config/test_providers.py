from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from engine.config.load import parse_config
from engine.config.model import KeySource, ModelConfig, ProviderConfig
from engine.errors import ConfigError
from tests.config.reading import config, faults, of_openai, provider


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("openai", "https://api.openai.com/v1"),
        ("anthropic", "https://api.anthropic.com"),
        ("ollama", "http://127.0.0.1:11434"),
        ("simulated", ""),
    ],
)
def test_every_kind_knows_where_it_usually_answers(kind: str, url: str) -> None:
    found = config(provider(f"kind: {kind}")).providers["p"]
    assert found == ProviderConfig("p", found.kind, url)
    assert found.kind == kind


def test_everything_about_a_provider_is_read() -> None:
    text = """
        providers:
          openai:
            kind: openai
            base_url: HTTP://localhost:8000/v1//
            keys:
              - {name: main, env: OPENAI_API_KEY, tier: 1}
              - {name: spare, file: /run/secrets/spare, tier: 2}
              - {env: THIRD}
              - {file: keys/fourth}
              - FIFTH
            headers: {x-team: search, x-number: 3, OpenAI-Organization: org-0123456789abcdef01234567}
            errors: {403: transient, Model_Overloaded: auth_dead, "429": unknown}
            proxy: http://proxy:3128
            models:
              o3: {timeouts: {first_token: 5m}, context_tokens: 200_000}
              3.10:
    """
    found = config(text).providers["openai"]
    assert found == ProviderConfig(
        name="openai",
        kind="openai",
        base_url="HTTP://localhost:8000/v1",
        keys=(
            KeySource("main", env="OPENAI_API_KEY"),
            KeySource("spare", file=Path("/run/secrets/spare"), tier=2),
            KeySource("THIRD", env="THIRD"),
            KeySource("fourth", file=Path.cwd() / "keys/fourth"),
            KeySource("FIFTH", env="FIFTH"),
        ),
        headers={
            "x-team": "search",
            "x-number": "3",
            "OpenAI-Organization": "org-0123456789abcdef01234567",
        },
        errors={403: "transient", "model_overloaded": "auth_dead", 429: "unknown"},
        proxy="http://proxy:3128",
        models={"o3": ModelConfig({"first_token": 300.0}, 200_000), "3.10": ModelConfig()},
    )


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        ("base_url: http://x", "3: providers.p: has no `kind` (one of openai, anthropic, ollama, simulated)"),
        ("", "3: providers.p: has no `kind` (one of openai, anthropic, ollama, simulated)"),
        (
            "kind: anthropc",
            (
                "13: providers.p.kind: unknown value 'anthropc'; did you mean 'anthropic'? "
                "(one of openai, anthropic, ollama, simulated)"
            ),
        ),
        ("kind: bedrock", "13: providers.p.kind: must be one of openai, anthropic, ollama, simulated"),
        (
            "kind: [openai]",
            "13: providers.p.kind: must be one of openai, anthropic, ollama, simulated, not a list",
        ),
        ("kind: openai, base_ulr: x", "21: providers.p.base_ulr: unknown key; did you mean 'base_url'?"),
        (
            "kind: openai, speaks: openai",
            "21: providers.p.speaks: only a provider of kind `simulated` has this; remove it",
        ),
        (
            "kind: openai, seed: 3",
            "21: providers.p.seed: only a provider of kind `simulated` has this; remove it",
        ),
        (
            "kind: simulated, base_url: http://x",
            "24: providers.p.base_url: only a real provider has this; remove it",
        ),
        (
            "kind: simulated, proxy: http://x",
            "24: providers.p.proxy: only a real provider has this; remove it",
        ),
        (
            "kind: simulated, speaks: gemini",
            "32: providers.p.speaks: must be one of openai, anthropic, ollama",
        ),
        ("kind: simulated, seed: x", "30: providers.p.seed: must be a whole number, as 3"),
    ],
)
def test_a_provider_has_a_kind_and_what_belongs_to_it(inner: str, fault: str) -> None:
    assert faults(provider(inner)) == [f"2:{fault}"]


def test_a_provider_is_a_mapping() -> None:
    assert faults("providers: {p: openai}") == [
        "1:16: providers.p: must be a mapping with `kind`, not a single value"
    ]


@pytest.mark.parametrize("character", ["/", ",", "#", "*", ":"])
def test_a_provider_s_name_can_be_told_from_the_rest_of_a_target(character: str) -> None:
    name = f"a{character}b"
    what = f"the name of a provider can't hold '{character}', which means something in a target"
    assert faults(f"providers: {{'{name}': {{kind: ollama}}}}") == [f"1:13: providers.{name}: {what}"]


@pytest.mark.parametrize("name", ["a b", " a", "a\\u202Eb"])
def test_a_provider_s_name_holds_no_blanks_and_nothing_invisible(name: str) -> None:
    (fault,) = faults(f'providers: {{"{name}": {{kind: ollama}}}}')
    assert fault.endswith(
        "the name of a provider can't hold blanks at its ends or characters that don't print"
    )


UNREADABLE = "is not a URL that can be read; check its host and port"


@pytest.mark.parametrize("key", ["base_url", "proxy"])
@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("ftp://host", "must begin with http:// or https://"),
        ("api.openai.com/v1", "must begin with http:// or https://"),
        ("localhost:8000", "must begin with http:// or https://"),
        ("http://", UNREADABLE),
        ("http:///v1", UNREADABLE),
        ("http://host:99999", UNREADABLE),
        ("http://host:0", UNREADABLE),
        ("http://host:port", UNREADABLE),
        ("http://[::1", UNREADABLE),
        ("http://a..b", UNREADABLE),
        ("http://ho st", UNREADABLE),
        ("http://host/a b", UNREADABLE),
        ("http://host/v1?version=2", "must not have a query or a fragment; paths are appended to it"),
        ("http://host/v1#x", "must not have a query or a fragment; paths are appended to it"),
        ("http://host/v1?", "must not have a query or a fragment; paths are appended to it"),
        ("[http://host]", "must be a URL, not a list"),
    ],
)
def test_a_url_that_could_not_be_called_is_a_fault(key: str, url: str, what: str) -> None:
    value = url if url.startswith("[http://host]") else f"'{url}'"
    assert of_openai(f"{key}: {value}") == [f"{len(key) + 3}: providers.p.{key}: {what}"]


@pytest.mark.parametrize(
    "url", ["http://[::1]:8000", "http://127.0.0.1:1", "https://a_b.example/v1/x%20y", "http://münchen.de"]
)
def test_a_url_of_any_sane_host_is_taken(url: str) -> None:
    assert of_openai(f"base_url: '{url}'") == []


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        (
            "headers: {'a b': x}",
            "11: providers.p.headers.a b: is not a legal name of a header (letters, digits and -)",
        ),
        (
            "headers: {'a:': x}",
            "11: providers.p.headers.a:: is not a legal name of a header (letters, digits and -)",
        ),
        ("headers: {Host: x}", "11: providers.p.headers.Host: is set by each call itself; remove it"),
        (
            "headers: {content-type: x}",
            "11: providers.p.headers.content-type: is set by each call itself; remove it",
        ),
        (
            'headers: {x: "a\\r\\nb: c"}',
            "14: providers.p.headers.x: holds a line break or another character that can't be printed",
        ),
        ("headers: {x: é}", "14: providers.p.headers.x: must be printable ASCII, as every header"),
        ("headers: {x: }", "14: providers.p.headers.x: must be a header's value, but nothing stands here"),
        ("headers: {x: [a]}", "14: providers.p.headers.x: must be a header's value, not a list"),
        ("headers: {X-A: a, x-a: b}", "19: providers.p.headers.x-a: the same header as X-A; remove one"),
        ("headers: [a]", "10: providers.p.headers: must be a mapping of header to value, not a list"),
        ("errors: {99: transient}", "10: providers.p.errors.99: is not a status (100 to 599)"),
        ("errors: {600: transient}", "10: providers.p.errors.600: is not a status (100 to 599)"),
        ("errors: {4290: transient}", "10: providers.p.errors.4290: is not a status (100 to 599)"),
        (
            "errors: {A: unknown, a: unknown}",
            "22: providers.p.errors.a: stands here twice, for case does not count; remove one",
        ),
        (
            "errors: {403: auth-dead}",
            (
                "15: providers.p.errors.403: unknown value 'auth-dead'; did you mean 'auth_dead'? "
                "(one of transient, auth_dead, request_specific, unknown)"
            ),
        ),
        (
            "errors: {403: retry}",
            "15: providers.p.errors.403: must be one of transient, auth_dead, request_specific, unknown",
        ),
        (
            "errors: {403: 1}",
            "15: providers.p.errors.403: must be one of transient, auth_dead, request_specific, unknown",
        ),
        ("models: {m: {context_tokens: 0}}", "30: providers.p.models.m.context_tokens: must be at least 1"),
        (
            "models: {m: {context_tokens: 200k}}",
            "30: providers.p.models.m.context_tokens: must be a whole number, as 3",
        ),
        (
            "models: {m: {timeouts: {idle: 0}}}",
            "31: providers.p.models.m.timeouts.idle: must be longer than 0s",
        ),
        (
            "models: {m: {cooldown: 1m}}",
            (
                "14: providers.p.models.m.cooldown: unknown key; known here: context_tokens, fails, "
                "first_token, incident, timeouts, tokens, tokens_per_s"
            ),
        ),
        (
            "models: {m: {fails: {}}}",
            (
                "14: providers.p.models.m.fails: only a model of a provider of kind `simulated` has this; "
                "remove it"
            ),
        ),
        (
            "models: [m]",
            "9: providers.p.models: must be a mapping of model to what is special about it, not a list",
        ),
        ("models: {m: fast}", "13: providers.p.models.m: must be a mapping, not a single value"),
    ],
)
def test_what_goes_with_each_call_is_checked(inner: str, fault: str) -> None:
    assert of_openai(inner) == [fault]


def test_the_home_of_nobody_is_left_as_it_is_written() -> None:
    assert of_openai("keys: [{file: ~no-such-user/key}], ca_bundle: ~no-such-user/ca") == [
        "47: providers.p.ca_bundle: there is no such file"
    ]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test"]
    subprocess.run(
        [*command, "-keyout", folder / "key", "-out", folder / "ca.pem"], check=True, capture_output=True
    )
    return folder / "ca.pem"


def test_a_bundle_of_certificates_is_taken(certificate: Path) -> None:
    found = parse_config(provider("kind: openai, ca_bundle: ca.pem"), certificate.parent / "config.yaml")
    assert found.providers["p"].ca_bundle == certificate


def test_a_bundle_that_may_not_be_read_is_a_fault(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    what = "the file can't be read; check its permissions"
    assert of_openai(f"ca_bundle: {certificate}") == [f"12: providers.p.ca_bundle: {what}"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("missing.pem", "there is no such file"),
        ("folder", "there is no such file"),
        ("empty.pem", "the file holds no certificates in PEM form"),
        ("words.pem", "the file holds no certificates in PEM form"),
        ('"a\\0b"', "holds a line break or another character that can't be printed"),
    ],
)
def test_a_bundle_that_could_not_be_used_is_a_fault(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.pem").touch()
    (tmp_path / "words.pem").write_text("no certificate\n")
    with pytest.raises(ConfigError) as raised:
        parse_config(provider(f"kind: openai, ca_bundle: {name}"), tmp_path / "c.yaml")
    assert [(f.line, f.column, f.where, f.what) for f in raised.value.faults] == [
        (2, 32, "providers.p.ca_bundle", what)
    ]
