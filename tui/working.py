"""Which commands would do something here and now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.dom import DOMNode
from textual.screen import Screen

from tui.commands import BY_NAME, Command, character_of, key_label


@dataclass(frozen=True, slots=True)
class Working:
    """A command that would do something if its key were pressed now.

    Attributes:
        command: Which.
        key: Its key as a person writes it.
        node: Where its action is.
        action: The action.
    """

    command: Command
    key: str
    node: DOMNode
    action: str


def working(screen: Screen[Any]) -> dict[str, Working]:
    """The commands that work on a screen with the focus as it is, by their names."""
    found: dict[str, Working] = {}
    for key, active in screen.active_bindings.items():
        name = active.binding.id or ""
        if name in BY_NAME and name not in found and not _is_typed(screen, key):
            found[name] = Working(BY_NAME[name], key_label(key), active.node, active.binding.action)
    return found


def _is_typed(screen: Screen[Any], key: str) -> bool:
    """True for a character that the focused widget takes as typing."""
    focused = screen.focused
    return focused is not None and focused.check_consume_key(key, character_of(key))
