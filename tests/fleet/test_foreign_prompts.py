"""A recorded prompt may hold a caller's own objects: they are no reason to lose the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine import Engine, MemoryStore
from tests.scripted import Scripted, chain_of


class Hostile(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("not now")


async def told(content: Any) -> list[str]:
    """Has a request recorded; the names of what is in the journal then, what is lost among them."""
    config = replace(chain_of(Scripted({"a": ["ok"]}), "a"), record_prompts=True)
    async with Engine(config, store=MemoryStore(), watch=False) as engine:
        await engine.complete("main", [{"role": "user", "content": content}])
        await engine.flush()
        assert engine.store.ok
        return [each.data["event"] for each in await engine.history()]


async def test_bytes_are_told_by_their_type() -> None:
    assert "request.started" in await told([{"type": "text", "text": "hi", "extra": b"\xff"}])


async def test_an_event_that_cannot_be_written_is_counted_and_the_others_are_there() -> None:
    events = await told([{"type": "text", "text": "hi", "extra": Hostile(a=1)}])
    assert events.count("feed.dropped") == 1
    assert "request.succeeded" in events
