"""Which key next: tiers in ascending order, round robin inside a tier."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from engine.config.model import KeySource, ProviderConfig
from engine.secret import Secret, checked_key

_LARGEST_KEY_FILE = 64 * 1024
_OLD_VALUES_KEPT: Final = 8
"""Of each key: an answer under way may quote the value that it was asked with."""
_LOOK_AGAIN_AFTER_S: Final = 1.0


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


class _Read(NamedTuple):
    """What was read of a key, when its file was last looked at, and how the file looked."""

    value: Secret | str
    at: float
    signature: object


class KeyRing:
    """The keys of one provider.

    Environment variables are read once, for a running process's environment does not change; a file
    is read again when it changes. The key whose turn it is, and those without a value, are looked at
    whenever somebody asks, the others once a second.

    Args:
        provider: The provider they belong to.
        clock: Seconds that only ever grow.
    """

    def __init__(self, provider: ProviderConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.provider = provider.name
        self._clock = clock
        sources = sorted(provider.keys, key=lambda source: source.tier)
        self._tiers = [list(tier) for _, tier in groupby(sources, key=lambda source: source.tier)]
        self._turn = [0] * len(self._tiers)
        self._read: dict[str, _Read] = {}
        self._replaced: dict[str, deque[Secret]] = {}

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
        return [
            KeyValue(self.name(source), source.tier, value if isinstance(value, str) else None)
            for source, value in self._values()
        ]

    def set_keys(self) -> list[str]:
        """The keys that have a value now."""
        return [self.name(source) for source, value in self._values() if isinstance(value, Secret)]

    def secrets(self) -> list[Secret]:
        """Every value that was read here, for taking them out of other people's texts.

        Of a file that changes and changes, the last few.
        """
        now = [read.value for read in self._read.values() if isinstance(read.value, Secret)]
        return [*now, *(value for values in self._replaced.values() for value in values)]

    def problems(self) -> list[str]:
        """Why keys have no value, in words that hold none: `OPENAI_API_KEY is not set`."""
        return [value for _, value in self._values() if isinstance(value, str)]

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
                    newest = self._look(source) if step else value
                    return newest if isinstance(newest, Secret) else value
        return None

    def _values(self) -> Iterator[tuple[KeySource, Secret | str]]:
        """Each key's value, or why it has none."""
        for tier, turn in zip(self._tiers, self._turn, strict=True):
            for place, source in enumerate(tier):
                yield source, self._look(source) if place == turn else self._value(source)

    def _value(self, source: KeySource) -> Secret | str:
        """As `_look`, but a value is taken on trust for a while."""
        read = self._read.get(source.name)
        if read is None or isinstance(read.value, str) or self._clock() >= read.at + _LOOK_AGAIN_AFTER_S:
            return self._look(source)
        return read.value

    def _look(self, source: KeySource) -> Secret | str:
        """A key's value, or why it has none, as it is now."""
        signature = None if source.file is None else _signature(source.file)
        old = self._read.get(source.name)
        if old is not None and old.signature == signature:
            value = old.value
        else:
            value = _read(self.name(source), source)
            if old is not None and isinstance(old.value, Secret) and old.value != value:
                self._replaced.setdefault(source.name, deque(maxlen=_OLD_VALUES_KEPT)).append(old.value)
        self._read[source.name] = _Read(value, self._clock(), signature)
        return value


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
            with Path(place).open(encoding="utf-8", errors="replace") as file:
                raw = file.read(_LARGEST_KEY_FILE)
        except OSError as error:
            return f"{place}: {(error.strerror or 'cannot be read').lower()}"
    value = checked_key(name, raw)
    return f"{place} {value}" if isinstance(value, str) else value
