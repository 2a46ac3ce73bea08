"""`chains:` and `fallback:`: what is asked for, in which order, and what comes after it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from engine.config.inline import quoted
from engine.config.model import ChainConfig
from engine.config.nodes import Seq
from engine.config.schema_names import Parts, check_name, names_of, read_parts
from engine.config.schema_policy import Written, read_policy
from engine.config.spot import Entry, Section, Spot
from engine.policy import Policy

NO_FALLBACK: Final = "none"
_WANTED: Final = "a list of models"


@dataclass(frozen=True, slots=True)
class WrittenChain:
    """A chain as the file has it, its lists not yet checked.

    Attributes:
        parts: What it lists.
        policy: Its own keys, the defaults under them.
        owner: Whose layer its names resolve in first, which need not be there.
        fallback: What is tried once it is used up; None for the file's.
    """

    parts: Parts
    policy: Policy
    owner: str | None = None
    fallback: Parts | None = None

    def config(self, name: str, owners: Collection[str]) -> ChainConfig:
        """The chain under its name.

        Args:
            name: The name.
            owners: Those there are.
        """
        return ChainConfig(
            name,
            names_of(self.parts),
            self.policy,
            owner=self.owner if self.owner in owners else None,
            fallback=None if self.fallback is None else names_of(self.fallback),
        )


def read_chains(section: Section, defaults: Written, owners: Collection[str]) -> dict[str, WrittenChain]:
    """Every chain, in the file's order.

    Args:
        section: `chains`.
        defaults: What each chain's own keys are laid over.
        owners: Names of owners.
    """
    usual = defaults.policy()
    found = {}
    for entry in section.entries():
        check_name(entry, "chain")
        long = entry.value.mapping()
        if long:
            found[entry.name] = _read_long(entry, long, defaults, owners)
        else:
            found[entry.name] = WrittenChain(read_parts(entry.value, _WANTED) or (), usual)
    return found


def _read_long(entry: Entry, chain: Section, defaults: Written, owners: Collection[str]) -> WrittenChain:
    models, owner, fallback = chain.take("models"), chain.take("owner"), chain.take("fallback")
    parts = read_parts(models, _WANTED) if models else None
    if models is None:
        entry.key.fault("has no `models`; list at least one")
    own = read_policy(chain, defaults)
    chain.close()
    return WrittenChain(
        parts or (),
        defaults.under(own).policy(),
        _read_owner(owner, owners) if owner else None,
        read_fallback(fallback) if fallback else None,
    )


def _read_owner(spot: Spot, owners: Collection[str]) -> str | None:
    name = spot.text("the name of an owner")
    if name is not None and name not in owners:
        hint = spot.faults.did_you_mean(name, owners)
        spot.fault(f"unknown owner {quoted(name)}{hint or '; it must stand in `owners`'}")
    return name


def read_fallback(spot: Spot) -> Parts:
    """What is tried once a target is used up, not yet checked; nothing if it says `none` or is `[]`."""
    if spot.is_word(NO_FALLBACK) or (isinstance(spot.node, Seq) and not spot.node.items):
        return ()
    return read_parts(spot, "`none`, or a list of models") or ()
