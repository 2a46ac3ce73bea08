"""What becomes of each call to a simulated model: good or bad, when and how. No I/O.

The same seed tells the same story, in every process: what happens to the n-th call of a model depends on
the seed, the provider, the model and n, and on whether an incident is on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from engine.config.model import Incident, SimulatedModel

# Real first tokens come late, never early; without some spread the median and p95 would be one number.
_SPREAD = 0.25
# A refusal needs no model, so it comes sooner than an answer.
_REFUSAL_SHARE = 0.25
_TOKENS = (20, 80)


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens to one call.

    Attributes:
        way: A status, or one of `cut`, `stall`, `hang`, `reset`, `empty`, `garbage`; None for an answer.
        retry_after: Seconds a refusal asks the caller to wait.
        refused_after_s: Seconds until a refusal, a reset or garbage.
        first_token_s: Seconds until the first token.
        token_s: Seconds from one token to the next.
        tokens: Length of the answer.
        broken_at: Share of the answer that arrives before a `cut` or `stall`, in [0, 1).
        seed: Of everything else: words, ids.
    """

    way: int | str | None
    retry_after: float | None
    refused_after_s: float
    first_token_s: float
    token_s: float
    tokens: int
    broken_at: float
    seed: int


class Story:
    """One model's calls, one after another.

    Args:
        behaviour: How the model behaves.
        seed: The provider's seed.
        provider: Its name.
        model: The provider's own name for the model.
    """

    def __init__(self, behaviour: SimulatedModel, seed: int, provider: str, model: str) -> None:
        self._behaviour = behaviour
        # Seeded with text, because Python hashes that the same way in every process.
        self._rng = random.Random(f"{seed}/{provider}/{model}")  # noqa: S311  (a story, not a secret)

    def turn(self, elapsed_s: float) -> Turn:
        """What happens to the next call.

        Args:
            elapsed_s: Seconds since the provider began.
        """
        own, rng = self._behaviour, self._rng
        # Everything is drawn each time, needed or not: so an incident leaves the rest of the story alone.
        luck, choice, spread, length, broken_at = (rng.random() for _ in range(5))
        seed = rng.getrandbits(64)
        way, retry_after = self._trouble(elapsed_s, luck, choice)
        low, high = _TOKENS
        return Turn(
            way=way,
            retry_after=retry_after,
            refused_after_s=own.first_token * _REFUSAL_SHARE,
            first_token_s=own.first_token * (1.0 + _SPREAD * spread),
            token_s=1.0 / own.tokens_per_s if own.tokens_per_s > 0 else 0.0,
            tokens=own.tokens if own.tokens is not None else low + int(length * (high - low + 1)),
            broken_at=broken_at,
            seed=seed,
        )

    def _trouble(self, elapsed_s: float, luck: float, choice: float) -> tuple[int | str | None, float | None]:
        incident, fails = self._behaviour.incident, self._behaviour.fails
        if incident is not None and under_way(incident, elapsed_s):
            return incident.way, incident.retry_after
        if fails is not None and fails.ways and luck < fails.rate:
            return fails.ways[int(choice * len(fails.ways))], None
        return None, None


def under_way(incident: Incident, elapsed_s: float) -> bool:
    """True if the incident is on, this many seconds after the provider began."""
    into = elapsed_s - incident.after
    return into >= 0 and into % incident.every < incident.lasts
