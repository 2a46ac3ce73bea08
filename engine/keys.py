"""Which key next: tiers in ascending order, round robin inside a tier."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from engine.config.model import KeySource, ProviderConfig
from engine.secret import Secret, checked_key

_LARGEST_KEY_FILE = 64 * 1024


class KeyValue(NamedTuple):
    """What is known of one key but its value.

    Attributes:
        name: `provider#name`.
        tier: Lower tiers are used first.
        problem: Why it has no value, in words that hold none; None if it has one.
    """

    name: str
    tier: int
    problem: str | None


class KeyRing:
    """The keys of one provider.

    Environment variables are read once, for a running process's environment does not change; a file
    is read again when it changes.

    Args:
        provider: The provider they belong to.
    """

    def __init__(self, provider: ProviderConfig) -> None:
        self.provider = provider.name
        sources = sorted(provider.keys, key=lambda source: source.tier)
        self._tiers = [list(tier) for _, tier in groupby(sources, key=lambda source: source.tier)]
        self._turn = [0] * len(self._tiers)
        self._read: dict[str, tuple[object, Secret | str]] = {}

    @property
    def is_needed(self) -> bool:
        """False for a provider that takes no key."""
        return bool(self._tiers)

    def name(self, source: KeySource) -> str:
        """The key as benches and events call it: `provider#name`."""
        return f"{self.provider}#{source.name}"

    def names(self) -> list[str]:
        """All keys, set or not, in the order of their tiers."""
        return [self.name(source) for tier in self._tiers for source in tier]

    def values(self) -> list[KeyValue]:
        """All keys, in the order of their tiers."""
        found = [(source, self._value(source)) for tier in self._tiers for source in tier]
        return [
            KeyValue(self.name(source), source.tier, value if isinstance(value, str) else None)
            for source, value in found
        ]

    def set_keys(self) -> list[str]:
        """The keys that have a value now."""
        sources = (source for tier in self._tiers for source in tier)
        return [self.name(source) for source in sources if isinstance(self._value(source), Secret)]

    def secrets(self) -> list[Secret]:
        """Every key that was ever read here, for taking them out of other people's texts."""
        return [value for _, value in self._read.values() if isinstance(value, Secret)]

    def problems(self) -> list[str]:
        """Why keys have no value, in words that hold none: `OPENAI_API_KEY is not set`."""
        values = (self._value(source) for tier in self._tiers for source in tier)
        return [value for value in values if isinstance(value, str)]

    def take(self, is_usable: Callable[[str], bool]) -> Secret | None:
        """The next key in turn, None if none is usable.

        Args:
            is_usable: Tells of a key's name whether it may be used now.
        """
        for number, tier in enumerate(self._tiers):
            turn = self._turn[number]
            for step, source in enumerate(_from(tier, turn)):
                value = self._value(source)
                if isinstance(value, Secret) and is_usable(value.name):
                    self._turn[number] = (turn + step + 1) % len(tier)
                    return value
        return None

    def _value(self, source: KeySource) -> Secret | str:
        signature = _signature(source.file) if source.file is not None else None
        known = self._read.get(source.name)
        if known is None or known[0] != signature:
            known = self._read[source.name] = (signature, _read(self.name(source), source))
        return known[1]


def _from(tier: list[KeySource], start: int) -> Iterator[KeySource]:
    yield from tier[start:]
    yield from tier[:start]


def _signature(path: Path) -> object:
    try:
        stat = path.stat()
    except OSError as error:
        return error.errno
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _read(name: str, source: KeySource) -> Secret | str:
    if source.env is not None:
        raw = os.environ.get(source.env)
        if raw is None:
            return f"{source.env} is not set (a running process does not see a later change: start it again)"
        place = source.env
    else:
        place = str(source.file)
        try:
            with open(place, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  (bounded read)
                raw = file.read(_LARGEST_KEY_FILE)
        except OSError as error:
            return f"{place}: {(error.strerror or 'cannot be read').lower()}"
    value = checked_key(name, raw)
    return f"{place} {value}" if isinstance(value, str) else value
