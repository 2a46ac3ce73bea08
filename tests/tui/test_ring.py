from __future__ import annotations

from tui.ring import Line, Ring


def line(name: str) -> Line:
    return Line("2026-03-01T12:00:00.000Z", "running", model=name)


def test_lines_keep_their_numbers_when_the_oldest_go() -> None:
    ring = Ring(3)
    for name in "abcde":
        ring.append(line(name))
    assert (ring.first, ring.end, len(ring)) == (2, 5, 3)
    assert [each.model for each in ring] == ["c", "d", "e"]
    kept = ring.get(2)
    assert kept is not None
    assert kept.model == "c"
    assert ring.get(1) is None


def test_a_line_that_has_gone_is_not_replaced() -> None:
    ring = Ring(1)
    ring.append(line("a"))
    ring.append(line("b"))
    assert not ring.replace(0, line("x"))
    assert ring.replace(1, line("y"))
    assert [each.model for each in ring] == ["y"]


def test_a_copy_does_not_see_what_comes_after() -> None:
    ring = Ring()
    number = ring.append(line("a"))
    copy = ring.copy()
    ring.replace(number, line("changed"))
    ring.append(line("b"))
    assert [each.model for each in copy] == ["a"]


def test_every_change_is_a_new_version() -> None:
    ring = Ring()
    versions = [ring.version]
    number = ring.append(line("a"))
    versions.append(ring.version)
    ring.replace(number, line("b"))
    versions.append(ring.version)
    assert len(set(versions)) == 3
