"""What the grammar has and this version does not: one table, with what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.config.spot import Section, Spot

TOP: Final[Mapping[str, str]] = {
    "groups": "list the models that stand in for one another in a chain",
    "owners": "write the providers and aliases at the top of the file",
    "fallback": "write its models at the end of each chain",
}
CHAIN: Final[Mapping[str, str]] = {
    "owner": "write the owner's providers and aliases at the top of the file",
    "fallback": "write its models at the end of the chain, or `fallback: none`",
}
HARMLESS: Final[Mapping[str, str]] = {"fallback": "none"}  # asks for nothing that is missing
VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "mid_stream": dict.fromkeys(("append", "continue", "restart"), "write `mid_stream: raise`"),
    "trial": {"probe": "write `trial: request`"},
}
STORES: Final[Mapping[str, str]] = dict.fromkeys(
    ("sqlite:", "redis:", "rediss:", "env:"),
    "write `store: auto` or `store: memory`; both keep benches in the process",
)
ENVIRONMENT: Final[Mapping[str, str]] = {
    "MODEL_FALLBACK_GROUPS": "unset it, and list the models that stand in for one another in a chain",
}


def refusal(what: str, instead: str) -> str:
    """The words for something this version lacks.

    Args:
        what: What was asked for.
        instead: What to do.
    """
    return f"{what} is not supported by this version; {instead}"


def refuse_keys(section: Section, table: Mapping[str, str]) -> None:
    """Makes a fault of each key of the section that stands in the table and asks for something."""
    for key, instead in table.items():
        spot = section.take(key)
        if spot is not None and not spot.is_word(HARMLESS.get(key)):
            section.key(key).fault(refusal(f"`{key}`", instead))


def refuse_value(spot: Spot, key: str, value: str) -> bool:
    """Makes a fault of a value that is known but not supported; True if it was one."""
    instead = VALUES.get(key, {}).get(value)
    if instead is None:
        return False
    spot.fault(refusal(f"`{key}: {value}`", instead))
    return True
