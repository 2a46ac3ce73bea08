"""A streamed answer: failover is silent until the first content has reached the caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from engine import endings
from engine.attempt import Attempt, cancels
from engine.bus import log
from engine.classify import judge
from engine.continuation import blanks_at_end, going_on, joined, way_on, without_seam
from engine.errors import DeadlineExceeded, StandbyError, StreamInterrupted, UpstreamError
from engine.events import StreamBroken
from engine.failover import Walk
from engine.messages import Delta, Reply
from engine.policy import MidStream
from engine.providers.base import Answer, Part, Signal
from engine.transcript import Transcript
from engine.trouble import Trouble

_AFTER_FINISH_S: Final = 1.0
"""How long usage and terminator are waited for once the model has said why it stopped."""
_CLOSES_WITHIN_S: Final = 2.0


class Stream:
    """A streamed answer. Enter it, iterate it, leave it whenever you like.

    Entering waits for the first token of the first model that answers; leaving closes the upstream
    connection at once. Iterating gives `Delta`s; once that has ended, `reply` is the whole answer.

    What happens when a model breaks off in the middle is the policy's `mid_stream`. With `restart` (and
    with `continue`, where a model can't go on from a partial answer) a `Delta` comes whose `restart` is
    true: drop what you have, the answer begins again.

    Raises:
        ChainExhausted: On entering or iterating: no model answered.
        StreamInterrupted: While iterating: the stream broke after content had been delivered, and the
            policy says to raise, or no other model went on.
        StandbyError: The other ends a request may come to.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._request = walk.request
        self._transcript = Transcript()
        self._kept: Answer | None = None  # what the caller has of models that broke off
        self._broke_off: UpstreamError | None = None  # the last of them
        self._way_on: MidStream = "raise"
        self._seam = ""
        self._attempt: Attempt | None = None
        self._open: Any = None  # the provider's stream, entered
        self._batches: Any = None
        self._waiting: list[Sequence[Part]] = []
        self._deltas: AsyncGenerator[Delta, None] | None = None
        self._over = False
        self.reply: Reply | None = None

    @property
    def text(self) -> str:
        """What has been delivered so far."""
        return self._answer().text

    @property
    def model(self) -> str | None:
        """Who is answering, None before the first token."""
        return None if self._attempt is None else self._attempt.model

    @property
    def attempts(self) -> int:
        """Upstream calls so far."""
        return self._request.calls

    @property
    def request(self) -> str:
        """The request's id, as its events carry it."""
        return self._request.id

    async def __aenter__(self) -> Self:
        self._request.tell_started()
        try:
            await self._step(self._walk.run(self._start))
        except StandbyError:
            raise
        except BaseException:
            self._over = True
            self._request.tell_cancelled()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self._over:
                self._over = True
                if self._attempt is not None:
                    self._walk.cancelled(self._attempt, "caller")
                self._request.tell_cancelled()
        finally:
            await self._close()
            if self._deltas is not None:
                await self._deltas.aclose()

    def __aiter__(self) -> AsyncGenerator[Delta, None]:
        if self._deltas is None:
            self._deltas = self._iterate()
        return self._deltas

    async def _iterate(self) -> AsyncGenerator[Delta, None]:
        clock = self._request.clock
        while not self._over:
            attempt, before = self._attempt, clock()
            for batch in self._waiting:
                for part in batch:
                    if type(part) is Delta:
                        delta = part if self._kept is None else self._fitted(part)
                        self._transcript.deliver(delta)
                        yield delta
            if attempt is not None:
                # What the caller does with a piece is not the model's time.
                self._walk.grant(attempt, clock() - before)
            self._waiting = []
            await self._step(self._go_on())

    def _fitted(self, delta: Delta) -> Delta:
        """A delta made to fit behind what the caller has of models that broke off."""
        if self._seam and delta.text:
            text, self._seam = without_seam(delta.text, self._seam)
            delta = delta._replace(text=text)
        call = delta.tool_call
        if call is not None and self._kept is not None:
            delta = delta._replace(tool_call=replace(call, index=call.index + self._transcript.first_tool))
        return delta

    async def _step(self, step: Awaitable[None]) -> None:
        """Takes one step; tells of the error that ends the request, if it does.

        Raises:
            StandbyError: That error. To a caller who has content already it is a `StreamInterrupted`.
        """
        try:
            await step
        except StandbyError as ended:
            error = ended
        else:
            return
        if self._broke_off is not None and not isinstance(error, DeadlineExceeded | StreamInterrupted):
            error = endings.interrupted(self._request, self._broke_off, self.text, error)
        self._over = True
        self._request.tell_failed(error)
        await self._close()
        raise error

    async def _start(self, attempt: Attempt) -> None:
        """Opens a model's stream and waits for its first token."""
        way = self._way_for(attempt)
        self._transcript = Transcript(self._transcript.next_tool)
        self._waiting = []
        patience = attempt.started + attempt.limits.first_token
        opening = attempt.seat.adapter().stream(attempt.call())
        clock = self._request.clock
        self._batches = await attempt.within(opening.__aenter__(), patience - clock(), "first_token_timeout")
        self._open = opening
        try:
            while not self._transcript.is_finished:
                if await self._pull(attempt, patience - clock(), "first_token_timeout"):
                    attempt.first_token()
                    break
            else:
                await self._finish(attempt)
        except BaseException:
            await self._close()
            raise
        self._attempt = attempt
        if way == "restart":
            self._kept = None
            self._waiting.insert(0, [Delta(restart=True)])

    def _way_for(self, attempt: Attempt) -> MidStream:
        """How this attempt goes on from what the caller has; asks the model for that, if it does."""
        kept, way = self._kept, self._way_on
        self._seam = ""
        if kept is None:
            return "raise"
        if way == "continue" and attempt.model in self._request.refused_to_go_on:
            way = "restart"
        if way == "continue":
            attempt.messages = going_on(attempt.messages, kept.text)
            attempt.goes_on = True
            self._seam = blanks_at_end(kept.text)
        return way

    async def _go_on(self) -> None:
        """Brings the next batch, or the end."""
        attempt = self._attempt
        if attempt is None:
            raise RuntimeError("iterate a stream inside `async with`")
        try:
            if self._transcript.is_finished:
                await self._finish(attempt)
                self._walk.succeeded(attempt, self._transcript.answer())
                await self._walk.settled()
                self._succeed(attempt)
            else:
                await self._pull(attempt, attempt.limits.idle, "idle_timeout")
        except Exception as error:  # noqa: BLE001  (providers raise anything; classify sorts it out)
            trouble = self._walk.understood(attempt, error)
        else:
            return
        await self._broke(attempt, trouble)

    async def _pull(self, attempt: Attempt, limit_s: float, what: Any) -> bool:
        """Reads once; True if that brought a delta.

        Raises:
            Signal: The body has ended before the answer had.
        """
        batch = await attempt.within(anext(self._batches, None), limit_s, what)
        if batch is None:
            raise Signal("truncated", "the stream ended before the answer did", usage=self._transcript.usage)
        self._waiting.append(batch)
        has_delta = False
        for part in batch:
            if type(part) is Delta:
                has_delta = True
            else:
                self._transcript.note(part)
        if has_delta and attempt.on_trial and any(map(_is_content, batch)):
            self._walk.passed_trial(attempt)
        return has_delta

    async def _finish(self, attempt: Attempt) -> None:
        """The model has said why it stopped: reads on for usage and terminator, then judges.

        Raises:
            Signal: There is no answer.
        """
        with suppress(Exception):  # a failure after the finish reason is no failure
            await attempt.within(self._drain(), _AFTER_FINISH_S, "idle_timeout")
        # A model that was asked to go on may have nothing to add.
        wrong = judge(self._answer() if attempt.goes_on else self._transcript.answer())
        if wrong is not None:
            raise wrong

    async def _drain(self) -> None:
        # To the end of the body and not only to the terminator: only then is the connection kept.
        async for batch in self._batches:
            for part in batch:
                self._transcript.note(part)

    async def _broke(self, attempt: Attempt, trouble: Trouble | None) -> None:
        """The stream broke: goes on with another model, if nothing was delivered or the policy has a way."""
        await self._close()
        if not self._transcript.has_content:
            await self._walk.failed(attempt, trouble)
            self._attempt = None
        else:
            try:
                self._break_off(attempt, trouble)
            finally:
                await self._walk.settled()
        await self._walk.run(self._start)

    def _break_off(self, attempt: Attempt, trouble: Trouble | None) -> None:
        """Keeps what a model has delivered, and chooses the way on.

        Raises:
            StreamInterrupted: There is none.
        """
        decision, cause = self._walk.judge(attempt, trouble, delivered=True)
        request = self._request
        kept = self._answer()
        way = way_on(request.policy.mid_stream, kept, request.params)
        if decision.then == "raise":
            way = "raise"
        if request.bus.wants(StreamBroken):
            request.bus.emit(
                StreamBroken(
                    live=request,
                    model=attempt.model,
                    delivered_chars=len(kept.text),
                    mode=way,
                    next_model=None if way == "raise" else self._walk.next_playable(),
                )
            )
        if way == "raise":
            raise endings.interrupted(request, cause, kept.text)
        self._kept, self._way_on, self._broke_off = kept, way, cause
        self._transcript = Transcript(self._transcript.next_tool)
        self._attempt = None
        self._walk.give_up()

    def _answer(self) -> Answer:
        """All that the caller has."""
        return joined(self._kept, self._transcript.answer())

    def _succeed(self, attempt: Attempt) -> None:
        self.reply = self._request.reply(attempt.model, self._answer())
        self._over = True
        self._request.tell_succeeded(self.reply)

    async def _close(self) -> None:
        opened, self._open, self._batches = self._open, None, None
        if opened is None:
            return
        before = cancels()
        try:
            async with asyncio.timeout(_CLOSES_WITHIN_S):
                await opened.__aexit__(None, None, None)
        except Exception as error:  # noqa: BLE001  (what comes after the answer is no matter of the answer)
            if cancels() > before:
                raise asyncio.CancelledError from None
            log.warning("a provider's stream did not close: %s", type(error).__name__)


def _is_content(part: Part) -> bool:
    return type(part) is Delta and bool(part.text or part.tool_call)
