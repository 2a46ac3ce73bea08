"""When a simulated model fails: incidents, rates, seeds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from engine.config.model import Fails, Incident, Protocol, SimulatedModel
from engine.providers.base import Signal
from engine.providers.simulated import build_simulated
from engine.providers.simulated_story import Story, under_way
from tests.providers.simulation import call, config, every_protocol, now, post, provider, statuses_of
from tests.virtual_time import pass_time, virtual


@every_protocol
@virtual
async def test_an_incident_comes_lasts_goes_and_comes_again(protocol: Protocol) -> None:
    model = SimulatedModel(first_token=0.0, tokens=1, incident=Incident(90.0, 30.0, 503, after=5.0))
    async with provider(protocol, model) as adapter:
        seen = {}
        for moment in (0.0, 4.9, 5.0, 34.9, 35.0, 94.9, 95.0, 124.9, 125.0):
            await pass_time(moment - now())
            try:
                await adapter.complete(call())
            except Signal as signal:
                seen[moment] = signal.status
    assert seen == {5.0: 503, 34.9: 503, 95.0: 503, 124.9: 503}


@pytest.mark.parametrize(
    ("elapsed_s", "on"),
    [(0, False), (79, False), (80, True), (109, True), (110, False), (170, True), (200, False)],
)
def test_an_incident_is_on_from_its_start_to_its_end(elapsed_s: float, on: bool) -> None:
    assert under_way(Incident(every=90.0, lasts=30.0, after=80.0), elapsed_s) is on


@virtual
async def test_an_incident_counts_from_when_the_provider_was_made() -> None:
    model = SimulatedModel(incident=Incident(90.0, 30.0, 503, after=5.0))
    async with httpx.AsyncClient(transport=build_simulated(config("openai", model))) as client:
        await pass_time(6)
        assert (await post(client, "openai")).status_code == 503


@virtual
async def test_an_incident_follows_an_injected_clock() -> None:
    elapsed = 1000.0
    model = SimulatedModel(incident=Incident(90.0, 30.0, 503, after=5.0))
    transport = build_simulated(config("openai", model), clock=lambda: elapsed)
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await post(client, "openai")).status_code == 200
        elapsed += 5.0
        assert (await post(client, "openai")).status_code == 503


def test_without_a_loop_an_incident_counts_from_the_first_request() -> None:
    model = SimulatedModel(first_token=0.0, tokens=1, incident=Incident(90.0, 30.0, 503, after=5.0))
    transport = build_simulated(config("openai", model))

    @virtual
    async def main() -> list[int]:
        await pass_time(1000)
        seen = []
        async with httpx.AsyncClient(transport=transport) as client:
            for _ in range(2):
                seen.append((await post(client, "openai")).status_code)
                await pass_time(6)
        return seen

    assert main() == [200, 503]


def test_failures_are_as_frequent_as_their_rate_and_each_way_gets_its_share() -> None:
    story = Story(SimulatedModel(fails=Fails(0.2, (500, "cut"))), 7, "acme", "m")
    ways = [story.turn(0.0).way for _ in range(2000)]
    assert ways.count(None) == pytest.approx(1600, abs=80)
    assert ways.count(500) == pytest.approx(200, abs=60)
    assert ways.count("cut") == pytest.approx(200, abs=60)


FLAKY = SimulatedModel(first_token=0.0, tokens=1, fails=Fails(0.5, (500, 429, 503)))


@virtual
async def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    assert await statuses_of(config("openai", FLAKY), 50) == await statuses_of(config("ollama", FLAKY), 50)
    assert await statuses_of(config("openai", FLAKY), 50) != await statuses_of(
        config("openai", FLAKY, seed=8), 50
    )


def test_the_story_is_the_same_in_every_process() -> None:
    program = (
        "from engine.config.model import SimulatedModel\n"
        "from engine.providers.simulated_story import Story\n"
        "story = Story(SimulatedModel(), 7, 'acme', 'm')\n"
        "print([story.turn(0.0).tokens for _ in range(20)])\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1] != ""


@virtual
async def test_an_incident_leaves_the_rest_of_the_story_alone() -> None:
    quiet = SimulatedModel(first_token=0.0, tokens=1, fails=Fails(0.5, (500,)))
    stormy = SimulatedModel(
        first_token=0.0, tokens=1, fails=Fails(0.5, (500,)), incident=Incident(1e6, 10.0, 503, after=0.0)
    )
    seen = []
    for model in (quiet, stormy):
        transport = build_simulated(config("openai", model))
        async with httpx.AsyncClient(transport=transport) as client:
            for _ in range(10):
                await post(client, "openai")
            await pass_time(60)
            seen.append([(await post(client, "openai")).status_code for _ in range(20)])
    assert seen[0] == seen[1]
