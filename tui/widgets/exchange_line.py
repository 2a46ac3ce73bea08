"""One line about the request that the prompt began."""

from __future__ import annotations

from textual.strip import Strip

from tui.cells import shown
from tui.desk import Desk
from tui.exchange import Exchange
from tui.text import latency
from tui.widgets.facts import Fact, fitted
from tui.widgets.lined import Cell, Lined

_MODEL_WIDTH = 40
_NOTICE_S = 4.0


class ExchangeLine(Lined):
    """How the request stands: who answers, for how long, first token, tokens.

    Args:
        desk: What the screen works with.
        id: The widget's id.
    """

    DEFAULT_CSS = """
    ExchangeLine { height: 1; }
    """

    def __init__(self, desk: Desk, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__(id=id)
        self.exchange: Exchange | None = None
        self.below = False
        self._desk = desk
        self._notice = ""
        self._notice_until = 0.0
        self._painted: list[Cell] = []

    @property
    def notice(self) -> str:
        """What was said last, for as long as it is shown."""
        return self._notice if self._desk.now() < self._notice_until else ""

    def say(self, notice: str) -> None:
        """Shows a notice for a while; an empty one takes back the last."""
        self._notice, self._notice_until = notice, self._desk.now() + _NOTICE_S
        self.tick()

    def tick(self) -> None:
        """Paints the line if it would look different."""
        if self._painted != (cells := self._cells()):
            self._painted = cells
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draws the line."""
        return self.line(self._cells() if y == 0 else (), self.size.width)

    def _cells(self) -> list[Cell]:
        return fitted(self._facts(), self.size.width, f" {self._desk.glyphs.dot} ")

    def _facts(self) -> list[Fact]:
        facts = []
        if notice := self.notice:
            facts.append(Fact(shown(notice, self.size.width, self._desk.glyphs), "warn"))
        if self.exchange is not None:
            facts += [self._state(self.exchange), *self._figures(self.exchange)]
        if self.below:
            facts.append(Fact("more below, End follows", "accent", "more below"))
        return facts

    def _state(self, exchange: Exchange) -> Fact:
        glyphs = self._desk.glyphs
        took = latency(exchange.elapsed_s)
        name = shown(exchange.model or exchange.ask.target, _MODEL_WIDTH, glyphs)
        match exchange.state:
            case "running":
                asking = "" if exchange.model else "asking "
                return Fact(f"{glyphs.running} {asking}{name} {took}", "accent")
            case "answered":
                sign = glyphs.succeeded
                return Fact(f"{sign} {name} answered in {took}", "good", f"{sign} {name} {took}")
            case "failed":
                return Fact(f"{glyphs.failed} failed after {took}", "bad")
            case "cancelled":
                sign = glyphs.cancelled
                return Fact(f"{sign} cancelled after {took}, what came stays", "warn", f"{sign} cancelled")

    def _figures(self, exchange: Exchange) -> list[Fact]:
        facts = []
        if exchange.first_token_s is not None:
            first = latency(exchange.first_token_s)
            facts.append(Fact(f"first token {first}", "muted", f"first {first}"))
        tokens, counted = exchange.tokens
        if tokens:
            about = "" if counted else "~"
            facts.append(Fact(f"{about}{tokens} tokens out", "muted", f"{about}{tokens} out"))
        reply = exchange.reply
        if reply is None:
            return facts
        if reply.finish_reason == "length":
            facts.insert(0, Fact("cut at the token limit", "warn", "cut"))
        if reply.attempts > 1:
            facts.append(Fact(f"{reply.attempts} attempts"))
        if reply.fallback:
            facts.append(Fact("fallback", "accent"))
        if reply.usage.input_tokens is not None:
            facts.append(Fact(f"{reply.usage.input_tokens} in"))
        return facts
