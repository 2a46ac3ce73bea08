"""Programs with different configurations share one bench."""

from __future__ import annotations

from engine import Config, Engine, MemoryStore
from tests.fleet.stage import until
from tests.scripted import Scripted, chain_of


async def test_a_model_of_a_provider_unknown_here_is_as_benched_as_others_see_it() -> None:
    space = MemoryStore()
    async with (
        Engine(chain_of(Scripted({"a": ["ok"]}), "a"), store=space, watch=False) as one,
        Engine(Config(), store=space.another(), watch=False) as two,
    ):
        one.bench("p/a", for_=60.0, reason="cost", by="op")
        await until(two.benched)
        [status] = two.status()
        assert (status.model, status.state, status.by, status.manual) == ("p/a", "held", "op", True)
        assert status.unusable == "there is no provider 'p'"
