from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from engine.config.load import find_config, load_config, sample_path, user_config_path
from engine.errors import ConfigError

GOOD = "providers: {o: {kind: openai}}\n"


@pytest.fixture(autouse=True)
def a_bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STANDBY_CONFIG", "MODEL_FALLBACK_GROUPS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))


def told(path: Path | str | None = None) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    return [str(fault) for fault in raised.value.faults]


def write(path: Path, content: str | bytes = GOOD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_user_s_own_file_stands_where_the_platform_keeps_such_files() -> None:
    folder = platformdirs.user_config_path("standby", appauthor=False)
    assert user_config_path() == folder / "config.yaml"


def test_the_file_asked_for_comes_before_the_variable_before_the_user_s_own_before_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_config() == sample_path()
    own = write(user_config_path())
    assert find_config() == own
    monkeypatch.setenv("STANDBY_CONFIG", "~/other.yaml")
    assert find_config() == tmp_path / "home" / "other.yaml"
    assert find_config("asked.yaml") == Path("asked.yaml")
    assert find_config(tmp_path / "asked.yaml") == tmp_path / "asked.yaml"


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDBY_CONFIG", "")
    assert find_config() == sample_path()


def test_a_file_of_the_user_s_own_that_leads_nowhere_is_not_passed_over_in_silence() -> None:
    user_config_path().parent.mkdir(parents=True)
    user_config_path().symlink_to("nowhere.yaml")
    assert find_config() == user_config_path()
    assert told() == [f"{user_config_path()}: no such file; {INIT}"]


def test_a_folder_of_the_user_s_own_that_can_t_be_looked_into_is_not_passed_over_in_silence(
    tmp_path: Path,
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config").symlink_to("config")
    assert find_config() == user_config_path()
    assert told() == [f"{user_config_path()}: can't be read: Too many levels of symbolic links"]


def test_the_packaged_sample_is_found_and_has_no_fault() -> None:
    config = load_config(sample_path())
    assert config.path == sample_path()
    assert config.traffic is not None
    assert all(provider.is_simulated for provider in config.providers.values())


def test_a_good_file_is_read_from_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "c.yaml", "\ufeff" + GOOD)
    monkeypatch.chdir(tmp_path)
    assert load_config("c.yaml").path == tmp_path / "c.yaml"


INIT = "`standby init` writes one, `standby paths` says where it is looked for"


def test_a_missing_file_is_one_fault_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "none" / "c.yaml"
    assert told(path) == [f"{path}: no such file; {INIT}"]


def test_a_missing_file_that_the_variable_names_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDBY_CONFIG", "/none/c.yaml")
    assert told() == [f"/none/c.yaml: no such file; {INIT} (named by STANDBY_CONFIG)"]


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert told(tmp_path) == [f"{tmp_path}: is a directory; name the file in it, or {INIT}"]


DENIED = "can't be read: permission denied; make it readable for this user, or name another with --config"


def test_permission_denied_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert told(tmp_path / "c.yaml") == [f"{tmp_path / 'c.yaml'}: {DENIED}"]


def test_a_path_through_a_file_is_one_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml") / "d.yaml"
    assert told(path) == [f"{path}: can't be read: Not a directory"]


def test_a_path_that_no_file_can_have_is_one_fault() -> None:
    assert told("a\0b") == [f"a\0b: is no path of a file; {INIT}"]


def test_a_file_that_is_not_utf_8_is_a_fault_at_the_first_wrong_byte(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", "a: é\nb: é".encode() + b"\xff: x")
    assert told(path) == [f"{path}:2:5: file: is not UTF-8 from here on; save it as UTF-8"]
    path = write(tmp_path / "c.yaml", GOOD.encode("utf-16"))
    assert told(path) == [f"{path}:1:1: file: is not UTF-8 from here on; save it as UTF-8"]


@pytest.mark.parametrize(
    "content", [b"# " * 2**19 + b"#", "é".encode() * 2**19 + b"#", b"##" + "é".encode() * 2**19]
)
def test_a_file_over_one_mebibyte_is_refused_wherever_it_is_cut(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "c.yaml", content)
    assert told(path) == [f"{path}:1:1: file: is larger than 1 MiB; a configuration is a few kilobytes"]


def test_a_file_without_end_is_refused() -> None:
    assert told("/dev/zero") == [
        "/dev/zero:1:1: file: is larger than 1 MiB; a configuration is a few kilobytes"
    ]


def test_a_file_of_just_one_mebibyte_is_read(tmp_path: Path) -> None:
    assert load_config(write(tmp_path / "c.yaml", GOOD + "#" * (2**20 - len(GOOD)))).chains == {}


TWO = "providers: {o: {kind: openai}, s: {kind: simulated}}\n"


def test_groups_in_the_environment_come_after_those_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_FALLBACK_GROUPS", '[["o/x", "s/x"], ["s/z", "o/z"]]')
    path = write(tmp_path / "c.yaml", TWO + "groups: [[o/y, s/y]]")
    assert load_config(path).groups == (("o/y", "s/y"), ("o/x", "s/x"), ("s/z", "o/z"))


def test_groups_in_the_environment_are_checked_with_the_file_and_told_after_its_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_FALLBACK_GROUPS", '[["s/x", "oo/x"], ["o/y", "s/y"]]')
    path = write(tmp_path / "c.yaml", TWO + "groups: [[o/y, s/z]]\nstore: disk")
    assert told(path) == [
        (
            f"{path}:3:8: store: must be one of auto, memory, sqlite:PATH, redis://HOST:PORT/DB, "
            "rediss://HOST:PORT/DB, env:NAME"
        ),
        "environment: MODEL_FALLBACK_GROUPS[0][1]: unknown provider 'oo'; did you mean 'o'?",
        (
            "environment: MODEL_FALLBACK_GROUPS[1][0]: 'o/y' is in a group already, at groups[0][0]; "
            "a model may be in one group only"
        ),
    ]


ARRAYS = 'must be a JSON array of arrays, as [["a/x", "b/x"]]'


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("o/x, s/x", f": {ARRAYS}, and is no JSON from line 1, column 1 on"),
        ('[["o/x",\n "s/x"]', f": {ARRAYS}, and is no JSON from line 2, column 8 on"),
        ("{}", f": {ARRAYS}"),
        ('["o/x", "s/x"]', f": {ARRAYS}"),
        ("null", f": {ARRAYS}"),
        ("[" * 100_000, f": {ARRAYS}"),
        ("9" * 5000, f": {ARRAYS}"),
        (
            "[[]]",
            "[0]: is empty; it must be a list of models that stand in for one another, with at least two",
        ),
        ('[["o/x"]]', "[0]: must be a list of models that stand in for one another, with at least two"),
        ('[["o/x", ["s/x"]]]', "[0][1]: must be a name, not a list"),
        ('[["o/x", {"s": "x"}]]', "[0][1]: must be a name, not a mapping"),
        ('[["o/x", "s\\u0007/x"]]', "[0][1]: holds a line break or another character that can't be printed"),
        ('[["o/x", "sk-proj-canary0123456789"]]', "[0][1]: unknown name (hidden: it looks like a key)"),
    ],
)
def test_a_fault_in_the_environment_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, fault: str
) -> None:
    monkeypatch.setenv("MODEL_FALLBACK_GROUPS", value)
    (found,) = told(write(tmp_path / "c.yaml", TWO))
    assert found.startswith(f"environment: MODEL_FALLBACK_GROUPS{fault}")


@pytest.mark.parametrize("text", ["a: [", "", "- a"])
def test_a_fault_in_the_environment_is_told_even_if_the_file_can_t_be_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("MODEL_FALLBACK_GROUPS", "[1]")
    path = write(tmp_path / "c.yaml", text)
    first, last = told(path)
    assert first.startswith(f"{path}:")
    assert last == f"environment: MODEL_FALLBACK_GROUPS: {ARRAYS}"


def test_a_thousand_faults_in_the_environment_hide_none_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_FALLBACK_GROUPS", f"[{', '.join(['[]'] * 1500)}]")
    path = write(tmp_path / "c.yaml", TWO + "store: disk")
    found = told(path)
    assert found[0].startswith(f"{path}:2:8: store")
    assert len(found) < 1010


def test_a_variable_that_is_set_to_nothing_asks_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_FALLBACK_GROUPS", " ")
    assert load_config(write(tmp_path / "c.yaml")).path == tmp_path / "c.yaml"


def test_yaml_is_imported_only_when_a_file_is_read() -> None:
    code = (
        "import sys, engine.config.load, engine.config.watch, engine.resolve\n"
        "print([name for name in ('yaml', 'platformdirs', 'difflib') if name in sys.modules])\n"
        "engine.config.load.parse_config('providers: {o: {kind: openai}}', 'f')\n"
        "print('yaml' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "True"]
