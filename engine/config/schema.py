"""A file's nodes → a checked configuration, or every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.config.faults import Faults
from engine.config.model import Config, Dashboard, Journal
from engine.config.nodes import Node
from engine.config.schema_chains import WrittenChain, read_chains, read_fallback
from engine.config.schema_groups import read_groups
from engine.config.schema_names import Names, Parts, names_of, read_aliases
from engine.config.schema_owners import WrittenOwner, check_circles, read_owners
from engine.config.schema_policy import Written, read_policy
from engine.config.schema_providers import read_providers
from engine.config.schema_simulated import read_traffic
from engine.config.schema_store import read_store
from engine.config.spot import Section, Spot

_GLYPHS = ("auto", "unicode", "ascii")
_MINIMAL = (
    "a configuration needs at least one provider, as "
    "`providers: {openai: {kind: openai, keys: [OPENAI_API_KEY]}}`, "
    "and may name chains, as `chains: {support: [openai/gpt-5]}`; `standby init` writes a whole one"
)


def check_nodes(root: Node | None, faults: Faults, path: Path, groups: Spot | None = None) -> Config | None:
    """The configuration that a file's nodes stand for, None or worthless after a fault.

    Args:
        root: What the file holds, None if nothing.
        faults: Gets every fault; it may hold some already.
        path: The file; relative paths in it are relative to its folder.
        groups: More groups, from elsewhere.
    """
    if root is None or (spot := Spot(root, faults)).is_null:
        faults.add(1, 1, "file", f"is empty; {_MINIMAL}")
        return None
    top = spot.mapping()
    if top is None:
        Spot(root, faults, "file").fault(f"must be a mapping; {_MINIMAL}")
        return None
    store = read_store(top.take("store"), path.parent)
    config = Config(
        store=store,
        store_in_file=store,
        record_prompts=_read_flag(top, "record_prompts"),
        journal=_read_journal(_section(top, "journal")),
        dashboard=_read_dashboard(_section(top, "dashboard")),
        path=path,
    )
    config = _read_lists(top, config, path.parent, groups)
    traffic = _section(top, "traffic")
    if traffic:
        config = replace(config, traffic=read_traffic(traffic, config))
    top.close()
    return config


def _read_lists(top: Section, config: Config, folder: Path, groups: Spot | None) -> Config:
    """The configuration with everything that has a name, and all that refers to it."""
    defaults = read_policy(inner) if (inner := _section(top, "defaults")) else Written()
    if inner:
        inner.close()
    providers = _section(top, "providers")
    if providers is None or not providers.names:
        place = (
            top.key("providers") if "providers" in top else Spot(top.spot.node, top.spot.faults, "providers")
        )
        place.fault(f"there is none; {_MINIMAL}")
    owned = _section(top, "owners")
    owners = read_owners(owned, folder) if owned else {}
    fallback = top.take("fallback")
    lists = _Lists(
        aliases=read_aliases(inner) if (inner := _section(top, "aliases")) else {},
        chains=read_chains(inner, defaults, owners) if (inner := _section(top, "chains")) else {},
        fallback=read_fallback(fallback) if fallback and not fallback.is_null else (),
        owners=owners,
    )
    config = replace(
        config,
        providers=read_providers(providers, folder) if providers else {},
        aliases={name: names_of(parts) for name, parts in lists.aliases.items()},
        chains={name: chain.config(name, owners) for name, chain in lists.chains.items()},
        fallback=names_of(lists.fallback),
        owners={name: owner.config(name) for name, owner in owners.items()},
        defaults=defaults.policy(),
    )
    names = lists.names(providers)
    lists.check(names)
    check_circles(config, lists.by_place(), owned.spot if owned else None)
    places = filter(None, (top.take("groups"), groups))
    return replace(config, groups=read_groups(places, names, config))


@dataclass(frozen=True, slots=True)
class _Lists:
    """Every list of names as the file has it."""

    aliases: Mapping[str, Parts]
    chains: Mapping[str, WrittenChain]
    fallback: Parts
    owners: Mapping[str, WrittenOwner]

    def names(self, providers: Section | None) -> Names:
        """What the lists may refer to."""
        owners = self.owners.items()
        return Names(
            {None: providers.names if providers else (), **{name: owner.names for name, owner in owners}},
            {None: {**self.aliases, **self.chains}, **{name: owner.aliases for name, owner in owners}},
        )

    def check(self, names: Names) -> None:
        """A fault for each part of a list that names nothing."""
        for parts in (*self.aliases.values(), self.fallback):
            names.check(None, parts)
        for chain in self.chains.values():
            names.check(chain.owner, (*chain.parts, *(chain.fallback or ())))
        for name, owner in self.owners.items():
            for parts in owner.aliases.values():
                names.check(name, parts)

    def by_place(self) -> dict[tuple[str, ...], Parts]:
        """What chains and aliases list, by the way to each in the file."""
        return {
            **{("aliases", name): parts for name, parts in self.aliases.items()},
            **{("chains", name): chain.parts for name, chain in self.chains.items()},
            **{
                ("owners", name, "aliases", alias): parts
                for name, owner in self.owners.items()
                for alias, parts in owner.aliases.items()
            },
        }


def _section(top: Section, key: str) -> Section | None:
    spot = top.take(key)
    return spot.section() if spot else None


def _read_flag(section: Section, key: str) -> bool:
    spot = section.take(key)
    return bool(spot and spot.boolean())


def _read_journal(section: Section | None) -> Journal:
    usual = Journal()
    if section is None:
        return usual
    keep, rows = section.take("keep"), section.take("rows")
    section.close()
    return Journal(
        (keep.duration() if keep else None) or usual.keep,
        (rows.integer(least=1) if rows else None) or usual.rows,
    )


def _read_dashboard(section: Section | None) -> Dashboard:
    usual = Dashboard()
    if section is None:
        return usual
    theme, glyphs, keys = section.take("theme"), section.take("glyphs"), section.take("keys")
    bell = _read_flag(section, "bell")
    section.close()
    bound = keys.section("a mapping of command to key") if keys else None
    found = {entry.name: entry.value.text("a key") for entry in bound.entries()} if bound else {}
    return Dashboard(
        theme=(theme.text("the name of a theme") if theme else None) or usual.theme,
        glyphs=(glyphs.choice(_GLYPHS) if glyphs else None) or usual.glyphs,
        keys={command: key for command, key in found.items() if key is not None},
        bell=bell,
    )
