"""One good answer, or one that breaks off, as a timeline of bytes. No I/O, no clock."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

from engine.providers.simulated_answer import Asked, Dialect, Reply
from engine.providers.simulated_prose import prose
from engine.providers.simulated_story import Turn

# A stream wakes up at most this often, whatever its speed: it runs in the process that paints the screen.
_WAKEUPS_PER_S = 30
_ALL = 1 << 16
_TOKENS_OF_A_CALL = 12

Ending = Literal["close", "cut", "stall"]
"""How a body ends: as it should, by a lost connection, or not at all."""


class Step(NamedTuple):
    """Bytes and when they come, in seconds after the call came in."""

    at_s: float
    data: bytes


class Script(NamedTuple):
    """One body.

    Attributes:
        content_type: Goes into the header of that name.
        steps: At least one; written as they are asked for, so a long answer costs no memory.
        ending: What comes after the last step.
    """

    content_type: str
    steps: Iterator[Step]
    ending: Ending


def write(dialect: Dialect, asked: Asked, turn: Turn, created: float) -> Script:
    """The body that answers a call.

    Args:
        dialect: The protocol to write in.
        asked: The call.
        turn: What happens to it; its way is None, `empty`, `cut` or `stall`.
        created: Seconds since 1970.
    """
    rng = random.Random(turn.seed)  # noqa: S311  (a story, not a secret)
    tokens, cut_off = turn.tokens, False
    if turn.way == "empty":
        tokens = 0
    elif asked.tool is not None:
        tokens = _TOKENS_OF_A_CALL
    elif asked.limit is not None and asked.limit < tokens:
        tokens, cut_off = asked.limit, True
    elapsed_s = turn.first_token_s + tokens * turn.token_s
    reply = Reply(f"{rng.getrandbits(96):024x}", asked, created, tokens, cut_off, elapsed_s)
    ending = ending_of(turn)
    words = islice(prose(rng, turn.tokens), tokens)
    if asked.stream:
        return Script(dialect.stream_type, _streamed(dialect, reply, turn, words, ending), ending)
    return Script("application/json", _plain(dialect, reply, turn, words, ending), ending)


def ending_of(turn: Turn) -> Ending:
    """How the body of an answer ends."""
    return "cut" if turn.way == "cut" else "stall" if turn.way == "stall" else "close"


def _plain(
    dialect: Dialect, reply: Reply, turn: Turn, words: Iterator[str], ending: Ending
) -> Iterator[Step]:
    body = dialect.whole(reply, "" if reply.tool is not None else "".join(words))
    yield whole(body, reply.elapsed_s, turn, ending)


def whole(body: bytes, elapsed_s: float, turn: Turn, ending: Ending) -> Step:
    """A plain body that comes at once: all of it, or what a break leaves."""
    if ending == "close":
        return Step(elapsed_s, body)
    return Step(elapsed_s * turn.broken_at, body[: max(1, int(len(body) * turn.broken_at))])


def _streamed(
    dialect: Dialect, reply: Reply, turn: Turn, words: Iterator[str], ending: Ending
) -> Iterator[Step]:
    said, at_s = 0, turn.first_token_s
    if ending != "close":
        words = islice(words, max(1, int(reply.output_tokens * turn.broken_at)))
    if reply.tool is not None:
        yield Step(at_s, dialect.opening(reply) + dialect.call(reply))
    else:
        # The first token comes alone and at once, the others in groups.
        first = b"".join(dialect.text(reply, word) for word in islice(words, 1))
        yield Step(at_s, dialect.opening(reply) + first)
        said, group = 1, math.ceil(1.0 / (turn.token_s * _WAKEUPS_PER_S)) if turn.token_s else _ALL
        while text := list(islice(words, group)):
            said += len(text)
            at_s = turn.first_token_s + (said - 1) * turn.token_s
            yield Step(at_s, dialect.text(reply, "".join(text)))
    if ending == "close":
        yield Step(at_s, dialect.closing(reply))
