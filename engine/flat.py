"""What events are made of: frozen dataclasses that are quickly made and quickly written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from json.encoder import encode_basestring_ascii as quoted
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar, dataclass_transform

Made = TypeVar("Made")

_MAY_LACK: Final = frozenset({"request", "chain", "prompt", "answer"})
_AS_IT_IS: Final = ("str", "int", "bool", "str | None", "int | None", "Kind")


@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=False, field_specifiers=(field,))
def fact(cls: type[Made]) -> type[Made]:
    """Makes a class a frozen dataclass whose fields are given by name.

    Its `__init__` puts the values into the instance's dict. A frozen dataclass's own calls
    `object.__setattr__` for each of them, which takes three times as long.

    Args:
        cls: Its defaults are immutable values. A field with `of_live` in its metadata is that attribute of
            what is given as `live`, unless it is given itself.
    """
    made: Any = dataclass(frozen=True, kw_only=True, eq=False, repr=False, init=False)(cls)
    names = [each.name for each in fields(made)]
    defaults = {f"_{each.name}": each.default for each in fields(made) if each.default is not MISSING}
    given = ", ".join(f"{name}=_{name}" if f"_{name}" in defaults else name for name in names)
    put = "; ".join(f"facts[{each.name!r}] = {_given(each)}" for each in fields(made))
    made_of: dict[str, Any] = {}
    # As the dataclass itself does it; the names are those of this program's own fields.
    exec(f"def __init__(self, *, {given}): facts = self.__dict__; {put}", defaults, made_of)  # noqa: S102 - own names
    made.__init__ = made_of["__init__"]
    return cls


def _given(one: Field[Any]) -> str:
    """The value that a field gets in `__init__`, as source."""
    source = one.metadata.get("of_live")
    return f"{one.name} if {one.name} is not None or live is None else live.{source}" if source else one.name


def flat(event: Any) -> dict[str, Any]:
    """A dataclass's fields, without those that are for this process only.

    Seconds are rounded to microseconds, tuples become lists, and `request`, `chain`, `prompt` and `answer`
    are left out where they don't apply.

    Args:
        event: Of a dataclass whose annotations are texts.
    """
    plan = _PLANS.get(type(event)) or _plan(type(event))
    found = dict(zip(plan.names, plan.values(event), strict=True))
    for name in plan.uneven:
        value = found[name]
        if isinstance(value, float):
            found[name] = round(value, 6)
        elif isinstance(value, tuple):
            found[name] = list(value)
        elif value is None and name in _MAY_LACK:
            del found[name]
    return found


def written(event: Any) -> str:
    """An event as one line of JSON that reads as `json.dumps` of its `to_json()` does; many times as fast.

    A number that is none (NaN, infinity) is null: strict readers know no other form for it.

    Args:
        event: Of a class that `fact` made, with its name in `event`.
    """
    write = _WRITERS.get(type(event)) or _writer(type(event))
    return write(event.__dict__)


class _Plan(NamedTuple):
    """How the events of one class are written.

    Attributes:
        names: The fields.
        values: Gets their values.
        uneven: Those whose values JSON has another form for, or that may be left out.
    """

    names: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    uneven: tuple[str, ...]


_PLANS: Final[dict[type, _Plan]] = {}


def _plan(cls: type[Any]) -> _Plan:
    shown = [each for each in fields(cls) if not each.metadata.get("in_process")]
    names = tuple(each.name for each in shown)
    # Annotations are text here, as everywhere under `from __future__ import annotations`.
    uneven = (each.name for each in shown if each.type not in _AS_IT_IS or each.name in _MAY_LACK)
    plan = _PLANS[cls] = _Plan(names, attrgetter(*names), tuple(uneven))
    return plan


_WRITERS: Final[dict[type, Callable[[dict[str, Any]], str]]] = {}

# How a value is written, by its annotation; no part of it is a call of a function written in Python.
_BY_TYPE: Final = {
    "str": "quoted({place})",
    "Kind": "quoted({place})",
    "int": "value if (value := {place}).__class__ is int else any_value(value)",
    "bool": "'true' if {place} else 'false'",
    "float": "'%.6f' % value if (value := {place}) - value == 0 else 'null'",
    "str | None": "'null' if (value := {place}) is None else quoted(value)",
    "int | None": (
        "'null' if (value := {place}) is None else value if value.__class__ is int else any_value(value)"
    ),
    "float | None": "'null' if (value := {place}) is None or value - value != 0 else '%.6f' % value",
    "tuple[str, ...]": "'[' + ', '.join(map(quoted, {place})) + ']'",
}
_ANY: Final = "any_value({place})"


def _writer(cls: type[Any]) -> Callable[[dict[str, Any]], str]:
    """Makes the function that writes events of a class from their dicts: a text with places for values."""
    text = '{{"event": ' + quoted(cls.event)
    for each in fields(cls):
        name, lead = each.name, f', "{each.name}": '
        if each.metadata.get("in_process"):
            continue
        value = _BY_TYPE.get(str(each.type), _ANY).format(place=f"facts[{name!r}]")
        if name in _MAY_LACK:
            text += f"{{'' if facts[{name!r}] is None else {lead!r} + ({value})}}"
        else:
            text += f"{lead}{{{value}}}"
    known = {"quoted": quoted, "any_value": _any_value}
    # The names and types are those of this program's own fields.
    write: Callable[[dict[str, Any]], str] = eval(f"lambda facts: f'''{text}}}}}'''", known)  # noqa: S307 - own names
    _WRITERS[cls] = write
    return write


def _any_value(value: Any) -> str:
    if type(value) is str:
        return quoted(value)
    if type(value) is float:
        value = round(value, 6)
    try:
        return json.dumps(value, default=_foreign, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), default=_foreign)


def _finite(value: Any) -> Any:
    """A value without the numbers that are none."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return value


def _foreign(value: Any) -> str:
    """What a recorded prompt holds of a caller's own: JSON has no form for it."""
    return f"<{type(value).__name__}>"
