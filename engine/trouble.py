"""What went wrong with an attempt, made safe to keep, to show and to pass on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from engine.classify import classify, said
from engine.errors import Failure, Kind, UpstreamError
from engine.messages import Usage, whole_text
from engine.private import without
from engine.providers.base import Signal
from engine.secret import Secret, redact


class Trouble(NamedTuple):
    """A failed attempt without the exception, whose words and locals may hold anything.

    Attributes:
        failure: What it means.
        message: The words, redacted and cut.
        usage: Tokens that were used up all the same.
    """

    failure: Failure
    message: str
    usage: Usage | None = None


def understand(
    error: Exception,
    overrides: Mapping[int | str, Kind],
    secrets: Iterable[Secret],
    private: Iterable[str] = (),
) -> Trouble:
    """What is to be kept of an exception.

    Args:
        error: What a provider raised.
        overrides: The provider's `errors:`.
        secrets: Keys to take out of its words.
        private: What was asked, to take out, too.
    """
    failure = classify(error, overrides)
    usage = error.usage if isinstance(error, Signal) else None
    own = isinstance(error, Signal | UpstreamError)
    # Of somebody else's exception the type says at least as much as the words.
    words = error.message if own else f"{type(error).__name__}: {said(error)}"  # type: ignore[attr-defined]  # own has it
    return Trouble(failure, redact(without(whole_text(words), private), secrets), usage)
