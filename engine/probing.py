"""Probes: a tiny prompt that asks one model whether it answers, whatever the bench says of it."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from engine.errors import ChainExhausted, StandbyError
from engine.failover import Walk
from engine.intake import Intake
from engine.roster import Roster, Unusable
from engine.stay import Block, State
from engine.stream import Stream


class Probed(NamedTuple):
    """What a probe found.

    Attributes:
        model: The model.
        ok: True if it answered.
        elapsed_s: Seconds until its answer was whole, or until it failed.
        first_token_s: Seconds until its first token, None if there was none.
        error: Why it did not answer, None if it did.
        brought_back: True if its bench ended with this.
        state: live, due, on_trial, benched or held: what it is now.
    """

    model: str
    ok: bool
    elapsed_s: float
    first_token_s: float | None
    error: str | None
    brought_back: bool
    state: State


class Prober:
    """Probes models: when somebody asks, and when a bench ran out and its policy says `trial: probe`.

    Args:
        intake: Makes the request.
        roster: Who may play.
        by_itself: False to probe only when somebody asks.
    """

    def __init__(self, intake: Intake, roster: Roster, *, by_itself: bool = True) -> None:
        self._intake = intake
        self._roster = roster
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._by_itself = by_itself

    def begin(self, model: str) -> None:
        """Probes a model in the background, once at a time.

        Without a running loop it stays due, and also as long as none of its keys may be used: those that
        an operator holds are not for probes.
        """
        if not self._by_itself or model in self._under_way:
            return
        if self._roster.standing_of_keys(model) is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        task = loop.create_task(self._try_out(model), name=f"standby: probe of {model}")
        self._under_way[model] = task
        task.add_done_callback(lambda _: self._under_way.pop(model))

    async def aclose(self) -> None:
        """Ends the probes in the background; no other begins."""
        self._by_itself = False
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def probe(self, model: str) -> Probed:
        """Sends a model a prompt of a few tokens; the bench hears of it as of any other answer."""
        before = self._roster.standing(model)
        if isinstance(before, Unusable):
            return Probed(model, ok=False, elapsed_s=0.0, first_token_s=None, error=before.detail,
                          brought_back=False, state="live")  # fmt: skip
        return await self._ask(self._intake.probe(model, _policy(before)), before)

    async def _try_out(self, model: str) -> None:
        """Probes a model that is due, unless another engine does."""
        before = self._roster.standing(model)
        if isinstance(before, Unusable):
            return
        walk = self._intake.probe(model, _policy(before))
        if await walk.take_trial():
            has_ended = False
            try:
                await self._ask(walk, before)
                has_ended = True
            finally:
                walk.give_back(unasked=not has_ended)

    async def _ask(self, walk: Walk, before: Block | None) -> Probed:
        request = walk.request
        model = request.target
        error = None
        try:
            async with Stream(walk) as stream:
                async for _ in stream:
                    pass
        except StandbyError as failed:
            error = _cause(failed)
        after = self._roster.standing(model)
        return Probed(
            model,
            ok=error is None,
            elapsed_s=request.elapsed_s,
            first_token_s=request.first_token_s,
            error=error,
            brought_back=before is not None and after is None,
            state=after.state if isinstance(after, Block) else "live",
        )


def _policy(standing: Block | None) -> dict[str, Any]:
    """One attempt, and, should the bench go on, on the terms of whoever caused it."""
    changes: dict[str, Any] = {"attempts": 1, "mid_stream": "raise"}
    terms = standing.stay.terms if standing else None
    if terms is not None:
        changes |= {"cooldown": terms.cooldown_s, "cooldown_growth": terms.growth}
        changes |= {"max_cooldown": terms.longest_s, "trial": "probe" if terms.probe else "request"}
    return changes


def _cause(error: StandbyError) -> str:
    """The one thing that went wrong."""
    if isinstance(error, ChainExhausted) and error.causes:
        return str(error.causes[-1])
    return str(error)
