"""Events as the journal gives them back: from one JSON object to the event it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from engine import events
from engine.events import Event


class Recorded(NamedTuple):
    """One event of the journal.

    Attributes:
        place: Where in the journal; ask for what comes after it.
        run: Tells engines of one name apart.
        event: The event; a bare `Event` if this version does not know its name or its shape.
        data: The event as it was recorded, whole.
    """

    place: str
    run: str
    event: Event
    data: Mapping[str, Any]


class _Field(NamedTuple):
    name: str
    is_needed: bool
    fits: Callable[[Any], bool]
    is_tuple: bool


def event_from_json(data: Mapping[str, Any]) -> Event:
    """The event that one JSON object stands for, as `Event.to_json` made it.

    Args:
        data: The object. Fields that this version does not know are passed over.

    Returns:
        The event. One whose name is unknown here, that lacks a field, or has one of another type is a bare
        `Event`: a version that is newer than this one wrote it.

    Raises:
        ValueError: That is no event at all.
    """
    given: object = data  # what came from outside may be anything
    name = data.get("event") if isinstance(given, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ValueError("no event: an event is an object with the name of one in `event`")
    kind = _kinds().get(name)
    facts = None if kind is None else _facts(kind, data)
    if kind is None or facts is None:
        return Event(
            **{each.name: data[each.name] for each in _plan(Event) if each.fits(data.get(each.name))}
        )
    return kind(**facts)


def _facts(kind: type[Event], data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments an event is made of, None if they are not there or not what they should be."""
    facts = {}
    for name, is_needed, fits, is_tuple in _plan(kind):
        if name not in data:
            if is_needed:
                return None
            continue
        value = data[name]
        if not fits(value):
            return None
        facts[name] = tuple(value) if is_tuple else value
    return facts


_TIMES: Final = frozenset({"at", "until"})
_PLANS: dict[type[Event], tuple[_Field, ...]] = {}


@cache
def _kinds() -> Mapping[str, type[Event]]:
    known = (each for each in vars(events).values() if isinstance(each, type))
    return {each.event: each for each in known if issubclass(each, Event) and each.event}


def _plan(kind: type[Event]) -> tuple[_Field, ...]:
    found = _PLANS.get(kind)
    if found is None:
        found = _PLANS[kind] = _made_plan(kind)
    return found


def _made_plan(kind: type[Event]) -> tuple[_Field, ...]:
    return tuple(
        # Annotations are text here, for that is how `engine.events` has them.
        _Field(
            each.name,
            each.default is MISSING,
            _check(each.name, str(each.type)),
            str(each.type).startswith("tuple"),
        )
        for each in fields(kind)
        if not each.metadata.get("in_process")
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _are_objects(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, Mapping) for each in value)


def _is_time(value: Any) -> bool:
    try:
        return value == "" or datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _is_anything(_: Any) -> bool:
    return True


_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "str": _is_text,
    "Kind": _is_text,
    "int": _is_whole,
    "float": _is_number,
    "bool": _is_flag,
    "tuple[str, ...]": _are_texts,
    "tuple[Mapping[str, Any], ...]": _are_objects,
    "Any": _is_anything,
}


def _check(name: str, annotation: str) -> Callable[[Any], bool]:
    kind = annotation.removesuffix(" | None")
    check = _is_time if name in _TIMES else _CHECKS[kind]
    return check if kind == annotation else lambda value: value is None or check(value)
