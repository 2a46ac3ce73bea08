"""How the screen looks: two themes of our own, and the terminal's own colours where there are only 16."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from textual.theme import Theme

DARK: Final = Theme(
    name="standby-dark",
    dark=True,
    background="#0f1318",
    surface="#161b22",
    panel="#1d242d",
    foreground="#d5dce4",
    primary="#6cb2eb",
    secondary="#8a9bb0",
    accent="#6cb2eb",
    success="#6fbf8b",
    warning="#e3b768",
    error="#f2777a",
    variables={
        "block-cursor-foreground": "#0f1318",
        "block-cursor-background": "#6cb2eb",
        "border": "#6cb2eb",
        "border-blurred": "#2a333f",
    },
)
LIGHT: Final = Theme(
    name="standby-light",
    dark=False,
    background="#fbfaf8",
    surface="#f2f0ec",
    panel="#e9e6e0",
    foreground="#24292f",
    primary="#0b5ea8",
    secondary="#57606a",
    accent="#0b5ea8",
    success="#1a7338",
    warning="#8a5a00",
    error="#b62324",
    variables={
        "block-cursor-foreground": "#fbfaf8",
        "block-cursor-background": "#0b5ea8",
        "border": "#0b5ea8",
        "border-blurred": "#d0ccc4",
    },
)
OWN: Final = (DARK, LIGHT)

_NAMES: Final = {"dark": DARK.name, "light": LIGHT.name}
_LIGHT_BACKGROUNDS: Final = frozenset({"7", "15"})


class Look(NamedTuple):
    """What was chosen.

    Attributes:
        theme: The theme's name.
        ansi: Whether only the terminal's own 16 colours are used, or none.
        fault: What was wrong with the setting; empty if nothing.
    """

    theme: str
    ansi: bool = False
    fault: str = ""


def choose_look(setting: str, known: Iterable[str], environ: Mapping[str, str]) -> Look:
    """The theme to use.

    Args:
        setting: `dashboard.theme`: a theme's name, `dark`, `light`, or `auto`.
        known: Names of all themes.
        environ: The process's environment.

    Returns:
        With `NO_COLOR`, and with `auto` where the terminal has 16 colours, its own ones. `auto` is
        light where `COLORFGBG` tells of a light background, and dark elsewhere.
    """
    named = sorted({*known, *_NAMES, "auto"})
    fault = ""
    if setting not in named:
        near = get_close_matches(setting, named, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(named)}"
        fault = f"dashboard.theme: there is no theme {setting!r}; {hint}"
        setting = "auto"
    light = setting == "light" or setting.endswith("-light")
    if setting == "auto":
        light = environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS
    if "NO_COLOR" in environ or (setting == "auto" and not _has_many_colours(environ)):
        return Look("ansi-light" if light else "ansi-dark", True, fault)
    if setting == "auto":
        return Look(LIGHT.name if light else DARK.name, False, fault)
    return Look(_NAMES.get(setting, setting), False, fault)


def _has_many_colours(environ: Mapping[str, str]) -> bool:
    # The rule by which Rich, and with it Textual, decides; a terminal that says nothing has 16.
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return True
    term = environ.get("TERM", "").lower()
    return term.rpartition("-")[2] in ("256color", "kitty")
