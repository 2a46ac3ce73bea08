"""A streamed answer for a thread without an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Self

from engine.loop_thread import Job, LoopThread, at_a_stretch
from engine.messages import Delta, Reply
from engine.stream import Stream

_AHEAD: Final = 32
"""Most deltas read before they are asked for: waking a thread for each would cost more than reading it."""


class BlockingStream:
    """A streamed answer. Enter it with `with`, iterate it, leave it whenever you like.

    Entering waits for the first token of the first model that answers; leaving closes the upstream
    connection at once. Iterating gives `Delta`s, of which up to 32 are read before they are asked for;
    once that has ended, `reply` is the whole answer. All else is as with `Stream`.

    Raises:
        ChainExhausted: On entering or iterating: no model answered.
        StreamInterrupted: While iterating: the stream broke after content had been delivered.
        StandbyError: The other ends a request may come to.
        RuntimeError: As from every call of a `BlockingEngine`.
    """

    def __init__(self, thread: LoopThread, stream: Stream) -> None:
        self._thread = thread
        self._stream = stream
        # One job from entering to leaving: what providers open and close belongs to one task.
        self._job = Job(self._read)
        self._ahead: SimpleQueue[Delta | None] = SimpleQueue()  # None says that it has begun, or ended
        self._job.outcome.add_done_callback(lambda _: self._ahead.put(None))
        self._room = asyncio.Event()
        self._is_full = False
        self._is_begun = False
        self._is_over = False
        self._text: list[str] = []
        self.reply: Reply | None = None

    @property
    def text(self) -> str:
        """What has been delivered so far."""
        return "".join(self._text)

    @property
    def model(self) -> str | None:
        """Who is answering, None before the first token."""
        return self._stream.model

    @property
    def attempts(self) -> int:
        """Upstream calls so far."""
        return self._stream.attempts

    @property
    def request(self) -> str:
        """The request's id, as its events carry it."""
        return self._stream.request

    def __enter__(self) -> Self:
        if self._job.task is not None:
            raise RuntimeError("a stream can be entered once")
        try:
            self._thread.submit(self._job)
            self._wait()
            if not self._is_begun:
                self._thread.result(self._job)
        except BaseException:
            self._thread.drop(self._job)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        self._thread.drop(self._job)

    def __iter__(self) -> Iterator[Delta]:
        return self

    def __next__(self) -> Delta:
        if self._is_over:
            raise StopIteration
        delta = self._next()
        if delta is None:
            self._ahead.put(None)  # for another thread that waits, too
            if not self._is_over:
                self._is_over = True
                self._thread.result(self._job)
                self.reply = self._stream.reply
            raise StopIteration
        if delta.restart:
            self._text.clear()
        if delta.text:
            self._text.append(delta.text)
        if self._is_full and self._ahead.qsize() <= _AHEAD // 2:
            self._is_full = False
            self._thread.tell(self._room.set)
        return delta

    def _next(self) -> Delta | None:
        if not self._is_begun:
            raise RuntimeError("iterate a stream inside `with`")
        with suppress(Empty):
            return self._ahead.get_nowait()
        if not self._job.outcome.done():
            self._thread.check()
        return self._wait()

    def _wait(self) -> Delta | None:
        while True:
            with suppress(Empty):
                return self._ahead.get(timeout=at_a_stretch())

    async def _read(self) -> None:
        """Runs in the engine's thread, from entering to the end or until it is cancelled."""
        async with self._stream as stream:
            self._is_begun = True
            self._ahead.put(None)
            async for delta in stream:
                self._ahead.put(delta)
                while self._ahead.qsize() >= _AHEAD:
                    self._room.clear()
                    self._is_full = True
                    if self._ahead.qsize() >= _AHEAD:  # else whoever reads may have missed the flag
                        await self._room.wait()
