"""An event loop on a thread of its own, and how other threads have it do something for them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_CLOSED: Final = "the engine is closed"
_LOOK_UP_EVERY_S: Final = 0.5


def at_a_stretch() -> float | None:
    """How many seconds a thread may wait in one go; None for ever.

    Signals are the main thread's. One that comes just as it begins to wait, and on Windows any, is not
    noticed before that wait is over.
    """
    return _LOOK_UP_EVERY_S if threading.current_thread() is threading.main_thread() else None


def _until_there(outcome: Future[Any]) -> None:
    while not wait((outcome,), at_a_stretch()).done:
        pass


class Job(Generic[T]):
    """One coroutine in the loop's thread, and its outcome for another thread.

    As `asyncio.run_coroutine_threadsafe`, but the outcome of a cancelled job is there only once it has
    cleaned up: whoever waits for it knows that its connection is closed.

    Args:
        work: Called in the loop's thread, so that a job that is never begun leaves no coroutine behind.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.outcome: Future[T] = Future()
        self.task: asyncio.Task[T] | None = None
        self._work = work

    def begin(self, settled: Callable[[Job[T]], object]) -> None:
        """Starts it, in the loop's thread; `settled` is called before the outcome is there."""
        self.task = asyncio.get_running_loop().create_task(self._work())
        self.task.add_done_callback(lambda task: self._settle(task, settled))

    def cancel(self) -> None:
        """Cancels it, in the loop's thread."""
        if self.task is not None:
            self.task.cancel()

    def lapse(self) -> None:
        """There will be no outcome."""
        self.outcome.cancel()
        self.outcome.set_running_or_notify_cancel()  # `wait` does not see a cancelled one before

    def _settle(self, task: asyncio.Task[T], settled: Callable[[Job[T]], object]) -> None:
        settled(self)
        if task.cancelled():
            self.lapse()
        elif (error := task.exception()) is not None:
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(task.result())


class LoopThread:
    """Runs jobs on an event loop in a daemon thread.

    The thread starts with the first job, or with `start`, and ends with `close`.

    Args:
        around: Entered before the first job and left after the last, in the thread.
    """

    def __init__(self, around: AbstractAsyncContextManager[Any]) -> None:
        self._around = around
        self._lock = threading.RLock()  # a signal handler may close what its thread is just calling
        self._thread: threading.Thread | None = None
        self._pid: int | None = None
        self._begun: Future[asyncio.AbstractEventLoop] = Future()
        self._stop = asyncio.Event()
        self._jobs: set[Job[Any]] = set()
        self._closed = False
        self._failure: BaseException | None = None

    @property
    def is_current(self) -> bool:
        """True in the thread itself."""
        return threading.current_thread() is self._thread

    @property
    def is_lost(self) -> bool:
        """True in a process forked off after the thread had started: threads don't come along."""
        return self._pid is not None and self._pid != os.getpid()

    def check(self) -> None:
        """Raises RuntimeError where waiting for the thread would never end."""
        if self.is_lost:
            raise RuntimeError("this process was forked off a running engine; it needs an engine of its own")
        if self.is_current:
            raise RuntimeError(
                "an observer or a provider, in the engine's own thread, would wait for itself: "
                "let another thread ask"
            )

    def start(self) -> asyncio.AbstractEventLoop:
        """Starts the thread unless it runs, and waits until it does.

        Raises:
            RuntimeError: Here it can't be waited for, or it is closed.
        """
        self.check()
        with self._lock:
            if self._closed:
                raise RuntimeError(_CLOSED)
            if self._thread is None:
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._main, name="standby", daemon=True)
                self._thread.start()
        return self._begun.result()

    def submit(self, job: Job[Any]) -> None:
        """Has a job begun. Raises RuntimeError as `start` does."""
        loop = self.start()
        with self._lock:  # once it is closed, nothing comes behind the order to stop
            if self._closed:
                raise RuntimeError(_CLOSED)
            self._jobs.add(job)
            try:
                loop.call_soon_threadsafe(job.begin, self._jobs.discard)
            except RuntimeError:
                self._jobs.discard(job)
                raise RuntimeError(_CLOSED) from None

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs a coroutine and waits for it; what interrupts the wait (Ctrl-C) cancels it first."""
        job = Job(work)
        try:
            self.submit(job)
            return self.result(job)
        except BaseException:
            self.drop(job)
            raise

    def do(self, work: Callable[[], T]) -> T:
        """Calls a plain function in the thread; at once where that is this one."""
        if self.is_current:
            return work()

        async def act() -> T:
            return work()

        return self.run(act)

    def result(self, job: Job[T]) -> T:
        """Waits for a job's outcome. Raises what it raised, and RuntimeError if closing cut it short."""
        _until_there(job.outcome)
        try:
            return job.outcome.result()
        except CancelledError:
            if self._closed:
                raise RuntimeError(_CLOSED) from None
            raise

    def drop(self, job: Job[Any]) -> None:
        """Cancels a job that still runs, and waits until it has cleaned up."""
        if job not in self._jobs or self.is_lost:
            return
        if self.is_current:
            job.cancel()
            return
        self.tell(job.cancel)
        _until_there(job.outcome)

    def tell(self, what: Callable[[], object]) -> None:
        """Has something done soon in the thread; nothing if that has ended."""
        with suppress(RuntimeError):
            self._begun.result().call_soon_threadsafe(what)

    def close(self) -> None:
        """Cancels the jobs, ends the thread and waits for it. Closing twice does nothing.

        Raises:
            RuntimeError: Called in the thread itself.
            BaseException: What leaving `around` raised.
        """
        if self.is_lost:
            return
        self.check()
        with self._lock:
            first, self._closed = not self._closed, True
        if self._thread is None:
            return
        if first:
            self.tell(self._stop.set)
        while self._thread.is_alive():
            self._thread.join(at_a_stretch())
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _main(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001  (it goes to whoever waits)
            if self._begun.done():
                self._failure = error
            else:
                self._begun.set_exception(error)
        finally:
            with self._lock:
                self._closed = True
            for job in tuple(self._jobs):  # those the loop did not come to
                self._jobs.discard(job)
                job.lapse()

    async def _live(self) -> None:
        async with self._around:
            self._begun.set_result(asyncio.get_running_loop())
            await self._stop.wait()
            tasks = [job.task for job in self._jobs if job.task is not None]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
