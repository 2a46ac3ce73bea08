"""`store:`: what may stand there, what is wrong with the rest, and what opens."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from engine import parse_config
from engine.config.model import Config
from engine.store.address import SECRET, store_address
from engine.store.base import StoreRefused
from engine.store.opening import open_store, store_name
from tests.config.reading import faults

PROVIDERS = "providers: {o: {kind: openai}}\n"
ONE_OF = "(one of auto, memory, sqlite:PATH, redis://HOST:PORT/DB, rediss://HOST:PORT/DB, env:NAME)"
QUERY = "must not have a query or a fragment; a URL in a variable may: write `store: env:NAME`"
SLASHES = "the path follows `sqlite:` at once, without `//`, as in sqlite:/var/lib/standby.db"
MUST = f"must be {ONE_OF[1:-1]}"


def store(text: str, path: str = "/etc/standby/config.yaml") -> str:
    return parse_config(f"{PROVIDERS}store: {text}", path).store


@pytest.mark.parametrize(
    "text",
    [
        "auto", "memory", "redis://localhost", "redis://localhost:6379", "redis://10.0.0.1:6379/0",
        "rediss://cache.example.org:6380/3", "redis://[::1]:6379/0", "redis://h/", "env:STANDBY_STORE",
    ],
)  # fmt: skip
def test_what_names_a_store_is_kept_as_it_is(text: str) -> None:
    assert store(text) == text


def test_a_file_that_says_nothing_means_auto_and_a_configuration_in_code_memory() -> None:
    assert parse_config(PROVIDERS, "c.yaml").store == "auto"
    assert Config().store == "memory"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:/var/lib/x.db", "/var/lib/x.db"),
        ("sqlite:x.db", "/etc/standby/x.db"),
        ("sqlite:../x.db", "/etc/x.db"),
        ("sqlite:~/x.db", "/home/alice/x.db"),
        ("sqlite:~nobody-at-all/x.db", "/etc/standby/~nobody-at-all/x.db"),
        ("'sqlite:a file.db'", "/etc/standby/a file.db"),
    ],
)
def test_a_path_is_relative_to_the_configuration(
    text: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    assert store(text) == f"sqlite:{path}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("redis://:hunter2@h:6379/0", SECRET),
        ("redis://hunter2@h:6379/0", SECRET),
        ("rediss://h?password=hunter2", SECRET),
        ("rediss://h/0?ssl=hunter2", QUERY),
        ("'sqlite:'", "a path is missing after `sqlite:`, as in sqlite:/var/lib/standby/standby.db"),
        ("'sqlite: '", "a path is missing after `sqlite:`, as in sqlite:/var/lib/standby/standby.db"),
        ("sqlite:///x.db", SLASHES),
        ("'sqlite::memory:'", "a store in memory is written `memory`"),
        ("sqlite:/var/lib/", "names a folder; name a file in it, as in sqlite:/var/lib/standby/standby.db"),
        ("redis://h:port/0", "the port must be a number up to 65535, as in redis://127.0.0.1:6379/0"),
        ("redis://h:99999/0", "the port must be a number up to 65535, as in redis://127.0.0.1:6379/0"),
        ("redis://h:0/0", "the port must be at least 1, as in redis://127.0.0.1:6379/0"),
        ("rediss://h:1/zero", "what follows the host is the number of a database, as in rediss://127.0.0.1:6379/0"),
        ("redis://h:1/-1", "what follows the host is the number of a database, as in redis://127.0.0.1:6379/0"),
        ("redis://h:1/99999999999", "what follows the host is the number of a database, as in redis://127.0.0.1:6379/0"),
        ("redis://", "must name a host, as in redis://127.0.0.1:6379/0"),
        ("redis://:6379/0", "must name a host, as in redis://127.0.0.1:6379/0"),
        ("'redis://h h/0'", "must name a host, as in redis://127.0.0.1:6379/0"),
        ("redis://[::1/0", "the port must be a number up to 65535, as in redis://127.0.0.1:6379/0"),
        ("redis:h:6379", "must be written redis://HOST:PORT/DB"),
        ("sqlite", "must be written sqlite:PATH"),
        ("disk", MUST),
        ("sqllite:x.db", f"a file is written sqlite:PATH {ONE_OF}"),
        ("sqllite:hunter2", f"unknown value 'sqllite:…'; did you mean 'sqlite:PATH'? {ONE_OF}"),
        ("reddis://hunter2", f"unknown value 'reddis:…'; did you mean 'redis://HOST:PORT/DB'? {ONE_OF}"),
        ("Memory", f"unknown value 'Memory'; did you mean 'memory'? {ONE_OF}"),
        ("/var/lib/x", f"a file is written sqlite:PATH {ONE_OF}"),
        ("standby.db", f"a file is written sqlite:PATH {ONE_OF}"),
        ("hunter2", MUST),
        ("postgres://hunter2", MUST),
    ],
)  # fmt: skip
def test_what_names_none_is_a_fault_with_its_place(text: str, fault: str) -> None:
    told = faults(f"{PROVIDERS}store: {text}")
    assert told == [f"2:8: store: {fault}"]
    assert "hunter2" not in told[0]


@pytest.mark.parametrize("name", ["", "1X", "$X", "A-B", "hunter2 x", "redis://h"])
def test_a_bad_name_of_a_variable_is_a_fault(name: str) -> None:
    (told,) = faults(f"{PROVIDERS}store: 'env:{name}'")
    assert told.startswith("2:8: store: after `env:` stands the name of an environment variable")
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "not_what"), [("[auto]", ", not a list"), ("", ", but nothing stands here")]
)
def test_what_is_no_text_is_a_fault(text: str, not_what: str) -> None:
    (told,) = faults(f"{PROVIDERS}store: {text}")
    assert told.endswith(not_what)


def test_memory_opens_nothing() -> None:
    assert open_store("memory") is None
    assert store_name("memory") == "memory"


def test_auto_is_a_file_in_the_state_folder(own_state: Path) -> None:
    assert store_name("auto") == str(own_state / "standby.db")
    opened = open_store("auto")
    assert opened is not None
    assert opened.name == str(own_state / "standby.db")
    assert not own_state.exists()  # it is not there before it is used


def test_a_file_is_opened_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_store(f"sqlite:{tmp_path}/own.db")
    assert opened is not None
    assert opened.name == store_name(f"sqlite:{tmp_path}/own.db") == f"{tmp_path}/own.db"
    monkeypatch.chdir(tmp_path)
    assert store_name("sqlite:own.db") == f"{tmp_path}/own.db"


def test_a_variable_may_hold_a_password_and_it_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", "redis://alice:hunter2@[::1]:6379/2?ssl_cert_reqs=required")
    opened = open_store("env:STORE")
    assert opened is not None
    assert store_name("env:STORE") == opened.name == "redis://[::1]:6379/2"
    assert "hunter2" not in repr(opened)


@pytest.mark.parametrize(
    ("value", "name"),
    [("sqlite:/x/y.db", "/x/y.db"), ("memory", "memory"), (" redis://h:1/0\n", "redis://h:1/0")],
)
def test_a_variable_may_hold_any_store(value: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", value)
    assert store_name("env:STORE") == name


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "STORE is not set"),
        ("", "it is empty"),
        (" ", "it is empty"),
        ("env:STORE", "it names a variable again"),
        ("sqlite:hunter2.db", "must be an absolute one"),
        ("memry-hunter2", "must be one of"),
        ("hunter2", "must be one of"),
        ("redis://:hunter2@h:x/0", "the port must be a number"),
        ("redis://:hunter2@/0", "must name a host"),
        ("http://:hunter2@h", "must be one of"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named_and_its_value_is_not(
    value: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORE", raising=False)
    if value is not None:
        monkeypatch.setenv("STORE", value)
    with pytest.raises(StoreRefused, match="STORE") as refused:
        open_store("env:STORE")
    assert why in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert store_name("env:STORE") == "env:STORE"


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(StoreRefused, match=r"pip install 'standby\[redis\]'"):
        open_store("redis://h:1/0")


def test_a_configuration_in_code_with_no_store_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="must be one of"):
        open_store("disk")
    assert store_name("disk") == "unknown"
    wrong: Any = "sqlite:"
    with pytest.raises(ValueError, match="a path is missing"):
        store_address(wrong, tmp_path)
