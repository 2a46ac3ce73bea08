"""The input for a target, with completion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester

from tui.completion import ghost, matches
from tui.widgets.safe_area import SafeInput


class _Ghost(Suggester):
    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        return ghost(value, self._names())


class TargetInput(SafeInput):
    """A chain, an alias, a model, or several with commas between.

    The way a half-typed name goes on is shown behind the cursor, Right takes it; Up and Down go
    through all names that hold what was typed.

    Args:
        names: What can be completed to, asked for each time: a configuration may be reloaded.
        id: The widget's id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "next(1)", show=False),
        Binding("up", "next(-1)", show=False),
    ]

    def __init__(
        self,
        names: Callable[[], Sequence[str]],
        *,
        id: str | None = None,  # noqa: A002  (Textual's own name for it)
    ) -> None:
        super().__init__(
            placeholder="a chain, an alias, provider/model, or several: a/x, b/y",
            suggester=_Ghost(names),
            select_on_focus=False,
            id=id,
        )
        self._names = names
        self._typed = ""
        self._shown: str | None = None

    def put(self, target: str) -> None:
        """Puts a target in place that nobody typed: every name may take its place."""
        self._typed, self._shown = "", target
        self.value = target
        self.cursor_position = len(target)

    @property
    def choices(self) -> list[str]:
        """Targets that what was typed may become."""
        if self.value != self._shown:
            self._typed = self.value
        return matches(self._typed, self._names())

    def action_next(self, step: int) -> None:
        """Shows the next target that fits what was typed, or the one before."""
        choices = self.choices
        if not choices:
            return
        here = choices.index(self.value) if self.value in choices else (-1 if step > 0 else len(choices))
        typed = self._typed
        self.put(choices[(here + step) % len(choices)])
        self._typed = typed
