"""One ad-hoc prompt and what came of it. Runs in the background; the screen looks at it when it has time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from engine import Delta, Engine, Reply, StandbyError
from tui.advice import advice
from tui.crashlog import summary, write_crash

State = Literal["running", "answered", "failed", "cancelled"]
Kind = Literal["text", "reasoning", "tool", "error", "note", "restart"]

_CHARS_PER_TOKEN: Final = 4  # a rule of thumb; what the provider counted replaces it at the end


class Piece(NamedTuple):
    """A piece of what came back, as it came: nothing here is safe to show yet.

    Attributes:
        kind: The answer's text, the model's reasoning, a tool call, what went wrong, a note between two
            models' words, or such a note before which nothing counts any more.
        text: More of it.
    """

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked.

    Attributes:
        target: A chain, an alias, a model, or several.
        prompt: The prompt.
        system: Goes before the prompt as the system's words; empty for none.
        max_tokens: Most tokens of the answer.
        temperature: Randomness.
    """

    target: str
    prompt: str
    system: str = ""
    max_tokens: int | None = None
    temperature: float | None = None


@dataclass(slots=True, eq=False)
class Exchange:
    """A prompt on its way through the engine.

    Attributes:
        engine: Who is asked.
        ask: What is asked.
        clock: Seconds that only ever grow.
        on_request: Called with the request's id before anything is sent.
        state: How it stands.
        pieces: What has come and was not looked at yet.
        started: When it began, on the clock.
        first_at: When the first piece came.
        ended: When it was over.
        model: Who answers, empty before the first token.
        chars: Characters of answer and reasoning so far.
        reply: The whole answer, once there is one.
    """

    engine: Engine
    ask: Ask
    clock: Callable[[], float]
    on_request: Callable[[str], None]
    state: State = "running"
    pieces: deque[Piece] = field(default_factory=deque)
    started: float = field(init=False)
    first_at: float | None = None
    ended: float | None = None
    model: str = ""
    chars: int = 0
    reply: Reply | None = None
    _tools: int = -1

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began; they stand still once it is over."""
        return (self.clock() if self.ended is None else self.ended) - self.started

    @property
    def first_token_s(self) -> float | None:
        """Seconds until the first piece came."""
        return None if self.first_at is None else self.first_at - self.started

    @property
    def tokens(self) -> tuple[int, bool]:
        """Tokens of the answer, and whether the provider counted them."""
        counted = None if self.reply is None else self.reply.usage.output_tokens
        if counted is not None:
            return counted, True
        return -(-self.chars // _CHARS_PER_TOKEN), False

    def give_up(self) -> None:
        """Nobody waits for it any more; whoever runs it is about to be cancelled."""
        self._end("cancelled")

    async def run(self) -> None:
        """Sends the prompt and takes in what comes back. Never raises, unless it is cancelled."""
        try:
            await self._stream()
            self._end("answered")
        except asyncio.CancelledError:
            self.give_up()
            raise
        except StandbyError as error:
            self._failed(str(error), advice(error))
        except ValueError as error:  # a parameter that the engine refuses
            self._failed(str(error), "")
        except Exception as error:  # noqa: BLE001  (a fault of ours must not take the dashboard down)
            log = write_crash(error)
            self._failed(summary(error), "" if log is None else f"Details are in {log}.")

    async def _stream(self) -> None:
        ask = self.ask
        stream = self.engine.stream(
            ask.target,
            ask.prompt,
            system=ask.system or None,
            max_tokens=ask.max_tokens,
            temperature=ask.temperature,
        )
        self.on_request(stream.request)
        async with stream:
            async for delta in stream:
                self._hand_over(stream.model or "", restart=delta.restart)
                self._take(delta)
        self.reply = stream.reply

    def _hand_over(self, model: str, *, restart: bool) -> None:
        """Notes that another model answers now, and what becomes of the words so far."""
        before, self.model = self.model, model
        if restart:
            self.chars, self._tools = 0, -1
            self.pieces.append(Piece("restart", f"{before} broke off; {model} answers from the start"))
        elif before and before != model:
            self._tools = -1
            self.pieces.append(Piece("note", f"{before} broke off; {model} goes on"))

    def _take(self, delta: Delta) -> None:
        if self.first_at is None and not delta.restart:
            self.first_at = self.clock()
        if delta.reasoning:
            self._add("reasoning", delta.reasoning)
        if delta.text:
            self._add("text", delta.text)
        call = delta.tool_call
        if call is not None:
            if call.index != self._tools:
                self._add("tool", f"{'' if self._tools < 0 else chr(10)}{call.name} ")
                self._tools = call.index
            self._add("tool", call.arguments)

    def _add(self, kind: Kind, text: str) -> None:
        self.chars += len(text)
        self.pieces.append(Piece(kind, text))

    def _end(self, state: State) -> None:
        if self.state == "running":
            self.state = state
            self.ended = self.clock()

    def _failed(self, message: str, what_to_do: str) -> None:
        self._end("failed")
        self.pieces.append(Piece("error", f"{message}\n{what_to_do}".strip()))
