"""The readers of streams, on every split of every odd but lawful stream."""

from __future__ import annotations

import itertools
import json
import re
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import example, given, strategies as st

from engine.messages import Delta
from engine.providers import sse
from engine.providers.base import Signal
from engine.providers.openai import OpenAIWire
from engine.providers.sse import LineReader, SseEvent, SseReader

# Pieces of streams with everything in them that readers have stumbled over.
LINES = (
    "data: {}",
    'data:{"a": 1}',
    "data:  two blanks",
    "data",
    "data:",
    "data: ",
    "data: [DONE]",
    "event: error",
    "event:ping",
    "event",
    ": a comment",
    ":",
    "id: 7\0",
    "retry: 3000",
    "data: U+2028 \u2028 U+0085 \u0085 FF \x0c",
    "data: Grüße, 世界, 🌍",
    " data: not a field",
    "",
)
ENDS = ("\n", "\r\n", "\r")


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    lines = draw(
        st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS), st.booleans()), max_size=12)
    )
    text = draw(st.sampled_from(["", "\ufeff"]))
    for line, end, blank in lines:
        text += line + end + (end if blank else "")
    return text.encode() + draw(
        st.sampled_from([b"", b"data: \xff\xf0\x9f\n\n", b"\xe4\xb8\n\n", b"data: {"])
    )


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def read(reader: SseReader, chunks: Iterable[bytes]) -> list[SseEvent]:
    return [event for chunk in itertools.chain(chunks, [b""]) for event in reader.feed(chunk)]


def read_lines(reader: LineReader, chunks: Iterable[bytes]) -> list[str]:
    return [line for chunk in itertools.chain(chunks, [b""]) for line in reader.feed(chunk)]


def by_the_book(data: bytes) -> list[tuple[str, str]]:
    """The complete events of a stream, line by line as the specification tells it."""
    lines = re.split("\r\n|\r|\n", data.decode("utf-8", "replace").removeprefix("\ufeff"))
    events: list[tuple[str, str]] = []
    name = ""
    values: list[str] = []
    for line in lines[:-1]:
        if not line:
            if "\n".join(values).strip():
                events.append((name, "\n".join(values)))
            name, values = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            values.append(value)
        elif field == "event":
            name = value
    return events


@given(streams(), st.lists(st.integers(0, 1000), max_size=8))
@example(b"data: a\r\n\r\ndata: b\r\n\r\n", [8, 9, 10])
@example(b"\n\n\ndata: a\n\n\n\ndata: b\n\n", [1, 2, 11, 12])
def test_any_split_of_a_stream_gives_the_events_of_the_specification(data: bytes, cuts: list[int]) -> None:
    assert read(SseReader(), pieces(data, cuts)) == by_the_book(data)


@given(streams())
def test_a_stream_read_byte_by_byte_gives_the_events_of_the_specification(data: bytes) -> None:
    assert read(SseReader(), pieces(data, range(len(data)))) == by_the_book(data)


@pytest.mark.parametrize("end", ENDS)
def test_an_event_is_out_as_soon_as_its_blank_line_is(end: str) -> None:
    reader = SseReader()
    assert reader.feed(f"data: a{end}{end}".encode()) == [("", "a")]
    assert reader.feed(f"data: b{end}".encode()) == []
    assert reader.feed(end.encode()) == [("", "b")]


def test_a_carriage_return_does_not_wait_for_its_line_feed() -> None:
    reader = SseReader()
    assert reader.feed(b"data: a\r\n\r") == [("", "a")]
    assert reader.feed(b"\ndata: b\r\n\r\n") == [("", "b")]


def test_a_comment_yields_nothing() -> None:
    assert SseReader().feed(b": keep-alive\n\n") == []


def test_a_byte_order_mark_does_not_cost_the_first_event() -> None:
    for cuts in ([], [1], [2], [1, 2], [3]):
        assert read(SseReader(), pieces(b"\xef\xbb\xbfdata: a\n\n", cuts)) == [("", "a")]


def test_only_the_first_mark_of_a_stream_is_a_byte_order_mark() -> None:
    events = SseReader().feed("data: a\n\n\ufeffdata: b\n\ndata: \ufeffc\n\n".encode())
    assert events == [("", "a"), ("", "\ufeffc")]


def test_an_event_has_the_name_its_stream_gives_it() -> None:
    events = SseReader().feed(b'event: error\ndata: {"a": 1}\n\ndata: {}\n\n')
    assert events == [("error", '{"a": 1}'), ("", "{}")]


def test_several_data_lines_are_one_text() -> None:
    assert SseReader().feed(b"data: {\ndata: }\n\n") == [("", "{\n}")]


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    assert SseReader().feed(b"data: a\xffb\xf0\x9f\n\ndata: c\n\n") == [("", "a\ufffdb\ufffd"), ("", "c")]


@pytest.mark.parametrize("rest", ["data: [DONE]", "data: [DONE]\n", 'data: {"a": {"b": 1}}', "data:{}\r"])
def test_a_last_event_without_its_blank_line_counts_if_it_is_whole(rest: str) -> None:
    reader = SseReader()
    assert reader.feed(b"data: {}\n\n" + rest.encode()) == [("", "{}")]
    assert [data for _, data in reader.finish()] == [rest.partition(":")[2].strip()]


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=3), st.data())
def test_no_cut_of_an_event_counts_as_whole(value: dict[str, object], data: st.DataObject) -> None:
    line = f"data: {json.dumps(value)}".encode()
    reader = SseReader()
    reader.feed(line[: data.draw(st.integers(0, len(line) - 1))])
    assert reader.finish() == []


@pytest.mark.parametrize(
    "rest", ["data: 12", "data: nope", "data: [1]", "event: ping", ": bye", "data: " + '{"a":' * 9999]
)
def test_a_last_event_that_may_be_cut_is_dropped(rest: str) -> None:
    reader = SseReader()
    assert reader.feed(rest.encode()) == []
    assert reader.finish() == []


@pytest.mark.parametrize("size", [sse.LIMIT, sse.LIMIT + 1])
@pytest.mark.parametrize("last", [0, 1, 2, 1 << 16, 1 << 30])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_an_event_is_as_large_as_the_limit_and_no_larger(size: int, last: int, end: bytes) -> None:
    stream = b"data: first\n\n" + b"data: " + b"x" * (size - 6) + end + end
    chunks = pieces(stream, [max(0, len(stream) - last)])
    if size == sse.LIMIT:
        assert [len(data) for _, data in read(SseReader(), chunks)] == [5, size - 6]
        return
    with pytest.raises(Signal) as caught:
        read(SseReader(), chunks)
    assert caught.value.what == "protocol"
    assert "16 MiB" in caught.value.message


LARGE = b"data: " + b"x" * sse.LIMIT


@pytest.mark.parametrize("end", [b"\n\n", b"", b"\n\ndata: lost\n\n"], ids=["whole", "cut", "another"])
def test_what_came_before_an_event_that_is_too_large_is_not_lost(end: bytes) -> None:
    reader = SseReader()
    assert reader.feed(b"data: a\n\ndata: b\n\n" + LARGE + end) == [("", "a"), ("", "b")]
    for chunk in (b"", b"data: c\n\n"):
        with pytest.raises(Signal, match="16 MiB"):
            reader.feed(chunk)
    with pytest.raises(Signal, match="16 MiB"):
        reader.finish()


def test_an_event_that_is_too_large_is_refused_at_once_where_nothing_came_before_it() -> None:
    for before in (b"", b": a comment\n\n"):
        with pytest.raises(Signal, match="16 MiB"):
            SseReader().feed(before + LARGE + b"\n\n")


@pytest.mark.parametrize("end", [b"\n", b"", b"\n{}\n"], ids=["whole", "cut", "another"])
def test_what_came_before_a_line_that_is_too_large_is_not_lost(end: bytes) -> None:
    reader = LineReader()
    assert reader.feed(b'{"a": 1}\n\n' + LARGE + end) == ['{"a": 1}']
    with pytest.raises(Signal, match="16 MiB"):
        reader.feed(b"")
    with pytest.raises(Signal, match="16 MiB"):
        reader.finish()


def test_no_part_of_an_answer_is_lost_to_an_event_that_is_too_large() -> None:
    reader = OpenAIWire("http://x.example").reader()
    said = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
    assert reader.feed(said + LARGE) == [Delta("Hi")]
    with pytest.raises(Signal, match="16 MiB"):
        reader.feed(b"")


def test_many_events_in_one_read_may_exceed_the_limit_together() -> None:
    event = b"data: " + b"x" * (sse.LIMIT // 4) + b"\n\n"
    assert len(SseReader().feed(event * 5)) == 5


def test_an_endless_line_is_refused_while_it_is_still_coming() -> None:
    endless = itertools.repeat(b"x" * (1 << 20))
    with pytest.raises(Signal, match="16 MiB"):
        read(SseReader(), endless)


def test_a_huge_line_in_small_pieces_is_not_copied_again_with_each() -> None:
    reader = SseReader()
    reader.feed(b"data: " + b"x" * (sse.LIMIT // 2))
    tracemalloc.start()
    for _ in range(1000):
        reader.feed(b"xxxx")
    grown = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Growing in place may move the buffer once; a copy with each piece would hold two of them.
    assert grown < sse.LIMIT * 3 // 4


LINES_OF_JSON = ('{"a": 1}', '{"text": "\u2028 \u0085"}', '{"ü": "🌍"}', "", "  ", "[1]")


@given(
    st.lists(st.tuples(st.sampled_from(LINES_OF_JSON), st.sampled_from(["\n", "\r\n"])), max_size=9),
    st.lists(st.integers(0, 500), max_size=8),
    st.sampled_from(["", "\ufeff"]),
)
def test_any_split_of_lines_gives_the_same_lines(
    lines: list[tuple[str, str]], cuts: list[int], mark: str
) -> None:
    data = (mark + "".join(line + end for line, end in lines)).encode()
    reader = LineReader()
    read = [json.loads(line) for line in read_lines(reader, pieces(data, cuts))]
    assert read == [json.loads(line) for line, _ in lines if line.strip()]
    assert reader.finish() == []


def test_a_last_line_without_its_end_counts_if_it_is_whole() -> None:
    reader = LineReader()
    assert reader.feed(b'{"a": 1}\n{"done": true}') == ['{"a": 1}']
    assert reader.finish() == ['{"done": true}']


def test_a_last_line_that_is_cut_is_dropped() -> None:
    reader = LineReader()
    assert reader.feed(b'{"a": 1}\n{"done": tr') == ['{"a": 1}']
    assert reader.finish() == []


@pytest.mark.parametrize("chunk", [1 << 16, 1 << 30], ids=["in pieces", "at once"])
def test_a_line_larger_than_the_limit_is_refused(chunk: int) -> None:
    stream = b"x" * (sse.LIMIT + 1) + b"\n"
    chunks = [stream[place : place + chunk] for place in range(0, len(stream), chunk)]
    with pytest.raises(Signal) as caught:
        read_lines(LineReader(), chunks)
    assert caught.value.what == "protocol"
