"""One request for vectors while it lasts: its texts go out in batches, all to one model."""

from __future__ import annotations

import math

from engine.attempt import Attempt
from engine.failover import Walk
from engine.messages import Embeddings, Usage, Vector
from engine.providers.base import Answer, EmbedCall, Embedder, EmbedLimits, Signal, Vectors
from engine.resolve import split_model


class Embedding:
    """One request for vectors.

    Each batch of texts is an attempt of its own; a model that fails keeps what it has brought until
    the next one takes over, which begins anew: vectors of two models don't compare.

    Args:
        walk: The request's way through its models.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._request = walk.request
        self._model = ""
        self._vectors: list[Vector] = []
        self._usage = Usage()

    async def run(self) -> Embeddings:
        """Asks until there is a vector for each text.

        Raises:
            StandbyError: As `Engine.embed`.
        """
        return await self._request.told(self._all())

    async def _all(self) -> Embeddings:
        request = self._request
        while len(self._vectors) < len(request.texts):
            await self._walk.run(self._ask)
        return request.embeddings(self._model, tuple(self._vectors), self._usage)

    async def _ask(self, attempt: Attempt) -> None:
        """One batch."""
        if attempt.model != self._model:
            self._model, self._vectors, self._usage = attempt.model, [], Usage()
        adapter = attempt.seat.adapter()
        if not isinstance(adapter, Embedder):
            raise Signal("unsupported", "this provider's adapter has no method `embed`")
        limits = getattr(adapter, "embed_limits", EmbedLimits())
        request = self._request
        call = EmbedCall(
            split_model(attempt.model)[1],
            batch(request.texts, len(self._vectors), limits),
            request.dimensions,
            attempt.key,
            attempt.limits.connect,
        )
        brought = await attempt.within(adapter.embed(call))
        length = len(self._vectors[0]) if self._vectors else None
        wrong = judge_vectors(brought, call, length)
        if wrong is not None:
            raise wrong
        self._vectors += map(list, brought.vectors)
        self._usage = _sum(self._usage, brought.usage)
        self._walk.succeeded(attempt, Answer("", "stop", brought.usage))


def batch(texts: tuple[str, ...], start: int, limits: EmbedLimits) -> tuple[str, ...]:
    """The texts from a place on that one call may carry; at least one."""
    size, end = 0, start
    for text in texts[start : start + max(1, limits.texts)]:
        size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        if size > limits.size and end > start:
            break
        end += 1
    return texts[start:end]


def judge_vectors(brought: Vectors, call: EmbedCall, length: int | None) -> Signal | None:
    """What is wrong with vectors, None if nothing is.

    Args:
        brought: What a model gave.
        call: What it was asked for.
        length: How long its vectors for the texts before are; None if these are its first.

    Returns:
        `unsupported` where a model whose vectors have one length gives another length than asked for;
        `protocol` for all else that is not one finite vector, of the same length, for each text.
    """
    vectors, usage = brought
    if len(vectors) != len(call.texts):
        return Signal("protocol", f"{len(vectors)} vectors for {len(call.texts)} texts", usage=usage)
    lengths = {len(vector) for vector in vectors}
    if length is not None:
        lengths.add(length)
    if len(lengths) != 1 or 0 in lengths:
        told = ", ".join(map(str, sorted(lengths)[:4]))
        return Signal("protocol", f"vectors of differing or no length: {told}", usage=usage)
    (own,) = lengths
    if call.dimensions not in (None, own):
        return Signal(
            "unsupported", f"asked for vectors of length {call.dimensions}, it gave {own}", usage=usage
        )
    if not all(map(_is_finite, vectors)):
        return Signal("protocol", "a vector holds NaN or an infinity", usage=usage)
    return None


def _is_finite(vector: Vector) -> bool:
    # A sum is quick to make, and finite only if all numbers are; huge ones may overflow it all the same.
    return math.isfinite(sum(vector)) or all(map(math.isfinite, vector))


def _sum(one: Usage, other: Usage) -> Usage:
    """Tokens of both, as far as they are known."""
    sent, received = (
        None if all(count is None for count in counts) else sum(count or 0 for count in counts)
        for counts in zip(one, other, strict=True)
    )
    return Usage(sent, received)
