"""`groups:` and `MODEL_FALLBACK_GROUPS`: models that stand in for one another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.config.faults import Faults
from engine.config.inline import quoted
from engine.config.model import Config
from engine.config.nodes import Map, Node, Scalar, Seq
from engine.config.schema_names import Names, Part, read_parts
from engine.config.spot import Spot
from engine.layers import Name, listed, the_one, whole_model

_GROUPS: Final = "a list of groups, as [[a/x, b/x]]"
_GROUP: Final = "a list of models that stand in for one another"
_ARRAYS: Final = 'must be a JSON array of arrays, as [["a/x", "b/x"]]'


def variable_spot(text: str, name: str, faults: Faults) -> Spot | None:
    """What an environment variable holds, as if it stood in a file, though without lines.

    Args:
        text: Its value; a blank one counts as none.
        name: Its name.
        faults: Gets what is wrong with it.

    Returns:
        None if there is nothing to read, or after a fault.
    """
    if not text.strip():
        return None
    where = ""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f", and is no JSON from line {error.lineno}, column {error.colno} on"
        value = None
    except (ValueError, RecursionError):  # an endless number; brackets without end
        value = None
    if not isinstance(value, list) or not all(isinstance(group, list) for group in value):
        faults.add(0, 0, name, _ARRAYS + where)
        return None
    return Spot(_node(value), faults, name)


def _node(value: Any, depth: int = 0) -> Node:
    if isinstance(value, list):
        # What lies deeper is refused for being a list.
        return Seq(0, 0, [_node(each, depth + 1) for each in value] if depth < 2 else [])
    if isinstance(value, dict):
        return Map(0, 0)
    is_text = isinstance(value, str)
    return Scalar(0, 0, value if is_text else json.dumps(value), plain=not is_text, starts=0)


def read_groups(places: Iterable[Spot], names: Names, config: Config) -> tuple[tuple[str, ...], ...]:
    """Every group, its members as `provider/model`.

    Args:
        places: Where groups are written; a model that is in two groups is a fault at the later place.
        names: What members may be called.
        config: What the names stand for.
    """
    reader = _Groups(names, config)
    groups = [tuple(reader.models(group)) for place in places for group in _groups(place)]
    return tuple(filter(None, groups))


def _groups(place: Spot) -> list[Spot]:
    return [] if place.is_null else place.items(_GROUPS) or []


class _Groups:
    """Reads one group after another, and knows who is in a group already."""

    def __init__(self, names: Names, config: Config) -> None:
        self._names = names
        self._config = config
        self._leads_to: dict[Name, Name | None] = {}
        self._firsts: dict[str, Part] = {}

    def models(self, group: Spot) -> Iterator[str]:
        """The members of a group."""
        parts = read_parts(group, _GROUP, least=2) or ()
        for part in parts:
            self._names.check(None, (part,))
            model = self._model(part)
            if model is None:
                continue
            first = self._firsts.setdefault(model, part)
            if first is part:
                yield model
            else:
                already = f"{quoted(model)} is in a group already, at {first.spot.where}"
                part.fault(f"{already}; a model may be in one group only")

    def _model(self, part: Part) -> str | None:
        at = Name(None, part.name)
        one = the_one(self._config, [at], self._leads_to)
        if one is None or listed(self._config, one):
            what = "not one model" if one is None else "a chain"
            part.fault(f"{quoted(part.name)} is {what}; a group lists models, and aliases of one model each")
            return None
        model = whole_model(self._config, one)
        if model is not None and model.partition("/")[0] not in self._config.providers:
            part.fault(f"{quoted(model)} belongs to an owner; a group lists models of the file's `providers`")
            return None
        return model
