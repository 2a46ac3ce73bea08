from __future__ import annotations

from hypothesis import given, strategies as st

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


STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "replace"]), st.sampled_from("ab"), st.integers(0, 40)), max_size=60
)


@given(STEPS, st.integers(1, 8), st.integers(0, 60))
def test_a_part_has_those_lines_of_the_whole_that_are_kept_whatever_happens(
    steps: list[tuple[str, str, int]], size: int, begin: int
) -> None:
    ring = Ring(size)
    part = ring.part(lambda line: line.engine == "a")
    for step, (what, engine, number) in enumerate(steps):
        if step == begin:
            part = ring.part(lambda line: line.engine == "a")
        old, version = ring.get(number), part.version
        before = list(part)
        if what == "append":
            ring.append(line(f"m{step}")._replace(engine=engine))
        elif old is not None:
            ring.replace(number, old._replace(reason=f"changed {step}"))
        assert list(part) == [each for each in ring if each.engine == "a"]
        assert list(part) == [part.get(each) for each in range(part.first, part.end)]
        assert (list(part) == before) or part.version > version


def test_a_part_that_is_let_go_stands_still() -> None:
    ring = Ring()
    part = ring.part(lambda _: True)
    ring.append(line("a"))
    ring.let_go(part)
    ring.append(line("b"))
    assert [each.model for each in part] == ["a"]
