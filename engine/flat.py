"""Events as flat objects for JSON. Every event is journaled: how a class is written is looked up once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, NamedTuple

_MAY_LACK: Final = frozenset({"request", "chain", "prompt", "answer"})
_AS_IT_IS: Final = ("str", "int", "bool", "str | None", "int | None", "Kind")


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
