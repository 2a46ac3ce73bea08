"""What a person can do about an error."""

from __future__ import annotations

from collections.abc import Mapping
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
    "invalid_key": "The key was refused: see that the right one is set, `standby check` names it.",
    "forbidden": "The key may not do this: look at its rights with the provider.",
    "quota": "The account is out of quota or credit: top it up with the provider.",
    "model_not_found": "The provider does not know this model: look at its name in the configuration.",
    "connection": "Nobody answers there: see that base_url is right and that the server runs.",
    "protocol": "That is no answer of this protocol: see that kind and base_url belong together.",
    "rate_limited": "The provider asks for fewer requests: wait, or add another model to the chain.",
    "bad_request": "The provider refuses the request as it is: look at its words above.",
    "unsupported": "This provider's protocol can't express the request: leave the parameter out.",
    "too_large": "The request is too large for the model: shorten it.",
    "context_length": "The prompt does not fit into the model's context: shorten it.",
    "content_filter": "The model or a filter refused the content: ask differently.",
}
_BY_CLASS: Final[Mapping[type[StandbyError], str]] = {
    UnknownTarget: "`standby check` lists the chains; a model is written as provider/model.",
    NoUsableModel: "Set the keys that are missing, then try again; `standby check` names them.",
    DeadlineExceeded: "Give the request more time with a longer deadline.",
    StreamInterrupted: "What had arrived was kept; ask again for the whole answer.",
}


def advice(error: BaseException) -> str:
    """What to do about an error of the engine, in one line; empty if there is nothing to say."""
    match error:
        case AllBenched():
            return _due_back(error.retry_after_s) or "No bench has an end: unbench a model, or ask another."
        case ChainExhausted():
            return _for_chain(error)
        case UpstreamError():
            return _BY_REASON.get(error.reason, "")
    return next((text for kind, text in _BY_CLASS.items() if isinstance(error, kind)), "")


def _for_chain(error: ChainExhausted) -> str:
    # Several reasons at once: the message names them all, and no single advice fits.
    alike = len({cause.reason for cause in error.causes}) == 1
    texts = [_BY_REASON.get(error.reason, "")] if alike else []
    texts.append(_due_back(error.retry_after_s))
    return " ".join(filter(None, texts))


def _due_back(seconds: float | None) -> str:
    return "" if seconds is None else f"The first model is due back in {countdown(seconds)}."
