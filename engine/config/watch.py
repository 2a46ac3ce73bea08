"""What differs between two configurations, and noticing that the file has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, Final

from engine.config.load import load_config
from engine.config.model import ChainConfig, Config, Owner, ProviderConfig
from engine.durations import format_duration
from engine.errors import ConfigError, Fault
from engine.policy import Policy

_PLAIN_NUMBERS: Final = frozenset({"attempts", "bench_after", "cooldown_growth"})

Signature = tuple[int, ...]
_GONE: Final[Signature] = ()  # the signature of a file whose absence has been told


def changes(old: Config, new: Config) -> tuple[str, ...]:
    """What a new configuration changes, one line for people a change; nothing if they are alike.

    Args:
        old: What was in force.
        new: What is.
    """
    lines = [f"defaults: {line}" for line in _policy_changes(old.defaults, new.defaults).values()]
    lines += _entry_changes("provider", old.providers, new.providers, _provider_changes)
    lines += _entry_changes("alias", old.aliases, new.aliases, lambda *_: ["changed"])
    inherited = _policy_changes(old.defaults, new.defaults)
    lines += _entry_changes(
        "chain", old.chains, new.chains, lambda was, now: _chain_changes(was, now, inherited)
    )
    if list(old.chains) != list(new.chains) and old.chains.keys() == new.chains.keys():
        lines.append("chains: order changed")
    lines += [
        f"{name}: changed" for name in ("groups", "fallback") if getattr(old, name) != getattr(new, name)
    ]
    lines += _entry_changes("owner", old.owners, new.owners, _owner_changes)
    if old.store != new.store:
        lines.append("store: changed, which counts from the next start on")
    lines += [
        f"{name}: changed"
        for name in ("record_prompts", "journal", "traffic", "dashboard")
        if getattr(old, name) != getattr(new, name)
    ]
    return tuple(lines)


def _entry_changes(
    what: str, old: Mapping[str, Any], new: Mapping[str, Any], differ: Callable[[Any, Any], Iterable[str]]
) -> Iterator[str]:
    for name in (*old, *(name for name in new if name not in old)):
        if name not in new:
            yield f"{what} {name}: removed"
        elif name not in old:
            yield f"{what} {name}: added"
        elif old[name] != new[name]:
            yield from (f"{what} {name}: {line}" for line in differ(old[name], new[name]))


def _owner_changes(old: Owner, new: Owner) -> Iterator[str]:
    yield from _entry_changes("provider", old.providers, new.providers, _provider_changes)
    yield from _entry_changes("alias", old.aliases, new.aliases, lambda *_: ["changed"])


def _provider_changes(old: ProviderConfig, new: ProviderConfig) -> Iterator[str]:
    # Values stay unsaid: a header or a URL may hold what is nobody's business.
    for field in fields(ProviderConfig):
        if getattr(old, field.name) != getattr(new, field.name):
            yield f"{field.name} changed"


def _chain_changes(old: ChainConfig, new: ChainConfig, inherited: Mapping[str, str]) -> Iterator[str]:
    if old.models != new.models:
        yield "models changed"
    if old.owner != new.owner:
        yield f"owner {old.owner or '-'} → {new.owner or '-'}"
    if old.fallback != new.fallback:
        yield "fallback changed"
    for name, line in _policy_changes(old.policy, new.policy).items():
        if inherited.get(name) != line:
            yield line


def _policy_changes(old: Policy, new: Policy) -> dict[str, str]:
    was, now = _flat(old), _flat(new)
    differ = (
        name for name in (*was, *(name for name in now if name not in was)) if was.get(name) != now.get(name)
    )
    return {name: f"{name} {was.get(name, '-')} → {now.get(name, '-')}" for name in differ}


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    """A policy's fields as text by dotted name."""
    shown: dict[str, str] = {}
    for field in fields(value):
        inner, name = getattr(value, field.name), f"{prefix}{field.name}"
        if hasattr(inner, "__dataclass_fields__"):
            shown |= _flat(inner, f"{name}.")
        elif isinstance(inner, int | float) and field.name not in _PLAIN_NUMBERS:
            shown[name] = format_duration(inner)
        elif isinstance(inner, float):
            shown[name] = f"{inner:g}"
        else:
            shown[name] = getattr(inner, "__name__", None) or str(inner)
    return shown


class Watched:
    """A configuration's file, looked at again and again.

    Args:
        config: What is in force; its `path` is the file.

    The first look reads the file, whatever it looks like from outside: it may have changed since the
    configuration was read. Later ones read it only when time, size or inode differ, which holds for
    editors that write in place and for those that replace the file by another.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._path = config.path
        self._seen: Signature | None = None
        self._rejected = False
        self._missing = False
        self._checking = asyncio.Lock()

    async def check(self) -> Config | ConfigError | None:
        """Looks at the file now; the file work is done in a thread.

        Returns:
            The new configuration, or the error with the faults of an edit that is refused as a whole,
            each once; None if there is nothing new. A file that is missing counts as unchanged at
            the first look: editors that replace it leave a gap. After a refused edit a good one is
            given even if it changes nothing, so that all know the faults are gone.
        """
        if self._path is None:
            return None
        async with self._checking:
            seen, found = await asyncio.to_thread(self._look, self._path)
            # Only here, after the last await: a check that is cancelled has seen nothing.
            return self._settle(seen, found)

    def _look(self, path: Path) -> tuple[Signature | None, Config | ConfigError | None]:
        """The file's signature, None if it is missing, and what it holds if it has to be read."""
        try:
            stat = path.stat()
        except OSError:
            return None, None
        # Taken before reading: a write in between shows in the next look. The change time sees what
        # tools hide that set the time of writing back, and a change of permissions.
        seen = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino, stat.st_dev)
        # A pipe, as `--config <(…)` makes one, has been read and gives nothing twice.
        if seen == self._seen or not (S_ISREG(stat.st_mode) or S_ISDIR(stat.st_mode)):
            return seen, None
        try:
            return seen, self._with_own_store(load_config(path))
        except ConfigError as error:
            return seen, error

    def _with_own_store(self, found: Config) -> Config:
        """A configuration with the store that was put in the place of the file's, if one was."""
        own = self._config
        is_put = own.store_in_file not in (None, own.store)
        return replace(found, store=own.store, store_in_file=own.store_in_file) if is_put else found

    def _settle(
        self, seen: Signature | None, found: Config | ConfigError | None
    ) -> Config | ConfigError | None:
        if seen is None:
            return self._settle_missing()
        self._missing = False
        if found is None:
            return None
        self._seen = seen
        if isinstance(found, ConfigError):
            self._rejected = True
            return found
        if found == self._config and not self._rejected:
            return None
        self._config, self._rejected = found, False
        return found

    def _settle_missing(self) -> ConfigError | None:
        if not self._missing or self._seen == _GONE:
            self._missing = True
            return None
        self._seen, self._rejected = _GONE, True
        what = "no such file any more; the configuration read before stays in force"
        return ConfigError([Fault(str(self._path), 0, 0, "", what)])
