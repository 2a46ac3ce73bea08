"""The virtual clock that other tests stand on. What becomes of time on it is the claim here."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator

import pytest

from tests.virtual_time import (
    LeftBehind,
    Stuck,
    Unnoticed,
    VirtualLoop,
    pass_time,
    run_virtual,
    settle,
    virtual,
)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_an_hour_of_sleep_takes_no_time_and_ends_on_the_dot() -> None:
    async def nap() -> float:
        assert now() == 0.0
        await pass_time(3600)
        return now()

    began = time.monotonic()
    assert run_virtual(nap()) == 3600.0
    assert time.monotonic() - began < 5.0


def test_timers_that_floats_cannot_add_up_are_still_met_exactly() -> None:
    async def steps() -> list[float]:
        met = []
        for _ in range(1000):
            due = now() + 0.1
            await pass_time(0.1)
            met.append(now() - due)
        return met

    assert set(run_virtual(steps())) == {0.0}


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    async def race() -> list[tuple[float, str]]:
        woken: list[tuple[float, str]] = []

        async def sleeper(name: str, seconds: float) -> None:
            await pass_time(seconds)
            woken.append((now(), name))

        async with asyncio.TaskGroup() as group:
            for name, seconds in (("c", 30.0), ("a", 0.001), ("b", 2.5)):
                group.create_task(sleeper(name, seconds))
        return woken

    assert run_virtual(race()) == [(0.001, "a"), (2.5, "b"), (30.0, "c")]


def test_time_stands_still_while_anything_can_run() -> None:
    async def busy() -> float:
        alarm = asyncio.get_running_loop().call_later(0.5, lambda: None)
        for _ in range(10_000):
            await asyncio.sleep(0)
        alarm.cancel()
        return now()

    assert run_virtual(busy()) == 0.0


def test_a_timeout_strikes_at_its_time_and_cancels_what_it_holds() -> None:
    async def limited() -> tuple[float, bool]:
        cancelled = False
        try:
            async with asyncio.timeout(7.5):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled = True
                    raise
        except TimeoutError:
            return now(), cancelled
        raise AssertionError("the timeout did not strike")

    assert run_virtual(limited()) == (7.5, True)


def test_a_cancelled_timer_does_not_hold_the_clock() -> None:
    async def main() -> float:
        asyncio.get_running_loop().call_later(5.0, lambda: None).cancel()
        await pass_time(9.0)
        return now()

    assert run_virtual(main()) == 9.0


def test_waits_longer_than_the_loops_own_limit_of_a_day_are_exact() -> None:
    async def nap() -> float:
        await pass_time(10 * 86_400.0 + 0.25)
        return now()

    assert run_virtual(nap(), limit_s=1e9) == 864_000.25


def test_waiting_for_what_never_comes_is_an_error_that_says_where() -> None:
    async def waits_in_vain() -> None:
        await pass_time(3)
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match=r"at 3 s nothing can run[\s\S]*waits_in_vain \(.*> wait \(locks\.py"):
        run_virtual(waits_in_vain())


def test_polling_for_what_never_comes_is_an_error() -> None:
    async def polls() -> None:
        for minute in itertools.count():
            await pass_time(60)
            assert minute < 100, "nothing stopped it"

    with pytest.raises(Stuck, match="more than 3600 virtual seconds"):
        run_virtual(polls(), limit_s=3600)


def test_running_on_the_spot_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def spins() -> None:
        for turn in itertools.count():
            await asyncio.sleep(0)
            assert turn < 2000, "nothing stopped it"

    monkeypatch.setattr("tests.virtual_time._MOST_TURNS_ON_THE_SPOT", 1000)
    with pytest.raises(Stuck, match="run on the spot"):
        run_virtual(spins())


def test_a_task_left_behind_is_an_error_that_names_it() -> None:
    async def forgets() -> None:
        asyncio.get_running_loop().create_task(pass_time(1), name="forgotten")

    with pytest.raises(LeftBehind, match="forgotten"):
        run_virtual(forgets())


def test_a_task_that_only_has_to_finish_being_cancelled_is_not_left_behind() -> None:
    async def cleans_up_late() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await pass_time(60)
        for _ in range(20):
            await asyncio.sleep(0)

    async def main() -> str:
        task = asyncio.create_task(cleans_up_late())
        await settle()
        task.cancel()
        return "done"

    assert run_virtual(main()) == "done"


def test_an_error_in_a_callback_does_not_go_unnoticed() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await pass_time(1)

    with pytest.raises(Unnoticed, match="ZeroDivisionError"):
        run_virtual(main())


def test_the_coroutines_own_error_comes_out_as_it_is() -> None:
    async def fails() -> None:
        asyncio.get_running_loop().create_task(pass_time(1))
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        run_virtual(fails())


def test_work_in_a_thread_is_waited_for_while_the_clock_stands() -> None:
    async def main() -> tuple[str, float]:
        alarm = asyncio.get_running_loop().call_later(1, lambda: None)
        result = await asyncio.to_thread(lambda: "from a thread")
        alarm.cancel()
        return result, now()

    assert run_virtual(main()) == ("from a thread", 0.0)


def test_a_socket_is_refused() -> None:
    async def main(one: socket.socket) -> None:
        await asyncio.get_running_loop().sock_recv(one, 1)

    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        with pytest.raises(RuntimeError, match="use a real loop"):
            run_virtual(main(one))


def test_settle_lets_everything_run_that_needs_no_time() -> None:
    async def main() -> list[int]:
        seen: list[int] = []

        async def relay(n: int) -> None:
            seen.append(n)
            if n < 50:
                await asyncio.create_task(relay(n + 1))

        task = asyncio.create_task(relay(0))
        await settle()
        assert task.done()
        return seen

    assert run_virtual(main()) == list(range(51))


def test_after_oversleeping_everything_that_was_due_runs_at_once() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.call_later(1, loop.oversleep, 600)
        await pass_time(2)
        return now()

    assert run_virtual(main()) == 601.0


def test_an_async_generator_left_early_is_closed() -> None:
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await pass_time(1)
        finally:
            closed.append(True)

    async def main() -> None:
        async for _ in numbers():
            break

    run_virtual(main())
    assert closed == [True]


@pytest.fixture
def half_an_hour() -> float:
    return 1800.0


@virtual
async def test_the_decorator_leaves_fixtures_alone(half_an_hour: float) -> None:
    await pass_time(half_an_hour)
    assert now() == 1800.0


def test_time_is_passed_on_a_virtual_loop_only() -> None:
    async def hour() -> float:
        await pass_time(3600)
        return asyncio.get_running_loop().time()

    assert run_virtual(hour()) == 3600.0
    with pytest.raises(AssertionError, match="wait for a condition"):
        asyncio.run(hour())
