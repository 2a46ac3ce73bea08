"""Functions run in processes of their own, quickly begun, and never left behind.

They are forked off a process that has no threads and has imported what they need.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from tests.store.patience import PATIENCE_S

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.store.sqlite_work"])


class Child:
    """A process at work.

    Args:
        work: A function of a module, called with the child's end of a pipe and the arguments.
        arguments: What can be pickled.
    """

    def __init__(self, work: Callable[..., object], *arguments: object) -> None:
        self.pipe, there = _context.Pipe()
        self.process = _context.Process(target=_run, args=(work, there, arguments), daemon=True)
        self.process.start()
        there.close()

    def says(self) -> Any:
        """The next that it sends; AssertionError if that takes too long, EOFError at its end."""
        assert self.pipe.poll(PATIENCE_S), "the process hangs"
        return self.pipe.recv()

    def said(self) -> Iterator[Any]:
        """All that it sends until its end."""
        try:
            while True:
                yield self.says()
        except (EOFError, ConnectionResetError):
            return

    def result(self) -> Any:
        """What its function returned. Raises what that raised."""
        *_, (error, value) = self.said()
        if error is not None:
            raise error
        return value

    def kill(self) -> None:
        """Ends it at once, as `kill -9` does, and waits until it is gone."""
        self.process.kill()
        self.process.join(PATIENCE_S)
        assert self.process.exitcode is not None


@contextmanager
def children(number: int, work: Callable[..., object], *arguments: object) -> Iterator[list[Child]]:
    """Processes that do the same; none of them is left at the end."""
    begun: list[Child] = []
    try:
        for _ in range(number):
            begun.append(Child(work, *arguments))  # noqa: PERF401  (those begun must end if one fails)
        yield begun
    finally:
        for child in begun:
            child.kill()
            child.pipe.close()


def call(work: Callable[..., object], *arguments: object) -> Any:
    """Runs a function in a process of its own. Returns what it returns, raises what it raises."""
    with children(1, work, *arguments) as (child,):
        return child.result()


def together(
    number: int, work: Callable[..., object], *arguments: object, before: Callable[[], object] = lambda: None
) -> list[Any]:
    """Runs a function in several processes at once; they begin when all of them are there.

    Args:
        number: How many.
        work: What each does.
        arguments: For each of them.
        before: Called when they are there.
    """
    with children(number, work, *arguments) as all_of_them:
        for child in all_of_them:
            assert child.says() == "ready"
        before()
        for child in all_of_them:
            child.pipe.send("go")
        return [child.result() for child in all_of_them]


def wait_for_all(pipe: Connection) -> None:
    """In a process: waits until the others are there too."""
    pipe.send("ready")
    assert pipe.recv() == "go"


def _run(work: Callable[..., object], pipe: Connection, arguments: tuple[object, ...]) -> None:
    try:
        outcome: tuple[BaseException | None, object] = (None, work(pipe, *arguments))
    except Exception as error:  # noqa: BLE001  (it goes to whoever waits)
        outcome = (error, None)
    pipe.send(outcome)
