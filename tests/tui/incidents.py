"""Incidents for a dashboard on a stage: models and keys that fail as the engine would see it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine import Config, KeySource, ProviderConfig
from engine.stay import Sentence, Terms, Ticket as Trial
from tests.scripted import Scripted
from tests.tui.stage import CHAINS, Stage, config

LEASE_S = 130.0
MAIN, SECOND, SPARE = "STANDBY_TEST_MAIN", "STANDBY_TEST_SECOND", "STANDBY_TEST_SPARE"
VALUES = {MAIN: "sk-first-of-all-values", SECOND: "sk-second-of-all-values"}


def playing(
    scripts: Mapping[str, Sequence[Any]],
    keys: tuple[KeySource, ...] = (),
    chains: Mapping[str, Sequence[str]] = CHAINS,
    **more: Any,
) -> Config:
    """The stage's chains, where provider p plays scripts and may take keys."""
    shown = config(chains, **more)
    p = ProviderConfig("p", keys=keys, adapter=Scripted(scripts))
    return replace(shown, providers={**shown.providers, "p": p})


def three_keys() -> Config:
    """Provider p has three keys; the last one's variable is not set."""
    sources = (
        KeySource("main", env=MAIN),
        KeySource("second", env=SECOND),
        KeySource("spare", env=SPARE, tier=2),
    )
    return playing({"large": ["ok"]}, sources)


def fail(
    stage: Stage, name: str, seconds: float = 60.0, reason: str = "overloaded", *, probe: bool = False
) -> None:
    """A model or a key fails in play, and is benched: twice as long each time."""
    sideline = stage.engine._sideline
    sentence = Sentence(reason, Terms(seconds, 2.0, math.inf, probe))
    sideline.settle(*sideline.failed(sideline.bench.ticket(name), sentence))


async def due(stage: Stage, name: str, *, probe: bool = False) -> None:
    """A model's bench runs out."""
    if probe:
        stage.engine._sideline._probe = lambda _: None  # nobody begins it
    fail(stage, name, 5.0, probe=probe)
    stage.clock.pass_(5.1)
    stage.engine._sideline.expire()
    await stage.beat()


async def on_trial(stage: Stage, name: str) -> Trial:
    """A request takes a model's trial."""
    await due(stage, name)
    ticket = stage.engine._sideline.take_trial(name, "request", LEASE_S)
    await stage.beat()
    return ticket


async def relapse(stage: Stage, ticket: Trial, seconds: float = 5.0) -> None:
    """A trial fails."""
    sideline = stage.engine._sideline
    sideline.settle(*sideline.failed(ticket, Sentence("overloaded", Terms(seconds, 2.0))))
    await stage.beat()
