from __future__ import annotations

from typing import Any

import pytest
import yaml

from engine.config.faults import Faults
from engine.config.nodes import Broken, Map, Node, Scalar, Seq, read_nodes
from engine.errors import ConfigError

LOADERS = [pytest.param(yaml.SafeLoader, id="pure"), pytest.param(yaml.CSafeLoader, id="libyaml")]
both = pytest.mark.parametrize("loader", LOADERS)


def refused(text: str, loader: type[Any] = yaml.CSafeLoader) -> list[str]:
    faults = Faults("f")
    try:
        read_nodes(text, faults, loader)
    except ConfigError as error:
        return [str(fault) for fault in error.faults]
    return [str(fault) for fault in faults.error().faults]


def plain(node: Node | None) -> object:
    match node:
        case Scalar():
            return node.text
        case Seq():
            return [plain(item) for item in node.items]
        case Map():
            return {key.text: plain(value) for key, value in node.entries}
        case Broken():
            return ...
        case None:
            return None


@both
def test_scalars_keep_their_text_where_yaml_would_read_something_else(loader: type[Any]) -> None:
    text = "on: [yes, 12:30, 1e3, 3.10, 017, 0x1F, 2024-01-01, null, ~, '3', \"\\x41\"]"
    node = read_nodes(text, Faults("f"), loader)
    expected = ["yes", "12:30", "1e3", "3.10", "017", "0x1F", "2024-01-01", "null", "~", "3", "A"]
    assert plain(node) == {"on": expected}


@both
def test_every_node_knows_its_line_and_column(loader: type[Any]) -> None:
    node = read_nodes("a:\n  - 'x'\n  - {b: é, c: d}\n", Faults("f"), loader)
    assert isinstance(node, Map)
    key, items = node.entries[0]
    assert isinstance(items, Seq)
    inner = items.items[1]
    assert isinstance(inner, Map)
    places = [key, items, items.items[0], inner, *inner.entries[0], *inner.entries[1]]
    assert [(at.line, at.column) for at in places] == [
        (1, 1), (2, 3), (2, 5), (3, 5), (3, 6), (3, 9), (3, 12), (3, 15),
    ]  # fmt: skip


@both
def test_a_scalar_knows_where_its_text_stands_letter_by_letter(loader: type[Any]) -> None:
    node = read_nodes("- abc\n- 'abc'\n- \"a\\x62c\"\n- 'it''s'\n- a\n  b\n", Faults("f"), loader)
    assert isinstance(node, Seq)
    assert [item.starts for item in node.items if isinstance(item, Scalar)] == [3, 4, 0, 0, 0]


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n# comments\n", "\ufeff", "\ufeff# hello"])
@both
def test_a_text_without_content_has_no_root(text: str, loader: type[Any]) -> None:
    assert read_nodes(text, Faults("f"), loader) is None


@both
def test_a_byte_order_mark_is_passed_over_and_moves_no_column(loader: type[Any]) -> None:
    node = read_nodes("\ufeffa: 1", Faults("f"), loader)
    assert isinstance(node, Map)
    assert (node.line, node.column) == (1, 1)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: 2\na: 3", "f:3:1: a: stands here twice; the first is in line 1; remove one"),
        ("x: {y: {a: 1, a: 2}}", "f:1:15: x.y.a: stands here twice; the first is in line 1; remove one"),
        ("x: [1, {a: 1, a: 2}]", "f:1:15: x[1].a: stands here twice; the first is in line 1; remove one"),
        ("'a': 1\na: 2", "f:2:1: a: stands here twice; the first is in line 1; remove one"),
        ("a: &b 1", "f:1:4: a: an anchor (`&name`) is not allowed; there are no aliases here"),
        ("a: !!str 1", "f:1:4: a: a tag (`!name`) is not allowed; write the plain value"),
        ("a: ! 1", "f:1:4: a: a tag (`!name`) is not allowed; write the plain value"),
        ("a: !!python/name:os.system x", "f:1:4: a: a tag (`!name`) is not allowed; write the plain value"),
        ("<<: {a: 1}", "f:1:1: <<: a merge key (`<<`) is not allowed; write the keys out"),
        ("? [a]\n: 1", "f:1:3: yaml: a key must be one word, not a list or a mapping"),
        ("x: {? {a: b} : 1}", "f:1:7: x: a key must be one word, not a list or a mapping"),
        ("{'': 1}", "f:1:2: yaml: a key is missing before the ':'"),
    ],
)
@both
def test_what_a_configuration_has_no_use_for_is_refused(text: str, fault: str, loader: type[Any]) -> None:
    assert refused(text, loader) == [fault]


@both
def test_a_second_document_is_refused(loader: type[Any]) -> None:
    what = "a second document begins here; a configuration is one document, without `---`"
    assert refused("a: 1\n---\nb: 2", loader) == [f"f:2:1: yaml: {what}"]


def test_an_alias_is_refused_beside_its_anchor() -> None:
    assert refused("a: &x 1\nb: [*x]") == [
        "f:1:4: a: an anchor (`&name`) is not allowed; there are no aliases here",
        "f:2:5: b[0]: an alias (`*name`) is not allowed; write the value out",
    ]


def test_aliases_are_never_followed() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefg", "bcdefgh", strict=True)
    )
    faults = Faults("f")
    node = read_nodes(bomb, faults)
    assert plain(node) == {"a": ["x", "x"], **{name: [..., ...] for name in "bcdefgh"}}
    assert len(faults.error().faults) == 8 + 14


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "[{a: "])
@both
def test_no_depth_of_nesting_crashes(opening: str, loader: type[Any]) -> None:
    last = refused(opening * 100_000, loader)[-1]
    assert last.endswith(": lists and mappings are nested more than 32 deep")


def test_nesting_within_the_limit_is_read() -> None:
    assert refused("[" * 32 + "]" * 32) == []
    assert refused("[" * 33 + "]" * 33) != []


SYNTAX = [
    (
        "a:\n\tb: 1\n",
        "2:1",
        "this character can't begin a value: quote the value; indent with blanks, not tabs",
    ),
    ("a: @x\n", "1:4", "this character can't begin a value: quote the value; indent with blanks, not tabs"),
    ("a: b: c\n", "1:5", "a ':' is not expected here; check the indentation, and quote text that holds ': '"),
    ("a: - b\n", "1:4", "a '-' is not expected here; a list begins on a line of its own, below its key"),
    ("a:\n  b: 1\n c: 2\n", "3:2", "this does not fit the lines above; check indentation and quotes"),
    ("a: 'x'y\n", "1:7", "this does not fit the lines above; check indentation and quotes"),
    ("a:\n  [1, 2\nb: 3\n", "3:2", "a list opened with '[' in line 2 is not closed with ']', or lacks a ','"),
    ("a: {b: 1\nc: 2", "2:2", "a mapping opened with '{' in line 1 is not closed with '}', or lacks a ','"),
    ("\na: 'x\nb: 2\n", "2:4", "a quote is opened here and never closed"),
    ('a: "x\nb: 2\n', "1:4", "a quote is opened here and never closed"),
    ("a: 1\nfoo\nb: 2\n", "3:1", "a key without a ':'; write `key: value`"),
    ("a: ]\n", "1:4", "a value is missing here"),
    ("a: & b\n", "1:5", "'&' and '*' have a meaning of their own in YAML; quote the value"),
    ("a: *\n", "1:5", "'&' and '*' have a meaning of their own in YAML; quote the value"),
    ("a: !x!y z\n", "1:4", "'!' has a meaning of its own in YAML; quote the value"),
    ("a: |x\n  foo\n", "1:5", "text after '|' or '>' belongs on the next line, indented"),
    ("%YAML 3.0\n---\na: 1", "1:1", "a line that begins with '%' is not needed here; remove it"),
    ("a: 1\n... x\n", "2:5", "nothing may follow here; check the indentation"),
]


@pytest.mark.parametrize(("text", "place", "what"), SYNTAX)
@both
def test_a_syntax_fault_is_told_in_own_words(text: str, place: str, what: str, loader: type[Any]) -> None:
    assert refused(text, loader) == [f"f:{place}: yaml: {what}"]


@pytest.mark.parametrize(
    ("loader", "column"),
    [pytest.param(yaml.SafeLoader, 6, id="pure"), pytest.param(yaml.CSafeLoader, 5, id="libyaml")],
)
def test_an_unknown_escape_is_a_fault(loader: type[Any], column: int) -> None:
    what = "an unknown escape after '\\' in double quotes; use single quotes, or write '\\\\'"
    assert refused('a: "\\q"', loader) == [f"f:1:{column}: yaml: {what}"]


def test_an_error_of_the_parser_without_a_place_gets_the_last_one_known() -> None:
    fault = "f:1:1: yaml: this is not valid YAML; check indentation, quotes and brackets"
    assert refused('a: "\\U99999999"', yaml.SafeLoader) == [fault]


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("a: b\n\0", "2:1", "U+0000"),
        ("a: b\r\nc: \x1b[2J", "2:4", "U+001B"),
        ("a:\rb: \x9b", "2:4", "U+009B"),
        ("a: \ud800", "1:4", "U+D800"),
        ("a: \ufeff", "1:4", "U+FEFF"),
        ("a: \uffff", "1:4", "U+FFFF"),
        ("a: \x7f", "1:4", "U+007F"),
    ],
)
def test_characters_that_yaml_does_not_allow_are_named_by_their_code(
    text: str, place: str, code: str
) -> None:
    what = f"holds the character {code}, which can't stand in a YAML file; remove it"
    assert refused(text) == [f"f:{place}: file: {what}"]


@pytest.mark.parametrize("text", ["a" * (1024 * 1024 + 1), "é" * (512 * 1024 + 1)])
def test_a_text_over_one_mebibyte_is_not_even_parsed(text: str) -> None:
    assert refused(text) == ["f:1:1: file: is larger than 1 MiB; a configuration is a few kilobytes"]


def test_faults_before_a_syntax_fault_are_told_with_it() -> None:
    assert [fault.split(": ")[0] for fault in refused("a: 1\na: 2\nb: 'x")] == ["f:2:1", "f:3:4"]


def test_what_looks_like_a_key_is_hidden_on_the_way_to_a_fault() -> None:
    assert refused("sk-live-4242424242: {a: 1, a: 2}") == [
        "f:1:28: (hidden: it looks like a key).a: stands here twice; the first is in line 1; remove one"
    ]


def test_at_a_thousand_faults_the_reading_ends() -> None:
    faults = refused("a: 1\n" * 5000)
    assert len(faults) == 1001
    assert faults[-1] == "f: more faults may follow; these are enough to begin with"
