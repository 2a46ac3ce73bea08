"""Every row of what a failure means, over real sockets, in three protocols, plain and streamed."""

from __future__ import annotations

from typing import Any

import pytest

from engine import ChainExhausted, RequestError, StreamInterrupted
from tests.over_sockets import PROTOCOLS, QUICK, Protocol, ask, engine_over
from tests.upstream import Step, steps

STATUSES = [
    *((status, "transient", "server_error") for status in (409, 425, 500, 502, 520)),
    *((status, "transient", "timeout") for status in (408, 504)),
    *((status, "transient", "overloaded") for status in (503, 529)),
    (429, "transient", "rate_limited"),
    (401, "auth_dead", "invalid_key"),
    (402, "auth_dead", "quota"),
    (403, "auth_dead", "forbidden"),
    (404, "auth_dead", "model_not_found"),
    (400, "request_specific", "bad_request"),
    (413, "request_specific", "too_large"),
    (422, "request_specific", "bad_request"),
    (418, "unknown", "http_418"),
]

ROWS: list[tuple[str, Step, str, str, int]] = [
    *((f"status {code}", steps.status(code), kind, reason, code) for code, kind, reason in STATUSES),
    ("redirect", steps.redirect("http://127.0.0.1:9/"), "unknown", "http_302", 302),
    (
        "quota",
        steps.status(429, error_code="insufficient_quota", kind="insufficient_quota"),
        "auth_dead",
        "quota",
        429,
    ),
    ("html with a status", steps.html(code=502), "transient", "server_error", 502),
    ("html in a 200", steps.html(), "transient", "protocol", 0),
    ("bad json", steps.bad_json(), "transient", "protocol", 0),
    ("error in a 200", steps.error_in_200(), "transient", "overloaded", 0),
    ("error event", steps.error_event(), "transient", "overloaded", 0),
    ("rate limit in a 200", steps.error_event(kind="rate_limit_error"), "transient", "rate_limited", 0),
    ("reset", steps.reset(), "transient", "connection", 0),
    ("closed", steps.close(), "transient", "connection", 0),
    ("empty", steps.empty(), "transient", "empty", 0),
    ("done only", steps.done_only(), "transient", "empty", 0),
]

TYPED = {"error in a 200", "error event", "rate limit in a 200"}
NAMES = [row[0] for row in ROWS]


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_a_failure_is_read_as_its_row_says_and_the_next_model_answers(
    row: tuple[str, Step, str, str, int], protocol: Protocol, mode: str
) -> None:
    name, step, kind, reason, status = row
    if protocol == "ollama" and name in TYPED:
        kind, reason = "unknown", "unknown"  # Ollama's errors are words without a type
    if protocol != "openai" and name == "quota":
        pytest.skip("a code of OpenAI's")
    async with engine_over(protocol) as (engine, up, heard):
        up.script("a", step)
        up.script("b", steps.ok("from b"))
        assert await ask(engine, mode) == "from b"
        failed = heard.of("attempt.failed")[0]
        assert (failed.kind, failed.reason) == (kind, reason)
        assert failed.status == status
        assert engine.is_benched("p/a") == (kind != "request_specific")
        tries = {"transient": 2, "unknown": 2, "auth_dead": 1, "request_specific": 1}[kind]
        assert len(up.requests_for("a")) == (1 if reason == "empty" else tries)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "step", [steps.hang(), steps.hang_headers(), steps.stall(after=0)], ids=["hang", "headers", "stall"]
)
async def test_a_silent_stream_is_left_after_the_first_token_limit(protocol: Protocol, step: Step) -> None:
    async with engine_over(protocol, limits_of_a={"first_token": 0.5}) as (engine, up, heard):
        up.script("a", step)
        assert await ask(engine, "stream") == "Hello there"
        assert heard.of("attempt.failed")[0].reason == "first_token_timeout"
        assert len(up.requests_for("a")) == 1
        await up.requests_for("a")[0].closed.wait()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_silent_plain_call_is_left_after_the_attempts_limit(protocol: Protocol) -> None:
    async with engine_over(protocol, limits_of_a={"attempt": 0.5}) as (engine, up, heard):
        up.script("a", steps.hang())
        assert await ask(engine, "plain") == "Hello there"
        assert heard.of("attempt.failed")[0].reason == "timeout"
        await up.requests_for("a")[0].closed.wait()


BREAKS = [
    ("cut", steps.cut(), "connection"),
    ("reset", steps.cut(reset=True), "connection"),
    ("stall", steps.stall(), "idle_timeout"),
    ("bad chunk", steps.bad_json(after=1), "protocol"),
    ("no end", steps.no_finish(), "truncated"),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("row", BREAKS, ids=[row[0] for row in BREAKS])
async def test_a_break_after_content_is_told_with_what_had_arrived(
    row: tuple[str, Step, str], protocol: Protocol
) -> None:
    _, step, reason = row
    async with engine_over(protocol, limits_of_a={"idle": 0.5} if reason == "idle_timeout" else None) as (
        engine,
        up,
        _,
    ):
        up.script("a", step)
        with pytest.raises(StreamInterrupted) as caught:
            await ask(engine, "stream")
        assert caught.value.cause.reason == reason
        assert caught.value.text.strip() == "Hello"
        assert engine.is_benched("p/a")
        assert up.requests_for("b") == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_plain_answer_cut_in_the_middle_is_a_failure(protocol: Protocol) -> None:
    async with engine_over(protocol) as (engine, up, heard):
        up.script("a", steps.cut())
        assert await ask(engine, "plain") == "Hello there"
        assert heard.of("attempt.failed")[0].reason == "connection"


WELL = [
    ("byte by byte", steps.byte_by_byte()),
    ("CRLF", steps.crlf()),
    ("CR", steps.cr()),
    ("BOM", steps.bom()),
    ("comments", steps.commented()),
    ("no terminator", steps.no_done()),
    ("gzip", steps.gzipped()),
    ("not streamed after all", steps.whole_for_a_stream()),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("row", WELL, ids=[row[0] for row in WELL])
async def test_an_unusual_but_whole_stream_is_read_whole(row: tuple[str, Step], protocol: Protocol) -> None:
    async with engine_over(protocol) as (engine, up, heard):
        up.script("a", row[1])
        assert await ask(engine, "stream") == "Hello there"
        assert heard.of("attempt.failed") == []
        assert heard.of("attempt.succeeded")[0].finish_reason == "stop"


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_line_separators_inside_the_text_stay_text(protocol: Protocol, mode: str) -> None:
    async with engine_over(protocol) as (engine, up, _):
        up.script("a", steps.u2028())
        assert "\u2028" in await ask(engine, mode)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_line_of_a_mebibyte_is_read_whole(protocol: Protocol) -> None:
    async with engine_over(protocol) as (engine, up, _):
        up.script("a", steps.huge_line(1 << 20))
        assert len(await ask(engine, "stream")) >= 1 << 20


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_tokens_are_counted_in_every_protocol(protocol: Protocol, mode: str) -> None:
    async with engine_over(protocol) as (engine, _, heard):
        await ask(engine, mode)
        told = heard.of("request.succeeded")[0]
        assert (told.input_tokens, told.output_tokens) == (7, 3)


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_withheld_by_a_filter_stops_the_request(protocol: Protocol, mode: str) -> None:
    if protocol == "ollama":
        pytest.skip("Ollama has no such finish reason")
    async with engine_over(protocol) as (engine, up, _):
        up.script("a", steps.refused())
        with pytest.raises(RequestError) as caught:
            await ask(engine, mode)
        assert caught.value.reason == "content_filter"
        assert engine.benched() == []
        assert up.requests_for("b") == []


async def test_a_port_where_nobody_listens_is_a_connection_failure_that_says_so() -> None:
    async with engine_over(policy=QUICK.replace(attempts=1)) as (engine, up, _):
        await up.stop()
        with pytest.raises(ChainExhausted, match="refused") as caught:
            await ask(engine, "plain")
        assert caught.value.reason == "connection"


@pytest.mark.parametrize(
    ("value", "header", "expected"),
    [
        ("7", "retry-after", 7.0),
        ("1.5", "retry-after", 1.5),
        ("2500", "retry-after-ms", 2.5),
        ("nonsense", "retry-after", None),
        ("-3", "retry-after", None),
        ("inf", "retry-after", None),
    ],
)
async def test_retry_after_is_read_in_every_form(value: str, header: str, expected: float | None) -> None:
    policy: Any = QUICK.replace(attempts=1)
    async with engine_over(policy=policy) as (engine, up, heard):
        up.script("a", steps.retry_after(value, header=header))
        await ask(engine, "plain")
        assert heard.of("attempt.failed")[0].retry_after_s == expected
