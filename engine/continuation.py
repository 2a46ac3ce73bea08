"""How a broken stream goes on: what the next model is sent, and how its words are joined. Pure."""

from __future__ import annotations

from itertools import takewhile
from typing import Final

from engine.messages import Message, Params
from engine.policy import MidStream
from engine.providers.base import Answer

_GO_ON: Final = (
    "The last message of this conversation is an answer of yours that was cut off. "
    "Go on from exactly where it stops: repeat nothing, and say nothing about the interruption."
)
_AT_THE_START: Final = frozenset({"system", "developer"})


def way_on(wanted: MidStream, kept: Answer, params: Params) -> MidStream:
    """How a stream goes on, for what has been delivered of it.

    Args:
        wanted: What the policy says.
        kept: What the caller has.
        params: What was asked of the answer.

    Returns:
        `restart` instead of `continue` for all but plain text: no model can be asked to go on in the
        middle of a tool call, nor of a JSON value.
    """
    if wanted == "continue" and (kept.tool_calls or not kept.text.strip() or params.response_format):
        return "restart"
    return wanted


def going_on(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    """A conversation that asks for the rest of an answer.

    The partial answer stands last, as the assistant's ("prefill"); models that would take it for a past
    turn are told in the system's message what it is. No blank may stand at its end: Anthropic's API
    refuses that.
    """
    first = messages[0]
    if first["role"] in _AT_THE_START and isinstance(first.get("content"), str):
        told: Message = {**first, "content": f"{first['content']}\n\n{_GO_ON}"}
        rest = messages[1:]
    else:
        told, rest = {"role": "system", "content": _GO_ON}, messages
    return (told, *rest, {"role": "assistant", "content": text.rstrip()})


def blanks_at_end(text: str) -> str:
    """The blanks that `going_on` left out; the model may begin with them, and the caller has them already."""
    return text[len(text.rstrip()) :]


def without_seam(text: str, seam: str) -> tuple[str, str]:
    """A piece of an answer that goes on, without the blanks that the caller has already.

    Args:
        text: The piece.
        seam: Those blanks.

    Returns:
        What is new of the piece, and those of the blanks that the next piece may begin with.
    """
    both = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, seam, strict=False)))
    return text[both:], seam[both:] if both == len(text) else ""


def joined(kept: Answer | None, answer: Answer) -> Answer:
    """What the caller has in all: what was kept of broken streams, and what followed."""
    if kept is None:
        return answer
    return answer._replace(
        text=kept.text + answer.text,
        tool_calls=kept.tool_calls + answer.tool_calls,
        reasoning=kept.reasoning + answer.reasoning,
    )
