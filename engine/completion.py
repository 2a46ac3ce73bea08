"""One request for a whole answer while it lasts."""

from __future__ import annotations

from engine.attempt import Attempt
from engine.classify import judge
from engine.failover import Walk
from engine.messages import Reply


class Completion:
    """One request for a whole answer.

    Args:
        walk: The request's way through its models.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._request = walk.request

    async def run(self) -> Reply:
        """Asks until there is an answer.

        Raises:
            StandbyError: As `Engine.complete`.
        """
        return await self._request.told(self._walk.run(self._ask))

    async def _ask(self, attempt: Attempt) -> Reply:
        call = attempt.seat.adapter().complete(attempt.call())
        answer = await attempt.within(call)
        wrong = judge(answer)
        if wrong is not None:
            raise wrong
        self._walk.succeeded(attempt, answer)
        return self._request.reply(attempt.model, answer)
