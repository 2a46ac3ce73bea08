from __future__ import annotations

from hypothesis import given, strategies as st
from rich.cells import cell_len

from tui.cells import column, padded, shown, whole_words
from tui.glyphs import ASCII, UNICODE
from tui.text import safe_line

hostile = st.text(st.characters(), max_size=200) | st.sampled_from(
    ["[/]", "[bold", "\x1b[2J\x1b]52;c;aGk=\x07", "\x9b31m", "a\u202eb", "\ud83d", "表表表", "e\u0301" * 50]
)


@given(hostile, st.integers(0, 80), st.booleans())
def test_a_column_takes_exactly_its_cells_whatever_is_in_it(text: str, width: int, right: bool) -> None:
    assert cell_len(column(text, width, UNICODE, right=right)) == width


@given(hostile, st.integers(0, 80))
def test_nothing_shown_can_steer_a_terminal(text: str, width: int) -> None:
    made = shown(text, width, UNICODE)
    assert made == safe_line(made)
    assert made.isprintable() or not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in made)
    made.encode()


@given(hostile, st.integers(0, 80))
def test_with_ascii_glyphs_nothing_else_is_shown(text: str, width: int) -> None:
    assert column(text, width, ASCII).isascii()


def test_what_does_not_fit_is_cut_with_a_sign() -> None:
    assert shown("anthropic/claude", 9, UNICODE) == "anthropi…"
    assert shown("anthropic/claude", 9, ASCII) == "anthropi~"
    assert shown("表表表", 4, UNICODE) == "表…"


def test_what_fits_stays_whole() -> None:
    assert shown("p/large", 7, UNICODE) == "p/large"
    assert padded("ab", 4) == "ab  "
    assert padded("ab", 4, right=True) == "  ab"


def test_heads_are_cut_between_words() -> None:
    heads = "time  model   took"
    assert whole_words(heads, 18) == heads
    assert whole_words(heads, 20) == f"{heads}  "
    assert whole_words(heads, 16) == "time  model     "
    assert whole_words(heads, 2) == "  "


def test_a_megabyte_is_cut_before_it_is_looked_at() -> None:
    text = "[/]\x1b[31m" * 130_000
    assert cell_len(shown(text, 40, UNICODE)) == 40
