"""An app that crashes without telling secrets. Everything here stands on Textual's private parts."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType
from textual.app import App

_MOST_WORDS = 2000


class CarefulApp(App[None]):
    """As Textual's, but a crash is one message and a redacted log instead of a traceback with locals.

    Textual 8.2 prints, for an exception that nobody caught, every frame with its local variables:
    keys, headers, prompts.

    Attributes:
        crash: What to tell the user once the terminal is back; empty if nothing crashed.
    """

    crash: str = ""

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._crashed(error)
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        self._crashed(sys.exception() or RuntimeError("Textual stopped for a reason it did not give"))
        self._close_messages_no_wait()

    def panic(self, *renderables: RenderableType) -> None:
        """Ends the app with what Textual wanted to print as the crash's words."""
        console = Console(width=200, no_color=True, file=io.StringIO())
        with console.capture() as captured:
            for renderable in renderables:
                console.print(renderable)
        self._return_code = 1
        self._crashed(RuntimeError(captured.get()[-_MOST_WORDS:]))
        self._close_messages_no_wait()

    def note(self, error: BaseException) -> str:
        """Logs what went wrong without ending anything.

        Returns:
            One redacted line that says what it was.
        """
        from tui.crashlog import summary, write_crash  # noqa: PLC0415  (wanted only when something goes wrong)

        write_crash(error)
        return summary(error)

    def report_stray(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """The event loop's exception handler: what goes wrong on the side is logged, never printed."""
        error = context.get("exception")
        self.note(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))

    def _crashed(self, error: BaseException) -> None:
        if self.crash:
            return
        from tui.crashlog import summary, write_crash  # noqa: PLC0415  (wanted only when something goes wrong)

        log = write_crash(error)
        where = f"details are in {log}; it holds no keys" if log else "the log could not be written"
        self.crash = f"the dashboard crashed: {summary(error)}\n{where}"
