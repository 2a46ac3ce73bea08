"""Which proxy leads where."""

from __future__ import annotations

import pytest

from engine.proxies import proxy_for

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, "https://api.test/v1", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://api.test/v1", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://api.test/v1", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://api.test/v1", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "https://api.test", "http://p:1"),
        ({"ALL_PROXY": "socks5://p:1"}, "https://api.test", "socks5://p:1"),
        ({"ALL_PROXY": "http://a:1", "HTTPS_PROXY": "http://p:1"}, "https://api.test", "http://p:1"),
        ({"HTTPS_PROXY": "p:3128"}, "https://api.test", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "api.test"}, "https://api.test", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".test"}, "https://api.test", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://api.test", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "api.test:8443"}, "https://api.test:8443/v1", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other.test"}, "https://api.test", "http://p:1"),
    ],
)
def test_the_environment_is_read_as_everywhere(
    environment: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxy: str | None
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize("host", ["localhost", "models.localhost", "127.0.0.1", "127.8.9.10", "[::1]"])
def test_this_machine_is_never_reached_through_the_environments_proxy(
    environment: pytest.MonkeyPatch, host: str
) -> None:
    environment.setenv("ALL_PROXY", "http://p:1")
    assert proxy_for(f"http://{host}:8001/v1") is None
    assert proxy_for("http://192.0.2.1:8001/v1") == "http://p:1"


def test_a_configured_proxy_always_holds(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "http://other:1")
    environment.setenv("NO_PROXY", "*")
    assert proxy_for("https://api.test", "http://mine:1") == "http://mine:1"
    assert proxy_for("http://localhost", "http://mine:1") == "http://mine:1"


@pytest.mark.parametrize("url", ["http://[bad", "http://a:99999", "", "http://"])
def test_a_broken_url_has_no_proxy(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("ALL_PROXY", "http://p:1")
    assert proxy_for(url) is None
