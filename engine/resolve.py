"""From a target to the ordered list of models it stands for. Pure; whether they can be used is not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.config.model import Config
from engine.errors import ConfigError, Fault, UnknownTarget
from engine.layers import (
    Listed,
    Name,
    circle_text,
    listed,
    names_in,
    the_one,
    walk,
    whole_model,
    whole_provider,
)
from engine.policy import Policy
from engine.suggest import nearest

_MOST_NAMES = 8
_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a target stands for.

    Attributes:
        chain: The chain the target names, None if it is anything else.
        models: The models in order, each once, as `provider/model`, the fallback's included.
        skipped: `(part, why)` for each part that names nothing.
        policy: The chain's, or the defaults.
        owner: Whose layer the target's names resolved in first: the chain's owner, else who asked.
        fallback: Those of the models that are there as fallback only.
    """

    chain: str | None
    models: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    policy: Policy
    owner: str | None = None
    fallback: tuple[str, ...] = ()


@lru_cache(4096)
def split_model(model: str) -> tuple[str, str]:
    """Provider and the provider's own name for the model: `a/b/c` is `("a", "b/c")`."""
    provider, _, own = model.partition("/")
    return provider, own


def resolve(
    config: Config,
    target: str | Sequence[str],
    *,
    only: bool = False,
    owner: str | None = None,
    fallback: bool = True,
) -> Resolution:
    """The models a target stands for.

    A target is a chain's name, an alias, a `provider/model`, several of these separated by commas, or
    a list of all that. Names resolve in the owner's layer, then as chain, then as alias; lists are
    spliced in place, each chain by its own owner if it has one. A target that is one model becomes that
    model's group, itself first. Then comes the fallback. The first place of a model counts.

    Args:
        config: The configuration.
        target: What a caller asks for.
        only: Ask for exactly one model: the target must be one, or an alias of one. Nothing stands in.
        owner: Who asks.
        fallback: False to leave the fallback out.

    Raises:
        UnknownTarget: There is no such owner; no part of the target names anything; or `only` was asked
            and it is not one model.
        ConfigError: Chains or aliases go in a circle, or a chain's owner is unknown; a checked file
            never does that.
        TypeError: The target is neither text nor a list of texts.
    """
    names = names_in(owner, target)
    if owner is not None and owner not in config.owners:
        raise _unknown_owner(config, owner, names)
    found = _Found(config)
    found.add(names)
    if not found.models:
        raise _unknown(config, names, found.skipped)
    own = tuple(found.models)
    one = the_one(config, names)
    inside = None if one is None else listed(config, one)
    chain = config.chains[one.name] if one and inside else None
    model = whole_model(config, one) if one and not inside else None
    if only and model is None:
        raise _not_one(names, own)
    scope = chain.owner if chain and chain.owner is not None else owner
    if model is not None and not only:
        found.add(_group(config, owner, model))
        own = tuple(found.models)
    if fallback and not only:
        last = config.fallback if chain is None or chain.fallback is None else chain.fallback
        found.add(names_in(scope, last))
    return Resolution(
        chain=chain.name if chain else None,
        models=tuple(found.models),
        skipped=tuple(found.skipped.items()),
        policy=chain.policy if chain else config.defaults,
        owner=scope,
        fallback=tuple(found.models)[len(own) :],
    )


class _Found:
    """What the names of a target come to, list by list.

    Attributes:
        models: Whole names, in order, each once.
        skipped: What names nothing, and why.
    """

    def __init__(self, config: Config) -> None:
        self.models: dict[str, None] = {}
        self.skipped: dict[str, str] = {}
        self._config = config

    def add(self, names: Iterable[Name]) -> None:
        """Splices names in after what is there.

        Raises:
            ConfigError: They go in a circle, or a chain's owner is unknown.
        """
        for step in walk(names, self._inside):
            if step.circle:
                circle = circle_text([at.name for at in step.circle])
                inside = step.inside and listed(self._config, step.inside)
                raise _wrong(inside.place if inside else (), circle)
            whole = whole_model(self._config, step.name)
            if whole is not None:
                self.models[whole] = None
            elif step.name.name not in self.skipped:
                self.skipped[step.name.name] = _why_unknown(self._config, step.name)

    def _inside(self, at: Name) -> list[Name] | None:
        inside: Listed | None = listed(self._config, at)
        if inside is None:
            return None
        owner = self._config.chains[at.name].owner if inside.is_chain else None
        if owner is not None and owner not in self._config.owners:
            raise _wrong((*inside.place, "owner"), f"unknown owner {_quoted(owner)}")
        return inside.names


def _wrong(place: Iterable[str], what: str) -> ConfigError:
    return ConfigError([Fault("configuration", 0, 0, ".".join(place), what)])


def _group(config: Config, owner: str | None, model: str) -> list[Name]:
    """The group that a model belongs to, as its owner sees it; nothing if it belongs to none."""
    for group in config.groups:
        names = names_in(owner, group)
        if any(whole_model(config, at) == model for at in names):
            return names
    return []


def _why_unknown(config: Config, at: Name) -> str:
    provider, slash, _ = at.name.partition("/")
    is_provider = whole_provider(config, Name(at.owner, provider)) is not None
    if slash and is_provider:
        return f"names no model; write {provider}/MODEL"
    likely = _suggestions(config, at)
    if is_provider:
        example = likely[0] if likely else f"{at.name}/MODEL"
        return f"{_quoted(at.name)} is a provider; name one of its models, as {example}"
    what = f"unknown provider {_quoted(provider)}" if slash else f"unknown name {_quoted(at.name)}"
    return f"{what}, did you mean {_quoted(likely[0])}" if likely else what


def _suggestions(config: Config, at: Name) -> tuple[str, ...]:
    part = at.name
    provider, slash, own = part.partition("/")
    layer = config.owners.get(at.owner) if at.owner is not None else None
    own_lists = layer.aliases if layer else {}
    if slash:
        # Only who asks for nobody in particular is told that an owner has a provider of this name.
        others = [name for name in config.every_provider if name not in config.providers]
        theirs = [name for name in others if not layer and name.partition(":")[2] == provider]
        known = [*(layer.providers if layer else ()), *config.providers, *(others if ":" in provider else ())]
        return tuple(f"{other}/{own}" for other in dict.fromkeys((*theirs, *nearest(provider, known))))
    chains = (chain.models for chain in config.chains.values())
    lists = (*own_lists.values(), *chains, *config.aliases.values())
    models = dict.fromkeys(name for names in lists for name in names if "/" in name)
    if whole_provider(config, at) is not None:
        return tuple(model for model in models if split_model(model)[0] == part)[:_MOST_NAMES]
    # Newcomers leave out the provider: the model's own name is what they meant.
    meant = [model for model in models if split_model(model)[1] == part]
    known = [*own_lists, *config.chains, *config.aliases, *models]
    return tuple(dict.fromkeys((*meant, *nearest(part, known))))


def _unknown(config: Config, names: list[Name], skipped: Mapping[str, str]) -> UnknownTarget:
    asked = _asked(names)
    if not names:
        message = "the target is empty; name a chain, an alias, or a model as provider/model"
        return UnknownTarget(message, suggestions=tuple(config.chains)[:_MOST_NAMES])
    owner = names[0].owner
    likely = dict.fromkeys(name for part in skipped for name in _suggestions(config, Name(owner, part)))
    if len(skipped) > 1:
        reasons = "; ".join(f"{_quoted(part)}: {why}" for part, why in list(skipped.items())[:_MOST_NAMES])
        message = f"no part of the target is known: {reasons}"
    elif skipped:
        message = next(iter(skipped.values()))
        message += "?" if "did you mean" in message else ""
    else:
        message = f"{_quoted(asked)} lists no model"
    if not likely and config.chains:
        message += f"; known chains: {_some(config.chains)}"
    return UnknownTarget(message, target=asked, suggestions=tuple(likely)[:_MOST_NAMES])


def _unknown_owner(config: Config, owner: str, names: list[Name]) -> UnknownTarget:
    likely = nearest(owner, config.owners)
    hint = f", did you mean {_quoted(likely[0])}?" if likely else ""
    if not likely:
        hint = f"; known owners: {_some(config.owners)}" if config.owners else "; there are no `owners`"
    return UnknownTarget(f"unknown owner {_quoted(owner)}{hint}", target=_asked(names), suggestions=likely)


def _not_one(names: list[Name], models: tuple[str, ...]) -> UnknownTarget:
    asked = _asked(names)
    message = f"exactly one model is asked for, and {_quoted(asked)} is not the name of one"
    return UnknownTarget(f"{message}; name one of {_some(models)}", target=asked, suggestions=models)


def _asked(names: list[Name]) -> str:
    return ", ".join(at.name for at in names)


def _quoted(name: str) -> str:
    return repr(name if len(name) <= _LONGEST_SHOWN else name[: _LONGEST_SHOWN - 1] + "…")


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_MOST_NAMES]) + (", …" if len(listed) > _MOST_NAMES else "")
