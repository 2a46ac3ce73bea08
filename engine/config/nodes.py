"""YAML as plain nodes with their places. Knows YAML, and nothing of what a configuration means.

Built from the parser's events, with a stack of its own: so that nothing is constructed, no depth can
exhaust the interpreter, and a scalar keeps its text as written. YAML 1.1 would read `on` as true,
`12:30` as 750 and `3.10` as 3.1; here whoever asks for a scalar says what it should be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine.config.faults import Faults
from engine.config.inline import shown
from engine.config.syntax import syntax_fault

MOST_BYTES = 1024 * 1024
TOO_LARGE = "is larger than 1 MiB; a configuration is a few kilobytes"
_DEEPEST = 32

# What YAML allows (YAML 1.2, 5.1 "Character Set"), less the byte order mark inside the text.
_NOT_TEXT = re.compile(
    "[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]"
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Scalar:
    """One value.

    Attributes:
        line: 1-based.
        column: 1-based.
        text: As it was written, quotes and escapes undone.
        plain: Whether it stood without quotes.
        starts: The column at which `text` itself begins, 0 if it does not stand there letter by letter.
    """

    line: int
    column: int
    text: str
    plain: bool
    starts: int

    @property
    def is_null(self) -> bool:
        """Whether nothing was written, or YAML's word for nothing."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(slots=True, eq=False)
class Seq:
    """A list. Line and column are those of its beginning, 1-based."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Map:
    """A mapping; its keys differ. Line and column are those of its beginning, 1-based."""

    line: int
    column: int
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Broken:
    """Stands where something was refused; the fault is already noted."""

    line: int
    column: int


Node = Scalar | Seq | Map | Broken


def read_nodes(text: str, faults: Faults, loader: type[Any] = _LOADER) -> Node | None:
    """The nodes of a YAML text.

    Args:
        text: The text; a byte order mark at its beginning is passed over.
        faults: Gets what is refused: aliases, anchors, tags, merge keys, duplicate keys.
        loader: One of PyYAML's loaders; only its scanner and parser are used.

    Returns:
        The root, None if the text holds nothing but blanks and comments.

    Raises:
        ConfigError: The text can't be read as one YAML document of sane size and depth.
    """
    text = text.removeprefix("\ufeff")
    _check_text(text, faults)
    builder = _Builder(faults)
    try:
        for event in _events(text, loader):
            builder.take(event)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        line, column, what = syntax_fault(error)
        faults.add(line or builder.line, column or builder.column, "yaml", what)
        raise faults.error() from None
    return builder.root


def _check_text(text: str, faults: Faults) -> None:
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        faults.add(1, 1, "file", TOO_LARGE)
        raise faults.error()
    wrong = _NOT_TEXT.search(text)
    if wrong:
        lines = _LINE_END.split(text[: wrong.start()])
        what = f"holds the character U+{ord(wrong[0]):04X}, which can't stand in a YAML file; remove it"
        faults.add(len(lines), len(lines[-1]) + 1, "file", what)
        raise faults.error()


def _events(text: str, loader: type[Any]) -> Iterator[Any]:
    parser = loader(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


class _Open:
    """A list or mapping whose end has not come yet, and the key whose value is due."""

    __slots__ = ("firsts", "key", "node", "skip")

    def __init__(self, node: Seq | Map) -> None:
        self.node = node
        self.key: Scalar | None = None
        self.skip = False
        self.firsts: dict[str, int] = {}

    @property
    def step(self) -> str:
        if isinstance(self.node, Seq):
            return f"[{len(self.node.items)}]"
        return f".{shown(self.key.text)}" if self.key else ""


class _Builder:
    """Puts the parser's events together."""

    def __init__(self, faults: Faults) -> None:
        self.root: Node | None = None
        self.line = self.column = 1
        self._faults = faults
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: Any) -> None:
        start = event.start_mark
        self.line, self.column = start.line + 1, start.column + 1
        match event:
            case yaml.ScalarEvent():
                self._add(self._scalar(event))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_extras(event)
                self._begin(Map if isinstance(event, yaml.MappingStartEvent) else Seq)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._add(self._open.pop().node)
            case yaml.AliasEvent():
                self._fault("an alias (`*name`) is not allowed; write the value out")
                self._add(Broken(self.line, self.column))
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._give_up(
                        "a second document begins here; a configuration is one document, without `---`"
                    )

    def _scalar(self, event: Any) -> Scalar:
        self._refuse_extras(event)
        plain = not event.style
        text, end, begins = event.value, event.end_mark, self.column + (not plain)
        # Letter by letter only if the text is as long as its place in the file: no escapes, one line.
        whole = end.line + 1 == self.line and end.column + plain == begins + len(text)
        return Scalar(self.line, self.column, text, plain, begins if whole else 0)

    def _begin(self, kind: type[Seq | Map]) -> None:
        if len(self._open) >= _DEEPEST:
            self._give_up(f"lists and mappings are nested more than {_DEEPEST} deep")
        self._open.append(_Open(kind(self.line, self.column)))

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        inside = self._open[-1]
        if isinstance(inside.node, Seq):
            inside.node.items.append(node)
        elif inside.skip:
            inside.skip = False
        elif inside.key is not None:
            inside.node.entries.append((inside.key, node))
            inside.key = None
        else:
            self._add_key(inside, node)

    def _add_key(self, inside: _Open, node: Node) -> None:
        wrong = ""
        if not isinstance(node, Scalar):
            wrong = "" if isinstance(node, Broken) else "a key must be one word, not a list or a mapping"
        elif node.plain and node.text == "<<":
            wrong = "a merge key (`<<`) is not allowed; write the keys out"
        elif not node.text:
            wrong = "a key is missing before the ':'"
        elif node.text in inside.firsts:
            first = inside.firsts[node.text]
            wrong = f"stands here twice; the first is in line {first}; remove one"
        else:
            inside.firsts[node.text] = node.line
            inside.key = node
            return
        inside.skip = True
        if wrong:
            name = f".{shown(node.text)}" if isinstance(node, Scalar) and node.text else ""
            self._faults.add(
                node.line, node.column, (self._inside() + name).removeprefix(".") or "yaml", wrong
            )

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor is not None:
            self._fault("an anchor (`&name`) is not allowed; there are no aliases here")
        if event.tag is not None:
            self._fault("a tag (`!name`) is not allowed; write the plain value")

    def _inside(self) -> str:
        return "".join(part.step for part in self._open)

    def _where(self) -> str:
        return self._inside().removeprefix(".") or "yaml"

    def _fault(self, what: str) -> None:
        self._faults.add(self.line, self.column, self._where(), what)

    def _give_up(self, what: str) -> None:
        self._fault(what)
        raise self._faults.error()
