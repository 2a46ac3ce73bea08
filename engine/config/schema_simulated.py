"""How simulated models behave and misbehave, and the traffic in the background."""

from __future__ import annotations

import re
from typing import Final

from engine.config.inline import quoted
from engine.config.model import Config, Fails, Incident, SimulatedModel, Traffic
from engine.config.nodes import Scalar, Seq
from engine.config.schema_names import read_parts
from engine.config.spot import Section, Spot
from engine.durations import format_duration
from engine.errors import StandbyError
from engine.resolve import resolve, split_model

_KEYS: Final = ("first_token", "tokens_per_s", "tokens", "fails", "incident")
_WAYS: Final = ("cut", "stall", "hang", "reset", "empty", "garbage")
_PER: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(?:/([smh]))?")
_MOST_PER_SECOND = 1000.0


def read_simulated(section: Section, *, allowed: bool) -> SimulatedModel | None:
    """How a simulated model behaves, None for a model of a real provider.

    Args:
        section: One entry of a provider's `models`.
        allowed: Whether the provider is simulated; if not, its keys are faults.
    """
    spots = {key: section.take(key) for key in _KEYS}
    if not allowed:
        for key in _KEYS:
            if key in section:
                section.key(key).fault("only a model of a provider of kind `simulated` has this; remove it")
        return None
    usual = SimulatedModel()
    first_token, speed, tokens = spots["first_token"], spots["tokens_per_s"], spots["tokens"]
    wait = first_token.duration(zero=True) if first_token else None
    return SimulatedModel(
        first_token=usual.first_token if wait is None else wait,
        tokens_per_s=(speed.number(above=True) if speed else None) or usual.tokens_per_s,
        tokens=tokens.integer(least=1) if tokens else None,
        fails=_read_fails(spots["fails"]),
        incident=_read_incident(spots["incident"]),
    )


def _read_fails(spot: Spot | None) -> Fails | None:
    section = spot.section("a mapping of rate and with") if spot else None
    if spot is None or section is None:
        return None
    rate, ways = section.take("rate"), section.take("with")
    section.close()
    if rate is None:
        spot.fault("has no `rate`, the share of calls that fail, from 0 to 1")
    share = rate.number(most=1.0) if rate else None
    which = _read_ways(ways) if ways else Fails(0.0).ways
    return Fails(share, which) if share is not None and which else None


def _read_ways(spot: Spot) -> tuple[int | str, ...]:
    if not isinstance(spot.node, Seq):
        way = _read_way(spot)
        return () if way is None else (way,)
    items = spot.items("a list") or []
    if not items:
        spot.fault("is empty; list at least one status or word")
    return tuple(way for item in items if (way := _read_way(item)) is not None)


def _read_way(spot: Spot) -> int | str | None:
    if not (isinstance(spot.node, Scalar) and spot.node.text.isdecimal()):
        return spot.choice(_WAYS, besides="a status")
    status = spot.integer()
    if status is not None and not 300 <= status <= 599:
        spot.fault("a failure is a status from 300 to 599")
        return None
    return status


def _read_incident(spot: Spot | None) -> Incident | None:
    section = spot.section("a mapping of every and lasts") if spot else None
    if spot is None or section is None:
        return None
    every, lasts, way, retry_after, after = (
        section.take(key) for key in ("every", "lasts", "with", "retry_after", "after")
    )
    section.close()
    if every is None or lasts is None:
        spot.fault("needs both `every` and `lasts`, as 90s and 30s")
    period, length = every.duration() if every else None, lasts.duration() if lasts else None
    how = _read_way(way) if way else Incident(0.0, 0.0).way
    asks = retry_after.duration(zero=True) if retry_after else None
    starts = after.duration(zero=True) if after else None
    if period is None or length is None or how is None:
        return None
    if lasts and length >= period:
        lasts.fault(f"must be shorter than `every`, {format_duration(period)}")
    return Incident(period, length, how, asks, Incident(0.0, 0.0).after if starts is None else starts)


def read_traffic(section: Section, config: Config) -> Traffic | None:
    """Traffic in the background, refused wherever it would reach a real provider.

    Args:
        section: `traffic`.
        config: Everything it may go through.
    """
    rate, through = section.take("rate"), section.take("through")
    section.close()
    for key, spot in (("rate", rate), ("through", through)):
        if spot is None:
            section.spot.fault(f"has no `{key}`; write it as {{rate: 2/s, through: [a chain]}}")
    per_second = _read_rate(rate) if rate else None
    chains = []
    for part in (read_parts(through, "a list of chains") if through else None) or ():
        wrong = _wrong_with(part.name, config, section)
        if wrong:
            part.fault(wrong)
        else:
            chains.append(part.name)
    return Traffic(per_second, tuple(chains)) if per_second and chains else None


def _wrong_with(name: str, config: Config, section: Section) -> str:
    if name not in config.chains:
        hint = section.spot.faults.did_you_mean(name, config.chains)
        return f"unknown chain {quoted(name)}{hint or '; traffic goes through chains'}"
    try:
        found = resolve(config, name)
    except StandbyError:
        return ""  # what is wrong with the chain is a fault already
    providers = config.every_provider
    for model in found.models:
        if not providers[split_model(model)[0]].is_simulated:
            how = " as fallback" if model in found.fallback else ""
            return f"reaches {quoted(model)}{how}, a real model; traffic is for simulated providers only"
    return ""


def _read_rate(spot: Spot) -> float | None:
    text = spot.text("a rate, as 2/s")
    if text is None:
        return None
    match = _RATE.fullmatch(text.strip())
    if match is None:
        spot.fault("must be a rate, as 2/s, 30/m or 100/h, or a plain number a second")
        return None
    rate = float(match[1]) / _PER[match[2] or "s"]
    if not 0 < rate <= _MOST_PER_SECOND:
        spot.fault(f"must be more than 0 and at most {_MOST_PER_SECOND:g}/s")
        return None
    return rate
