"""The least that a Textual app can be that shows as many rows: one table, nothing else."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import DataTable

COLUMNS = ("model", "state", "bench", "rate", "success", "p50", "p95", "reason")
ROWS = 20


class OneTable(App[None]):
    """A table of twenty rows."""

    def compose(self) -> ComposeResult:
        """The table."""
        yield DataTable[str]()

    def on_mount(self) -> None:
        """Fills it."""
        table = self.query_one(DataTable)
        table.add_columns(*COLUMNS)
        table.add_rows([f"acme/model-{row:02}", *("-" for _ in COLUMNS[1:])] for row in range(ROWS))


if __name__ == "__main__":
    OneTable().run()
