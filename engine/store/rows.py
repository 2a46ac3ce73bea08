"""One name's place on the bench as a text for a store, and back. Pure.

Times are seconds since the epoch by the store's clock. A clock may be set back: what then seems to begin in
the future begins now, so that no countdown is ever longer than its bench.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Final

from engine.entry import Entry, Lease
from engine.stay import HIGHEST_LEVEL, Stay, Terms

_FORMAT: Final = 1
_KEPT_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Read:
    """A row as it was read.

    Attributes:
        entry: What it says.
        written: When it was last written, seconds since the epoch.
        mended: True if it says something else than the text: the clock was set back since.
    """

    entry: Entry
    written: float
    mended: bool


def write_entry(entry: Entry, now: float) -> str:
    """An entry as text.

    Args:
        entry: On the store's clock.
        now: The store's time.
    """
    lease = entry.lease
    flat: dict[str, Any] = {
        "format": _FORMAT,
        "written": now,
        "generation": entry.generation,
        "failures": entry.failures,
        "level": entry.top_level,
        "healthy_since": entry.healthy_since,
        "decay_s": _or_none(entry.decay_s),
        "told_due": entry.is_told_due,
        "left_to_requests": entry.left_to_requests,
        "spared": sorted(entry.spared),
        "auto": _write_stay(entry.auto),
        "hold": _write_stay(entry.hold),
        "lease": lease and {"number": lease.number, "by": lease.by, "left_s": lease.until - now},
    }
    return json.dumps({name: value for name, value in flat.items() if value or value == 0})


def read_entry(name: str, text: str, now: float) -> Read | None:
    """What a text says of a name.

    Args:
        name: The name.
        text: From `write_entry`.
        now: The store's time.

    Returns:
        None for a text of another format, or one that is damaged: nothing is known then.
    """
    try:
        flat = json.loads(text)
        if flat["format"] != _FORMAT:
            return None
        written = _time(flat["written"])
        back_s = max(0.0, written - now)  # how far the clock was set back since
        auto, hold, lease = flat.get("auto"), flat.get("hold"), flat.get("lease")
        entry = Entry(
            name,
            generation=int(flat["generation"]),
            auto=auto and _read_stay(auto, now),
            hold=hold and _read_stay(hold, now),
            spared=frozenset(map(str, flat.get("spared", ()))),
            lease=lease and Lease(int(lease["number"]), lease["by"], written + _time(lease["left_s"])),
            failures=max(0, int(flat["failures"])),
            top_level=min(max(0, int(flat["level"])), HIGHEST_LEVEL),
            healthy_since=min(_time(flat["healthy_since"]), now),
            decay_s=_or_infinite(flat.get("decay_s")),
            is_told_due=bool(flat.get("told_due")),
            left_to_requests=bool(flat.get("left_to_requests")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    if back_s:
        entry.lease = entry.lease and entry.lease.shifted(-back_s)
    return Read(entry, min(written, now), mended=back_s > 0)


def is_forgettable(name: str, text: str, now: float) -> bool:
    """True if a row has said nothing for long: no attempt is under way that began before.

    A bench that ended counts as long as it would if the name had come back at its end.
    """
    read = read_entry(name, text, now)
    if read is None or read.entry.hold or read.entry.lease:
        return False
    entry = read.entry
    ended = entry.auto.end if entry.auto else entry.healthy_since
    counts_s = entry.top_level * entry.decay_s if entry.top_level else 0.0
    return now - max(read.written, ended) >= _KEPT_S and now - ended >= counts_s


def _write_stay(stay: Stay | None) -> dict[str, Any] | None:
    if stay is None:
        return None
    terms = stay.terms
    flat: dict[str, Any] = {
        "since": stay.since,
        "length_s": stay.length_s,
        "reason": stay.reason,
        "by": stay.by,
        "dead": stay.dead,
    }
    if terms is not None:
        flat["terms"] = [terms.cooldown_s, terms.growth, _or_none(terms.longest_s), terms.probe]
    return {name: value for name, value in flat.items() if value is not None and value is not False}


def _read_stay(flat: dict[str, Any], now: float) -> Stay:
    length = flat.get("length_s")
    by = flat.get("by")
    terms = None
    if "terms" in flat:
        cooldown, growth, longest, probe = flat["terms"]
        terms = Terms(_number(cooldown), _number(growth), _or_infinite(longest), probe=bool(probe))
    return Stay(
        since=min(_time(flat["since"]), now),
        length_s=None if length is None else _number(length),
        reason=str(flat.get("reason", "")),
        by=None if by is None else str(by),
        dead=bool(flat.get("dead")),
        terms=terms,
    )


def _or_none(value: float) -> float | None:
    return None if math.isinf(value) else value


def _or_infinite(value: Any) -> float:
    return math.inf if value is None else _number(value)


def _number(value: Any) -> float:
    """A number; what is none, as NaN is, raises ValueError."""
    number = float(value)
    if math.isnan(number):
        raise ValueError("not a number")
    return number


def _time(value: Any) -> float:
    """A number of seconds that has an end."""
    number = _number(value)
    if math.isinf(number):
        raise ValueError("no time")
    return number
