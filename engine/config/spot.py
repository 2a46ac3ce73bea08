"""Reading nodes as what they should be: each misfit becomes a fault with its place, and None."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.config.faults import Faults
from engine.config.inline import quoted, shown
from engine.config.nodes import Broken, Map, Node, Scalar, Seq
from engine.durations import LONGEST_S, format_duration, parse_duration
from engine.places import expanded

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9_]{0,17})")
_NUMBER = re.compile(r"[+-]?(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_NOT_FINITE = re.compile(r"[+-]?\.?(?:inf|infinity|nan)", re.IGNORECASE)
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(slots=True, eq=False)
class Spot:
    """One node of the file, where it stands in the configuration, and where its faults go.

    Every reading method returns None after noting a fault.

    Attributes:
        node: The node.
        faults: Where its faults go.
        step: The last step of the way to it: a name, or an index in a list.
        above: The node it stands in, None at the top.
    """

    node: Node
    faults: Faults
    step: str | int = ""
    above: Spot | None = None

    @property
    def where(self) -> str:
        """The way to it, as `providers.openai.keys[0]`; put together when a fault asks for it."""
        before = self.above.where if self.above else ""
        if isinstance(self.step, int):
            return f"{before}[{self.step}]"
        return f"{before}.{shown(self.step)}" if before else shown(self.step)

    def fault(self, what: str) -> None:
        """Notes a fault here, unless what stood here was refused already."""
        if not isinstance(self.node, Broken):
            self.faults.add(self.node.line, self.node.column, self.where, what)

    @property
    def is_null(self) -> bool:
        """Whether nothing stands here."""
        return isinstance(self.node, Scalar) and self.node.is_null

    def is_word(self, word: str | None) -> bool:
        """Whether exactly this word stands here."""
        return isinstance(self.node, Scalar) and self.node.text == word

    def _scalar(self, wanted: str) -> Scalar | None:
        if isinstance(self.node, Scalar) and not self.node.is_null:
            return self.node
        self.fault(f"must be {wanted}, {_not_what(self.node)}")
        return None

    def text(self, wanted: str = "text") -> str | None:
        """Text as it was written, whatever else YAML would take it for; not empty, printable."""
        scalar = self._scalar(wanted)
        if scalar is None:
            return None
        if not scalar.text.strip():
            self.fault(f"must be {wanted}, not blank")
        elif not scalar.text.isprintable():
            self.fault("holds a line break or another character that can't be printed")
        else:
            return scalar.text
        return None

    def path(self, folder: Path, wanted: str) -> Path | None:
        """A path, `~` expanded, relative to a folder."""
        text = self.text(wanted)
        return None if text is None else folder / expanded(text)

    def boolean(self) -> bool | None:
        """`true` or `false`, or YAML's other words for them."""
        scalar = self._scalar("true or false")
        if scalar is None:
            return None
        value = _BOOLEANS.get(scalar.text.lower()) if scalar.plain else None
        if value is None:
            self.fault("must be true or false")
        return value

    def integer(self, least: int = 0) -> int | None:
        """A whole number, at least so much."""
        scalar = self._scalar("a whole number")
        if scalar is None:
            return None
        if not (scalar.plain and _INTEGER.fullmatch(scalar.text)):
            self.fault(f"must be a whole number{'' if scalar.plain else ', not text in quotes'}, as 3")
        elif (value := int(scalar.text.replace("_", ""))) < least:
            self.fault(f"must be at least {least}")
        else:
            return value
        return None

    def number(self, least: float = 0.0, most: float = math.inf, *, above: bool = False) -> float | None:
        """A finite number within bounds; with `above`, more than the lower one."""
        scalar = self._scalar("a number")
        if scalar is None:
            return None
        bounds = f"{'more than' if above else 'at least'} {least:g}"
        bounds += f" and at most {most:g}" if math.isfinite(most) else ""
        written = scalar.plain and _NUMBER.fullmatch(scalar.text)
        value = float(scalar.text.replace("_", "")) if written else math.nan
        if _NOT_FINITE.fullmatch(scalar.text) or math.isinf(value):
            self.fault(f"must be a finite number, {bounds}")
        elif math.isnan(value):
            self.fault(f"must be a number{'' if scalar.plain else ', not text in quotes'}, as 2 or 0.5")
        elif not least <= value <= most or (above and value == least):
            self.fault(f"must be {bounds}")
        else:
            return value
        return None

    def duration(self, *, zero: bool = False) -> float | None:
        """Seconds; zero only where it means something."""
        scalar = self._scalar("a duration, as 30s or 5m")
        if scalar is None:
            return None
        try:
            seconds = parse_duration(scalar.text)
        except ValueError as error:
            self.fault(f"{error}")
            return None
        if seconds < 0 or (seconds == 0 and not zero):
            self.fault(f"must be {'at least' if zero else 'longer than'} 0s")
        elif seconds > LONGEST_S:
            self.fault(f"must be at most {format_duration(LONGEST_S)}")
        else:
            return seconds
        return None

    def choice(self, options: Collection[str], *, besides: str = "") -> str | None:
        """One word of several; `besides` says what else the caller takes, as `a status`."""
        listed = ", ".join([besides, *options] if besides else options)
        text = self.text(f"one of {listed}")
        if text is None or text in options:
            return text
        # What was written is shown only if it nearly fits: anything else could be a pasted secret.
        hint = self.faults.did_you_mean(text, options)
        self.fault(
            f"unknown value {quoted(text)}{hint} (one of {listed})" if hint else f"must be one of {listed}"
        )
        return None

    def items(self, wanted: str) -> list[Spot] | None:
        """The elements of a list."""
        if isinstance(self.node, Seq):
            return [Spot(node, self.faults, i, self) for i, node in enumerate(self.node.items)]
        self.fault(f"must be {wanted}, {_not_what(self.node)}")
        return None

    def mapping(self) -> Section | None:
        """The mapping that stands here, None without a fault if something else does."""
        return Section(self, self.node.entries) if isinstance(self.node, Map) else None

    def section(self, wanted: str = "a mapping") -> Section | None:
        """The mapping that stands here; nothing, as when all its lines are comments, is an empty one."""
        section = self.mapping()
        if section is not None:
            return section
        if self.is_null:
            return Section(self, [])
        self.fault(f"must be {wanted}, {_not_what(self.node)}")
        return None


@dataclass(frozen=True, slots=True)
class Entry:
    """A name the author chose and what it stands for.

    Attributes:
        name: As it was written.
        key: Where the name stands.
        value: What it stands for.
    """

    name: str
    key: Spot
    value: Spot


class Section:
    """One mapping, read key by key. What nobody asked for is a fault when it is closed."""

    def __init__(self, spot: Spot, entries: list[tuple[Scalar, Node]]) -> None:
        self.spot = spot
        self._entries = {key.text: (key, node) for key, node in entries}
        self._asked: list[str] = []

    @property
    def names(self) -> Collection[str]:
        """Every key."""
        return self._entries.keys()

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def take(self, key: str) -> Spot | None:
        """What a key holds, None if it is not there. The key counts as known from now on."""
        self._asked.append(key)
        found = self._entries.get(key)
        return self._spot(key, found[1]) if found else None

    def key(self, key: str) -> Spot:
        """The place of a key that is there."""
        return self._spot(key, self._entries[key][0])

    def entries(self) -> Iterator[Entry]:
        """Every key as a name the author chose."""
        for name, (key, node) in self._entries.items():
            yield Entry(name, self._spot(name, key), self._spot(name, node))

    def unknown(self) -> Iterator[str]:
        """The keys that nobody asked for."""
        return (key for key in self._entries if key not in self._asked)

    def close(self) -> None:
        """Makes a fault of each key that nobody asked for."""
        for key in self.unknown():
            hint = self.spot.faults.did_you_mean(key, self._asked)
            self.key(key).fault(f"unknown key{hint or '; known here: ' + ', '.join(sorted(self._asked))}")

    def _spot(self, key: str, node: Node) -> Spot:
        return Spot(node, self.spot.faults, key, self.spot)


def _not_what(node: Node) -> str:
    if isinstance(node, Map):
        return "not a mapping"
    if isinstance(node, Seq):
        return "not a list"
    return "but nothing stands here" if isinstance(node, Scalar) and node.is_null else "not a single value"
