"""The engines that share the store: how many there are, and which fell silent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from engine import EngineSeen
from tui.feed import Feed
from tui.source import Source

_LOOK_EVERY_S: Final = 1.0
_UNHEARD_S: Final = 310.0
"""For those that don't show themselves in the store, as commands of a moment: an attempt takes five minutes
at most unless a policy says otherwise, and gets the ten seconds more that a trial gets."""
_LONG_GONE_S: Final = 3600.0
_JUST_HEARD_S: Final = 10.0


@dataclass(slots=True)
class Engines:
    """What is known of the engines.

    Args:
        source: What is looked at.

    Attributes:
        there: Those that give signs of life.
        silent: Those that stopped doing so within the last hour, the latest first.
    """

    source: Source
    there: tuple[EngineSeen, ...] = ()
    silent: tuple[EngineSeen, ...] = ()
    _were_there: set[str] = field(default_factory=set)
    _look_at: float = float("-inf")

    def refresh(self, now: float, feed: Feed, *, at_once: bool = False) -> None:
        """Looks again, once a second, and tells the feed who is not to be waited for.

        Args:
            now: Seconds on the dashboard's clock.
            feed: What the engines told.
            at_once: True to look although it is not time.
        """
        if now < self._look_at and not at_once:
            return
        self._look_at = now + _LOOK_EVERY_S
        seen = self.source.engines()
        self.there = tuple(each for each in seen if not each.silent)
        silent = (each for each in seen if each.silent and each.seen_s < _LONG_GONE_S)
        self.silent = tuple(sorted(silent, key=lambda each: each.seen_s))
        names = {each.name for each in self.there} | {self.source.name}
        self._were_there |= names | {each.name for each in seen}
        feed.silence(
            {
                name
                for name, heard in feed.engines.items()
                if name not in names and (name in self._were_there or now - heard > _UNHEARD_S)
            }
        )

    def alive(self, now: float, feed: Feed) -> set[str]:
        """The names of those that give signs of life, or were heard a moment ago; this one is among them.

        Args:
            now: Seconds on the dashboard's clock.
            feed: What the engines told.
        """
        if not self.source.name:
            return set()
        heard = {name for name, when in feed.engines.items() if now - when <= _JUST_HEARD_S}
        return heard | {each.name for each in self.there} | {self.source.name}
