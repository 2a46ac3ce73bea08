"""The engine for programs without asyncio, over real sockets."""

from __future__ import annotations

import asyncio
import inspect
import signal
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import (
    BlockingEngine,
    ChainExhausted,
    Config,
    Engine,
    Event,
    Policy,
    Stream,
    StreamInterrupted,
    UnknownTarget,
    load_config,
)
from engine.blocking_stream import BlockingStream
from engine.providers.base import Call
from tests.over_sockets import QUICK, config_for
from tests.scripted import Heard, Scripted, chain_of
from tests.upstream import Exchange, Upstream, steps

LONG_S = 30.0
WORDS = " ".join(f"word{number}" for number in range(500))


@asynccontextmanager
async def blocking_over(
    *models: str, policy: Policy = QUICK
) -> AsyncIterator[tuple[BlockingEngine, Upstream]]:
    """A blocking engine, for threads of the test, and its upstream, in the test's own loop."""
    async with asyncio.timeout(60), Upstream() as up:
        engine = BlockingEngine(config_for(up, "openai", *(models or ("a", "b")), policy=policy))
        try:
            yield engine, up
        finally:
            await asyncio.to_thread(engine.close)
        await up.quiet()


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "standby"]


async def _echo(exchange: Exchange) -> None:
    await steps.ok(exchange.request.body["messages"][-1]["content"])(exchange)


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_it_has_whatever_the_engine_has_and_a_stream_what_a_stream_has() -> None:
    assert _public(Engine) - {"aclose"} <= _public(BlockingEngine) - {"close"}
    assert _public(Stream) <= _public(BlockingStream) | {"reply"}


@pytest.mark.parametrize("name", sorted(_public(Engine) & _public(BlockingEngine)))
def test_its_calls_take_what_the_engines_take(name: str) -> None:
    ours, theirs = getattr(BlockingEngine, name), getattr(Engine, name)
    if callable(theirs):
        assert inspect.signature(ours).parameters == inspect.signature(theirs).parameters


async def test_a_call_brings_its_answer_and_fails_over() -> None:
    async with blocking_over() as (engine, up):
        up.script("a", steps.status(500))
        reply = await asyncio.to_thread(engine.complete, "main", "hi", max_tokens=5)
        assert (reply.text, reply.model, reply.attempts, reply.fallback) == ("Hello there", "p/b", 3, True)
        assert up.requests[-1].body["max_tokens"] == 5


async def test_a_probe_says_whether_a_model_answers() -> None:
    async with blocking_over() as (engine, up):
        up.script("a", steps.status(500))
        results = [await asyncio.to_thread(engine.probe, model) for model in ("p/a", "p/b")]
        assert [(probed.model, probed.ok) for probed in results] == [("p/a", False), ("p/b", True)]
        assert await asyncio.to_thread(engine.keys) == []


async def test_texts_become_vectors() -> None:
    async with blocking_over() as (engine, _):
        vectors = await asyncio.to_thread(engine.embed, "main", ["one", "two"])
        assert (len(vectors), vectors.model) == (2, "p/a")


async def test_a_stream_is_read_whole() -> None:
    async with blocking_over() as (engine, up):
        up.script("a", steps.status(500))
        up.script("b", steps.burst(WORDS))

        def read() -> None:
            with engine.stream("main", "hi") as stream:
                assert (stream.model, stream.attempts, stream.text) == ("p/b", 3, "")
                first = next(iter(stream))
                assert (first.text, stream.text, stream.reply) == ("word0", "word0", None)
                rest = "".join(delta.text for delta in stream)
                assert stream.text == first.text + rest == WORDS
                assert stream.reply is not None
                assert (stream.reply.text, stream.reply.request) == (WORDS, stream.request)
                assert list(stream) == []

        await asyncio.to_thread(read)


async def test_a_slow_reader_is_not_read_far_ahead_of_and_misses_nothing() -> None:
    async with blocking_over() as (engine, up):
        up.script("a", steps.burst(WORDS))

        def read() -> None:
            with engine.stream("main", "hi") as stream:
                deltas = iter(stream)
                next(deltas)
                for _ in range(3):  # each time round, the engine's thread has had its chance to read on
                    engine.status()
                assert stream._ahead.qsize() <= 32
                for _ in deltas:
                    engine.status()
                assert stream.text == WORDS

        await asyncio.to_thread(read)


async def test_leaving_a_stream_early_closes_its_connection_before_it_returns() -> None:
    heard = Heard()
    async with blocking_over() as (engine, up):
        up.script("a", steps.stall())

        def leave() -> None:
            with engine.stream("main", "hi") as stream:
                next(stream)
            assert (list(stream), stream.reply) == ([], None)

        await asyncio.to_thread(engine.observe, heard.append)
        await asyncio.to_thread(leave)
        assert heard.names()[-2:] == ["attempt.cancelled", "request.cancelled"]
        await up.requests[0].closed.wait()


async def test_a_stream_that_breaks_says_so_after_what_had_arrived() -> None:
    async with blocking_over() as (engine, up):
        up.script("a", steps.cut(after=1))

        def read() -> None:
            with engine.stream("main", "hi") as stream:
                assert next(stream).text == "Hello"
                with pytest.raises(StreamInterrupted) as caught:
                    next(stream)
                assert caught.value.text == stream.text == "Hello"
                assert stream.reply is None
                assert list(stream) == []

        await asyncio.to_thread(read)


async def test_a_stream_that_begins_again_has_the_text_since_then() -> None:
    async with blocking_over(policy=QUICK.replace(mid_stream="restart")) as (engine, up):
        up.script("a", steps.cut(after=1))
        up.script("b", steps.ok("Anew it is"))

        def read() -> None:
            with engine.stream("main", "hi") as stream:
                deltas = [(delta.restart, delta.text, stream.text) for delta in stream]
            assert deltas[:3] == [(False, "Hello", "Hello"), (True, "", ""), (False, "Anew", "Anew")]
            assert stream.text == "Anew it is"

        await asyncio.to_thread(read)


async def test_a_stream_that_nobody_answers_fails_on_entering() -> None:
    async with blocking_over() as (engine, up):
        up.script("a", steps.status(500))
        up.script("b", steps.status(500))

        def enter() -> None:
            stream = engine.stream("main", "hi")
            with pytest.raises(RuntimeError, match="inside `with`"):
                next(stream)
            with pytest.raises(ChainExhausted), stream:
                pass
            with pytest.raises(RuntimeError, match="once"), stream:
                pass

        await asyncio.to_thread(enter)


async def test_many_threads_ask_at_once_and_each_gets_its_own_answers() -> None:
    async with blocking_over() as (engine, up):
        up.script("a", _echo)

        def ask(thread: int) -> list[str]:
            answers = []
            for call in range(10):
                if call % 2:
                    with engine.stream("main", f"{thread} {call}") as stream:
                        answers.append("".join(delta.text for delta in stream))
                else:
                    answers.append(engine.complete("main", f"{thread} {call}").text)
            return answers

        with ThreadPoolExecutor(32) as pool:
            loop = asyncio.get_running_loop()
            said = await asyncio.gather(*(loop.run_in_executor(pool, ask, thread) for thread in range(32)))
        assert said == [[f"{thread} {call}" for call in range(10)] for thread in range(32)]
        assert len(_threads()) == 1


async def test_closing_ends_every_wait_with_an_error_and_closes_every_connection() -> None:
    async with blocking_over() as (engine, up):
        up.script("a", steps.hang())
        up.script("b", steps.stall())

        def stream() -> None:
            with engine.stream("p/b", "hi") as stream:
                for _ in stream:
                    pass

        def fails(call: Callable[[], object]) -> None:
            with pytest.raises(RuntimeError, match="the engine is closed"):
                call()

        with ThreadPoolExecutor(8) as pool:
            loop = asyncio.get_running_loop()
            calls = [lambda: engine.complete("p/a", "hi"), stream] * 4
            waiting = [loop.run_in_executor(pool, fails, call) for call in calls]
            await up.arrived(8)
            await asyncio.to_thread(engine.close)
            assert _threads() == []
            await asyncio.gather(*waiting)
        for request in up.requests:
            await request.closed.wait()


async def test_a_closed_engine_says_so_and_leaves_no_thread() -> None:
    async with blocking_over() as (engine, _):

        def use() -> None:
            with engine:
                assert engine.chains() == {"main": ("p/a", "p/b")}
                (thread,) = _threads()
                assert thread.daemon
                observation = engine.observe(print)
                stream = engine.stream("main", "hi")
            assert _threads() == []
            engine.close()
            observation.close()
            asked: list[Callable[[], Any]] = [
                lambda: engine.complete("main", "hi"),
                lambda: engine.stream("main", "hi"),
                lambda: engine.bench("p/a"),
                engine.status,
                engine.events,
                engine.reload,
                engine.__enter__,
                stream.__enter__,
            ]
            for call in asked:
                with pytest.raises(RuntimeError, match="the engine is closed"):
                    call()
            assert engine.config.chains.keys() == {"main"}

        await asyncio.to_thread(use)


def test_one_that_was_never_used_closes_without_a_thread() -> None:
    engine = BlockingEngine(Config(), name="mine")
    assert (engine.name, engine.policy) == ("mine", Policy())
    engine.close()
    assert _threads() == []


def test_an_adapter_that_fails_to_close_is_no_reason_for_close_to_fail() -> None:
    class Broken(Scripted):
        async def aclose(self) -> None:
            raise OSError("the disk is full")

    engine = BlockingEngine(chain_of(Broken({"a": ["fine"]}), "a"))
    assert engine.complete("main", "hi").text == "fine"
    engine.close()
    assert _threads() == []


def test_an_error_arrives_as_itself_with_where_it_came_from() -> None:
    with BlockingEngine(Config()) as engine:
        for call in (engine.complete, engine.stream):
            with pytest.raises(UnknownTarget) as caught:
                call("nowhere", "hi")
            files = [Path(frame.filename).name for frame in traceback.extract_tb(caught.value.__traceback__)]
            assert files[0] == "test_blocking.py"
            assert "resolve.py" in files


def test_a_program_that_stops_the_loop_leaves_nobody_waiting() -> None:
    def leave(_: Call) -> str:
        raise SystemExit(3)

    engine = BlockingEngine(chain_of(Scripted({"a": leave}), "a"))
    with pytest.raises(SystemExit):
        engine.complete("main", "hi")
    with pytest.raises(SystemExit):
        engine.close()
    with pytest.raises(RuntimeError, match="the engine is closed"):
        engine.status()


def test_an_observer_may_look_and_bench_but_not_ask() -> None:
    provider = Scripted({"a": ["fine"]})
    wrong: list[RuntimeError] = []
    with BlockingEngine(chain_of(provider, "a")) as engine:
        events = engine.events()

        def answer(event: Event) -> None:
            if event.event != "request.succeeded":
                return
            engine.bench("p/b", reason="seen")
            stream = engine.stream("main", "hi")
            calls: list[Callable[[], Any]] = [
                lambda: engine.complete("main", "hi"),
                stream.__enter__,
                engine.close,
                engine.reload,
                lambda: list(events),
            ]
            for call in calls:
                try:
                    call()
                except RuntimeError as error:
                    wrong.append(error)
            observation.close()

        observation = engine.observe(answer)
        for _ in range(2):
            assert engine.complete("main", "hi").text == "fine"
        (out,) = engine.benched()
        assert (out.reason, engine.is_benched("p/b"), engine.unbench("p/b")) == ("seen", True, True)
        assert len(wrong) == 5
        assert all("the engine's own thread" in str(error) for error in wrong)
        events.close()


def test_events_come_in_order_and_end_with_the_engine() -> None:
    with BlockingEngine(chain_of(Scripted({"a": ["fine"]}), "a")) as engine:
        events, left = engine.events(), engine.events()
        first_two = ThreadPoolExecutor(1)
        reading = first_two.submit(lambda: [next(events).event, next(events).event])
        engine.complete("main", "hi")
        assert reading.result(LONG_S) == ["request.started", "attempt.started"]
        first_two.shutdown()
        left.close()
        engine.complete("main", "hi")
        names = ["request.started", "attempt.started", "attempt.succeeded", "request.succeeded"]
        assert [event.event for event in left] == names
    assert [event.event for event in events] == names[2:] + names


def test_a_reader_that_waits_for_events_is_let_go_when_the_engine_closes() -> None:
    with BlockingEngine(Config()) as engine, ThreadPoolExecutor(1) as pool:
        reading = pool.submit(list, engine.events())
        engine.close()
        assert reading.result(LONG_S) == []


def test_whoever_reads_events_too_slowly_is_told_how_many_are_lost() -> None:
    with BlockingEngine(chain_of(Scripted({"a": ["fine"]}), "a")) as engine:
        events = engine.events(maxsize=1)
        engine.complete("main", "hi")
        lost, last = next(events).to_json(), next(events)
        assert (lost["event"], lost["count"], last.event) == ("feed.dropped", 3, "request.succeeded")


def test_events_that_nobody_holds_are_no_longer_listened_to() -> None:
    with BlockingEngine(chain_of(Scripted({"a": ["fine"]}), "a")) as engine:
        engine.events()
        engine.complete("main", "hi")
        assert not engine._engine._bus._observers


def test_a_changed_file_is_taken_over_on_demand(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    lines = "providers: {p: {kind: openai}}\nchains: {main: [p/a]}\n"
    file.write_text(lines)
    with BlockingEngine(load_config(file)) as engine:
        file.write_text(lines.replace("p/a", "p/a, p/b"))
        engine.reload()
        assert engine.chains() == {"main": ("p/a", "p/b")}
        assert [prospect.model for prospect in engine.explain("main")] == ["p/a", "p/b"]


_HEAD = """
import os, signal, sys, threading
from engine import BlockingEngine, Config, ProviderConfig
engine = BlockingEngine(Config(providers={"p": ProviderConfig("p", base_url=sys.argv[1])}))
"""


async def _program(up: Upstream, code: str, *, interrupt_after: int = 0) -> list[str]:
    """Runs a program with an engine; interrupts it after so many requests. What it prints, by line."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore::DeprecationWarning", "-c", _HEAD + code, up.openai),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        if interrupt_after:
            request = await up.arrived(interrupt_after)
            program.send_signal(signal.SIGINT)
            await request.closed.wait()
        out, wrong = await asyncio.wait_for(program.communicate(), LONG_S)
    finally:
        if program.returncode is None:
            program.kill()
    assert wrong.decode() == ""
    assert program.returncode == 0
    return out.decode().split("\n")[:-1]


@pytest.mark.parametrize(
    "waiting",
    [
        'engine.complete("p/hang", "hi")',
        'engine.stream("p/hang", "hi").__enter__()',
        'with engine.stream("p/stall", "hi") as stream: print(*(delta.text for delta in stream))',
    ],
)
async def test_an_interrupt_cancels_the_request_and_goes_on(waiting: str) -> None:
    code = f"""
engine.observe(lambda event: print(event.event, flush=True))
try:
    {waiting}
except KeyboardInterrupt:
    print("interrupted", engine.complete("p/a", "hi").text)
"""
    async with Upstream() as up:
        up.script("hang", steps.hang())
        up.script("stall", steps.stall())
        said = await _program(up, code, interrupt_after=1)
        again = said.index("request.cancelled") + 1
        assert said[again - 2] == "attempt.cancelled"
        assert said[-1] == "interrupted Hello there"
        assert said[again] == "request.started"


async def test_a_program_that_forgets_to_close_ends_all_the_same() -> None:
    code = """
begun = threading.Event()
engine.observe(lambda event: event.event == "attempt.first_token" and begun.set())
def ask(): engine.complete("p/hang", "hi")
def read():
    with engine.stream("p/stall", "hi") as stream:
        for delta in stream: pass
for work in (ask, read):
    threading.Thread(target=work, daemon=True).start()
print(engine.complete("p/a", "hi").text)
begun.wait()
"""
    async with Upstream() as up:
        up.script("hang", steps.hang())
        up.script("stall", steps.stall())
        assert await _program(up, code) == ["Hello there"]


async def test_a_process_forked_off_gets_an_error_and_the_first_one_goes_on() -> None:
    code = """
early = BlockingEngine(engine.config)
events = engine.events()
with engine, engine.stream("p/stall", "hi") as stream:
    next(stream)
    child = os.fork()
    if child == 0:
        for call in (engine.status, lambda: engine.complete("p/a", "hi"), lambda: next(stream)):
            try:
                call()
            except RuntimeError as error:
                print(error, flush=True)
        print(early.complete("p/a", "hi").text, flush=True)
        early.close()
    else:
        _, status = os.waitpid(child, 0)
        print(status, engine.complete("p/a", "hi").text)
"""
    async with Upstream() as up:
        up.script("stall", steps.stall())
        said = await _program(up, code)
    assert said[3:] == ["Hello there", "0 Hello there"]
    assert len(set(said[:3])) == 1
    assert "forked" in said[0]


async def test_a_signals_handler_may_close_while_its_thread_waits() -> None:
    code = """
signal.signal(signal.SIGINT, lambda *_: engine.close())
try:
    engine.complete("p/hang", "hi")
except RuntimeError as error:
    print(error)
"""
    async with Upstream() as up:
        up.script("hang", steps.hang())
        assert await _program(up, code, interrupt_after=1) == ["the engine is closed"]
