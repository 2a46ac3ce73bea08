"""What a caller may say with a request, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from engine.messages import Params
from engine.policy import Policy


class _Asking(TypedDict, total=False):
    """What every request may be told; none of it goes upstream."""

    only: bool
    owner: str | None
    policy: Policy | None
    timeout: float | None
    deadline: float | None


class Asking(_Asking, total=False):
    """The options of `Engine.complete` and `Engine.stream`; each may be left out.

    Attributes:
        system: A system prompt; goes before everything else.
        only: True to ask exactly the one model the target names.
        owner: Who asks: names resolve in this owner's layer first.
        policy: Instead of the chain's: `engine.policy.replace(attempts=1)`.
        timeout: Seconds for each attempt as a whole.
        deadline: Seconds for the whole request, every attempt and sleep included.
        max_tokens: Most tokens of the answer.
        temperature: Randomness, on the provider's own scale.
        top_p: Nucleus sampling, in (0, 1].
        stop: One text or several that end the answer.
        seed: Asks for the same answer again.
        tools: Tools in OpenAI's form.
        tool_choice: `auto`, `none`, `required`, or one tool in OpenAI's form.
        response_format: OpenAI's form of JSON output.
    """

    system: str | None
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    stop: str | Sequence[str] | None
    seed: int | None
    tools: Sequence[Mapping[str, Any]] | None
    tool_choice: str | Mapping[str, Any] | None
    response_format: Mapping[str, Any] | None


class EmbedAsking(_Asking, total=False):
    """The options of `Engine.embed`; each may be left out.

    Attributes:
        only: True to ask exactly the one model the target names.
        owner: Who asks: names resolve in this owner's layer first.
        policy: Instead of the chain's: `engine.policy.replace(attempts=1)`.
        timeout: Seconds for each attempt as a whole; an attempt is one call with a batch of texts.
        deadline: Seconds for the whole request, every attempt and sleep included.
        dimensions: How long each vector is to be, for models that offer a choice.
    """

    dimensions: int | None


_NOT_SENT = _Asking.__optional_keys__ | {"system"}  # a system prompt is sent as a message


def params_of(asking: Asking) -> Params:
    """The part of the options that goes upstream.

    Raises:
        TypeError: An option has no such name.
        ValueError: A value makes no sense for any provider.
    """
    _check(asking, Asking.__optional_keys__)
    given: dict[str, Any] = {
        name: value for name, value in asking.items() if name not in _NOT_SENT and value is not None
    }
    if "stop" in given:
        given["stop"] = (given["stop"],) if isinstance(given["stop"], str) else tuple(given["stop"])
    if "tools" in given:
        given["tools"] = tuple(given["tools"])
    return Params(**given)


def dimensions_of(asking: EmbedAsking) -> int | None:
    """The part of the options that goes upstream with texts to embed.

    Raises:
        TypeError: An option has no such name, or the wrong type.
        ValueError: A value makes no sense for any provider.
    """
    _check(asking, EmbedAsking.__optional_keys__)
    dimensions = asking.get("dimensions")
    if dimensions is not None and type(dimensions) is not int:
        raise TypeError(f"dimensions is {type(dimensions).__name__}, not a whole number")
    return dimensions


def _check(asking: Asking | EmbedAsking, known: frozenset[str]) -> None:
    unknown = set(asking) - known
    if unknown:
        raise TypeError(f"unknown option {min(unknown)!r}")
    for name in ("timeout", "deadline", "max_tokens", "dimensions"):
        value = asking.get(name)
        if value is None:
            continue
        if not isinstance(value, int | float):
            raise TypeError(f"{name} is {type(value).__name__}, not a number")
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be more than 0")
