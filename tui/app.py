"""The dashboard: puts engine, feed and views together, and goes down well."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from textual.screen import Screen

from engine import Config, Engine, Event, Figures, Observation, TrafficRunner
from tui.careful import CarefulApp
from tui.cells import shown
from tui.commands import acts, bindings, key_label, remapped
from tui.desk import Desk
from tui.exits import DONE
from tui.feed import HZ, Feed
from tui.glyphs import choose_glyphs
from tui.going_down import Exitway, abandon_terminal
from tui.output import Notes
from tui.screens.view import View
from tui.themes import OWN, Look, choose_look

_CLOSING_S = 1.0
