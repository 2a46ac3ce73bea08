"""The loop: walks a request's models, asks the pure parts what to do, and does it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from engine import endings
from engine.attempt import Attempt, OutOfTime
from engine.decision import Decision, Situation, decide
from engine.errors import Failure, UpstreamError, upstream_error
from engine.lineup import Lineup
from engine.providers.base import Answer
from engine.request import Request
from engine.resolve import split_model
from engine.roster import Roster
from engine.sideline import Sideline
from engine.stay import Benched, Sentence, Terms, Ticket, TrialTakenBy
from engine.trouble import Trouble, understand

T = TypeVar("T")

_AROUND_RETRY_AFTER: Final = 1.1
_LEASE_SLACK_S: Final = 10.0


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
        self._lineup = Lineup(request, roster, sideline)
        self._trial: Ticket | None = None

    async def run(self, act: Callable[[Attempt], Awaitable[T]]) -> T:
        """Walks on until an attempt brings what is wanted.

        Args:
            act: Makes one upstream call. It settles the attempt when it returns, or leaves that for
                later; whatever it raises settles it here.

        Raises:
            StandbyError: The request has come to its end without success.
        """
        await self._sideline.ready()
        while True:
            attempt = await self._next()
            try:
                try:
                    answer = await act(attempt)
                except Exception as error:  # noqa: BLE001  (providers raise anything; classify sorts it out)
                    trouble = self.understood(attempt, error)
                else:
                    await self._sideline.settled()
                    return answer
                # Outside the inner except block: what is raised from here on must have no dangerous context.
                await self.failed(attempt, trouble)
            except BaseException:
                self.cancelled(attempt, "caller")  # which does nothing if its outcome is settled
                raise

    async def take_trial(self) -> bool:
        """Takes the trial of the first model before anything is asked; False if somebody else has it."""
        await self._sideline.ready()
        model = self.request.models[0]
        if self._sideline.bench.may_take_trial(model, self._by):
            self._trial = await self._sideline.claim(model, self._by, self._lease_s(model))
        return self._trial is not None

    def give_back(self, *, unasked: bool) -> None:
        """Frees a trial that was taken and came to nothing; `unasked` if it was broken off."""
        if self._trial is not None:
            self._sideline.give_back(self._trial, unasked=unasked)

    async def settled(self) -> None:
        """Waits, not long, until what the bench makes of all this has been told."""
        await self._sideline.settled()

    # What became of an attempt

    def understood(self, attempt: Attempt, error: Exception) -> Trouble | None:
        """What is to be kept of an attempt's exception; None if the deadline cut the attempt."""
        if isinstance(error, OutOfTime):
            return None
        overrides, secrets = attempt.seat.config.errors, self._roster.secrets()
        return understand(error, overrides, secrets, self.request.private(attempt.messages))

    def succeeded(self, attempt: Attempt, answer: Answer) -> None:
        """An attempt has brought its answer whole. The walk, if it goes on, goes on with the same model."""
        if attempt.settle():
            attempt.tell_succeeded(answer.finish_reason, answer.usage)
            self._sideline.succeeded(attempt.tickets)
            self._lineup.answered()

    def passed_trial(self, attempt: Attempt) -> None:
        """A stream on trial has brought content: the model is live, whatever becomes of the rest."""
        trial, *keys = attempt.tickets
        heard = self._sideline.bench.ticket(attempt.model).generation == trial.generation
        self._sideline.succeeded([trial])
        # What comes now is a failure of a model in play, unless somebody else brought it back or benched it.
        now = self._sideline.bench.ticket(attempt.model) if heard else trial._replace(trial=0)
        attempt.tickets = (now, *keys)

    def grant(self, attempt: Attempt, more_s: float) -> None:
        """Gives an attempt more time, and its trial, if it is one."""
        attempt.end += more_s
        if attempt.on_trial:
            self._sideline.extend(attempt.tickets[0], more_s)

    def cancelled(self, attempt: Attempt, why: str) -> None:
        """An attempt was cut short by the `caller` or by the `deadline`: nobody's failure."""
        attempt.cancel(why)
        self._sideline.give_back(attempt.tickets[0], unasked=why == "caller")

    def next_playable(self) -> str | None:
        """The model after this one that could serve now."""
        return self._lineup.next_playable()

    def give_up(self) -> None:
        """Leaves the model whose stream broke for the one after it."""
        self._lineup.pass_on()

    async def failed(self, attempt: Attempt, trouble: Trouble | None) -> None:
        """An attempt has failed: benches, tells, waits; then the walk may go on.

        Raises:
            StandbyError: The request stops here.
        """
        decision, cause = self.judge(attempt, trouble)
        await self._sideline.settled()
        match decision.then:
            case "retry":
                self._lineup.again(attempt.number + 1)
                await asyncio.sleep(decision.wait_s)
            case "next_model":
                self._lineup.pass_on()
            case "raise":
                raise cause
            case "out_of_time":
                raise endings.out_of_time(self.request)
            case "next_key" | "from_the_start":
                pass

    def judge(
        self, attempt: Attempt, trouble: Trouble | None, *, delivered: bool = False
    ) -> tuple[Decision, UpstreamError]:
        """What follows from a failure; carries out the bench and tells of both.

        Args:
            attempt: What failed.
            trouble: How; None if the deadline cut it.
            delivered: True once content of it has reached the caller: the same model is not asked again.

        Raises:
            DeadlineExceeded: The deadline cut the attempt, which is nobody's failure.
        """
        request = self.request
        if trouble is None:
            self.cancelled(attempt, "deadline")
            raise endings.out_of_time(request)
        attempt.settle()
        failure, message, usage = trouble
        cause = upstream_error(attempt.model, failure, message, attempt.key_name)
        other = self._lineup.next_playable()
        decision = self._decide(attempt, failure, others=other is not None, delivered=delivered)
        if decision.then == "from_the_start":
            request.refused_to_go_on.add(attempt.model)  # which is no cause of anything the caller meets
        else:
            request.causes.append(cause)
        ends_here = delivered and request.policy.mid_stream == "raise"
        counted = None
        if decision.bench is not None:
            ticket = _benched_ticket(attempt, decision)
            counted = self._sideline.failed(ticket, self._sentence(failure, decision))
        transitions = counted[1] if counted else ()
        benched = next((each for each in transitions if isinstance(each, Benched)), None)
        with request.bus.together():
            attempt.tell_failed(
                failure,
                message,
                usage=usage,
                retry_in_s=decision.wait_s if decision.then in ("retry", "from_the_start") else None,
                bench=benched.name if benched else None,
                benched_for_s=benched.stay.length_s if benched else None,
                next_model=other if decision.then == "next_model" and not ends_here else None,
            )
            if counted:
                self._sideline.settle(*counted)
            self._sideline.give_back(attempt.tickets[0])
        return decision, cause

    def _decide(self, attempt: Attempt, failure: Failure, *, others: bool, delivered: bool) -> Decision:
        request = self.request
        if request.probing and not attempt.on_trial:
            return Decision("next_model")  # somebody wanted to know; the model's state is not at stake
        return decide(
            failure,
            Situation(
                policy=request.policy,
                attempt=attempt.number,
                others=others,
                other_keys=self._has_other_key(attempt),
                remaining_s=request.remaining_s,
                backoff_s=request.policy.wait_after(attempt.number, self._rng),
                stretch=self._rng.uniform(1.0, _AROUND_RETRY_AFTER),
                on_trial=attempt.on_trial,
                delivered=delivered,
                goes_on=attempt.goes_on,
            ),
        )

    def _has_other_key(self, attempt: Attempt) -> bool:
        if attempt.key is None:
            return False
        self._lineup.used_keys.add(attempt.key.name)
        return self._roster.has_other_key(attempt.seat, attempt.model, self._lineup.used_keys)

    def _sentence(self, failure: Failure, decision: Decision) -> Sentence:
        policy = self.request.policy
        return Sentence(
            failure.reason,
            Terms(
                policy.cooldown, policy.cooldown_growth, policy.max_cooldown, probe=policy.trial == "probe"
            ),
            exact_s=decision.exact_s,
            floor_s=failure.retry_after_s or 0.0,
            after=1 if decision.at_once else policy.bench_after,
            dead=failure.kind == "auth_dead" and failure.scope in ("key", "key_model"),
        )

    # The next attempt

    async def _next(self) -> Attempt:
        """Begins the next attempt, on the first model that may play now."""
        request, roster, bench = self.request, self._roster, self._sideline.bench
        first = None
        while first is None:
            place = await self._lineup.place()
            model = request.models[place]
            first = await self._ticket(model)
        limits = roster.special(model).limits(request.policy.timeouts)
        key = roster.take_key(model, self._lineup.used_keys, self._lineup.despite())
        names = [] if key is None else [key.name, f"{key.name}/{split_model(model)[1]}"]
        attempt = Attempt(
            request,
            roster.seat(model),
            position=place,
            number=self._lineup.number,
            key=key,
            tickets=(first, *(bench.ticket(name) for name in names)),
            limits=limits,
        )
        attempt.tell_started()
        return attempt

    async def _ticket(self, model: str) -> Ticket | None:
        """The bench's ticket for an attempt on a model: the trial, if it is due; None if another has that."""
        if self._trial is not None:
            ticket, self._trial = self._trial, None
            return ticket
        bench = self._sideline.bench
        if bench.may_take_trial(model, self._by):
            return await self._sideline.claim(model, self._by, self._lease_s(model))
        return bench.ticket(model)

    @property
    def _by(self) -> TrialTakenBy:
        return "probe" if self.request.probing else "request"

    def _lease_s(self, model: str) -> float:
        """Seconds after which a trial lapses that nobody settles."""
        limits = self._roster.special(model).limits(self.request.policy.timeouts)
        return (self.request.timeout or limits.attempt) + _LEASE_SLACK_S


def _benched_ticket(attempt: Attempt, decision: Decision) -> Ticket:
    """What a decision benches: without a key to blame, the model."""
    model, *keys = attempt.tickets
    return {"key": keys[0], "key_model": keys[1]}.get(decision.bench or "", model) if keys else model
