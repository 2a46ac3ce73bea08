"""Names and the lists they stand for: in an owner's layer first, then in the file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from engine.config.model import Config, Owner

_MOST_NAMES = 8
_NOBODY = Owner("")

N = TypeVar("N", bound=Hashable)


class Name(NamedTuple):
    """A name, and whose layer it resolves in first; owner None for the file alone."""

    owner: str | None
    name: str


class Listed(NamedTuple):
    """What a chain or an alias lists.

    Attributes:
        place: The way to it in the configuration: `("owners", "alice", "aliases", "cheap")`.
        names: What it lists. A chain that has an owner decides whose layer they resolve in; everything
            else leaves that as it is.
    """

    place: tuple[str, ...]
    names: list[Name]

    @property
    def is_chain(self) -> bool:
        """True for a chain, false for an alias."""
        return self.place[0] == "chains"


def listed(config: Config, at: Name) -> Listed | None:
    """What a name lists: an alias of its owner, else a chain, else an alias; None if it is none of these."""
    layer = _layer(config, at.owner)
    if at.name in layer.aliases:
        place, parts = ("owners", layer.name, "aliases", at.name), layer.aliases[at.name]
        return Listed(place, names_in(at.owner, parts))
    chain = config.chains.get(at.name)
    if chain is not None:
        return Listed(("chains", at.name), names_in(chain.owner or at.owner, chain.models))
    if at.name in config.aliases:
        return Listed(("aliases", at.name), names_in(at.owner, config.aliases[at.name]))
    return None


def names_in(owner: str | None, target: str | Iterable[str]) -> list[Name]:
    """The names in a text with commas, or in a list of such texts; blanks and empty parts are dropped.

    Raises:
        TypeError: The target is neither text nor a list of texts.
    """
    names: list[Name] = []
    for text in (target,) if isinstance(target, str) else target:
        if not isinstance(text, str):
            raise TypeError("a target is text, or a list of texts")
        names += [Name(owner, part) for piece in text.split(",") if (part := piece.strip())]
    return names


def whole_provider(config: Config, at: Name) -> str | None:
    """The whole name of a provider: `alice:mine` for `mine` in alice's layer, and for itself.

    Args:
        config: The configuration.
        at: The provider's name, as the part before the slash in the name of a model.

    Returns:
        None if there is no such provider.
    """
    layer = _layer(config, at.owner)
    if at.name in layer.providers:
        return layer.providers[at.name].name
    if at.name in config.providers:
        return at.name
    owner, colon, short = at.name.partition(":")
    return at.name if colon and short in _layer(config, owner).providers else None


def whole_model(config: Config, at: Name) -> str | None:
    """The whole name of a model, as `whole_provider`; None if that is not what the name is."""
    provider, _, own = at.name.partition("/")
    whole = whole_provider(config, Name(at.owner, provider))
    return f"{whole}/{own}" if whole is not None and own not in ("", "*") else None


def the_one(config: Config, names: list[Name], known: dict[Name, Name | None] | None = None) -> Name | None:
    """Where names lead that are but one: to itself, or through aliases of one to something that is none.

    That is a model, a chain, or something unknown.

    Args:
        config: The configuration.
        names: The names.
        known: What earlier calls found; remembers what this one does.

    Returns:
        None if they are several, or lead to several, or round in a circle.
    """
    known = {} if known is None else known
    way: list[Name] = []
    leads_to: Name | None = None
    while len(names) == 1:
        at = names[0]
        if at in known:
            leads_to = known[at]
            break
        known[at] = None
        way.append(at)
        inside = listed(config, at)
        if inside is None or inside.is_chain:
            leads_to = at
            break
        names = inside.names
    known.update(dict.fromkeys(way, leads_to))
    return leads_to


def _layer(config: Config, owner: str | None) -> Owner:
    return _NOBODY if owner is None else config.owners.get(owner, _NOBODY)


class Step(NamedTuple, Generic[N]):
    """Something found while walking lists of names that refer to each other.

    Attributes:
        name: What was found: a name that is no list, or the one that closes a circle.
        inside: The list it stands in, None for one of the roots.
        place: Its index there.
        circle: The names of the circle, the first one again at the end; empty if there is none.
    """

    name: N
    inside: N | None
    place: int
    circle: tuple[N, ...] = ()


def walk(roots: Iterable[N], lists: Callable[[N], Sequence[N] | None]) -> Iterator[Step[N]]:
    """Walks lists of names, depth first and in order, each list once however often it is named.

    Args:
        roots: Where to begin.
        lists: What a name stands for, None if it is no list.

    Yields:
        Each name that is no list, as often as it is met, and each circle.
    """
    # The stack is kept by hand: lists may be nested deeper than Python's own allows.
    rest = enumerate(roots)
    path: dict[N, Iterator[tuple[int, N]]] = {}
    done: set[N] = set()
    while True:
        inside = next(reversed(path), None)
        found = next(rest if inside is None else path[inside], None)
        if found is None:
            if inside is None:
                return
            done.add(inside)
            path.popitem()
            continue
        place, name = found
        if name in path:
            names = list(path)
            yield Step(name, inside, place, (*names[names.index(name) :], name))
        elif name not in done:
            inner = lists(name)
            if inner is None:
                yield Step(name, inside, place)
            else:
                path[name] = iter(enumerate(inner))


def circle_text(names: Sequence[str]) -> str:
    """What is wrong with names that go in a circle; a long way round is cut short."""
    if len(names) > _MOST_NAMES:
        names = [*names[:4], "…", *names[-3:]]
    return f"goes in a circle: {' → '.join(names)}"
