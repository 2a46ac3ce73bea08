"""What operators do and see: benches by hand, the state of models and keys, dry runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from engine import survey
from engine.config.model import Config
from engine.durations import LONGEST_S, format_duration
from engine.identity import operator_name
from engine.names import check_benchable, is_model
from engine.resolve import resolve
from engine.roster import Roster
from engine.sideline import Sideline
from engine.stay import Block

LONGEST_REASON: Final = 200
"""Characters of a reason that are kept."""
LONGEST_BY: Final = 100
"""Characters of an operator's name that are kept."""


class Controls:
    """The part of an engine that is for operators.

    Args:
        config: A checked configuration.
        roster: Who may play.
        sideline: The bench.
        wall: Seconds since the epoch.
    """

    def __init__(
        self, config: Config, roster: Roster, sideline: Sideline, wall: Callable[[], float] = time.time
    ) -> None:
        self._wall = wall
        self._config = config
        self._roster = roster
        self._sideline = sideline

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    # The bench, by hand

    def bench(
        self,
        name: str,
        *,
        for_: float | None = None,
        until: datetime | None = None,
        reason: str = "",
        by: str | None = None,
    ) -> None:
        """Takes something out of play until a time, or until `unbench`.

        Args:
            name: A model, `provider/*`, a key `provider#name`, or a key on one model.
            for_: Seconds.
            until: A time; a naive one is local time. With neither there is no end.
            reason: Why, for whoever looks; cut at 200 characters.
            by: Who, cut at 100 characters; `user@host` by default.

        Raises:
            UnknownTarget: No such provider, key, or model name.
            TypeError: An argument has the wrong type.
            ValueError: Both `for_` and `until` are given, or the end is not in the future, or more
                than ten years away.
        """
        _check_types(for_, until, reason, by)
        if for_ is not None and until is not None:
            raise ValueError("give either for_ or until, not both")
        if until is not None:
            for_ = until.timestamp() - self._wall()
        if for_ is not None and not 0 < for_ < float("inf"):
            raise ValueError("a bench must end in the future")
        if for_ is not None and for_ > LONGEST_S:
            raise ValueError(f"a bench lasts at most {format_duration(LONGEST_S)}, or has no end at all")
        check_benchable(self._config, name)
        self._sideline.expire()
        self._sideline.hold(name, for_, reason[:LONGEST_REASON], _who(by))

    def unbench(self, name: str, *, by: str | None = None) -> bool:
        """Brings something back, whatever keeps it out: holds, automatic benches, its keys' benches.

        Args:
            name: As for `bench`, or what the bench knows although the configuration no longer does.
            by: Who, cut at 100 characters; `user@host` by default.

        Returns:
            True if it was on the bench, due or on trial; False if no more than, say, one of its keys was.

        Raises:
            UnknownTarget: No such provider, key, or model name.
            TypeError: `by` is no text.
        """
        _check_types(by=by)
        self._sideline.expire()
        if not self._sideline.bench.knows(name):
            check_benchable(self._config, name)
        also = self._roster.key_names(name) if is_model(name) else ()
        was_out = self._standing(name) is not None
        self._sideline.unbench(name, _who(by), also)
        return was_out

    def is_benched(self, name: str) -> bool:
        """True if a model, `provider/*` or a key is on the bench now, or is tried out by another request."""
        self._sideline.expire()
        block = self._standing(name)
        return block is not None and not block.is_open

    def _standing(self, name: str) -> Block | None:
        """What keeps a name out, a model's keys included; also of what the configuration no longer has."""
        standing = self._roster.standing(name) if is_model(name) else None
        return standing if isinstance(standing, Block) else self._sideline.bench.block(name)

    def benched(self) -> list[survey.Benched]:
        """Everything on the bench now, a snapshot. What is due is not: the next request may try it."""
        self._sideline.expire()
        return survey.benched(self._sideline)

    # Looking

    def keys(self) -> list[survey.KeyStatus]:
        """The state of every provider's keys, in the order in which they are used."""
        self._sideline.expire()
        return survey.keys(self._roster, self._sideline)

    def status(self) -> list[survey.ModelStatus]:
        """The state of every model the configuration names, and of any other on the bench."""
        self._sideline.expire()
        models = survey.known_models(self._config, (out.name for out in survey.benched(self._sideline)))
        return survey.status(models, self._roster, self._sideline)

    def explain(
        self, target: str | Sequence[str], *, only: bool = False, owner: str | None = None
    ) -> list[survey.Prospect]:
        """A dry run: who would be tried now, who would be skipped and why.

        Args:
            target: As for `complete`.
            only: True for exactly the one model the target names.
            owner: Who asks.

        Raises:
            UnknownTarget: No part of the target is known.
        """
        self._sideline.expire()
        found = resolve(self._config, target, only=only, owner=owner)
        unknown = [survey.Prospect(part, "skip", f"unresolved: {why}") for part, why in found.skipped]
        policy = found.policy.when_all_benched
        known = survey.explain(found.models, policy, self._roster, self._sideline)
        return [each._replace(fallback=each.model in found.fallback) for each in known] + unknown

    def chains(self) -> dict[str, tuple[str, ...]]:
        """Each chain as it resolves, in the file's order."""
        return {name: survey.chain_models(self._config, name) for name in self._config.chains}


def _check_types(
    for_: float | None = None, until: datetime | None = None, reason: str = "", by: str | None = None
) -> None:
    """Refuses here what would fail deep inside, or in the store's thread."""
    if for_ is not None and (isinstance(for_, bool) or not isinstance(for_, int | float)):
        raise TypeError(f"for_ is {type(for_).__name__}, not a number: give seconds, as 600.0")
    if until is not None and not isinstance(until, datetime):
        raise TypeError(f"until is {type(until).__name__}, not a datetime")
    if not isinstance(reason, str):
        raise TypeError(f"reason is {type(reason).__name__}, not text")
    if by is not None and not isinstance(by, str):
        raise TypeError(f"by is {type(by).__name__}, not text")


def _who(by: str | None) -> str:
    return ((by or "").strip() or operator_name())[:LONGEST_BY]
