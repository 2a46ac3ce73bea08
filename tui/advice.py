"""What a person can do about an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from engine import (
    AllBenched,
    ChainExhausted,
    DeadlineExceeded,
    NoUsableModel,
    StandbyError,
    StreamInterrupted,
    UnknownTarget,
    UpstreamError,
)
from tui.text import countdown

_BY_REASON: Final[Mapping[str, str]] = {
    "invalid_key": "The provider wants a key: name one under its `keys`.",
    "forbidden": "This is not allowed there: look at your rights with the provider.",
    "quota": "Quota used up: top up the account with the provider.",
    "model_not_found": "The provider does not know this model: look at its name in the configuration.",
    "connection": "Nobody answers there: see that base_url is right and that the server runs.",
    "protocol": "That is no answer of this protocol: see that kind and base_url belong together.",
    "bad_request": "The provider refuses the request as it is: look at its words above.",
    "unsupported": "This provider's protocol can't express the request: leave the parameter out.",
    "too_large": "The request is too large for the model: shorten it.",
    "context_length": "The prompt does not fit into the model's context: shorten it.",
    "content_filter": "The model or a filter refused the content: ask differently.",
    "rate_limited": "The provider asks for fewer requests: wait, or add another model to the chain.",
    "overloaded": "The provider is overloaded: wait, or add another model to the chain.",
    "server_error": "The provider is in trouble: look at its status page, or add another model to the chain.",
    "timeout": "It did not answer in time: wait, or give it longer `timeouts`.",
    "first_token_timeout": "It did not begin to answer in time: wait, or raise `timeouts: first_token`.",
    "idle_timeout": "It fell silent in the middle: wait, or raise `timeouts: idle`.",
    "empty": "It answered nothing: ask again or differently, or ask another model.",
    "truncated": "Its answer was cut off on the way: ask again; a proxy may limit how long answers take.",
}
_BY_REASON_OF_A_KEY: Final[Mapping[str, str]] = {
    "invalid_key": "The key {} is refused: check it or replace it.",
    "forbidden": "The key {} may not do this: look at its rights with the provider.",
    "quota": "Quota used up: top up the account of {}, or use another key.",
}
_UNKNOWN: Final = "Nothing is known of this failure: what it means can be said in the provider's `errors:`."
_SETTLED_BY_WAITING: Final = frozenset(
    {"rate_limited", "overloaded", "server_error", "timeout", "first_token_timeout", "idle_timeout"}
)
_MOST_ADVICE: Final = 2

_BY_CLASS: Final[Mapping[type[StandbyError], str]] = {
    UnknownTarget: "`standby check` lists what there is; a model is written as provider/model.",
    DeadlineExceeded: "A longer deadline: `--deadline 2m` for once, `deadline` in the configuration for all.",
    StreamInterrupted: "That is no whole answer: ask again for the whole answer.",
}
_UNUSABLE: Final[Mapping[str, str]] = {
    "no_key": "Set a key that is missing, then start again; `standby check` names them all.",
    "unresolved": "See to what can't be found or set up; `standby check` lists what there is.",
}


def advice(error: BaseException) -> str:
    """What to do about an error of the engine, in one line; empty if there is nothing to say."""
    match error:
        case AllBenched():
            return _due_back(error.retry_after_s) or "No bench has an end: unbench a model, or ask another."
        case ChainExhausted():
            return " ".join(filter(None, (_for_causes(error.causes), _due_back(error.retry_after_s))))
        case UpstreamError():
            return " ".join(filter(None, (for_reason(error.reason, error.key), _instead_of_stopping(error))))
        case NoUsableModel():
            return " ".join(text for reason, text in _UNUSABLE.items() if reason in error.reasons)
    return next((text for kind, text in _BY_CLASS.items() if isinstance(error, kind)), "")


def for_reason(reason: str, key: str | None = None) -> str:
    """What to do about an upstream failure.

    Args:
        reason: Its reason.
        key: The key it was asked with.
    """
    if key is not None and reason in _BY_REASON_OF_A_KEY:
        return _BY_REASON_OF_A_KEY[reason].format(key)
    return _BY_REASON.get(reason, _UNKNOWN if reason.startswith("http_") or reason == "unknown" else "")


def _for_causes(causes: Sequence[UpstreamError]) -> str:
    """What to do about several failures: at most two things, first what no waiting settles."""
    last = {(cause.model, cause.key): cause for cause in causes}.values()
    models: dict[str, dict[str, None]] = {}
    for cause in sorted(last, key=lambda cause: cause.reason in _SETTLED_BY_WAITING):
        models.setdefault(for_reason(cause.reason, cause.key), {})[cause.model] = None
    if len(models) == 1:
        return next(iter(models))
    some = list(models.items())[:_MOST_ADVICE]
    return " ".join(f"{', '.join(names)}: {text}" for text, names in some if text)


def _instead_of_stopping(error: UpstreamError) -> str:
    """What would have let the next model answer: such an error alone means that the policy stops at it."""
    if error.kind == "auth_dead":
        return "`on_auth_error: bench` would go on with the next model."
    if error.kind == "request_specific":
        filtered = error.reason == "content_filter"
        return f"`on_{'content_filter' if filtered else 'request_error'}: next` would ask the next model."
    return ""


def _due_back(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 1:
        return "A model is due back now: ask again."
    return f"The first model is due back in {countdown(seconds)}."
