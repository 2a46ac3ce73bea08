"""What the commands that work at the shared bench and journal have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from engine import Config, Engine, StandbyError, StoreError, store_name
from tui.advice import advice
from tui.cli.config import configured
from tui.cli.interrupts import interrupts
from tui.cli.result import exit_code
from tui.exits import FAILED, SIGNALLED, Exit
from tui.output import Notes
from tui.store_news import News, StoreNews, unusable

T = TypeVar("T")

_ALONE: Final = (
    "with a memory store each process has a bench and a journal of its own: {what}\n"
    "name a shared one with --store, or in the configuration: store: auto"
)


def shared_config(path: str | None, store: str | None, otherwise: str) -> Config:
    """The configuration in force, if its store is one that other processes use.

    Args:
        path: What `--config` said.
        store: What `--store` said.
        otherwise: What is wrong with a memory store for this command.

    Raises:
        Exit: It has faults, or its store is memory.
    """
    config = configured(path, store=store)
    if store_name(config.store) == "memory":
        raise Exit(_ALONE.format(what=otherwise))
    return config


@asynccontextmanager
async def onlooker(config: Config, *, waits: bool = False) -> AsyncIterator[Engine]:
    """An engine at the shared store, which nobody sees among the others.

    Args:
        config: The configuration.
        waits: True for a command that waits for a store that is away.

    Raises:
        StoreError: The store can't be used.
    """
    engine = Engine(config, watch=False, visible=False)
    with engine.observe(store_news(engine, Notes(), notices_only=True)):
        async with engine:
            if not engine.store.ok and not waits:
                raise StoreError(unusable(engine.store.store, engine.store.why))
            yield engine


def store_news(engine: Engine, notes: Notes, *, notices_only: bool = False) -> StoreNews:
    """An observer that tells of the store on standard error.

    Args:
        engine: Whose store it is; not entered yet.
        notes: Standard error.
        notices_only: True where outages are told in another way.
    """

    def tell(news: News) -> None:
        notes.line(news.text, head="warning: " if news.bad else "note: ", bad=news.bad)

    return StoreNews(engine, tell, notices_only=notices_only)


async def written(engine: Engine) -> None:
    """Waits until what an operator did is in the store, where all see it.

    Raises:
        Exit: It did not get there in time.
    """
    try:
        await engine.flush()
    except StoreError as error:
        raise Exit(f"{error}\nwhether that was done is not sure: standby status tells", FAILED) from None


def to_its_end(work: Callable[[], Awaitable[T]]) -> T:
    """Runs a command's work; a signal cancels it.

    Raises:
        Exit: A signal came; nothing is known by a name; the store can't be used, or takes no change.
    """
    try:
        return asyncio.run(_interruptible(work))
    except StandbyError as error:
        raise Exit(f"{error}\n{advice(error)}".strip(), exit_code(error)) from None


async def _interruptible(work: Callable[[], Awaitable[T]]) -> T:
    with interrupts() as came:
        try:
            return await work()
        except asyncio.CancelledError:
            if came.number:
                raise Exit("interrupted", SIGNALLED + came.number) from None
            raise
