"""An answer while it is printed: what turns out void is taken back."""

from __future__ import annotations

import os

from engine import Event, RequestStarted, StreamBroken
from tui.output import Notes, Output


class Draft:
    """An observer of one request, and the way of its answer to standard output.

    With `mid_stream: restart` or `continue` another model may answer from the start when one breaks off.
    A terminal is cleaned of the void answer then, if all of it is still on the screen. From a pipe
    nothing can be taken back: it gets the answer when it is whole.

    Args:
        out: Where the answer goes.
        notes: The progress, which may share the terminal with it.
    """

    def __init__(self, out: Output, notes: Notes) -> None:
        self._out = out
        self._notes = notes
        self._may_turn_void = False
        self._broke_off = ""

    def __call__(self, event: Event) -> None:
        """Learns what may happen to the answer, and who broke off."""
        match event:
            case RequestStarted(live=request):
                self._may_turn_void = request.policy.mid_stream in ("restart", "continue")
            case StreamBroken():
                self._broke_off = event.model

    @property
    def _is_held(self) -> bool:
        return self._may_turn_void and not self._out.is_terminal

    def add(self, text: str) -> None:
        """Takes the next piece."""
        if text and not self._is_held:
            if self._may_turn_void:
                self._out.mark()
            self._out.write(text)

    def void(self, next_model: str) -> None:
        """Everything so far is void: another model answers from the start."""
        if self._is_held or not self._out.is_marked:
            return
        between = self._out.between
        if os.environ.get("TERM") != "dumb" and self._out.take_back():
            for note in between:
                self._notes.line(*note)
        else:
            self._out.aside(f"--- {self._broke_off} broke off; {next_model} answers from the start ---")

    def finish(self, text: str) -> None:
        """The answer is whole.

        Args:
            text: All of it.
        """
        if self._is_held:
            self._out.write(text)
