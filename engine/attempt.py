"""One upstream call on behalf of a request: its limits, and its one outcome."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Coroutine
from typing import TypeVar

from engine.errors import Failure
from engine.events import (
    AttemptCancelled,
    AttemptFailed,
    AttemptFirstToken,
    AttemptStarted,
    AttemptSucceeded,
)
from engine.messages import Message, Usage
from engine.policy import Timeouts
from engine.providers.base import Call, Signal, What
from engine.request import Request
from engine.resolve import split_model
from engine.roster import Seat
from engine.secret import Secret
from engine.stay import Ticket

T = TypeVar("T")


def cancels() -> int:
    """How often somebody has asked the current task to stop."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


class OutOfTime(Exception):
    """The request's deadline cut the attempt: nobody's failure."""


class Attempt:
    """One upstream call.

    Args:
        request: On whose behalf.
        seat: The model's provider.
        position: The model's place in the request's list, from 0.
        number: Which attempt on this model, from 1.
        key: The key it uses.
        tickets: What the bench is to know of its beginning: the model first, then the key's names.
        limits: Its timeouts, seconds.

    Attributes:
        messages: What is sent.
        goes_on: True if that ends with a partial answer, from which the model is to go on.
    """

    __slots__ = (
        "_settled",
        "end",
        "first_token_at",
        "goes_on",
        "key",
        "limits",
        "messages",
        "model",
        "number",
        "position",
        "request",
        "seat",
        "started",
        "tickets",
    )

    def __init__(
        self,
        request: Request,
        seat: Seat,
        *,
        position: int,
        number: int,
        key: Secret | None,
        tickets: tuple[Ticket, ...],
        limits: Timeouts,
    ) -> None:
        self.request = request
        self.seat = seat
        self.position = position
        self.model = request.models[position]
        self.number = number
        self.key = key
        self.tickets = tickets
        self.limits = limits
        self.started = request.clock()
        self.end = self.started + (request.timeout or limits.attempt)
        self.first_token_at: float | None = None
        self.messages: tuple[Message, ...] = request.messages
        self.goes_on = False
        self._settled = False
        request.calls += 1
        request.asked_last = self.model
        seat.under_way += 1

    def call(self) -> Call:
        """What is sent: this model's own name, the request's messages."""
        name = split_model(self.model)[1]
        return Call(name, self.messages, self.request.params, self.key, self.limits.connect)

    @property
    def key_name(self) -> str | None:
        """The key as events show it."""
        return None if self.key is None else self.key.name

    @property
    def on_trial(self) -> bool:
        """True while the model's trial hangs on it."""
        return bool(self.tickets[0].trial)

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return self.request.clock() - self.started

    async def within(self, awaitable: Awaitable[T], limit_s: float = math.inf, what: What = "timeout") -> T:
        """Waits for something of this attempt's, at most so long.

        Args:
            awaitable: What to wait for; cancelled when the time is over.
            limit_s: Seconds; the attempt's own end and the request's deadline count, too, and alone if
                it is left out.
            what: The signal that a passed limit is.

        Raises:
            Signal: The limit, or the attempt's end, has passed.
            OutOfTime: The request's deadline has passed.
        """
        now = self.request.clock()
        limit, deadline = now + limit_s, self.request.deadline
        first = min(limit, self.end, deadline)
        if now >= deadline:
            if isinstance(awaitable, Coroutine):
                awaitable.close()
            raise OutOfTime  # what is there already would come without any waiting
        scope = asyncio.timeout(max(0.0, first - now))
        before = cancels()
        try:
            async with scope:
                return await awaitable
        except Exception:
            # An adapter may answer being cancelled with an exception of its own.
            if cancels() > before:
                raise asyncio.CancelledError from None
            if not scope.expired():
                raise
        if first == deadline:
            raise OutOfTime
        if first == self.end:
            timeout = self.request.timeout
            own = timeout is not None and timeout < self.limits.attempt
            shown = timeout or self.limits.attempt
            raise Signal("callers_timeout" if own else "timeout", f"no complete answer within {shown:g}s")
        shown = self.limits.first_token if what == "first_token_timeout" else self.limits.idle
        raise Signal(what, f"nothing came within {shown:g}s")

    def tell_started(self) -> None:
        """Tells that it begins."""
        request = self.request
        if request.bus.wants(AttemptStarted):
            request.bus.emit(
                AttemptStarted(
                    live=request,
                    model=self.model,
                    provider=self.seat.config.name,
                    key=self.key_name,
                    attempt=self.number,
                    attempts=request.policy.attempts,
                    position=self.position + 1,
                    positions=len(request.models),
                    trial=self.on_trial,
                )
            )

    def first_token(self) -> None:
        """The first token is here."""
        request = self.request
        self.first_token_at = request.clock()
        if request.first_token_at is None:
            request.first_token_at = self.first_token_at
        if request.bus.wants(AttemptFirstToken):
            request.bus.emit(
                AttemptFirstToken(live=request, model=self.model, after_s=self.first_token_at - self.started)
            )

    def settle(self) -> bool:
        """True the first time: whoever gets it decides the attempt's outcome."""
        first, self._settled = not self._settled, True
        if first:
            self.seat.under_way -= 1
        return first

    def tell_succeeded(self, finish_reason: str, usage: Usage) -> None:
        """Tells that it brought an answer."""
        request = self.request
        if request.bus.wants(AttemptSucceeded):
            first = None if self.first_token_at is None else self.first_token_at - self.started
            request.bus.emit(
                AttemptSucceeded(
                    live=request,
                    model=self.model,
                    key=self.key_name,
                    attempt=self.number,
                    elapsed_s=self.elapsed_s,
                    first_token_s=first,
                    finish_reason=finish_reason,
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                )
            )

    def tell_failed(
        self,
        failure: Failure,
        message: str,
        *,
        usage: Usage | None,
        retry_in_s: float | None,
        bench: str | None,
        benched_for_s: float | None,
        next_model: str | None,
    ) -> None:
        """Tells that it failed, and what follows."""
        request = self.request
        if request.bus.wants(AttemptFailed):
            request.bus.emit(
                AttemptFailed(
                    live=request,
                    model=self.model,
                    key=self.key_name,
                    attempt=self.number,
                    kind=failure.kind,
                    reason=failure.reason,
                    status=failure.status,
                    message=message,
                    elapsed_s=self.elapsed_s,
                    retry_after_s=failure.retry_after_s,
                    retry_in_s=retry_in_s,
                    benched=bench is not None,
                    bench=bench,
                    benched_for_s=benched_for_s,
                    next_model=next_model,
                    input_tokens=usage.input_tokens if usage else None,
                    output_tokens=usage.output_tokens if usage else None,
                )
            )

    def cancel(self, why: str) -> None:
        """Cut short by the `caller` or by the `deadline`: nobody is benched, nothing is counted."""
        if self.settle() and self.request.bus.wants(AttemptCancelled):
            self.request.bus.emit(
                AttemptCancelled(
                    live=self.request,
                    model=self.model,
                    attempt=self.number,
                    elapsed_s=self.elapsed_s,
                    why=why,
                )
            )
