"""The state of play, for people and scripts: who is out, who would be asked, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from engine.config.model import Config
from engine.errors import StandbyError
from engine.keys import KeyValue
from engine.names import is_model, provider_of
from engine.policy import WhenAllBenched
from engine.resolve import resolve
from engine.roster import Roster, Unusable
from engine.sideline import Sideline
from engine.stay import Block, State


class Benched(NamedTuple):
    """One name on the bench.

    Attributes:
        name: A model, `provider/*`, or a key.
        until: When it is back, ISO 8601 in UTC; None for no end.
        remaining_s: Seconds until then; None for no end.
        for_s: Seconds the whole stay lasts; None for no end.
        manual: True for an operator's hold.
        reason: Why.
        by: Who, None for the engine itself.
        level: Of the automatic bench; 0 if there is none.
        failures: Failures in a row.
        on_trial: True while a request tries it out.
    """

    name: str
    until: str | None
    remaining_s: float | None
    for_s: float | None
    manual: bool
    reason: str
    by: str | None
    level: int
    failures: int
    on_trial: bool = False


class ModelStatus(NamedTuple):
    """One model's state.

    Attributes:
        model: The model.
        state: live, due, on_trial, benched, or held (by an operator).
        until: When it is back, ISO 8601 in UTC; None if it is not out, or has no end.
        remaining_s: Seconds until then.
        for_s: Seconds the whole stay lasts.
        manual: True for an operator's hold.
        reason: Why it is out.
        by: Who benched it.
        level: Of the automatic bench; 0 if there is none.
        failures: Failures in a row.
        unusable: Why it can't be asked at all, as `OPENAI_API_KEY is not set`; None if it can.
    """

    model: str
    state: State
    until: str | None = None
    remaining_s: float | None = None
    for_s: float | None = None
    manual: bool = False
    reason: str = ""
    by: str | None = None
    level: int = 0
    failures: int = 0
    unusable: str | None = None


class KeyStatus(NamedTuple):
    """One key's state.

    Attributes:
        key: The key, as `provider#name`.
        provider: Its provider.
        tier: Keys of a lower tier are used first.
        state: usable, benched, held (by an operator), or unset (it has no value).
        until: When it is back, ISO 8601 in UTC; None if it is not out, or has no end.
        remaining_s: Seconds until then.
        for_s: Seconds the whole stay lasts.
        manual: True for an operator's hold.
        reason: Why it is out.
        by: Who benched it.
        unset: Why it has no value, as `OPENAI_API_KEY is not set`; None if it has one.
        on_models: Its benches on single models, named `provider#name/model`.
    """

    key: str
    provider: str
    tier: int
    state: Literal["usable", "benched", "held", "unset"]
    until: str | None = None
    remaining_s: float | None = None
    for_s: float | None = None
    manual: bool = False
    reason: str = ""
    by: str | None = None
    unset: str | None = None
    on_models: tuple[Benched, ...] = ()


class Prospect(NamedTuple):
    """What a request would do with one model now.

    Attributes:
        model: The model, or the part of the target that names none.
        would: `try` or `skip`.
        why: Why it would be skipped; None if it would simply be tried.
        until: When it is back, ISO 8601 in UTC; None if it is not out, or has no end.
        fallback: True for a model that is there as fallback only.
    """

    model: str
    would: Literal["try", "skip"]
    why: str | None = None
    until: str | None = None
    fallback: bool = False


def benched(sideline: Sideline) -> list[Benched]:
    """Everything that the next request would pass over."""
    return [_benched(block, sideline) for block in sideline.bench.blocks() if not block.is_open]


def _benched(block: Block, sideline: Sideline) -> Benched:
    stay = block.stay
    return Benched(
        name=block.name,
        until=sideline.until(stay),
        remaining_s=sideline.remaining_s(stay),
        for_s=stay.length_s,
        manual=block.manual,
        reason=stay.reason,
        by=stay.by,
        level=block.level,
        failures=block.failures,
        on_trial=block.state == "on_trial",
    )


def status(models: Iterable[str], roster: Roster, sideline: Sideline) -> list[ModelStatus]:
    """The state of the given models, in their order."""
    return [_status(model, roster, sideline) for model in models]


def _status(model: str, roster: Roster, sideline: Sideline) -> ModelStatus:
    standing = roster.standing(model)
    failures = sideline.bench.failures(model)
    level = sideline.bench.level(model)
    unusable = None
    if isinstance(standing, Unusable):  # here; others may use it, and have benched it
        unusable, standing = standing.detail, sideline.bench.block(model)
    if standing is None:
        return ModelStatus(model, "live", level=level, failures=failures, unusable=unusable)
    of_stay = _of_stay(_benched(standing, sideline))
    return ModelStatus(model, standing.state, **of_stay, level=level, failures=failures, unusable=unusable)


def _of_stay(out: Benched) -> dict[str, Any]:
    """What models and keys say alike of the stay that keeps them out."""
    return {name: getattr(out, name) for name in ("until", "remaining_s", "for_s", "manual", "reason", "by")}


def keys(roster: Roster, sideline: Sideline) -> list[KeyStatus]:
    """The state of every key, provider by provider, in the order in which they are used."""
    out = benched(sideline)
    return [_key_status(key, out) for key in roster.key_values()]


def _key_status(key: KeyValue, out: Sequence[Benched]) -> KeyStatus:
    stay = next((each for each in out if each.name == key.name), None)
    on_models = tuple(each for each in out if each.name.startswith(f"{key.name}/"))
    provider = provider_of(key.name)
    status = KeyStatus(key.name, provider, key.tier, "usable", unset=key.problem, on_models=on_models)
    if stay is not None:
        return status._replace(state="held" if stay.manual else "benched", **_of_stay(stay))
    return status if key.problem is None else status._replace(state="unset")


def known_models(config: Config, also: Iterable[str] = ()) -> list[str]:
    """Every model the configuration names, chains first, in the file's order.

    Args:
        config: The configuration.
        also: More names; those that are models are appended.
    """
    models: dict[str, None] = {}
    targets: list[tuple[str | None, str]] = [(None, target) for target in (*config.chains, *config.aliases)]
    targets += [(owner.name, alias) for owner in config.owners.values() for alias in owner.aliases]
    for owner, target in targets:
        models.update(dict.fromkeys(chain_models(config, target, owner)))
    for group in config.groups:
        models.update(dict.fromkeys(group))
    for provider in config.every_provider.values():
        models.update(dict.fromkeys(f"{provider.name}/{name}" for name in provider.models))
    models.update(dict.fromkeys(name for name in also if is_model(name)))
    return list(models)


def chain_models(config: Config, chain: str, owner: str | None = None) -> tuple[str, ...]:
    """A chain or alias as it resolves; nothing if it does not, which a checked configuration rules out."""
    try:
        return resolve(config, chain, owner=owner).models
    except StandbyError:
        return ()


def explain(
    models: Sequence[str], policy: WhenAllBenched, roster: Roster, sideline: Sideline
) -> list[Prospect]:
    """What a request for these models would do now, in the order it would do it.

    Args:
        models: The request's models.
        policy: What happens when all of them are benched; with `try` the order is theirs to come back.
        roster: Who may play.
        sideline: The bench.
    """
    bars = [(model, roster.standing(model)) for model in models]
    prospects = [_prospect(model, bar, sideline) for model, bar in bars]
    if policy != "try" or any(prospect.would == "try" for prospect in prospects):
        return prospects
    tried = roster.playable_despite((model, bar) for model, bar in bars if isinstance(bar, Block))
    rest = [prospect for prospect in prospects if prospect.model not in tried]
    return [Prospect(model, "try") for model in tried] + rest


def _prospect(model: str, bar: Block | Unusable | None, sideline: Sideline) -> Prospect:
    if bar is None:
        return Prospect(model, "try")
    if isinstance(bar, Unusable):
        return Prospect(model, "skip", f"{bar.why}: {bar.detail}")
    match bar.state:
        case "due" if bar.is_open:
            return Prospect(model, "try", "due: it would be its trial")
        case "due":
            return Prospect(model, "skip", "due: waiting for its probe")
        case "on_trial":
            return Prospect(model, "skip", "on trial: another request tries it out")
        case _:
            pass
    why = "held" if bar.manual else "benched"
    by = f" by {bar.stay.by}" if bar.stay.by else ""
    reason = f": {bar.stay.reason}" if bar.stay.reason else ""
    return Prospect(model, "skip", f"{why}{by}{reason}", sideline.until(bar.stay))
