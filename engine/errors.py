"""The errors a caller of the engine meets.

StandbyError
├── ConfigError            the configuration has faults; every one is listed
├── UnknownTarget          no part of the target names anything
├── NoUsableModel          the target is known, but nothing in it can be used
├── AllBenched             every model of the request is on the bench
├── ChainExhausted         every model was tried and failed
├── DeadlineExceeded       the request ran out of time
├── StreamInterrupted      a stream broke after content had reached the caller
└── UpstreamError          one failure of one model
    ├── TransientError         worth another try: overload, network, rate limit
    ├── AuthDeadError          key, quota or model are gone until somebody acts
    ├── RequestError           this request is at fault; another would do
    └── UnknownUpstreamError   anything the classifier does not know

Every message is built from safe fields: no URL with a query, no header, no key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

Kind = Literal["transient", "auth_dead", "request_specific", "unknown"]
"""What a failure means for the request and the model."""

Scope = Literal["key", "key_model", "model", "nobody"]
"""What a failure benches: a key everywhere, a key on one model, the model, or nobody."""


class Fault(NamedTuple):
    """One thing that is wrong with a configuration.

    Attributes:
        path: The file, or a word for where the configuration came from.
        line: 1-based line, 0 where there is none.
        column: 1-based column, 0 where there is none.
        where: The place in the configuration, as `providers.openai.kind`; may be empty.
        what: What is wrong and what to do about it. Never holds a secret.
    """

    path: str
    line: int
    column: int
    where: str
    what: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {self.where}: {self.what}" if self.where else f"{place}: {self.what}"


class Failure(NamedTuple):
    """What `classify` makes of an error.

    Attributes:
        kind: What it means.
        reason: A short word for it, as `rate_limited` or `http_418`.
        status: The HTTP status, 0 where there was none.
        scope: What it benches.
        retry_after_s: Seconds the provider asked to wait, None where it did not.
    """

    kind: Kind
    reason: str
    status: int = 0
    scope: Scope = "model"
    retry_after_s: float | None = None


def _rebuild(cls: type[StandbyError], message: str, state: dict[str, Any]) -> StandbyError:
    error = cls.__new__(cls, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class StandbyError(Exception):
    """The root of every error the engine raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Constructors differ; pickling goes by state, so that errors cross process pools.
        return _rebuild, (type(self), str(self), self.__dict__.copy())


class ConfigError(StandbyError):
    """The configuration has faults.

    Attributes:
        faults: All of them, in the order of the file.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class UnknownTarget(StandbyError):
    """No part of a target names a chain, an alias or a model of a known provider.

    Attributes:
        target: What was asked for.
        suggestions: Known names that look like it.
    """

    def __init__(self, message: str, *, target: str = "", suggestions: Sequence[str] = ()) -> None:
        self.target = target
        self.suggestions = tuple(suggestions)
        super().__init__(message)


class NoUsableModel(StandbyError):
    """The target is known, but none of its parts can be used.

    Attributes:
        parts: `(part, why)` for each part of the target.
        reasons: For each of them `no_key`, `unresolved` or `too_long`.
    """

    def __init__(
        self, message: str, *, parts: Sequence[tuple[str, str]] = (), reasons: Sequence[str] = ()
    ) -> None:
        self.parts = tuple(parts)
        self.reasons = tuple(reasons)
        super().__init__(message)


class AllBenched(StandbyError):
    """Every model of the request is on the bench.

    Attributes:
        models: The benched models, in the request's order.
        retry_after_s: Seconds until the first is due back, None if none has an end.
    """

    def __init__(
        self, message: str, *, models: Sequence[str] = (), retry_after_s: float | None = None
    ) -> None:
        self.models = tuple(models)
        self.retry_after_s = retry_after_s
        super().__init__(message)


class UpstreamError(StandbyError):
    """One failure of one model.

    Attributes:
        kind: What it means.
        reason: A short word for it.
        status: The HTTP status, 0 where there was none.
        retry_after_s: Seconds the provider asked to wait, None where it did not.
        model: The model, as `provider/model`.
        message: The provider's own words, redacted and cut at 500 characters.
        key: The key it was asked with, as `provider#name`; None if it takes none.
    """

    def __init__(self, model: str, failure: Failure, message: str, key: str | None = None) -> None:
        self.model = model
        self.failure = failure
        self.message = message
        self.key = key
        status = f" (HTTP {failure.status})" if failure.status else ""
        whose = f" with {key}" if key and failure.scope in ("key", "key_model") else ""
        words = " ".join(message.split())
        super().__init__(f"{model}: {failure.reason}{status}{whose}" + (f": {words}" if words else ""))

    @property
    def kind(self) -> Kind:
        """What the failure means."""
        return self.failure.kind

    @property
    def reason(self) -> str:
        """A short word for the failure."""
        return self.failure.reason

    @property
    def status(self) -> int:
        """The HTTP status, 0 where there was none."""
        return self.failure.status

    @property
    def retry_after_s(self) -> float | None:
        """Seconds the provider asked to wait."""
        return self.failure.retry_after_s


class TransientError(UpstreamError):
    """Worth another try: overload, network, rate limit."""


class AuthDeadError(UpstreamError):
    """The key, the quota or the model are gone until somebody acts."""


class RequestError(UpstreamError):
    """This request is at fault; the model is not."""


class UnknownUpstreamError(UpstreamError):
    """Anything the classifier does not know."""


_BY_KIND: dict[Kind, type[UpstreamError]] = {
    "transient": TransientError,
    "auth_dead": AuthDeadError,
    "request_specific": RequestError,
    "unknown": UnknownUpstreamError,
}


def upstream_error(model: str, failure: Failure, message: str, key: str | None = None) -> UpstreamError:
    """The error class that goes with a failure's kind, filled in."""
    return _BY_KIND[failure.kind](model, failure, message, key)


class _EndOfRequest(StandbyError):
    """What the ends of a request have in common: the errors that led there."""

    def __init__(
        self, message: str, *, causes: Sequence[UpstreamError] = (), retry_after_s: float | None = None
    ) -> None:
        self.causes = tuple(causes)
        self.retry_after_s = retry_after_s
        super().__init__(message)

    @property
    def kind(self) -> Kind:
        """The kind of the last failure, `unknown` where there was none."""
        return self.causes[-1].kind if self.causes else "unknown"

    @property
    def reason(self) -> str:
        """The reason of the last failure, empty where there was none."""
        return self.causes[-1].reason if self.causes else ""

    @property
    def status(self) -> int:
        """The status of the last failure, 0 where there was none."""
        return self.causes[-1].status if self.causes else 0


class ChainExhausted(_EndOfRequest):
    """Every model was tried, or skipped because it is on the bench.

    Attributes:
        causes: Every error on the way, in order.
        retry_after_s: Seconds until the first model is due back, None if none is benched with an end.
    """


class DeadlineExceeded(_EndOfRequest):
    """The request ran out of time. Nobody is benched for it.

    Attributes:
        causes: Every error on the way, in order.
    """


class StreamInterrupted(StandbyError):
    """A stream broke after content had reached the caller.

    Attributes:
        text: What had arrived.
        model: Who had sent the end of it.
        cause: Why it broke.
        causes: Every error on the way, in order; with those of models that were to go on from there.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str,
        model: str,
        cause: UpstreamError,
        causes: Sequence[UpstreamError] = (),
    ) -> None:
        self.text = text
        self.model = model
        self.cause = cause
        self.causes = tuple(causes) or (cause,)
        super().__init__(message)
