"""The packaged sample: what its comments promise is what one sees, second by second."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from engine import Engine, load_config, parse_config, sample_path
from engine.events import (
    AttemptFailed,
    AttemptStarted,
    Event,
    ModelBenched,
    ModelUnbenched,
    RequestFailed,
    RequestSucceeded,
)
from engine.figures import Figures
from engine.traffic import BackgroundTraffic
from tests.virtual_time import run_virtual


@dataclass(frozen=True)
class Seen:
    at: float
    event: Event


@pytest.fixture(scope="module")
def ninety_seconds() -> list[Seen]:
    """Every event of the sample's first minute and a half."""

    async def watch() -> list[Seen]:
        loop = asyncio.get_running_loop()
        seen: list[Seen] = []
        config = replace(load_config(sample_path()), store="memory")  # a store has a clock of its own
        assert config.traffic is not None
        engine = Engine(config, clock=loop.time, rng=random.Random(1), watch=False)
        async with engine:
            with engine.observe(lambda event: seen.append(Seen(loop.time(), event))):
                traffic = BackgroundTraffic(engine, config.traffic, rng=random.Random(1))
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(90):
                        await traffic.run()
        return seen

    return run_virtual(watch())


def of(seen: list[Seen], kind: type[Event], model: str | None = None) -> list[Seen]:
    return [
        one
        for one in seen
        if isinstance(one.event, kind) and model in (None, getattr(one.event, "model", None))
    ]


def test_attempts_scroll_from_the_start(ninety_seconds: list[Seen]) -> None:
    moments = [one.at for one in of(ninety_seconds, AttemptStarted)]
    assert moments[0] < 3.0
    assert max(later - earlier for earlier, later in pairwise(moments)) < 6.0


def test_within_half_a_minute_a_model_fails_is_benched_and_comes_back(ninety_seconds: list[Seen]) -> None:
    failed = of(ninety_seconds, AttemptFailed, "acme/large")[0]
    benched = of(ninety_seconds, ModelBenched, "acme/large")[0]
    assert isinstance(failed.event, AttemptFailed)
    assert isinstance(benched.event, ModelBenched)
    assert 6.0 <= failed.at <= benched.at <= 10.0
    assert (failed.event.status, failed.event.retry_after_s, benched.event.for_s) == (429, 12.0, 12.0)
    back = [
        one.at
        for one in of(ninety_seconds, RequestSucceeded, "acme/large")
        if benched.at + 12.0 < one.at < 30.0
    ]
    assert back
    assert of(ninety_seconds, ModelUnbenched, "acme/large")[0].at < 30.0


def test_meanwhile_the_next_model_takes_the_traffic(ninety_seconds: list[Seen]) -> None:
    benched = of(ninety_seconds, ModelBenched, "acme/large")[0].at
    served = [
        one.event
        for one in of(ninety_seconds, RequestSucceeded, "northwind/swift")
        if benched < one.at < benched + 14.0
    ]
    assert len(served) >= 3
    assert all(isinstance(event, RequestSucceeded) and event.fallback for event in served)


def test_the_second_incident_comes_when_the_file_says(ninety_seconds: list[Seen]) -> None:
    benched = of(ninety_seconds, ModelBenched, "northwind/deep")[0]
    assert 28.0 <= benched.at <= 45.0


def test_it_begins_again_after_a_minute(ninety_seconds: list[Seen]) -> None:
    benches = [one.at for one in of(ninety_seconds, ModelBenched, "acme/large")]
    assert any(66.0 <= at <= 72.0 for at in benches)


def test_the_flaky_model_fails_in_more_than_one_way(ninety_seconds: list[Seen]) -> None:
    failed = of(ninety_seconds, AttemptFailed, "homelab/flaky")
    assert len({one.event.reason for one in failed if isinstance(one.event, AttemptFailed)}) >= 2


def test_callers_hardly_notice(ninety_seconds: list[Seen]) -> None:
    answered, lost = len(of(ninety_seconds, RequestSucceeded)), len(of(ninety_seconds, RequestFailed))
    assert answered > 120
    assert lost / answered < 0.05


def test_all_three_chains_are_served(ninety_seconds: list[Seen]) -> None:
    figures = Figures(clock=lambda: 0.0)
    for one in ninety_seconds:
        figures(one.event)
    models = (
        "acme/large",
        "acme/mini",
        "northwind/swift",
        "northwind/deep",
        "homelab/small",
        "homelab/flaky",
    )
    serving = [chain for model in models for chain in figures.of(model).serving]
    assert sorted(serving) == ["batch", "drafts", "support"]


def test_every_provider_is_simulated_and_all_three_protocols_are_spoken() -> None:
    providers = load_config(sample_path()).providers.values()
    assert all(provider.is_simulated for provider in providers)
    assert {provider.speaks for provider in providers} == {"openai", "anthropic", "ollama"}


def test_the_commented_providers_are_right_once_uncommented() -> None:
    text = sample_path().read_text("utf-8")
    block = re.search(r"^#   providers:\n(?:#     .*\n)+", text, re.MULTILINE)
    assert block is not None
    real = re.sub(r"^#   ", "", block[0], flags=re.MULTILINE)
    config = parse_config(real, "uncommented.yaml")
    assert list(config.providers) == ["openai", "anthropic", "local", "groq"]
