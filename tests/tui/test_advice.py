"""What a person is told to do about an error."""

from __future__ import annotations

from typing import get_args

import pytest

from engine import (
    AllBenched,
    ChainExhausted,
    DeadlineExceeded,
    NoUsableModel,
    StreamInterrupted,
    UnknownTarget,
)
from engine.classify import classify
from engine.errors import Failure, Kind, UpstreamError, upstream_error
from engine.providers.base import Signal, What
from tui.advice import advice, for_reason

STATUSES = (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503, 529, 418)


def cause(reason: str, model: str = "p/a", key: str | None = None, kind: Kind = "transient") -> UpstreamError:
    return upstream_error(model, Failure(kind, reason), "words", key)


def exhausted(*causes: UpstreamError, retry_after_s: float | None = None) -> ChainExhausted:
    return ChainExhausted("x", causes=causes, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UnknownTarget("x"), "`standby check` lists what there is; a model is written as provider/model."),
        (NoUsableModel("x", reasons=["no_key", "no_key"]), "Set a key that is missing, then start again"),
        (NoUsableModel("x", reasons=["unresolved"]), "See to what can't be found or set up"),
        (DeadlineExceeded("x"), "A longer deadline: `--deadline 2m` for once"),
        (
            StreamInterrupted("x", text="so far", model="p/a", cause=cause("truncated")),
            "That is no whole answer: ask again for the whole answer.",
        ),
        (AllBenched("x"), "No bench has an end: unbench a model, or ask another."),
        (AllBenched("x", retry_after_s=90), "The first model is due back in 01:30."),
        (AllBenched("x", retry_after_s=90.0), "The first model is due back in 01:30."),
        (AllBenched("x", retry_after_s=0.0), "A model is due back now: ask again."),
        (cause("connection"), "see that base_url is right and that the server runs"),
        (cause("invalid_key", key="acme#main"), "The key acme#main is refused: check it or replace it."),
        (cause("invalid_key"), "The provider wants a key: name one under its `keys`."),
        (
            cause("quota", key="acme#main"),
            "Quota used up: top up the account of acme#main, or use another key.",
        ),
        (cause("invalid_key", kind="auth_dead"), "`on_auth_error: bench` would go on with the next model."),
        (
            cause("bad_request", kind="request_specific"),
            "look at its words above. `on_request_error: next` would ask the next model.",
        ),
        (
            cause("content_filter", kind="request_specific"),
            "ask differently. `on_content_filter: next` would ask the next model.",
        ),
        (exhausted(cause("quota"), cause("quota")), "Quota used up: top up the account with the provider."),
        (exhausted(cause("connection"), retry_after_s=5.0), "due back in 00:05"),
        (exhausted(cause("http_418")), "can be said in the provider's `errors:`"),
    ],
)
def test_an_error_comes_with_what_to_do(error: Exception, said: str) -> None:
    assert said in advice(error)


def test_several_reasons_at_once_name_whom_each_advice_is_for_first_what_no_waiting_settles() -> None:
    told = advice(
        exhausted(
            cause("overloaded", "p/a"), cause("connection", "p/b"), cause("invalid_key", "q/c", "q#main")
        )
    )
    assert told.startswith("p/b: Nobody answers there")
    assert "q/c: The key q#main is refused: check it or replace it." in told
    assert "overloaded" not in told


def test_models_that_failed_alike_share_one_advice() -> None:
    told = advice(exhausted(cause("overloaded", "p/a"), cause("overloaded", "p/b"), cause("empty", "p/c")))
    assert told.count("overloaded") == 1
    assert "p/a, p/b: The provider is overloaded" in told


def test_every_reason_there_is_has_its_advice() -> None:
    reasons = {classify(Signal("status", "", status=number)).reason for number in STATUSES}
    reasons |= {classify(Signal(what, "")).reason for what in get_args(What)}
    reasons |= {"context_length", "content_filter", "quota", "overloaded", "timeout"}
    assert len(reasons) > 15
    assert [reason for reason in sorted(reasons) if not for_reason(reason)] == []


def test_nothing_is_added_where_the_message_says_it_all() -> None:
    assert advice(NoUsableModel("x", reasons=["too_long"])) == ""


def test_what_is_no_error_of_the_engine_gets_no_advice() -> None:
    assert advice(KeyError("x")) == ""
