"""What came back for an ad-hoc prompt, as it comes."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.commands import bindings
from tui.exchange import Kind, Piece
from tui.text import safe_block

_LONG = 4000
"""Characters after which a block is closed at the next line break: what is closed is not laid out again."""
_TOO_LONG = 16_000

_TITLES: dict[Kind, str] = {"reasoning": "reasoning", "tool": "tool call", "error": "error"}


class _Block(Static):
    """Some of what came, all of one kind."""

    def __init__(self, kind: Kind) -> None:
        super().__init__("", markup=False, classes=kind)
        self.kind = kind
        self.text = ""
        self._shown = 0
        if kind in _TITLES:
            self.border_title = _TITLES[kind]

    def show(self) -> None:
        """Puts on the screen what was added since."""
        if len(self.text) != self._shown:
            self._shown = len(self.text)
            self.update(safe_block(self.text))


class Answer(VerticalScroll):
    """Reasoning, answer, tool calls, errors and notes, each in blocks of their own.

    It stays at its end while text comes, until somebody scrolls up.

    Args:
        id: The widget's id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__(id=id)
        self.following = True
        self._fresh: list[_Block] = []
        self._last: _Block | None = None

    @property
    def is_at_end(self) -> bool:
        """Whether the newest text is on the screen."""
        return self.scroll_y >= self.max_scroll_y

    def begin(self) -> None:
        """Empties it for the next answer, and follows that."""
        self.remove_children()
        self._fresh, self._last = [], None
        self.following = True

    def release_anchor(self) -> None:
        """Somebody scrolls: Textual calls this then."""
        # Its own anchor is of no use here: it puts an answer that is short at the bottom.
        super().release_anchor()
        self.following = False

    def take(self, piece: Piece) -> None:
        """Takes in a piece; `show` puts it on the screen."""
        if piece.kind == "restart":
            self.begin()
            self._open("note").text = piece.text
            return
        for start in range(0, len(piece.text), _LONG):
            self._take(piece.kind, piece.text[start : start + _LONG])

    def show(self) -> None:
        """Puts on the screen what came since."""
        if self.is_at_end:
            self.following = True
        if self._fresh:
            self.mount(*self._fresh)
        for block in self._fresh:
            block.show()
        if self._last is not None:
            self._last.show()
        self._fresh = []
        self.stay()

    def stay(self) -> None:
        """Goes to the end again, further down once new text is laid out, unless somebody scrolled."""
        if self.following:
            self.scroll_end(animate=False)

    def _take(self, kind: Kind, text: str) -> None:
        block = self._last
        if block is None or block.kind != kind:
            self._open(kind).text = text
        elif len(block.text) < _LONG:
            block.text += text
        else:
            self._split(block, text)

    def _split(self, block: _Block, text: str) -> None:
        before, newline, after = text.partition("\n")
        if newline:
            block.text += before
            self._open(block.kind).text = after
        elif len(block.text) < _TOO_LONG:
            block.text += text
        else:
            self._open(block.kind).text = text

    def _open(self, kind: Kind) -> _Block:
        if self._last is not None:
            self._last.show()
        self._last = _Block(kind)
        self._fresh.append(self._last)
        return self._last

    def action_down(self) -> None:
        """One line down."""
        self.scroll_down(animate=False)

    def action_up(self) -> None:
        """One line up."""
        self.scroll_up(animate=False)

    def action_top(self) -> None:
        """To the first line."""
        self.scroll_home(animate=False)

    def action_end(self) -> None:
        """To the last line, and stays there."""
        self.following = True
        self.scroll_end(animate=False)
