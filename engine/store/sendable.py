"""Events as texts for the journal, none so long that it could not be sent in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, Final

from engine.events import Event
from engine.flat import written

LONGEST: Final = 200_000
"""Characters of one text. Redis takes it in within some 5 ms, of the 250 it has."""
_KEPT: Final = (50_000, 5_000, 500)
"""What is longer goes, as long as all together is too long."""


def sendable(event: Event) -> str:
    """An event as one line of JSON.

    Where it would be longer than `LONGEST`, a note stands in the place of its longest texts, whether a
    prompt, an answer, or a provider's message; all else is as it was.
    """
    text = written(event)
    for kept in _KEPT:
        if len(text) <= LONGEST:
            return text
        text = written(_with_each(event, partial(_without_long, kept)))
    return text if len(text) <= LONGEST else written(_with_each(event, _without_many))


def _with_each(event: Event, change: Callable[[Any], Any]) -> Event:
    changed = copy(event)
    changed.__dict__.update({name: change(value) for name, value in vars(event).items()})
    return changed


def _without_long(kept: int, value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= kept else _note(len(value))
    if isinstance(value, list | tuple):
        return [_without_long(kept, each) for each in value]
    if isinstance(value, dict):
        return {name: _without_long(kept, each) for name, each in value.items()}
    return value


def _without_many(value: Any) -> Any:
    """Many short texts in one field: the field goes."""
    if isinstance(value, tuple):  # of an event's own; a reader expects several
        return ()
    if isinstance(value, list | dict):
        return _note(len(json.dumps(value, default=lambda _: None)))
    return _without_long(_KEPT[-1], value)


def _note(characters: int) -> str:
    return f"({characters:,} characters, too many for the journal)"
