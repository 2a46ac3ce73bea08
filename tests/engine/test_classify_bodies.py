"""What real providers really send, judged: from status, headers and bytes to what a failure means."""

from __future__ import annotations

import json

import pytest

from engine.classify import classify
from engine.providers.base import Signal
from engine.providers.rejection import error_in, rejected
from tests.providers.error_bodies import BY_PROVIDER
from tests.providers.error_bodies.case import Case

CASES = [
    pytest.param(case, id=f"{provider}-{place}-{case.status}-{case.means[1]}")
    for provider, cases in BY_PROVIDER.items()
    for place, case in enumerate(cases)
]


def _signal(case: Case) -> Signal:
    if case.status == 200:
        signal = error_in(case.body)
        assert signal is not None
        return signal
    body = case.body if isinstance(case.body, str) else json.dumps(case.body)
    return rejected(case.status, case.headers, body.encode())


@pytest.mark.parametrize("case", CASES)
def test_a_real_error_means_what_the_table_says(case: Case) -> None:
    failure = classify(_signal(case))
    assert (failure.kind, failure.reason, failure.scope) == case.means, case.page
    assert failure.retry_after_s == case.retry_after_s
    if case.status != 200:
        assert failure.status == case.status


@pytest.mark.parametrize("case", CASES)
def test_the_words_of_a_real_error_are_kept(case: Case) -> None:
    assert _signal(case).message


def test_there_are_enough_of_them_and_each_names_its_page() -> None:
    assert len(BY_PROVIDER) == 10
    assert sum(map(len, BY_PROVIDER.values())) >= 100
    for provider, cases in BY_PROVIDER.items():
        assert len(cases) >= 8, provider
        assert all(case.page.startswith("https://") for case in cases)
