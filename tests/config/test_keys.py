from __future__ import annotations

from pathlib import Path

import pytest

from engine.config.load import parse_config
from tests.config.reading import of_openai, provider

EITHER = "needs either `env`, the name of an environment variable, or `file`, a path"
NO_NAME = (
    "is not the name of an environment variable (letters, digits, _); "
    "or an inline secret: put the key into an environment variable or a file, and name that here"
)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (
            "OPENAI_API_KEY",
            (
                "7: providers.p.keys: must be a list of names of environment variables, as [OPENAI_API_KEY], "
                "not a single value"
            ),
        ),
        (
            "{env: A}",
            (
                "7: providers.p.keys: must be a list of names of environment variables, as [OPENAI_API_KEY], "
                "not a mapping"
            ),
        ),
        ("[{env: A, file: b}]", f"8: providers.p.keys[0]: {EITHER}"),
        ("[{name: x}]", f"8: providers.p.keys[0]: {EITHER}"),
        ("[{}]", f"8: providers.p.keys[0]: {EITHER}"),
        ("[[A]]", "8: providers.p.keys[0]: must be the name of an environment variable, not a list"),
        ("[A, A]", "11: providers.p.keys[1]: a second key with the name 'A'; give each its own `name`"),
        (
            "[{name: x, env: A}, {name: x, env: B}]",
            "27: providers.p.keys[1]: a second key with the name 'x'; give each its own `name`",
        ),
        ("[{env: A, tier: 0}]", "23: providers.p.keys[0].tier: must be at least 1"),
        ("[{env: A, teir: 1}]", "17: providers.p.keys[0].teir: unknown key; did you mean 'tier'?"),
        (
            "[{env: A, name: a/b}]",
            "23: providers.p.keys[0].name: the name of a key can't hold '/', '#', ',', '*' or blanks",
        ),
        (
            "[{env: A, name: 'a b'}]",
            "23: providers.p.keys[0].name: the name of a key can't hold '/', '#', ',', '*' or blanks",
        ),
        ("[{env: A, name: [x]}]", "23: providers.p.keys[0].name: must be a name, not a list"),
        (
            "[{file: 'a#b'}]",
            "8: providers.p.keys[0]: has no `name`, and the file's own name can't serve as one; add `name`",
        ),
        (
            "[{file: [x]}]",
            "15: providers.p.keys[0].file: must be the path of a file that holds the key, not a list",
        ),
        (
            "['MY KEY']",
            f"8: providers.p.keys[0]: {NO_NAME}",
        ),
        (
            "[1ST]",
            f"8: providers.p.keys[0]: {NO_NAME}",
        ),
    ],
)
def test_a_key_is_named_and_never_given(keys: str, fault: str) -> None:
    assert of_openai(f"keys: {keys}") == [fault]


def test_paths_are_relative_to_the_configuration_s_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    text = provider("kind: openai, keys: [{file: k}, {file: ~/k2}, {file: /k3}]")
    keys = parse_config(text, tmp_path / "config.yaml").providers["p"].keys
    assert [key.file for key in keys] == [tmp_path / "k", Path("/home/somebody/k2"), Path("/k3")]
