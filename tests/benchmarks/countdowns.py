"""The dashboard with nothing to do but count twenty benches down."""

from __future__ import annotations

from engine.config.model import ChainConfig, Config, ModelConfig, ProviderConfig, SimulatedModel
from engine.engine import Engine
from engine.resolve import split_model
from tui.app import StandbyApp

MODELS = tuple(
    f"{provider}/{model}"
    for provider in ("acme", "northwind", "homelab", "initech")
    for model in ("large", "mini", "swift", "deep", "small")
)


def engine() -> Engine:
    """An engine with twenty models, each held for about half an hour, and nobody who asks them."""
    behaviour: dict[str, dict[str, ModelConfig]] = {}
    for model in MODELS:
        provider, own = split_model(model)
        behaviour.setdefault(provider, {})[own] = ModelConfig(simulated=SimulatedModel())
    providers = {name: ProviderConfig(name, "simulated", models=models) for name, models in behaviour.items()}
    made = Engine(Config(providers=providers, chains={"support": ChainConfig("support", MODELS)}))
    for number, model in enumerate(MODELS):
        made.bench(model, for_=1_800.0 + 7 * number, reason="benchmark")
    return made


if __name__ == "__main__":
    StandbyApp(engine()).run()
