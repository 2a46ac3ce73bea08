"""One error that a provider sends, where it is shown, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from engine.errors import Kind, Scope

Means = tuple[Kind, str, Scope]

RATE_LIMITED: Final[Means] = ("transient", "rate_limited", "key_model")
OVERLOADED: Final[Means] = ("transient", "overloaded", "model")
SERVER_ERROR: Final[Means] = ("transient", "server_error", "model")
TIMEOUT: Final[Means] = ("transient", "timeout", "model")
QUOTA: Final[Means] = ("auth_dead", "quota", "key")
INVALID_KEY: Final[Means] = ("auth_dead", "invalid_key", "key")
FORBIDDEN: Final[Means] = ("auth_dead", "forbidden", "key_model")
NO_MODEL: Final[Means] = ("auth_dead", "model_not_found", "model")
BAD_REQUEST: Final[Means] = ("request_specific", "bad_request", "nobody")
TOO_LARGE: Final[Means] = ("request_specific", "too_large", "nobody")
CONTEXT_LENGTH: Final[Means] = ("request_specific", "context_length", "nobody")
CONTENT_FILTER: Final[Means] = ("request_specific", "content_filter", "nobody")
UNSUPPORTED: Final[Means] = ("request_specific", "unsupported", "nobody")
UNKNOWN: Final[Means] = ("unknown", "unknown", "model")

GITHUB: Final = "https://github.com/"


class Case(NamedTuple):
    """One error as it stands on a public page; ids of accounts and requests are made up.

    Where a page tells status, code and words without the JSON around them, they stand here in the form
    that the provider's own page of errors gives; a header whose value no page shows has a value of ours.

    Attributes:
        page: Where it is shown.
        status: Of the answer; 200 for an error inside a success or inside a stream.
        body: Decoded JSON, or the text itself where it is none.
        means: Kind, reason and scope by the table of what a failure means.
        headers: Those that the page shows and that could matter.
        retry_after_s: What the provider asks to wait, in seconds.
    """

    page: str
    status: int
    body: Any
    means: Means
    headers: Mapping[str, str] = MappingProxyType({})
    retry_after_s: float | None = None
