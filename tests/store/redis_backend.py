"""Redis for the tests of the contract: a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.store.redis import RedisStore
from tests.store import redis_server
from tests.store.redis_stage import patient


@contextmanager
def factory() -> Iterator[Callable[[], RedisStore]]:
    """Gives stores that are fresh connections to one empty server. They are closed at the end."""
    made: list[RedisStore] = []
    with redis_server.running() as server:

        def make() -> RedisStore:
            made.append(patient(server.url))
            return made[-1]

        try:
            yield make
        finally:
            for store in made:
                store.close()
