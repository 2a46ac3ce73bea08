"""Columns for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def columns(rows: Sequence[Sequence[str]], *, gap: int = 2) -> Iterator[str]:
    """Rows of cells as lines, each column as wide as its widest cell.

    Args:
        rows: All with the same number of cells.
        gap: Blanks between two columns.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield (" " * gap).join(cells).rstrip()
