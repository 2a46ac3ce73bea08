"""The names that may stand on the bench: what each is, and whether it can be one."""

from __future__ import annotations

from engine.config.model import Config
from engine.errors import UnknownTarget
from engine.suggest import nearest


def is_key(name: str) -> bool:
    """True for a key, `provider#name`, everywhere or on one model."""
    return "#" in name.partition("/")[0]


def is_model(name: str) -> bool:
    """True for `provider/model`; false for a key and for `provider/*`."""
    head, slash, rest = name.partition("/")
    return bool(slash) and "#" not in head and rest != "*"


def provider_of(name: str) -> str:
    """The provider that a name on the bench belongs to."""
    return name.partition("/")[0].partition("#")[0]


def whole_provider(name: str) -> str:
    """The name that stands for all models of a name's provider."""
    return f"{provider_of(name)}/*"


def check_benchable(config: Config, name: str) -> None:
    """Sees to it that a name could stand on the bench.

    Args:
        config: The configuration in force.
        name: A model, `provider/*`, a key, or a key on one model.

    Raises:
        UnknownTarget: No such provider or key, or no model is named; says what would do.
    """
    head, _, rest = name.partition("/")
    provider, hash_, key = head.partition("#")
    providers = config.every_provider
    found = providers.get(provider)
    if found is None:
        owned = [whole for whole in providers if whole.partition(":")[2] == provider]
        _refuse(name, f"there is no provider {provider!r}", (*owned, *nearest(provider, providers)))
    elif hash_:
        keys = [source.name for source in found.keys]
        if key not in keys:
            _refuse(name, f"provider {provider} has no key {key!r}", nearest(key, keys))
    elif not rest:
        _refuse(name, f"{name!r} is no model; give provider/model, provider/* or provider#key", ())


def _refuse(name: str, what: str, suggestions: tuple[str, ...]) -> None:
    hint = f", did you mean {suggestions[0]!r}?" if suggestions else ""
    raise UnknownTarget(what + hint, target=name, suggestions=suggestions)
