"""The loop: walks a request's models, asks the pure parts what to do, and does it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

from engine.attempt import Attempt, OutOfTime
from engine.bench import Block, Transition
from engine.decision import Decision, Situation, decide
from engine.errors import (
    AllBenched,
    ChainExhausted,
    DeadlineExceeded,
    Failure,
    NoUsableModel,
    UpstreamError,
    upstream_error,
)
from engine.events import ModelSkipped
from engine.providers.base import Answer
from engine.request import Request
from engine.resolve import split_model
from engine.roster import Roster, Unusable
from engine.sideline import Sentence, Sideline
from engine.trouble import Trouble, understand

T = TypeVar("T")

_AROUND_RETRY_AFTER = 1.1


class Walk:
    """One request's way through its models.

    Args:
        request: The request.
        roster: Who may play.
        sideline: The bench.
        rng: Where jitter comes from.
    """

    def __init__(self, request: Request, roster: Roster, sideline: Sideline, rng: random.Random) -> None:
        self.request = request
        self._roster = roster
        self._sideline = sideline
        self._rng = rng
        self._order = list(range(len(request.models)))
        self._at = 0
        self._number = 1
        self._despite_bench = False
        self._told_skipped: set[str] = set()

    async def run(self, act: Callable[[Attempt], Awaitable[T]]) -> T:
        """Walks on until an attempt brings what is wanted.

        Args:
            act: Makes one upstream call. It settles the attempt when it returns, or leaves that for
                later; whatever it raises settles it here.

        Raises:
            StandbyError: The request has come to its end without success.
        """
        while True:
            attempt = await self._next()
            try:
                return await act(attempt)
            except Exception as error:  # noqa: BLE001  (providers raise anything; classify sorts it out)
                trouble = self.understood(attempt, error)
            except BaseException:
                attempt.cancel("caller")
                raise
            # Outside the except block, so that what is raised from here on has no dangerous context.
            await self.failed(attempt, trouble)

    def understood(self, attempt: Attempt, error: Exception) -> Trouble | None:
        """What is to be kept of an attempt's exception; None if the deadline cut the attempt."""
        if isinstance(error, OutOfTime):
            return None
        return understand(error, attempt.seat.config.errors, self._roster.secrets())

    def succeeded(self, attempt: Attempt, answer: Answer) -> None:
        """An attempt has brought its answer whole."""
        if attempt.settle():
            attempt.tell_succeeded(answer.finish_reason, answer.usage)
            self._sideline.succeeded(attempt.tickets)

    async def failed(self, attempt: Attempt, trouble: Trouble | None) -> None:
        """An attempt has failed: benches, tells, waits; then the walk may go on.

        Raises:
            StandbyError: The request stops here.
        """
        decision, cause = self.judge(attempt, trouble)
        match decision.then:
            case "retry":
                self._number += 1
                await asyncio.sleep(decision.wait_s)
            case "next_model":
                self._pass_on()
            case "raise":
                raise cause
            case "out_of_time":
                self._out_of_time()
            case "next_key":
                pass

    def judge(
        self, attempt: Attempt, trouble: Trouble | None, *, delivered: bool = False
    ) -> tuple[Decision, UpstreamError]:
        """What follows from a failure; carries out the bench and tells of both.

        Args:
            attempt: What failed.
            trouble: How; None if the deadline cut it.
            delivered: True once content has reached the caller: the request then ends with the stream.

        Raises:
            DeadlineExceeded: The deadline cut the attempt, which is nobody's failure.
        """
        request = self.request
        if trouble is None:
            attempt.cancel("deadline")
            self._out_of_time()
        attempt.settle()
        failure, message, usage = trouble
        cause = upstream_error(attempt.model, failure, message)
        request.causes.append(cause)
        other = self._next_playable()
        decision = decide(
            failure,
            Situation(
                policy=request.policy,
                attempt=attempt.number,
                others=other is not None,
                other_keys=self._roster.has_other_key(attempt.model, attempt.key_name),
                remaining_s=request.remaining_s,
                backoff_s=request.policy.wait_after(attempt.number, self._rng),
                stretch=self._rng.uniform(1.0, _AROUND_RETRY_AFTER),
                may_retry=not delivered,
            ),
        )
        name, transitions = self._bench(attempt, failure, decision)
        attempt.tell_failed(
            failure,
            message,
            usage=usage,
            retry_in_s=decision.wait_s if decision.then == "retry" else None,
            bench=name if transitions else None,
            benched_for_s=decision.bench_s if transitions else None,
            next_model=other if decision.then == "next_model" and not delivered else None,
        )
        self._sideline.announce(transitions)
        return decision, cause

    def _bench(self, attempt: Attempt, failure: Failure, decision: Decision) -> tuple[str, list[Transition]]:
        if decision.bench is None:
            return "", []
        model, *keys = attempt.tickets
        ticket = {"key": keys[0], "key_model": keys[1], "model": model}[decision.bench] if keys else model
        after = 1 if decision.at_once else self.request.policy.bench_after
        dead = failure.kind == "auth_dead"
        return ticket.name, self._sideline.failed(
            ticket, Sentence(decision.bench_s, failure.reason, after, dead)
        )

    async def _next(self) -> Attempt:
        """Begins the next attempt on the first model that may play now."""
        while True:
            if self.request.remaining_s <= 0:
                self._out_of_time()
            if self._at >= len(self._order):
                if self.request.calls or self._despite_bench:
                    self._exhausted()
                await self._all_benched()
                continue
            model = self.request.models[self._order[self._at]]
            bar = self._bar(model)
            if bar is None:
                return self._begin(model)
            self._skip(model, bar)
            self._pass_on()

    def _begin(self, model: str) -> Attempt:
        roster, bench = self._roster, self._sideline.bench
        key = roster.take_key(model, despite_bench=self._despite_bench)
        names = [model]
        if key is not None:
            names += [key.name, f"{key.name}/{split_model(model)[1]}"]
        attempt = Attempt(
            self.request,
            roster.seat(model),
            position=self._order[self._at],
            number=self._number,
            key=key,
            tickets=tuple(bench.ticket(name) for name in names),
            limits=roster.special(model).limits(self.request.policy.timeouts),
        )
        attempt.tell_started()
        return attempt

    def _pass_on(self) -> None:
        self._at += 1
        self._number = 1

    def _bar(self, model: str) -> Block | Unusable | None:
        """What keeps a model from being asked now, None if nothing does."""
        self._sideline.expire()
        standing = self._roster.standing(model)
        if self._despite_bench and isinstance(standing, Block) and standing.may_be_tried:
            return None
        return standing

    def _next_playable(self) -> str | None:
        """The model after this one that could serve now."""
        later = (self.request.models[place] for place in self._order[self._at + 1 :])
        return next((model for model in later if self._bar(model) is None), None)

    def _skip(self, model: str, bar: Block | Unusable) -> None:
        if model in self._told_skipped:
            return
        self._told_skipped.add(model)
        bus = self.request.bus
        if bus.wants(ModelSkipped):
            why, until = (
                (bar.why, None) if isinstance(bar, Unusable) else ("benched", self._sideline.until(bar.stay))
            )
            bus.emit(ModelSkipped(**self.request.where(), model=model, why=why, until=until))

    def _blocks(self) -> list[tuple[int, Block]]:
        """The request's models that are on the bench now, with their places."""
        standings = ((place, self._roster.standing(model)) for place, model in enumerate(self.request.models))
        return [(place, block) for place, block in standings if isinstance(block, Block)]

    async def _all_benched(self) -> None:
        """No model of the request may play, and none was tried: the policy says what then."""
        request = self.request
        blocks = self._blocks()
        if not blocks:
            raise no_usable_model(request.target, self._roster, request.models)
        by_end = sorted(blocks, key=lambda each: each[1].end)
        match request.policy.when_all_benched:
            case "try" if any(block.may_be_tried for _, block in by_end):
                self._order = [place for place, block in by_end if block.may_be_tried]
                self._despite_bench = True
                self._at = 0
                return
            case "wait":
                left = self._sideline.remaining_s(by_end[0][1].stay)
                if left is not None and left < request.remaining_s:
                    await self._sideline.change(min(left, request.policy.max_wait))
                    self._at = 0
                    return
            case _:
                pass
        who = "; ".join(
            f"{request.models[place]} {describe(block, self._sideline)}" for place, block in blocks
        )
        raise AllBenched(
            f"every model of {request.target} is on the bench: {who}",
            models=[request.models[place] for place, _ in blocks],
            retry_after_s=self._first_back(),
        )

    def _first_back(self) -> float | None:
        """Seconds until the first benched model of the request is due back."""
        ends = [self._sideline.remaining_s(block.stay) for _, block in self._blocks()]
        return min((end for end in ends if end is not None), default=None)

    def _exhausted(self) -> NoReturn:
        told = {model: f"{model}: skipped" for model in self.request.models}
        for place, block in self._blocks():
            model = self.request.models[place]
            told[model] = f"{model}: {describe(block, self._sideline)}"
        told |= {cause.model: str(cause) for cause in self.request.causes}
        raise ChainExhausted(
            f"no model of {self.request.target} answered: " + "; ".join(told.values()),
            causes=self.request.causes,
            retry_after_s=self._first_back(),
        )

    def _out_of_time(self) -> NoReturn:
        request = self.request
        total = request.deadline - request.started
        causes = "; ".join(map(str, request.causes))
        raise DeadlineExceeded(
            f"no answer to {request.target} within its deadline of {total:g}s"
            + (f": {causes}" if causes else ""),
            causes=request.causes,
        )


def describe(block: Block, sideline: Sideline) -> str:
    """A block in words: `benched until 2026-01-01T12:00:00.000Z (rate_limited)`."""
    word = "held" if block.manual else "benched"
    until = sideline.until(block.stay)
    end = f"until {until}" if until else "without end"
    by = f" by {block.stay.by}" if block.stay.by else ""
    return f"{word}{by} {end} ({block.stay.reason})" if block.stay.reason else f"{word}{by} {end}"


def no_usable_model(target: str, roster: Roster, models: tuple[str, ...]) -> NoUsableModel:
    """The error for a target whose models nothing but a person can make usable."""
    standings = [(model, roster.standing(model)) for model in models]
    parts = [(model, bar.detail) for model, bar in standings if isinstance(bar, Unusable)]
    why = "; ".join(f"{model}: {detail}" for model, detail in parts)
    return NoUsableModel(f"no model of {target} can be used: {why}", parts=parts)
