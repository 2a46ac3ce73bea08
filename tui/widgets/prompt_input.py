"""The input for a prompt: many lines, Enter sends."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.commands import BY_NAME
from tui.widgets.safe_area import SafeArea


class PromptInput(SafeArea):
    """A prompt. Enter sends it, Ctrl+J breaks the line, Up on the first line brings what was sent before.

    Ctrl+J and not Shift+Enter or Ctrl+Enter: most terminals, and tmux, can't tell those from Enter.

    Args:
        id: The widget's id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(command.keys), command.name, command.label, id=command.name)
        for command in (BY_NAME["send"], BY_NAME["newline"])
    ]

    class Sent(Message):
        """The prompt is to be sent.

        Attributes:
            prompt: What had been typed when Enter was pressed.
        """

        def __init__(self, prompt: str) -> None:
            self.prompt = prompt
            super().__init__()

    class Recall(Message):
        """An older or a newer prompt is wanted.

        Attributes:
            older: Which of the two.
        """

        def __init__(self, *, older: bool) -> None:
            self.older = older
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__(
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            placeholder="Enter sends, Ctrl+J breaks the line, Up recalls what was sent",
        )

    def on_key(self, event: events.Key) -> None:
        """Does what Enter and Ctrl+J stand for here and now, in the order in which keys were pressed.

        Left to the bindings alone, it would be done when the app gets to it: before or after
        characters that were typed, or pasted by a terminal without bracketed paste, around them.
        """
        active = None if event.is_printable else self.screen.active_bindings.get(event.key)
        if active is None or active.node is not self:
            return
        if active.binding.id in ("send", "newline"):
            event.stop()
            event.prevent_default()
            self.action_send() if active.binding.id == "send" else self.action_newline()

    def put(self, text: str, *, at_end: bool) -> None:
        """Replaces the whole text; undo brings back what was there.

        Args:
            text: The new text.
            at_end: Whether the cursor goes to the last line or to the end of the first.
        """
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self.document.end if at_end else (0, len(self.document.get_line(0))))

    def action_send(self) -> None:
        """Asks for the prompt to be sent."""
        self.post_message(self.Sent(self.text))

    def action_newline(self) -> None:
        """Breaks the line."""
        self.replace("\n", *self.selection)

    def action_cursor_up(self, select: bool = False) -> None:
        """Moves the cursor up; from the first line on, to what was sent before."""
        if not select and self.navigator.is_first_wrapped_line(self.cursor_location):
            self.post_message(self.Recall(older=True))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Moves the cursor down; from the last line on, to what was sent after."""
        if not select and self.navigator.is_last_wrapped_line(self.cursor_location):
            self.post_message(self.Recall(older=False))
        else:
            super().action_cursor_down(select)
