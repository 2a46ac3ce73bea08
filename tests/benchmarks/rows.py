"""One row of the table: what two sides needed, round by round, and how that stands to its limit."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, NamedTuple

Unit = Literal["s", "requests/s", "MB", "%", "events"]
Compared = Literal[
    "ratio",  # standby's figure over the bare one
    "difference",  # standby's figure less the bare one
    "alone",  # standby's figure, beside nothing
]


class Limit(NamedTuple):
    """What a comparison must not exceed, or must reach; both None where a row only reports."""

    at_most: float | None = None
    at_least: float | None = None


class Spread(NamedTuple):
    """Median and extremes over the rounds."""

    median: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was done.
        transport: Over what; empty where nothing was sent.
        unit: Of the figures.
        compared: How the two sides are compared.
        limit: What the comparison is held to.
        bare: The bare minimum's figures, one a round; empty if there is none.
        standby: Standby's figures, one a round.
    """

    what: str
    transport: str
    unit: Unit
    compared: Compared
    limit: Limit
    bare: tuple[float, ...]
    standby: tuple[float, ...]

    @property
    def comparison(self) -> Spread:
        """The comparison of each round's two figures: the median of these, and the extremes."""
        match self.compared:
            case "ratio":
                each = [ours / bare for bare, ours in zip(self.bare, self.standby, strict=True)]
            case "difference":
                each = [ours - bare for bare, ours in zip(self.bare, self.standby, strict=True)]
            case "alone":
                each = list(self.standby)
        return Spread(median(each), min(each), max(each))

    @property
    def verdict(self) -> str:
        """`ok` or `over`, by the median; empty for a row that only reports."""
        middle = self.comparison.median
        if self.limit == Limit():
            return ""
        over = self.limit.at_most is not None and middle > self.limit.at_most
        under = self.limit.at_least is not None and middle < self.limit.at_least
        return "over" if over or under else "ok"

    def to_json(self) -> dict[str, Any]:
        """Everything of the row, each round's figures included."""
        return {
            "what": self.what,
            "transport": self.transport,
            "unit": self.unit,
            "compared": self.compared,
            "comparison": self.comparison._asdict(),
            "limit": self.limit._asdict(),
            "verdict": self.verdict,
            "bare": self.bare,
            "standby": self.standby,
        }


def table(rows: list[Row]) -> str:
    """The rows as text, in columns."""
    lines: list[tuple[str, ...]] = [
        ("what", "transport", "bare minimum", "standby", "compared (range)", "limit", "")
    ]
    lines += [_cells(row) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    shown = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    shown.insert(1, "  ".join("-" * width for width in widths).rstrip())
    return "\n".join(shown)


def _cells(row: Row) -> tuple[str, ...]:
    compared = row.comparison
    # What is held to hundredths is shown in thousandths.
    digits = 3 if row.limit.at_most is not None and row.limit.at_most < 1.1 else 2
    shown = [_comparison(value, row, digits) for value in compared]
    return (
        row.what,
        row.transport,
        _figure(median(row.bare), row.unit) if row.bare else "",
        _figure(median(row.standby), row.unit),
        f"{shown[0]} ({shown[1]} to {shown[2]})",
        _limit(row),
        row.verdict,
    )


def _figure(value: float, unit: Unit) -> str:
    match unit:
        case "s":
            return f"{value * 1e6:.1f} µs" if value < 0.01 else f"{value * 1e3:.0f} ms"
        case "requests/s":
            return f"{value:.0f} /s"
        case "MB" | "%" | "events":
            return f"{value:.2f} {unit}"


def _comparison(value: float, row: Row, digits: int) -> str:
    match row.compared:
        case "ratio":
            return f"{value:.{digits}f}x"
        case "difference":
            return f"{value:+.2f} {row.unit}"
        case "alone":
            return f"{value:.2f} {row.unit}"


def _limit(row: Row) -> str:
    match row.limit:
        case Limit(at_most=float(value)):
            return f"at most {_comparison(value, row, 2)}"
        case Limit(at_least=float(value)):
            return f"at least {_comparison(value, row, 2)}"
        case _:
            return "report"
