"""Lines that a text takes on a terminal, against a terminal's own idea of it."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, strategies as st

from tui.rows import Rows

TEXTS = st.lists(st.text(st.sampled_from("abc \n\té"), max_size=60), max_size=6)


@given(TEXTS, st.integers(2, 40))
def test_the_cursor_is_where_a_terminal_has_it(pieces: list[str], columns: int) -> None:
    screen = pyte.Screen(columns, 400)
    stream = pyte.Stream(screen)
    rows = Rows(columns)
    for piece in pieces:
        stream.feed(piece.replace("\n", "\r\n"))
        rows.feed(piece)
    assert rows.down in (None, screen.cursor.y)


@pytest.mark.parametrize(
    ("text", "columns", "down"),
    [
        ("", 10, 0),
        ("0123456789", 10, 0),  # the cursor waits in the last column
        ("0123456789\n", 10, 1),
        ("0123456789a", 10, 1),
        ("012345678東", 10, 1),  # no half of it fits into the last column
        ("東" * 5, 10, 0),
        ("東" * 6, 10, 1),
        ("é" * 10, 10, 0),
        ("e\u0301" * 5, 10, 0),
        ("e\u0301" * 10, 10, None),  # a terminal that gives the marks cells wraps
        ("\U0001f468\u200d\U0001f469", 10, 0),
        ("\U0001f468\u200d\U0001f469" * 3, 10, None),
        ("01234567\t", 10, None),
        ("a", 0, None),
    ],
)
def test_what_terminals_read_differently_is_not_claimed_to_be_known(
    text: str, columns: int, down: int | None
) -> None:
    rows = Rows(columns)
    rows.feed(text)
    assert rows.down == down
