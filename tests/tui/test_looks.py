"""Which glyphs, which theme: decided by settings and environment alone."""

from __future__ import annotations

from dataclasses import fields

import pytest
from rich.cells import cell_len

from tui.glyphs import ASCII, UNICODE, Glyphs, choose_glyphs
from tui.themes import choose_look

COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
KNOWN = ("nord", "standby-dark", "standby-light", "ansi-dark")


@pytest.mark.parametrize(
    ("setting", "encoding", "term", "wanted"),
    [
        ("auto", "utf-8", "xterm-256color", UNICODE),
        ("auto", "UTF8", "screen", UNICODE),
        ("auto", "utf-8", "linux", ASCII),
        ("auto", "iso8859-1", "xterm", ASCII),
        ("auto", None, "xterm", ASCII),
        ("ascii", "utf-8", "xterm", ASCII),
        ("unicode", "latin-1", "linux", UNICODE),
        ("no such setting", "utf-8", "xterm", UNICODE),
    ],
)
def test_glyphs_follow_the_setting_then_the_terminal(
    setting: str, encoding: str | None, term: str, wanted: Glyphs
) -> None:
    assert choose_glyphs(setting, encoding=encoding, term=term) is wanted


def test_both_sets_tell_every_state_apart_and_ascii_is_ascii() -> None:
    for glyphs in (UNICODE, ASCII):
        signs = [*glyphs.states.values(), glyphs.unusable]
        assert len(set(signs)) == 6
        assert all(cell_len(sign) == 1 for sign in signs)
    shown = [getattr(ASCII, field.name) for field in fields(ASCII)]
    assert all(text.isascii() for text in shown if isinstance(text, str))
    assert all(text.isascii() for text in ASCII.states.values())


@pytest.mark.parametrize(
    ("setting", "environ", "theme", "ansi"),
    [
        ("auto", COLOURS, "standby-dark", False),
        ("auto", {**COLOURS, "COLORFGBG": "0;15"}, "standby-light", False),
        ("auto", {**COLOURS, "COLORFGBG": "15;0"}, "standby-dark", False),
        ("light", COLOURS, "standby-light", False),
        ("nord", COLOURS, "nord", False),
        ("auto", {"TERM": "xterm"}, "ansi-dark", True),
        ("auto", {"TERM": "linux"}, "ansi-dark", True),
        ("auto", {**COLOURS, "NO_COLOR": "1"}, "ansi-dark", True),
        ("light", {**COLOURS, "NO_COLOR": "1"}, "ansi-light", True),
        ("nord", {**COLOURS, "NO_COLOR": "1"}, "ansi-dark", True),
    ],
)
def test_the_theme_follows_the_setting_then_the_terminal(
    setting: str, environ: dict[str, str], theme: str, ansi: bool
) -> None:
    look = choose_look(setting, KNOWN, environ)
    assert (look.theme, look.ansi, look.fault) == (theme, ansi, "")


def test_an_unknown_theme_is_told_and_replaced() -> None:
    look = choose_look("nrod", KNOWN, COLOURS)
    assert look.theme == "standby-dark"
    assert "did you mean nord?" in look.fault
