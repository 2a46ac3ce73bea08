"""An event loop whose time jumps: hours of sleeping in milliseconds, to the exact second.

    def test_a_nap_takes_an_hour() -> None:
        async def nap() -> float:
            await pass_time(3600)
            return asyncio.get_running_loop().time()

        assert run_virtual(nap()) == 3600.0

    @virtual
    async def test_a_nap_is_cut_short() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await pass_time(3600)

The loop's time starts at 0 and stands still while anything can run. When nothing can, it jumps to the
next timer. So a test's timeline is exact and the same on every machine, and what is under test needs
no other clock than `asyncio.get_running_loop().time`.

What would make a real test hang or pass unnoticed is an error here:

* `Stuck`: nothing can run and no timer is set; or time passes and passes (`limit_s`), or runs on the
  spot. The message says where each task waits.
* `LeftBehind`: the coroutine returned and tasks of its own are still alive.
* `Unnoticed`: a callback raised, or the loop was told of an error that nobody fetched.

Only for work in memory. A socket has no part in virtual time, so a registered one is an error. Work in
threads that the loop knows of (`asyncio.to_thread`, `run_in_executor`) is waited for in real time, and
the virtual clock stands still meanwhile.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

DAY_S = 86_400.0
_INSTANT_S = 1e-6
_MOST_TURNS_ON_THE_SPOT = 500_000
_LONGEST_THREAD_S = 30.0


class Stuck(Exception):
    """The test would never end."""


class LeftBehind(AssertionError):
    """The coroutine returned before tasks that it had started."""


class Unnoticed(AssertionError):
    """An error went to the loop instead of to whoever waits for it."""


def run_virtual(coro: Coroutine[Any, Any, T], *, limit_s: float = DAY_S) -> T:
    """Runs a coroutine to its end in virtual time, on a loop of its own.

    Args:
        coro: What to run.
        limit_s: Virtual seconds it may take.

    Returns:
        What the coroutine returns.

    Raises:
        Stuck: It would never end.
        LeftBehind: It left tasks behind.
        Unnoticed: An error reached nobody.
        BaseException: Whatever the coroutine raises.
    """
    unnoticed: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(limit_s), debug=False) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: unnoticed.append(context))
        result = runner.run(_alone(coro))
    for context in unnoticed:
        raise Unnoticed(f"{context['message']}: {context.get('exception')!r}") from context.get("exception")
    return result


def virtual(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Makes a plain test of an async one: its body runs in virtual time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_virtual(test(*args, **kwargs))

    return run


async def pass_time(seconds: float) -> None:
    """Moves the virtual clock on; whatever falls due meanwhile runs.

    Args:
        seconds: How far, in virtual seconds.

    Raises:
        AssertionError: The loop is a real one, where a test has a condition to wait for.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "a real clock moves by itself: wait for a condition instead"
    await asyncio.sleep(seconds)


async def settle() -> None:
    """Returns when everything that can run without time passing has run; takes a microsecond."""
    await pass_time(_INSTANT_S)


async def _alone(coro: Coroutine[Any, Any, T]) -> T:
    result = await coro
    await settle()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        raise LeftBehind(f"still alive:\n{_whereabouts(left)}")
    return result


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop behind `run_virtual`, for those who need a loop in their hands.

    Args:
        limit_s: The virtual time, in seconds, at which it gives up.
    """

    def __init__(self, limit_s: float = DAY_S) -> None:
        self._now = 0.0
        self._limit = limit_s
        self._alarms: list[float] = []
        self._turns_on_the_spot = 0
        self._jobs_in_threads = 0
        super().__init__(_JumpingSelector(self._wait_for_threads, self._jump))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def oversleep(self, seconds: float) -> None:
        """As if the machine had been suspended: time has gone by, and nothing ran meanwhile."""
        self._now += seconds

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As usual; besides, the exact time is kept, for a jump made of differences would miss it."""
        heapq.heappush(self._alarms, when)
        return super().call_at(when, callback, *args, context=context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As usual, and time stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._jobs_in_threads += 1
        future.add_done_callback(self._job_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - asyncio's signature; a timeout in virtual time would strike at once
        """As usual, without limit."""
        self._jobs_in_threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._jobs_in_threads -= 1

    def _job_done(self, _: asyncio.Future[Any]) -> None:
        self._jobs_in_threads -= 1

    def _wait_for_threads(self) -> float:
        """How long a wait that has nothing else to wait for may really take, in seconds."""
        return _LONGEST_THREAD_S if self._jobs_in_threads else 0.0

    def _jump(self, timeout: float | None) -> None:
        """The loop has nothing to do for `timeout` seconds (None: ever): time moves to the next timer."""
        if timeout == 0:
            self._turns_on_the_spot += not self._jobs_in_threads
            if self._turns_on_the_spot > _MOST_TURNS_ON_THE_SPOT:
                raise Stuck(f"tasks run on the spot, time stays at {self._now:g} s:\n{self._tasks()}")
            return
        if self._jobs_in_threads:
            raise Stuck(f"a job in a thread took more than {_LONGEST_THREAD_S:g} real seconds")
        self._turns_on_the_spot = 0
        if timeout is None:
            raise Stuck(f"at {self._now:g} s nothing can run and no timer is set:\n{self._tasks()}")
        self._now = max(self._now, self._alarm_near(self._now + timeout))
        if self._now > self._limit:
            raise Stuck(f"more than {self._limit:g} virtual seconds went by:\n{self._tasks()}")

    def _alarm_near(self, moment: float) -> float:
        while self._alarms and self._alarms[0] < moment - 1e-9:
            heapq.heappop(self._alarms)
        if self._alarms and self._alarms[0] <= moment + 1e-9:
            return heapq.heappop(self._alarms)
        return moment

    def _tasks(self) -> str:
        return _whereabouts(asyncio.all_tasks(self))


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for threads in real time, for nothing else."""

    def __init__(self, patience: Callable[[], float], jump: Callable[[float | None], None]) -> None:
        super().__init__()
        self._patience = patience
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # One entry is the loop's own pipe, by which threads and signals wake it.
        if len(self.get_map()) > 1:
            raise RuntimeError("a socket or pipe is being waited for: use a real loop for this test")
        patience = 0.0 if timeout == 0 else self._patience()
        give_up = time.monotonic() + patience
        events = super().select(patience)
        while not events and time.monotonic() < give_up:
            events = super().select(give_up - time.monotonic())
        if not events:
            self._jump(timeout)
        return events


def _whereabouts(tasks: set[asyncio.Task[Any]]) -> str:
    lines = sorted(f"  {task.get_name()}: {_path(task)}" for task in tasks)
    return "\n".join(lines) or "  no task is alive"


def _path(task: asyncio.Task[Any]) -> str:
    """What the task waits in, from the outermost call to the innermost."""
    calls = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            file = Path(frame.f_code.co_filename).name
            calls.append(f"{frame.f_code.co_name} ({file}:{frame.f_lineno})")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return " > ".join(calls) or repr(task)
