"""`aliases:` and `chains:`: lists of names, what they refer to, and that they do not go in circles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from engine.config import unsupported
from engine.config.inline import quoted, shown
from engine.config.model import ChainConfig
from engine.config.nodes import Scalar
from engine.config.schema_policy import Written, read_policy
from engine.config.spot import Entry, Section, Spot
from engine.policy import Policy
from engine.resolve import circle_text, walk

_WANTED = "a list of models"
_IN_NAMES = "/,#*"
_IN_PROVIDERS = "/,#*:"


@dataclass(slots=True, eq=False)
class Part:
    """One name in a list, and where it stands."""

    name: str
    spot: Spot
    column: int

    def fault(self, what: str) -> None:
        """Notes a fault at the name's own place."""
        self.spot.faults.add(self.spot.node.line, self.column, self.spot.where, what)


Lists = Mapping[str, tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class Names:
    """Every name of the file that lists may refer to.

    Attributes:
        providers: Names of providers, faulty entries included.
        lists: What each chain, and each alias that no chain hides, stands for.
        chains: Names of chains.
    """

    providers: Collection[str]
    lists: Lists
    chains: Collection[str] = field(default_factory=tuple)


def check_name(entry: Entry, what: str) -> None:
    """A fault if a name could not be told from the rest of a target.

    Args:
        entry: The name.
        what: `chain`, `alias` or `provider`.
    """
    name, barred = entry.name, _IN_PROVIDERS if what == "provider" else _IN_NAMES
    found = [character for character in barred if character in name]
    if found:
        entry.key.fault(f"the name of {_a(what)} can't hold '{found[0]}', which means something in a target")
    elif name != name.strip() or not name.isprintable() or (what == "provider" and " " in name):
        entry.key.fault(
            f"the name of {_a(what)} can't hold blanks at its ends or characters that don't print"
        )


def _a(what: str) -> str:
    return f"an {what}" if what == "alias" else f"a {what}"


def read_parts(spot: Spot, wanted: str) -> tuple[Part, ...] | None:
    """The names of a list, or of one text with commas; None after a fault, an empty list included.

    Args:
        spot: The list.
        wanted: What it is a list of, as `a list of models`.
    """
    elements = [spot] if isinstance(spot.node, Scalar) else spot.items(wanted)
    if elements is None:
        return None
    # An element that was refused counts: its fault stands, and the list is not empty for it.
    parts: list[Part] = []
    refused = False
    for element in elements:
        node = element.node
        if isinstance(node, Scalar) and (node.is_null or not node.text.strip()):
            continue
        text = element.text("a name")
        refused |= text is None
        parts += _split(element, text or "")
    if not parts and not refused:
        spot.fault(f"is empty; it must be {wanted}, with at least one")
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


def read_aliases(section: Section) -> dict[str, tuple[Part, ...]]:
    """Every alias and what it stands for, not yet checked."""
    found = {}
    for entry in section.entries():
        check_name(entry, "alias")
        found[entry.name] = read_parts(entry.value, "a model, or a list of models") or ()
    return found


@dataclass(frozen=True, slots=True)
class WrittenChain:
    """A chain as the file has it: what it lists, not yet checked, and its policy, the defaults under it."""

    parts: tuple[Part, ...]
    policy: Policy

    def config(self, name: str) -> ChainConfig:
        """The chain under its name."""
        return ChainConfig(name, _names(self.parts), self.policy)


def read_chains(section: Section, defaults: Written) -> dict[str, WrittenChain]:
    """Every chain, in the file's order."""
    usual = defaults.policy()
    found = {}
    for entry in section.entries():
        check_name(entry, "chain")
        long = entry.value.mapping()
        if long:
            found[entry.name] = _read_long(entry, long, defaults)
        else:
            found[entry.name] = WrittenChain(read_parts(entry.value, _WANTED) or (), usual)
    return found


def _read_long(entry: Entry, chain: Section, defaults: Written) -> WrittenChain:
    models = chain.take("models")
    parts = read_parts(models, _WANTED) if models else None
    if models is None:
        entry.key.fault("has no `models`; list at least one")
    unsupported.refuse_keys(chain, unsupported.CHAIN)
    own = read_policy(chain, defaults)
    chain.close()
    return WrittenChain(parts or (), defaults.under(own).policy())


def check_parts(lists: Collection[tuple[Part, ...]], names: Names) -> None:
    """A fault for each part that names nothing, and for each circle."""
    for parts in lists:
        for part in parts:
            wrong = _wrong_with(part.name, names, part.spot)
            if wrong:
                part.fault(wrong)
    _check_circles(names.lists)


def _wrong_with(name: str, names: Names, spot: Spot) -> str:
    if len(name.split()) > 1 and name not in names.lists:
        return "holds a blank; separate models with commas"
    provider, slash, model = name.partition("/")
    if not slash:
        if name in names.lists:
            return ""
        if name in names.providers:
            return f"{quoted(name)} is a provider; name one of its models, as {shown(name)}/MODEL"
        hint = spot.faults.did_you_mean(name, names.lists)
        return (
            f"unknown name {quoted(name)}{hint or ': no chain or alias; a model is written provider/model'}"
        )
    if provider not in names.providers:
        hint = spot.faults.did_you_mean(provider, names.providers)
        return f"unknown provider {quoted(provider)}{hint or '; it must stand in `providers`'}"
    if not model or model == "*":
        return f"names no model; write {shown(provider)}/MODEL"
    return ""


def _check_circles(lists: Lists) -> None:
    for step in walk(lists, lambda name: _names(lists[name]) if name in lists else None):
        if step.circle:
            lists[step.inside][step.place].fault(circle_text([shown(name) for name in step.circle]))


def models_of(name: str, lists: Lists) -> Iterator[str]:
    """Every part of a list, spliced lists included, that is not a list itself."""
    steps = walk([name], lambda inner: _names(lists[inner]) if inner in lists else None)
    return (step.name for step in steps if not step.circle)


def _names(parts: tuple[Part, ...]) -> tuple[str, ...]:
    return tuple(part.name for part in parts)
