"""What a person is told to do about an error."""

from __future__ import annotations

import pytest

from engine import AllBenched, ChainExhausted, DeadlineExceeded, NoUsableModel, UnknownTarget
from engine.errors import Failure, UpstreamError, upstream_error
from tui.advice import advice


def cause(reason: str) -> UpstreamError:
    return upstream_error("p/a", Failure("transient", reason), "words")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UnknownTarget("x"), "standby check"),
        (NoUsableModel("x"), "Set the keys"),
        (DeadlineExceeded("x"), "longer deadline"),
        (AllBenched("x"), "No bench has an end"),
        (AllBenched("x", retry_after_s=90), "due back in 01:30"),
        (AllBenched("x", retry_after_s=90.0), "due back in 01:30"),
        (cause("connection"), "base_url"),
        (ChainExhausted("x", causes=[cause("quota"), cause("quota")]), "out of quota"),
        (ChainExhausted("x", causes=[cause("connection")], retry_after_s=5.0), "due back in 00:05"),
    ],
)
def test_an_error_comes_with_what_to_do(error: Exception, said: str) -> None:
    assert said in advice(error)


def test_several_reasons_at_once_get_no_advice_that_fits_only_one() -> None:
    assert advice(ChainExhausted("x", causes=[cause("quota"), cause("connection")])) == ""


def test_what_nobody_knows_gets_no_advice() -> None:
    assert advice(cause("unknown")) == ""
    assert advice(KeyError("x")) == ""
