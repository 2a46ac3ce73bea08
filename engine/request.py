"""One request while it lasts: what was asked, what was tried, and the events of its life."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.bus import Bus
from engine.errors import (
    AllBenched,
    ChainExhausted,
    DeadlineExceeded,
    StandbyError,
    StreamInterrupted,
    UpstreamError,
)
from engine.estimate import tokens_of, tokens_of_longest
from engine.events import ModelSkipped, RequestCancelled, RequestFailed, RequestStarted, RequestSucceeded
from engine.messages import Embeddings, Message, Params, Reply, Usage, Vector
from engine.policy import Policy
from engine.private import texts_of
from engine.providers.base import Answer

Answered = TypeVar("Answered", Reply, Embeddings)


@dataclass(slots=True, eq=False)
class Request:
    """One call by a user of the engine, alive until it has an answer or an error.

    Attributes:
        target: What was asked for, as one line.
        chain: The chain it named, None if it named none.
        models: Who may answer, in order.
        mode: `complete`, `stream` or `embed`.
        policy: How patient it is.
        messages: What is sent, the same to every model; none if vectors are asked for.
        params: What is asked of the answer.
        started: When it began, on the engine's clock.
        deadline: When it must be over, on the engine's clock.
        owner: Whose layer its names resolved in first, None for the file alone.
        timeout: The caller's own limit of one attempt, seconds.
        recorded: True if prompt and answer enter events.
        unresolved: Parts of the target that name nothing.
        texts: What is to be embedded; none if an answer is asked for.
        dimensions: How long each vector is to be; None leaves it to the model.
        probing: True for a probe, which asks a model whatever the bench says.
        id: Unique among all engines.
        calls: Upstream calls so far.
        asked_last: The model of the last of them.
        causes: Errors so far.
        first_token_at: When the first token arrived, on the engine's clock.
        refused_to_go_on: Models that would not go on from a partial answer.
    """

    target: str
    chain: str | None
    models: tuple[str, ...]
    mode: str
    policy: Policy
    messages: tuple[Message, ...]
    params: Params
    started: float
    deadline: float
    bus: Bus = field(repr=False)
    clock: Callable[[], float] = field(repr=False)
    owner: str | None = None
    timeout: float | None = None
    recorded: bool = False
    unresolved: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    dimensions: int | None = None
    probing: bool = False
    id: str = field(default_factory=lambda: os.urandom(6).hex())
    calls: int = 0
    asked_last: str | None = None
    causes: list[UpstreamError] = field(default_factory=list)
    first_token_at: float | None = None
    refused_to_go_on: set[str] = field(default_factory=set)
    _tokens: int | None = None

    @property
    def tokens(self) -> int:
        """About how many tokens it sends; for vectors, in the longest of the texts."""
        if self._tokens is None:
            if self.texts:
                self._tokens = tokens_of_longest(self.texts)
            else:
                self._tokens = tokens_of(self.messages, self.params.tools)
        return self._tokens

    def private(self, messages: tuple[Message, ...]) -> Iterator[str]:
        """What is sent, if events are to be without it.

        Args:
            messages: Those of one attempt: behind the caller's there may be an answer that goes on.
        """
        return iter(()) if self.recorded else texts_of([*messages, *self.texts])

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return self.clock() - self.started

    @property
    def remaining_s(self) -> float:
        """Seconds until its deadline."""
        return self.deadline - self.clock()

    @property
    def first_token_s(self) -> float | None:
        """Seconds from its beginning to the first token."""
        return None if self.first_token_at is None else self.first_token_at - self.started

    def reply(self, model: str, answer: Answer) -> Reply:
        """An answer as the caller gets it."""
        return Reply(
            text=answer.text,
            model=model,
            usage=answer.usage,
            attempts=self.calls,
            finish_reason=answer.finish_reason,
            tool_calls=answer.tool_calls,
            reasoning=answer.reasoning,
            fallback=model != self.models[0],
            elapsed_s=self.elapsed_s,
            first_token_s=self.first_token_s,
            request=self.id,
        )

    def embeddings(self, model: str, vectors: tuple[Vector, ...], usage: Usage) -> Embeddings:
        """Vectors as the caller gets them."""
        return Embeddings(
            vectors=vectors,
            model=model,
            usage=usage,
            attempts=self.calls,
            fallback=model != self.models[0],
            elapsed_s=self.elapsed_s,
            request=self.id,
        )

    async def told(self, work: Awaitable[Answered]) -> Answered:
        """Tells of its beginning and of its end.

        Args:
            work: Brings the answer.
        """
        self.tell_started()
        try:
            answer = await work
        except StandbyError as error:
            self.tell_failed(error)
            raise
        except BaseException:
            self.tell_cancelled()
            raise
        self.tell_succeeded(answer)
        return answer

    def tell_started(self) -> None:
        """Tells that it began, and which parts of its target name nothing."""
        if self.bus.wants(RequestStarted):
            self.bus.emit(
                RequestStarted(
                    live=self,
                    target=self.target,
                    models=self.models,
                    mode=self.mode,
                    owner=self.owner,
                    prompt=(self.texts or self.messages) if self.recorded else None,
                )
            )
        for part in self.unresolved:
            if self.bus.wants(ModelSkipped):
                self.bus.emit(ModelSkipped(live=self, model=part, why="unresolved"))

    def tell_succeeded(self, reply: Reply | Embeddings) -> None:
        """Tells that it has its answer. Vectors are not told: they are many, and nobody reads them."""
        if self.bus.wants(RequestSucceeded):
            self.bus.emit(
                RequestSucceeded(
                    live=self,
                    model=reply.model,
                    attempts=reply.attempts,
                    fallback=reply.fallback,
                    elapsed_s=reply.elapsed_s,
                    first_token_s=self.first_token_s,
                    input_tokens=reply.usage.input_tokens,
                    output_tokens=reply.usage.output_tokens,
                    answer=reply.text if self.recorded and isinstance(reply, Reply) else None,
                )
            )

    def tell_failed(self, error: StandbyError) -> None:
        """Tells that it ended in an error."""
        if self.bus.wants(RequestFailed):
            self.bus.emit(
                RequestFailed(
                    live=self,
                    error=type(error).__name__,
                    message=str(error),
                    causes=tuple(map(cause_json, causes_of(error))),
                    elapsed_s=self.elapsed_s,
                    retry_after_s=getattr(error, "retry_after_s", None),
                )
            )

    def tell_cancelled(self) -> None:
        """Tells that the caller went away."""
        if self.bus.wants(RequestCancelled):
            self.bus.emit(RequestCancelled(live=self, elapsed_s=self.elapsed_s))


def causes_of(error: StandbyError) -> tuple[UpstreamError, ...]:
    """The upstream errors that led to an error of a request, in order."""
    match error:
        case ChainExhausted() | DeadlineExceeded() | StreamInterrupted():
            return error.causes
        case UpstreamError():
            return (error,)
        case AllBenched() | _:
            return ()


def cause_json(cause: UpstreamError) -> dict[str, Any]:
    """An upstream error as events and the command line show it."""
    return {
        "model": cause.model,
        "kind": cause.kind,
        "reason": cause.reason,
        "status": cause.status,
        "message": cause.message,
    }
