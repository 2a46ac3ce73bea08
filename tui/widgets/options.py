"""What may be said beside a prompt: the system's words, the most tokens, the temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Label, Static

from tui.commands import key_label
from tui.desk import Desk
from tui.widgets.safe_area import SafeArea, SafeInput


class OptionFault(Exception):
    """An option makes no sense.

    Attributes:
        widget: Where it was typed.
    """

    def __init__(self, message: str, widget: Widget) -> None:
        self.widget = widget
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Said:
    """The options as they were typed, checked.

    Attributes:
        system: Goes before the prompt as the system's words; empty for none.
        max_tokens: Most tokens of the answer.
        temperature: Randomness.
    """

    system: str = ""
    max_tokens: int | None = None
    temperature: float | None = None


class Options(Vertical):
    """One line that says which options are set; opened, the inputs for them.

    Args:
        desk: What the screen works with.
        id: The widget's id.
    """

    opened = reactive(False, init=False)

    def __init__(self, desk: Desk, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__(id=id)
        self._desk = desk

    def compose(self) -> ComposeResult:
        """The line, and the inputs."""
        yield Static(self._summary(), markup=False, id="set")
        with Vertical(id="inputs"):
            yield SafeArea(id="system", placeholder="system prompt", tab_behavior="focus")
            with Horizontal():
                yield Label("max tokens ")
                yield SafeInput(id="max-tokens", placeholder="no limit")
                yield Label(" temperature ")
                yield SafeInput(id="temperature", placeholder="the provider's")

    def read(self) -> Said:
        """The options as they stand.

        Raises:
            OptionFault: One of them makes no sense.
        """
        tokens, temperature = self._input("max-tokens"), self._input("temperature")
        return Said(
            self.query_one("#system", SafeArea).text.strip(),
            _whole(tokens) if tokens.value.strip() else None,
            _number(temperature) if temperature.value.strip() else None,
        )

    def toggle(self) -> None:
        """Opens the inputs and goes to the first, or closes them. What is in them counts either way."""
        self.opened = not self.opened
        if self.opened:
            self.query_one("#system").focus()

    def watch_opened(self, opened: bool) -> None:
        """Shows or hides the inputs."""
        self.set_class(opened, "-open")
        self.tick()

    def tick(self) -> None:
        """Says what is set now."""
        summary = self.query_one("#set", Static)
        if summary.content != (text := self._summary()):
            summary.update(text)

    def on_click(self, event: events.Click) -> None:
        """A click on the line opens and closes."""
        if event.widget is not None and event.widget.id == "set":
            self.toggle()

    def _input(self, name: str) -> SafeInput:
        return self.query_one(f"#{name}", SafeInput)

    def _summary(self) -> str:
        key = key_label(self._desk.key("options"))
        sign = "v" if self.opened else ">"
        return f"{sign} {key} options: {', '.join(self._set()) or 'none set'}"

    def _set(self) -> list[str]:
        if not self.is_mounted:
            return []
        try:
            said = self.read()
        except OptionFault as fault:
            return [str(fault)]
        texts = ["system prompt"] if said.system else []
        if said.max_tokens is not None:
            texts.append(f"at most {said.max_tokens} tokens")
        if said.temperature is not None:
            texts.append(f"temperature {said.temperature:g}")
        return texts


def _whole(given: SafeInput) -> int:
    text = given.value.strip()
    if not text.isdecimal() or int(text[:20]) < 1:
        raise OptionFault("max tokens is no whole number above 0", given)
    return int(text[:20])


def _number(given: SafeInput) -> float:
    try:
        value = float(given.value)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise OptionFault("temperature is no number from 0 up", given)
    return value
