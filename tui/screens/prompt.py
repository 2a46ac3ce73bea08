"""The second view: a prompt of one's own, its answer, and beside it the attempts it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.types import CSSPathType
from textual.widgets import Input, Label
from textual.worker import Worker

from engine import StandbyError
from tui.cells import shown
from tui.commands import bindings
from tui.completion import target_names
from tui.desk import Desk
from tui.exchange import Ask, Exchange
from tui.feed import Drained
from tui.history import History
from tui.places import history_path
from tui.ring import Ring
from tui.screens.view import View
from tui.widgets.answer import Answer
from tui.widgets.attempts import Attempts
from tui.widgets.choices import Choices
from tui.widgets.exchange_line import ExchangeLine
from tui.widgets.options import OptionFault, Options
from tui.widgets.prompt_input import PromptInput
from tui.widgets.target_input import TargetInput

_OF_THE_INPUT = ("send", "newline")
_TOAST_WIDTH = 200


class PromptScreen(View):
    """Asks a chain, an alias, a model or a list of them. What is typed stays until it is changed.

    Args:
        desk: What the screen works with.
        history: The prompts sent before; None for the user's.
    """

    NAME = "prompt"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in bindings("prompt") if binding.action not in _OF_THE_INPUT
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["view.tcss", "prompt.tcss"]
    AUTO_FOCUS = "PromptInput"

    target = getters.query_one(TargetInput)
    choices = getters.query_one(Choices)
    options = getters.query_one(Options)
    prompt = getters.query_one(PromptInput)
    line = getters.query_one(ExchangeLine)
    answer = getters.query_one(Answer)
    attempts = getters.query_one(Attempts)

    def __init__(self, desk: Desk, history: History | None = None) -> None:
        super().__init__(desk)
        self.history = History(history_path()) if history is None else history
        self.exchange: Exchange | None = None
        self._worker: Worker[None] | None = None
        self._watched = ""
        self._was_asking = False
        self._complained = ""

    def compose_body(self) -> ComposeResult:
        """What is asked and what came back; beside it the attempts."""
        with Container(id="panes"):
            with Vertical(id="asking"):
                with Horizontal(id="target"):
                    yield Label("target ")
                    yield TargetInput(self._names)
                yield Choices(self.desk)
                yield Options(self.desk)
                yield PromptInput()
                yield ExchangeLine(self.desk)
                yield Answer()
            yield Attempts(Ring(), self.desk, empty="  The attempts of your request appear here.")

    def on_mount(self) -> None:
        """Puts a target in place, so that a prompt is all that is missing."""
        self.target.put(self._first_target())
        self._complain()
        self._show_choices()

    def tick(self, drained: Drained) -> None:
        """Paints what came."""
        if self.exchange is not None and self.exchange.pieces:
            while self.exchange.pieces:
                self.answer.take(self.exchange.pieces.popleft())
            self.answer.show()
        elif not self.answer.is_at_end:
            self.answer.stay()
        if self.is_asking != self._was_asking:
            self._was_asking = self.is_asking
            self.refresh_bindings()
        self.line.below = not self.answer.is_at_end
        self.line.tick()
        self.attempts.tick()
        super().tick(drained)

    def begin(self) -> None:
        """Makes ready for a new prompt; the old one is selected, so that typing replaces it."""
        self.prompt.focus()
        self.prompt.select_all()

    @property
    def is_asking(self) -> bool:
        """Whether a request is under way."""
        return self.exchange is not None and self.exchange.state == "running"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc cancels what runs; only then it leads out."""
        if action in ("cancel", "leave"):
            return self.is_asking == (action == "cancel")
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        """Stops the request. What came of the answer stays."""
        if self.exchange is not None and self._worker is not None:
            self.exchange.give_up()
            self._worker.cancel()

    def action_leave(self) -> None:
        """Back to the board. What was typed stays."""
        self.app.switch_mode("board")

    def action_options(self) -> None:
        """Opens or closes what may be said beside the prompt."""
        self.options.toggle()
        if not self.options.opened:
            self.prompt.focus()

    @on(PromptInput.Sent)
    def send(self, event: PromptInput.Sent) -> None:
        """Sends the prompt, if there is all it takes."""
        self.line.say(self._send(event.prompt))

    def _send(self, prompt: str) -> str:
        """Sends the prompt, or says why not."""
        target = self.target.value.strip(" ,")
        if self.is_asking:
            return "a request is under way, Esc cancels it"
        if not target:
            self.target.focus()
            return "who is to be asked? a chain, an alias, or provider/model"
        if not prompt.strip():
            return "there is no prompt yet"
        try:
            said = self.options.read()
        except OptionFault as fault:
            self.options.opened = True
            fault.widget.focus()
            return str(fault)
        self.history.add(prompt, target)
        self._complain()
        self._begin(Ask(target, prompt, said.system, said.max_tokens, said.temperature))
        return ""

    def _begin(self, ask: Ask) -> None:
        self.answer.begin()
        self.attempts.look(Ring())
        self.exchange = self.line.exchange = Exchange(self.desk.engine, ask, self.desk.now, self._watch)
        self._worker = self.run_worker(self.exchange.run(), group="prompt", exit_on_error=False)
        # What was sent is in the history; selected, it goes away with the first key of the next.
        if self.prompt.text == ask.prompt:
            self.prompt.select_all()

    def _watch(self, request: str) -> None:
        self.desk.feed.unwatch(self._watched)
        self._watched = request
        self.attempts.look(self.desk.feed.watch(request))

    @on(PromptInput.Recall)
    def recall(self, event: PromptInput.Recall) -> None:
        """Puts another prompt of the history into the input."""
        text = self.history.older(self.prompt.text) if event.older else self.history.newer()
        if text is not None:
            self.prompt.put(text, at_end=not event.older)

    @on(Input.Submitted)
    def next_input(self) -> None:
        """Enter in any other input leads to the prompt."""
        self.prompt.focus()

    @on(Input.Changed)
    def options_changed(self) -> None:
        """The lines below the inputs follow what is typed."""
        self._show_choices()
        self.options.tick()

    def _show_choices(self) -> None:
        self.choices.show(self.target.choices, self.target.value)

    def _names(self) -> Sequence[str]:
        engine = self.desk.engine
        return target_names(engine.config, (status.model for status in engine.status()))

    def _first_target(self) -> str:
        last = self.history.last
        engine = self.desk.engine
        if last is not None:
            try:
                engine.explain(last.target)
            except StandbyError:
                pass
            else:
                return last.target
        return next(iter(engine.config.chains), "")

    def _complain(self) -> None:
        """Says once what is wrong with the history."""
        trouble = self.history.trouble
        if trouble and trouble != self._complained:
            self._complained = trouble
            text = shown(trouble, _TOAST_WIDTH, self.desk.glyphs)
            self.notify(text, severity="warning", markup=False)
