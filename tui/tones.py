"""What a text means, and how the theme in force says it: by colour, and where there is none by weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from rich.style import Style
from textual.color import Color

Tone = Literal["text", "strong", "muted", "faint", "good", "warn", "bad", "accent", "key", "pill", "banner"]
"""What a text means: `pill` and `banner` stand out as a whole."""

_TONES: Final[tuple[Tone, ...]] = get_args(Tone)
_VARIABLES: Final[Mapping[str, str]] = {
    "good": "success",
    "warn": "warning",
    "bad": "error",
    "accent": "accent",
    "key": "accent",
    "pill": "accent",
    "banner": "warning",
}
_FADED: Final[Mapping[str, float]] = {"muted": 0.65, "faint": 0.4}
_BOLD: Final = frozenset({"strong", "key", "banner"})


def styles_of(variables: Mapping[str, str], background: Color, *, ansi: bool) -> dict[Tone, Style]:
    """How each tone looks.

    Not by way of CSS: component classes are styled anew, one by one, with each change of any class
    of the screen, which is a third of what it takes to open the dashboard.

    Args:
        variables: The theme's colours by name.
        background: What it stands on.
        ansi: Whether only the terminal's own colours may be used, or none at all.
    """
    if ansi:
        return {tone: _ansi_style(tone, variables) for tone in _TONES}
    return {tone: _style(tone, variables, background) for tone in _TONES}


def _style(tone: Tone, variables: Mapping[str, str], background: Color) -> Style:
    foreground = Color.parse(variables["foreground"])
    colour = Color.parse(variables[_VARIABLES[tone]]) if tone in _VARIABLES else foreground
    if tone in _FADED:
        colour = background.blend(foreground, _FADED[tone], alpha=1.0)
    if tone in ("pill", "banner"):
        return Style(color=background.rich_color, bgcolor=colour.rich_color, bold=tone in _BOLD)
    return Style(color=colour.rich_color, bgcolor=background.rich_color, bold=tone in _BOLD or None)


def _ansi_style(tone: Tone, variables: Mapping[str, str]) -> Style:
    if tone in ("pill", "banner"):
        return Style(bold=True, reverse=True)
    if tone not in _VARIABLES:
        return Style(bold=tone in _BOLD or None, dim=tone in _FADED or None)
    colour = Color.parse(variables[_VARIABLES[tone]])
    return Style(color=colour.rich_color, bold=tone in _BOLD or None)


def lit_background(variables: Mapping[str, str], *, focused: bool, ansi: bool) -> Style:
    """What is laid over the line that the cursor is on."""
    if ansi:
        return Style(bold=True) if focused else Style()
    return Style(bgcolor=Color.parse(variables["panel" if focused else "surface"]).rich_color)
