"""The line of a bench in the stream: who did it is read whole where there is room on the line."""

from __future__ import annotations

import pytest

from tests.tui.stage import AT
from tui.cells import width_of
from tui.glyphs import choose_glyphs
from tui.ring import Line
from tui.widgets.stream_cells import cells, heads

GLYPHS = choose_glyphs("unicode", encoding="utf-8", term="xterm")
BY = "alice@laptop.example"


def drawn(width: int, *, reason: str = "", by: str = "") -> str:
    line = Line(AT, "benched", model="p/large", for_s=600.0, manual=True, reason=reason, by=by)
    text = "".join(part for part, _ in cells(line, width, GLYPHS, 0.0, several=True))
    assert width_of(text) == width
    return text


@pytest.mark.parametrize("reason", ["", "cost", "maintenance of a provider until tomorrow"])
def test_at_120_columns_who_benched_it_is_read_whole(reason: str) -> None:
    text = drawn(118, reason=reason, by="alice@laptop")
    assert "for 10:00 by alice@laptop" in text
    assert reason[:9] in text


def test_that_no_reason_was_given_goes_before_who_it_was() -> None:
    assert "for 10:00 by alice@laptop.example.com" in drawn(118, by="alice@laptop.example.com")
    assert "no reason given" in drawn(118, by="alice")


@pytest.mark.parametrize("width", range(60, 200, 7))
@pytest.mark.parametrize("reason", ["", "cost", "a reason that is longer than its column is wide"])
@pytest.mark.parametrize("by", ["", "al", BY, BY * 4])
def test_it_fills_its_line_at_every_width(width: int, reason: str, by: str) -> None:
    assert "held" in drawn(width, reason=reason, by=by)


def test_what_fits_stands_below_its_column() -> None:
    text = drawn(160, reason="cost", by="alice")
    head = heads(160, several=True)
    assert text.index("cost") == head.index("reason")
    assert text.index("for 10:00") == head.index("then")
