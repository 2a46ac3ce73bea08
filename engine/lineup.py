"""Who is asked next: a request's models in order, without those that may not play at that moment."""

from __future__ import annotations

from engine import endings
from engine.estimate import SLACK
from engine.events import ModelSkipped
from engine.request import Request
from engine.roster import Despite, Roster, Unusable, may_be_tried
from engine.sideline import Sideline
from engine.stay import Block


class Lineup:
    """The models of one request, and how far it has come among them.

    Args:
        request: The request.
        roster: Who may play.
        sideline: The bench.

    Attributes:
        number: Which attempt on the present model the next one is, from 1.
        used_keys: Keys that have failed in this attempt.
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
        self._has_asked = False
        self.number = 1
        self.used_keys: set[str] = set()
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
                if self._has_asked or self.despite_bench:
                    raise endings.chain_exhausted(request, self._standings(), self._sideline)
                await self._all_benched()
                continue
            place = self._order[self._at]
            model = request.models[place]
            bar = self._bar(model) or self._built(model)
            if bar is None:
                self._has_asked = True
                return place
            self._skip(model, bar)
            self.pass_on()

    def pass_on(self) -> None:
        """Leaves a model for the one after it."""
        self._at += 1
        self.again(1)

    def again(self, number: int) -> None:
        """The next attempt is made on the same model, with any of its keys.

        Args:
            number: Which attempt it will be, from 1.
        """
        self.number = number
        self.used_keys.clear()

    def answered(self) -> None:
        """The present model has answered; whatever else is asked for begins as a request does."""
        self.again(1)
        self._has_asked = False

    def next_playable(self) -> str | None:
        """The model after this one that could serve now."""
        later = (self._request.models[place] for place in self._order[self._at + 1 :])
        return next((model for model in later if self._bar(model) is None), None)

    def despite(self) -> Despite | None:
        """Which benches this request ignores; None for none."""
        if self._request.probing:
            return _any
        return may_be_tried if self.despite_bench else None

    def _bar(self, model: str) -> Block | Unusable | None:
        """What keeps a model from being asked by this request now, None if nothing does."""
        standing = self._standing(model)
        if not isinstance(standing, Block):
            return standing
        if standing.is_open:
            return None
        despite = self.despite()
        return standing if despite is None else self._roster.bar_despite(model, standing, despite)

    def _built(self, model: str) -> Unusable | None:
        """Builds a model's adapter, which is done for those that are asked only; what keeps it from that."""
        bar = self._roster.misbuilt(model)
        if bar is not None:
            self._misbuilt[model] = bar
        return bar

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
        bus.emit(ModelSkipped(live=self._request, model=model, why=why, until=until))

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
        wait_s = self._wait_s([block for _, block in blocks])
        match request.policy.when_all_benched:
            case "try" if playable := self._playable_despite(blocks):
                self._order = playable
                self.despite_bench = True
                self._at = 0
            case "wait" if wait_s is not None:
                await self._sideline.change(wait_s, self._barring(blocks))
                self._at = 0
            case _:
                raise endings.all_benched(request, standings, self._sideline)

    def _playable_despite(self, blocks: list[tuple[int, Block]]) -> list[int]:
        """The places of the models that could be asked if automatic benches are ignored, first back first."""
        models = self._request.models
        playable = self._roster.playable_despite((models[place], block) for place, block in blocks)
        return [models.index(model) for model in playable]

    def _barring(self, blocks: list[tuple[int, Block]]) -> frozenset[str]:
        """All names on the bench whose return could bring one of these models back."""
        models = [self._request.models[place] for place, _ in blocks]
        return frozenset(name for model in models for name in self._roster.bench_names(model))

    def _wait_s(self, blocks: list[Block]) -> float | None:
        """Seconds to wait for a change; None if none could come in time, or if nothing may be waited for."""
        left, longest = self._request.remaining_s, self._request.policy.max_wait
        if not longest:
            return None
        if any(block.state in ("due", "on_trial") for block in blocks):
            return min(left, longest)  # a trial may be over any moment
        first = min(block.ends for block in blocks) - self._request.clock()
        return min(first, longest) if first < left else None


def _any(_: Block) -> bool:
    return True
