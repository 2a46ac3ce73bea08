"""One storage of each kind for fleets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.backends import BACKENDS, MakeStore


@pytest.fixture(params=sorted(BACKENDS))
def make_store(request: pytest.FixtureRequest) -> Iterator[MakeStore]:
    """Each call makes one more way into the same storage; the engine opens it."""
    with BACKENDS[request.param]() as make:
        yield make
