"""Lists of names: how they are written, and what the names in them may be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from engine.config.inline import quoted, shown
from engine.config.nodes import Scalar
from engine.config.spot import Entry, Section, Spot

_IN_NAMES = "/,#*"
_IN_PROVIDERS = "/,#*:"
_AS_WORDS = ("none", "one", "two")


@dataclass(slots=True, eq=False)
class Part:
    """One name in a list, and where it stands."""

    name: str
    spot: Spot
    column: int

    def fault(self, what: str) -> None:
        """Notes a fault at the name's own place."""
        self.spot.faults.add(self.spot.node.line, self.column, self.spot.where, what)


Parts = tuple[Part, ...]


def check_name(entry: Entry, what: str) -> None:
    """A fault if a name could not be told from the rest of a target.

    Args:
        entry: The name.
        what: `chain`, `alias`, `provider` or `owner`.
    """
    name, strict = entry.name, what in ("provider", "owner")
    found = [character for character in (_IN_PROVIDERS if strict else _IN_NAMES) if character in name]
    if found:
        entry.key.fault(f"the name of {_a(what)} can't hold '{found[0]}', which means something in a target")
    elif name != name.strip() or not name.isprintable() or (strict and " " in name):
        entry.key.fault(
            f"the name of {_a(what)} can't hold blanks at its ends or characters that don't print"
        )


def _a(what: str) -> str:
    return f"an {what}" if what in ("alias", "owner") else f"a {what}"


def read_parts(spot: Spot, wanted: str, least: int = 1) -> Parts | None:
    """The names of a list, or of one text with commas; None after a fault, an empty list included.

    Args:
        spot: The list.
        wanted: What it is a list of, as `a list of models`.
        least: How many it lists at least, 1 or 2.
    """
    elements = [spot] if isinstance(spot.node, Scalar) else spot.items(wanted)
    if elements is None:
        return None
    # An element that was refused counts: its fault stands, and the list is not too short for it.
    parts: list[Part] = []
    refused = False
    for element in elements:
        node = element.node
        if isinstance(node, Scalar) and (node.is_null or not node.text.strip()):
            continue
        text = element.text("a name")
        refused |= text is None
        parts += _split(element, text or "")
    if len(parts) < least and not refused:
        spot.fault(f"{'' if parts else 'is empty; it '}must be {wanted}, with at least {_AS_WORDS[least]}")
    return tuple(parts) or None


def _split(spot: Spot, text: str) -> Iterator[Part]:
    starts = spot.node.starts if isinstance(spot.node, Scalar) else 0
    at = 0
    for piece in text.split(","):
        name = piece.strip()
        if name:
            inside = at + len(piece) - len(piece.lstrip())
            yield Part(name, spot, starts + inside if starts else spot.node.column)
        at += len(piece) + 1


def names_of(parts: Parts) -> tuple[str, ...]:
    """The names alone."""
    return tuple(part.name for part in parts)


def read_aliases(section: Section) -> dict[str, Parts]:
    """Every alias and what it stands for, not yet checked."""
    found = {}
    for entry in section.entries():
        check_name(entry, "alias")
        found[entry.name] = read_parts(entry.value, "a model, or a list of models") or ()
    return found


@dataclass(frozen=True, slots=True)
class Names:
    """Every name that lists may refer to, by whose layer it stands in; None is the file itself.

    Attributes:
        providers: Names of providers, faulty entries included.
        lists: Names of aliases, and of the file's chains.
    """

    providers: Mapping[str | None, Collection[str]]
    lists: Mapping[str | None, Collection[str]]

    def check(self, owner: str | None, parts: Parts) -> None:
        """A fault for each part that names nothing.

        Args:
            owner: Whose layer counts before the file. One that is unknown may have meant any.
            parts: What a list holds.
        """
        for part in parts:
            wrong = self._wrong_with(part.name, self._layers(owner), part.spot)
            if wrong:
                part.fault(wrong)

    def _layers(self, owner: str | None) -> Collection[str | None]:
        if owner is None:
            return (None,)
        return (owner, None) if owner in self.lists else self.lists.keys()

    def _wrong_with(self, name: str, layers: Collection[str | None], spot: Spot) -> str:
        is_list = any(name in self.lists[layer] for layer in layers)
        if len(name.split()) > 1 and not is_list:
            return "holds a blank; separate models with commas"
        provider, slash, model = name.partition("/")
        is_provider = any(provider in self.providers[layer] for layer in layers) or self._is_whole(provider)
        if not slash:
            if is_list:
                return ""
            if is_provider:
                return f"{quoted(name)} is a provider; name one of its models, as {shown(name)}/MODEL"
            known = [each for layer in layers for each in self.lists[layer]]
            hint = spot.faults.did_you_mean(name, known)
            hint = hint or ": no chain or alias; a model is written provider/model"
            return f"unknown name {quoted(name)}{hint}"
        if not is_provider:
            hint = spot.faults.did_you_mean(provider, self._known_providers(provider, layers))
            return f"unknown provider {quoted(provider)}{hint or '; it must stand in `providers`'}"
        if not model or model == "*":
            return f"names no model; write {shown(provider)}/MODEL"
        return ""

    def _is_whole(self, provider: str) -> bool:
        """Whether it is an owner's provider by its whole name, as `alice:mine`."""
        owner, colon, short = provider.partition(":")
        return bool(colon) and short in self.providers.get(owner, ())

    def _known_providers(self, provider: str, layers: Collection[str | None]) -> list[str]:
        known = [each for layer in layers for each in self.providers[layer]]
        if ":" in provider:
            known += [f"{owner}:{each}" for owner, names in self.providers.items() if owner for each in names]
        return known
