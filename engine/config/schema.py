"""A file's nodes → a checked configuration, or every fault at once."""

from __future__ import annotations

from pathlib import Path

from engine.config import unsupported
from engine.config.faults import Faults
from engine.config.inline import holds_password
from engine.config.model import Config, Dashboard, Journal
from engine.config.nodes import Node
from engine.config.schema_names import Names, check_parts, read_aliases, read_chains
from engine.config.schema_policy import Written, read_policy
from engine.config.schema_providers import read_providers
from engine.config.schema_simulated import read_traffic
from engine.config.spot import Section, Spot

_STORES = ("auto", "memory")
_GLYPHS = ("auto", "unicode", "ascii")
_MINIMAL = (
    "a configuration needs at least one provider, as "
    "`providers: {openai: {kind: openai, keys: [OPENAI_API_KEY]}}`, "
    "and may name chains, as `chains: {support: [openai/gpt-5]}`; `standby init` writes a whole one"
)


def check_nodes(root: Node | None, faults: Faults, path: Path) -> Config:
    """The configuration that a file's nodes stand for.

    Args:
        root: What the file holds, None if nothing.
        faults: Gets every fault; it may hold some already.
        path: The file; relative paths in it are relative to its folder.

    Raises:
        ConfigError: There was any fault.
    """
    config = _read(root, faults, path)
    if faults or config is None:
        raise faults.error()
    return config


def _read(root: Node | None, faults: Faults, path: Path) -> Config | None:
    if root is None or (spot := Spot(root, faults)).is_null:
        faults.add(1, 1, "file", f"is empty; {_MINIMAL}")
        return None
    top = spot.mapping()
    if top is None:
        Spot(root, faults, "file").fault(f"must be a mapping; {_MINIMAL}")
        return None
    defaults = read_policy(inner) if (inner := _section(top, "defaults")) else Written()
    if inner:
        inner.close()
    provider_section = _section(top, "providers")
    providers = read_providers(provider_section, path.parent) if provider_section else {}
    if provider_section is None or not provider_section.names:
        place = top.key("providers") if "providers" in top else Spot(root, faults, "providers")
        place.fault(f"there is none; {_MINIMAL}")
    aliases = read_aliases(inner) if (inner := _section(top, "aliases")) else {}
    chains = read_chains(inner, defaults) if (inner := _section(top, "chains")) else {}
    chain_parts = {name: chain.parts for name, chain in chains.items()}
    names = Names(provider_section.names if provider_section else (), {**aliases, **chain_parts}, chains)
    check_parts([*aliases.values(), *chain_parts.values()], names)
    config = Config(
        providers=providers,
        aliases={name: tuple(part.name for part in parts) for name, parts in aliases.items()},
        chains={name: chain.config(name) for name, chain in chains.items()},
        defaults=defaults.policy(),
        store=_read_store(top),
        record_prompts=_read_flag(top, "record_prompts"),
        journal=_read_journal(_section(top, "journal")),
        traffic=read_traffic(inner, names, providers) if (inner := _section(top, "traffic")) else None,
        dashboard=_read_dashboard(_section(top, "dashboard")),
        path=path,
    )
    unsupported.refuse_keys(top, unsupported.TOP)
    top.close()
    return config


def _section(top: Section, key: str) -> Section | None:
    spot = top.take(key)
    return spot.section() if spot else None


def _read_flag(section: Section, key: str) -> bool:
    spot = section.take(key)
    return bool(spot and spot.boolean())


def _read_store(top: Section) -> str:
    spot = top.take("store")
    text = spot.text("auto or memory") if spot else None
    if spot is None or text is None or text in _STORES:
        return text or "auto"
    scheme = next((scheme for scheme in unsupported.STORES if text.startswith(scheme)), None)
    if holds_password(text):
        spot.fault("an inline secret: put the URL into an environment variable and write `store: env:NAME`")
    elif scheme is not None:
        spot.fault(unsupported.refusal(f"`store: {scheme}…`", unsupported.STORES[scheme]))
    else:
        spot.choice(_STORES)
    return "auto"


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
