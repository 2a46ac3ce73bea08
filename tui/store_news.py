"""What a person should be told of the store: that it can't be used, that something was set aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from engine import Engine, Event, StoreDegraded, StoreRestored

_ALONE: Final = "benches of other processes are not known here"


class News(NamedTuple):
    """One thing to tell. Not safe to show yet: it may hold anybody's words.

    Attributes:
        text: A line.
        bad: Whether the store can't be used; else it is there.
        of_outage: Whether it tells of an outage or its end: the latest of these makes the older ones untrue.
    """

    text: str
    bad: bool
    of_outage: bool = False


class StoreNews:
    """An observer that tells of an engine's own store. It is to hear of its events from the start.

    Args:
        engine: The engine.
        tell: Takes what there is to tell.
        notices_only: True where outages are told in another way.
    """

    def __init__(self, engine: Engine, tell: Callable[[News], object], *, notices_only: bool = False) -> None:
        self._engine = engine
        self._tell = tell
        self._notices_only = notices_only
        self._passing = ""  # a trouble that is over already
        self._is_out = False  # and that was told

    def __call__(self, event: Event) -> None:
        """Tells of the event, if it is about the store."""
        match event:
            case StoreDegraded() if self._engine.store.ok:
                self._passing = event.why
            case StoreDegraded() if not self._notices_only:
                self._tell(News(f"{unusable(event.store, event.why)}; {_ALONE}", bad=True, of_outage=True))
                self._is_out = True
            case StoreRestored():
                said = dict.fromkeys(filter(None, (self._passing, event.why)))
                if self._passing or event.store in event.why or not self._notices_only:
                    self._tell(News(_named(event.store, "; ".join(said)), bad=False, of_outage=self._is_out))
                self._passing, self._is_out = "", False


def unusable(store: str, why: str) -> str:
    """That a store can't be used, and why; it is named once.

    Args:
        store: Its name.
        why: Why it can't, in words; they may name it.
    """
    if store in why:
        return f"the store can't be used: {why}"
    return f"the store {store} can't be used{f': {why}' if why else ''}"


def _named(store: str, text: str) -> str:
    return text if store in text else f"the store {store}: {text}"
