"""`owners:`: layers of providers and aliases, and the circles that lists go in, through layers too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.config.inline import shown
from engine.config.model import Config, Owner, ProviderConfig
from engine.config.schema_names import Parts, check_name, names_of, read_aliases
from engine.config.schema_providers import read_providers
from engine.config.spot import Section, Spot
from engine.layers import Name, circle_text, listed, walk

_MOST_LOOKED_AT: Final = 200_000


@dataclass(frozen=True, slots=True)
class WrittenOwner:
    """An owner as the file has it, the aliases not yet checked.

    Attributes:
        names: Names of the providers, faulty entries included.
        providers: Those that could be read.
        aliases: What each alias stands for.
    """

    names: Collection[str] = ()
    providers: Mapping[str, ProviderConfig] = field(default_factory=dict)
    aliases: Mapping[str, Parts] = field(default_factory=dict)

    def config(self, name: str) -> Owner:
        """The owner under its name."""
        return Owner(name, self.providers, {alias: names_of(parts) for alias, parts in self.aliases.items()})


def read_owners(section: Section, folder: Path) -> dict[str, WrittenOwner]:
    """Every owner.

    Args:
        section: `owners`.
        folder: What relative paths are relative to.
    """
    found = {}
    for entry in section.entries():
        check_name(entry, "owner")
        inner = entry.value.section("a mapping of providers and aliases")
        found[entry.name] = _read_owner(inner, folder) if inner else WrittenOwner()
    return found


def _read_owner(section: Section, folder: Path) -> WrittenOwner:
    first, second = section.take("providers"), section.take("aliases")
    section.close()
    providers = first.section() if first else None
    aliases = second.section() if second else None
    return WrittenOwner(
        providers.names if providers else (),
        read_providers(providers, folder) if providers else {},
        read_aliases(aliases) if aliases else {},
    )


def check_circles(config: Config, written: Mapping[tuple[str, ...], Parts], owners: Spot | None) -> None:
    """A fault where lists close a circle, whoever asks.

    Args:
        config: What the file says, faults and all.
        written: By its place, what each list holds.
        owners: `owners`, None if there are none.
    """
    told: set[tuple[tuple[str, ...], int]] = set()
    places: dict[Name, tuple[str, ...]] = {}
    left = _MOST_LOOKED_AT

    def inside(at: Name) -> list[Name] | None:
        nonlocal left
        found = listed(config, at) if left > 0 else None
        if found is None:
            return None
        left -= len(found.names)
        places[at] = found.place
        return found.names

    # An owner sees a circle that nobody else sees only if an alias of the owner is part of it.
    for step in walk(_roots(config), inside):
        if step.circle and step.inside is not None:
            place = places[step.inside], step.place
            if place not in told:
                told.add(place)
                circle = circle_text([shown(name.name) for name in step.circle])
                written[place[0]][step.place].fault(circle)
    if left <= 0 and owners:
        owners.fault("their aliases lead through so many lists that these can't be checked; shorten them")


def _roots(config: Config) -> Iterator[Name]:
    for name in (*config.aliases, *config.chains):
        yield Name(None, name)
    for owner in config.owners.values():
        for alias in owner.aliases:
            yield Name(owner.name, alias)
