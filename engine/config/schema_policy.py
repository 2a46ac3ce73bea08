"""`defaults:` and the keys of it that a chain overrides → policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from engine.config.spot import Section
from engine.durations import format_duration
from engine.policy import (
    Backoff,
    MidStream,
    OnAuthError,
    OnContentFilter,
    OnRequestError,
    Policy,
    Timeouts,
    TrialBy,
    WhenAllBenched,
)

_COUNTS: Final = ("attempts", "bench_after")
_DURATIONS: Final[Mapping[str, bool]] = {  # whether zero means something
    "cooldown": False,
    "max_cooldown": False,
    "deadline": False,
    "retry_after_patience": True,  # never waits on the same model
    "max_wait": True,  # never sleeps
}
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "when_all_benched": get_args(WhenAllBenched),
    "trial": get_args(TrialBy),
    "on_auth_error": get_args(OnAuthError),
    "on_request_error": get_args(OnRequestError),
    "on_content_filter": get_args(OnContentFilter),
    "mid_stream": get_args(MidStream),
}


@dataclass(frozen=True, slots=True)
class Written:
    """What the file says about a policy, before the built-in values fill the gaps.

    Attributes:
        keys: Plain keys.
        backoff: Keys of `backoff`, in seconds.
        timeouts: Keys of `timeouts`, in seconds.
    """

    keys: Mapping[str, Any] = field(default_factory=dict)
    backoff: Mapping[str, float] = field(default_factory=dict)
    timeouts: Mapping[str, float] = field(default_factory=dict)

    def under(self, own: Written) -> Written:
        """This with somebody's own keys laid over it."""
        return Written(
            {**self.keys, **own.keys}, {**self.backoff, **own.backoff}, {**self.timeouts, **own.timeouts}
        )

    def policy(self) -> Policy:
        """The policy, gaps filled.

        A length that is written moves the built-in bound that is not: `cooldown: 2h` alone means two
        hours, although `max_cooldown` is one hour where nothing is said.
        """
        usual = Policy()
        keys = {**self.keys}
        keys["cooldown"], keys["max_cooldown"] = _fitting(
            self.keys, ("cooldown", usual.cooldown), ("max_cooldown", usual.max_cooldown)
        )
        base, cap = _fitting(self.backoff, ("base", Backoff().base), ("cap", Backoff().cap))
        return Policy(**keys, backoff=Backoff(base, cap), timeouts=Timeouts(**self.timeouts))


def _fitting(
    written: Mapping[str, float], shorter: tuple[str, float], longer: tuple[str, float]
) -> tuple[float, float]:
    short, long = written.get(*shorter), written.get(*longer)
    if short <= long:
        return short, long
    return (short, short) if shorter[0] in written else (long, long)


def read_policy(section: Section, above: Written | None = None) -> Written:
    """The policy's keys of a section; the section's other keys are left for the caller.

    Args:
        section: `defaults`, or a chain.
        above: What a chain's own keys are laid over.
    """
    keys: dict[str, Any] = {}
    for name in _COUNTS:
        if spot := section.take(name):
            keys[name] = spot.integer(least=1)
    for name, zero in _DURATIONS.items():
        if spot := section.take(name):
            keys[name] = spot.duration(zero=zero)
    if spot := section.take("cooldown_growth"):
        keys["cooldown_growth"] = spot.number(least=1.0)
    for name, options in _CHOICES.items():
        if spot := section.take(name):
            keys[name] = spot.choice(options)
    backoff, inner = _read_durations(section, "backoff", {"base": True, "cap": True})
    own = Written(_without_none(keys), backoff, read_timeouts(section))
    whole = above.under(own) if above else own
    _check_pair(section, own.keys, whole.keys, ("cooldown", "max_cooldown"))
    if inner:
        _check_pair(inner, own.backoff, whole.backoff, ("base", "cap"))
    return own


def read_timeouts(section: Section) -> dict[str, float]:
    """The `timeouts` of a section, those that are written, in seconds."""
    return _read_durations(section, "timeouts", dict.fromkeys(Timeouts.__slots__, False))[0]


def _read_durations(
    section: Section, name: str, zeros: Mapping[str, bool]
) -> tuple[dict[str, float], Section | None]:
    spot = section.take(name)
    inner = spot.section(f"a mapping of {', '.join(zeros)}") if spot else None
    if inner is None:
        return {}, None
    found = {key: at.duration(zero=zero) for key, zero in zeros.items() if (at := inner.take(key))}
    inner.close()
    return _without_none(found), inner


def _check_pair(
    section: Section, own: Mapping[str, float], whole: Mapping[str, float], names: tuple[str, str]
) -> None:
    """A fault where both lengths are written, one of them here, and the bound is the shorter one."""
    shorter, longer = names
    here = longer if longer in own else shorter
    if here in own and shorter in whole and longer in whole and whole[longer] < whole[shorter]:
        lengths = format_duration(whole[longer]), format_duration(whole[shorter])
        section.key(here).fault(f"`{longer}` is {lengths[0]}, shorter than `{shorter}`, {lengths[1]}")


def _without_none(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}
