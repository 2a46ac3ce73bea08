"""From a target to the ordered list of models it stands for. Pure; whether they can be used is not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.config.model import Config
from engine.errors import ConfigError, Fault, UnknownTarget
from engine.policy import Policy
from engine.suggest import nearest

_MOST_NAMES = 8
_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a target stands for.

    Attributes:
        chain: The chain the target names, None if it is anything else.
        models: The models in order, each once, as `provider/model`.
        skipped: `(part, why)` for each part that names nothing.
        policy: The chain's, or the defaults.
    """

    chain: str | None
    models: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    policy: Policy


def split_model(model: str) -> tuple[str, str]:
    """Provider and the provider's own name for the model: `a/b/c` is `("a", "b/c")`."""
    provider, _, own = model.partition("/")
    return provider, own


def resolve(config: Config, target: str | Sequence[str], *, only: bool = False) -> Resolution:
    """The models a target stands for.

    A target is a chain's name, an alias, a `provider/model`, several of these separated by commas, or
    a list of all that. Names resolve as chain, then as alias; lists are spliced in place; the first
    place of a model counts.

    Args:
        config: The configuration.
        target: What a caller asks for.
        only: Ask for exactly one model: the target must be one, or an alias of one.

    Raises:
        UnknownTarget: No part of the target names anything, or `only` was asked and it is not one model.
        ConfigError: Chains or aliases go in a circle; a checked file never does.
        TypeError: The target is neither text nor a list of texts.
    """
    parts = _parts(target)
    chain = parts[0] if len(parts) == 1 and parts[0] in config.chains else None
    models, skipped = _expand(config, parts)
    if not models:
        raise _unknown(config, parts, skipped)
    if only and not _is_one_model(config, parts):
        asked = ", ".join(parts)
        message = f"`only` asks for exactly one model, and {_quoted(asked)} is not the name of one"
        raise UnknownTarget(
            f"{message}; name one of {_some(models)}", target=asked, suggestions=tuple(models)
        )
    policy = config.chains[chain].policy if chain else config.defaults
    return Resolution(chain, tuple(models), tuple(skipped.items()), policy)


class Step(NamedTuple):
    """Something found while walking lists of names that refer to each other.

    Attributes:
        name: What was found: a name that is no list, or the one that closes a circle.
        inside: The list it stands in, empty for one of the roots.
        place: Its index there.
        circle: The names of the circle, the first one again at the end; empty if there is none.
    """

    name: str
    inside: str
    place: int
    circle: tuple[str, ...] = ()


def walk(roots: Iterable[str], lists: Callable[[str], Sequence[str] | None]) -> Iterator[Step]:
    """Walks lists of names, depth first and in order, each list once however often it is named.

    Args:
        roots: Where to begin.
        lists: What a name stands for, None if it is no list.

    Yields:
        Each name that is no list, as often as it is met, and each circle.
    """
    # The stack is kept by hand: lists may be nested deeper than Python's own allows.
    path: dict[str, Iterator[tuple[int, str]]] = {"": enumerate(roots)}
    done: set[str] = set()
    while path:
        inside = next(reversed(path))
        place, name = next(path[inside], (-1, ""))
        if place < 0:
            done.add(inside)
            path.popitem()
        elif name in path:
            names = list(path)
            yield Step(name, inside, place, (*names[names.index(name) :], name))
        elif name not in done:
            inner = lists(name)
            if inner is None:
                yield Step(name, inside, place)
            else:
                path[name] = enumerate(inner)


def circle_text(names: Sequence[str]) -> str:
    """What is wrong with names that go in a circle; a long way round is cut short."""
    if len(names) > _MOST_NAMES:
        names = [*names[:4], "…", *names[-3:]]
    return f"goes in a circle: {' → '.join(names)}"


def _parts(target: str | Sequence[str]) -> list[str]:
    parts: list[str] = []
    for text in (target,) if isinstance(target, str) else target:
        if not isinstance(text, str):
            raise TypeError("a target is text, or a list of texts")
        parts += [part for piece in text.split(",") if (part := piece.strip())]
    return parts


def _inside(config: Config, name: str) -> list[str] | None:
    """What a chain or an alias lists."""
    if name in config.chains:
        return _parts(config.chains[name].models)
    return _parts(config.aliases[name]) if name in config.aliases else None


def _expand(config: Config, parts: list[str]) -> tuple[dict[str, None], dict[str, str]]:
    models: dict[str, None] = {}
    skipped: dict[str, str] = {}
    for step in walk(parts, lambda name: _inside(config, name)):
        if step.circle:
            where = f"chains.{step.inside}" if step.inside in config.chains else f"aliases.{step.inside}"
            raise ConfigError([Fault("configuration", 0, 0, where, circle_text(step.circle))])
        if step.name in models or step.name in skipped:
            continue
        why = _why_unknown(config, step.name)
        if why:
            skipped[step.name] = why
        else:
            models[step.name] = None
    return models, skipped


def _is_one_model(config: Config, parts: list[str] | None) -> bool:
    while parts and len(parts) == 1 and parts[0] not in config.chains:
        name = parts[0]
        parts = _inside(config, name)
        if parts is None:
            return True
    return False


def _why_unknown(config: Config, part: str) -> str:
    provider, slash, own = part.partition("/")
    if slash and provider in config.providers:
        return "" if own and own != "*" else f"names no model; write {provider}/MODEL"
    likely = _suggestions(config, part)
    if not slash and part in config.providers:
        example = likely[0] if likely else f"{part}/MODEL"
        return f"{_quoted(part)} is a provider; name one of its models, as {example}"
    what = f"unknown provider {_quoted(provider)}" if slash else f"unknown name {_quoted(part)}"
    return f"{what}, did you mean {_quoted(likely[0])}" if likely else what


def _suggestions(config: Config, part: str) -> tuple[str, ...]:
    provider, slash, own = part.partition("/")
    if slash:
        return tuple(f"{other}/{own}" for other in nearest(provider, config.providers))
    lists = (*(chain.models for chain in config.chains.values()), *config.aliases.values())
    models = dict.fromkeys(name for names in lists for name in names if "/" in name)
    if part in config.providers:
        return tuple(model for model in models if split_model(model)[0] == part)[:_MOST_NAMES]
    # Newcomers leave out the provider: the model's own name is what they meant.
    meant = [model for model in models if split_model(model)[1] == part]
    return tuple(dict.fromkeys((*meant, *nearest(part, [*config.chains, *config.aliases, *models]))))


def _unknown(config: Config, parts: list[str], skipped: Mapping[str, str]) -> UnknownTarget:
    asked = ", ".join(parts)
    if not parts:
        message = "the target is empty; name a chain, an alias, or a model as provider/model"
        return UnknownTarget(message, suggestions=tuple(config.chains)[:_MOST_NAMES])
    likely = dict.fromkeys(name for part in skipped for name in _suggestions(config, part))
    if len(skipped) > 1:
        reasons = "; ".join(f"{_quoted(part)}: {why}" for part, why in list(skipped.items())[:_MOST_NAMES])
        message = f"no part of the target is known: {reasons}"
    elif skipped:
        message = next(iter(skipped.values()))
        message += "?" if "did you mean" in message else ""
    else:
        message = f"{_quoted(asked)} lists no model"
    if not likely and config.chains:
        message += f"; known chains: {_some(config.chains)}"
    return UnknownTarget(message, target=asked, suggestions=tuple(likely)[:_MOST_NAMES])


def _quoted(name: str) -> str:
    return repr(name if len(name) <= _LONGEST_SHOWN else name[: _LONGEST_SHOWN - 1] + "…")


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_MOST_NAMES]) + (", …" if len(listed) > _MOST_NAMES else "")
