"""One storage of each kind for the tests of the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.store.base import Store
from tests.store.backends import BACKENDS, MakeStore, connections


@pytest.fixture(params=sorted(BACKENDS))
def make_store(request: pytest.FixtureRequest) -> Iterator[MakeStore]:
    """Each call opens one more connection to the same storage."""
    with connections(request.param) as connect:
        yield connect


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()
