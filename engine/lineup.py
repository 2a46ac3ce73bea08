"""Who is asked next: a request's models in order, without those that may not play at that moment."""

from __future__ import annotations

import math
from typing import Final

from engine import endings
from engine.estimate import SLACK
from engine.events import ModelSkipped
from engine.request import Request
from engine.roster import Roster, Unusable
from engine.sideline import Sideline
from engine.stay import Block

_PROBE_BEGINS_WITHIN_S: Final = 1.0


class Lineup:
    """The models of one request, and how far it has come among them.

    Args:
        request: The request.
        roster: Who may play.
        sideline: The bench.

    Attributes:
        number: Which attempt on the present model the next one is, from 1.
        despite_bench: True once automatic benches are ignored, for every model is on the bench.
    """

    def __init__(self, request: Request, roster: Roster, sideline: Sideline) -> None:
        self._request = request
        self._roster = roster
        self._sideline = sideline
        self._order = list(range(len(request.models)))
        self._at = 0
        self._told_skipped: set[str] = set()
        self._misbuilt: dict[str, Unusable] = {}
        self.number = 1
        self.despite_bench = False

    async def place(self) -> int:
        """The place, from 0, of the first model from here on that may play now. Waits if the policy says so.

        Raises:
            StandbyError: There is none, or no time.
        """
        request = self._request
        while True:
            if request.remaining_s <= 0:
                raise endings.out_of_time(request)
            if self._at >= len(self._order):
                if request.calls or self.despite_bench:
                    raise endings.chain_exhausted(request, self._standings(), self._sideline)
                await self._all_benched()
                continue
            place = self._order[self._at]
            model = request.models[place]
            bar = self._bar(model) or self._built(model)
            if bar is None:
                return place
            self._skip(model, bar)
            self.pass_on()

    def pass_on(self) -> None:
        """Leaves a model for the one after it."""
        self._at += 1
        self.number = 1

    def next_playable(self) -> str | None:
        """The model after this one that could serve now."""
        later = (self._request.models[place] for place in self._order[self._at + 1 :])
        return next((model for model in later if self._bar(model) is None), None)

    def _bar(self, model: str) -> Block | Unusable | None:
        """What keeps a model from being asked by this request now, None if nothing does."""
        standing = self._standing(model)
        if not isinstance(standing, Block) or not self._may_pass(standing):
            return standing
        return None

    def _built(self, model: str) -> Unusable | None:
        """Builds a model's adapter, which is done for those that are asked only; what keeps it from that."""
        bar = self._roster.misbuilt(model)
        if bar is not None:
            self._misbuilt[model] = bar
        return bar

    def _may_pass(self, block: Block) -> bool:
        return self._request.probing or block.is_open or (self.despite_bench and block.may_be_tried)

    def _standing(self, model: str) -> Block | Unusable | None:
        self._sideline.expire()
        standing = self._misbuilt.get(model) or self._roster.standing(model)
        if isinstance(standing, Unusable):
            return standing
        room = self._roster.special(model).context_tokens
        if room is not None and self._request.tokens > room * SLACK:
            size = f"the request has about {self._request.tokens} tokens, the model takes {room}"
            return Unusable("too_long", size)
        return standing

    def _standings(self) -> endings.Standings:
        return [(model, self._standing(model)) for model in self._request.models]

    def _skip(self, model: str, bar: Block | Unusable) -> None:
        if isinstance(bar, Block) and bar.awaits_probe:
            self._sideline.begin_probes()  # none began if the bench ran out while no loop was running
        bus = self._request.bus
        if model in self._told_skipped or not bus.wants(ModelSkipped):
            return
        self._told_skipped.add(model)
        until = None
        if isinstance(bar, Unusable):
            why = bar.why
        elif bar.state in ("due", "on_trial"):
            why = bar.state
        else:
            why, until = "benched", self._sideline.until(bar.stay)
        bus.emit(ModelSkipped(**self._request.where(), model=model, why=why, until=until))

    async def _all_benched(self) -> None:
        """No model of the request may play, and none was tried: the policy says what then."""
        request = self._request
        standings = self._standings()
        if any(self._bar(model) is None for model, _ in standings):
            self._at = 0  # one came back while the others were asked about
            return
        blocks = [(place, bar) for place, (_, bar) in enumerate(standings) if isinstance(bar, Block)]
        if not blocks:
            unknown = [(part, Unusable("unresolved", endings.UNKNOWN)) for part in request.unresolved]
            raise endings.no_usable_model(request.target, [*standings, *unknown])
        match request.policy.when_all_benched:
            case "try" if any(block.may_be_tried for _, block in blocks):
                by_end = sorted(blocks, key=lambda each: each[1].stay.end)
                self._order = [place for place, block in by_end if block.may_be_tried]
                self.despite_bench = True
                self._at = 0
            case "wait" if (wait_s := self._first_change_s(blocks)) < request.remaining_s:
                await self._sideline.change(min(wait_s, request.policy.max_wait))
                self._at = 0
            case _:
                raise endings.all_benched(request, standings, self._sideline)

    def _first_change_s(self, blocks: list[tuple[int, Block]]) -> float:
        """Seconds until waiting could bring something; infinite if it could not, or must not be."""
        if not self._request.policy.max_wait:
            return math.inf
        now = self._request.clock()
        soon = now + _PROBE_BEGINS_WITHIN_S
        return min(soon if block.awaits_probe else max(now, block.ends) for _, block in blocks) - now
