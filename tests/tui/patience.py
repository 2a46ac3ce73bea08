"""Waiting for what the dashboard shows, however slow the machine: for a condition, never for a while."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Callable

from textual.app import App
from textual.events import Key
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot
from textual.widget import Widget

LIMIT_S = 30.0
_CALM_ROUNDS = 2


async def settled(pilot: Pilot[None]) -> None:
    """Waits until every message is handled, and what came of them is laid out.

    Textual's own pause takes a process that gets no processor for one that has nothing to do.
    """
    calm = 0
    async with asyncio.timeout(LIMIT_S):
        while pilot.app.is_running and calm < _CALM_ROUNDS:
            # A handler that is waiting shows in no queue, but the next pause waits for it.
            await pilot.pause(0)
            if pilot.app._resize_event is not None:
                pilot.app._check_resize()  # it would wait for a while, in case that others follow
            calm = calm + 1 if _is_calm(pilot.app) else 0


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Presses keys, each when the one before has had its effect."""
    for key in keys:
        pilot.app.post_message(_event(pilot.app, key))
        await settled(pilot)


async def type_(pilot: Pilot[None], text: str) -> None:
    """Types a text at one go."""
    for character in text:
        pilot.app.post_message(_event(pilot.app, character))
    await settled(pilot)


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Waits for something that will come true, and until the screen has followed it."""
    end = time.monotonic() + LIMIT_S
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"never came true; the screen:\n{screen(pilot)}")
        await pilot.pause(0.01)
    await settled(pilot)


def screen(pilot: Pilot[None]) -> str:
    """What is on the screen, without the blanks at the ends of its lines."""
    return "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())


def _event(app: App[None], key: str) -> Key:
    """A key as a terminal tells of it; Textual's own way to press one lets a fixed time pass."""
    name = key if len(key) > 1 or key.isalnum() else _character_to_key(key)
    character: str | None
    try:
        character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
    except KeyError:
        character = name if len(name) == 1 else None
    event = Key(name, character)
    event.set_sender(app)
    return event


def _is_calm(app: App[None]) -> bool:
    shown = app.screen
    nodes = shown.walk_children(Widget, with_self=True)
    return not (
        shown._layout_required
        or shown._dirty_widgets
        or shown._callbacks
        or any(node._pruning or not node.is_mounted for node in nodes)
        or any(pump.message_queue_size or pump._next_callbacks for pump in (app, *nodes))
    )
