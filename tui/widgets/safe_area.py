"""Inputs that show what is pasted into them without letting it reach the terminal as it is."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input, TextArea

from tui.text import safe_block, safe_line


class SafeInput(Input):
    """An input for one line; control characters that are pasted into it become pictures."""

    def validate_value(self, value: str) -> str:
        """Makes a value safe to show."""
        return safe_line(value)


class SafeArea(TextArea):
    """An input for many lines; control characters are shown as pictures, the text keeps them."""

    def get_line(self, line_index: int) -> Text:
        """A line as it is shown."""
        # One character becomes one character, so the cursor and selections stay where they belong.
        return Text(safe_block(self.document.get_line(line_index)), end="", no_wrap=True)
