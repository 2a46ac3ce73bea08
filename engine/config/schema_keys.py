"""A provider's `keys:`: where each key is read from, and that none stands in the file."""

from __future__ import annotations

import re
from pathlib import Path

from engine.config.inline import looks_like_key, names_a_secret, quoted
from engine.config.model import KeySource
from engine.config.nodes import Scalar
from engine.config.spot import Section, Spot

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WANTED = "a list of names of environment variables, as [OPENAI_API_KEY]"
_INLINE = "an inline secret: put the key into an environment variable or a file, and name that here"
_BARRED = frozenset("/#,*")


def read_keys(spot: Spot, folder: Path) -> tuple[KeySource, ...]:
    """The keys of a provider.

    Args:
        spot: What `keys` holds.
        folder: What relative paths of key files are relative to.
    """
    if spot.is_null:
        return ()
    if isinstance(spot.node, Scalar) and looks_like_key(spot.node.text):
        spot.fault(_INLINE)
        return ()
    names: set[str] = set()
    keys = []
    for item in spot.items(_WANTED) or ():
        key = _read_key(item, folder)
        if key is not None and key.name in names:
            item.fault(f"a second key with the name {quoted(key.name)}; give each its own `name`")
        elif key is not None:
            names.add(key.name)
            keys.append(key)
    return tuple(keys)


def _read_key(spot: Spot, folder: Path) -> KeySource | None:
    section = spot.mapping()
    if section is None:
        env = _read_env(spot)
        return KeySource(env, env=env) if env else None
    name, tier = section.take("name"), section.take("tier")
    source = _read_source(section, folder)
    named = _read_name(name) if name else None
    level = tier.integer(least=1) if tier else 1
    for key in section.unknown():
        if names_a_secret(key):
            section.key(key).fault(_INLINE)
            section.take(key)
    section.close()
    if source is None or level is None or (name and not named):
        return None
    default = source.env or (source.file.name if source.file else "")
    if not named and _BARRED & set(default):
        spot.fault("has no `name`, and the file's own name can't serve as one; add `name`")
        return None
    return KeySource(named or default, source.env, source.file, level)


def _read_source(section: Section, folder: Path) -> KeySource | None:
    env, file = section.take("env"), section.take("file")
    if (env is None) == (file is None):
        section.spot.fault("needs either `env`, the name of an environment variable, or `file`, a path")
        return None
    if env is not None:
        variable = _read_env(env)
        return KeySource("", env=variable) if variable else None
    path = file.path(folder, "the path of a file that holds the key") if file else None
    if path is None or file is None:
        return None
    if looks_like_key(path.name):
        file.fault(_INLINE)
        return None
    return KeySource("", file=path)


def _read_env(spot: Spot) -> str | None:
    text = spot.text("the name of an environment variable")
    if text is None:
        return None
    if looks_like_key(text):
        spot.fault(_INLINE)
    elif not _VARIABLE.fullmatch(text):
        # Not shown: a key of a shape nobody knows would stand here.
        spot.fault(f"is not the name of an environment variable (letters, digits, _); or {_INLINE}")
    else:
        return text
    return None


def _read_name(spot: Spot) -> str | None:
    text = spot.text("a name")
    if text is None:
        return None
    if looks_like_key(text):
        spot.fault(_INLINE)
    elif _BARRED & set(text) or any(character.isspace() for character in text):
        spot.fault("the name of a key can't hold '/', '#', ',', '*' or blanks")
    else:
        return text
    return None
