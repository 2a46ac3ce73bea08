"""An incident as a page of Markdown."""
# ruff: noqa: RUF001  (the page has typographic dashes and signs)

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import process_time
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.tui.made_up import BEGIN, Diary, iso, outage
from tui.incident.facts import Incident
from tui.incident.parts import Silence
from tui.incident.report import markdown, report


def page(told: Diary, minutes: float = 30) -> str:
    return markdown(told.records, BEGIN, BEGIN + timedelta(minutes=minutes))


def section(text: str, title: str) -> list[str]:
    """The lines of one section, blank ones left out."""
    inside = text.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    return [line for line in inside.splitlines() if line]


def test_an_outage_from_its_first_failure_to_its_end() -> None:
    text = page(outage())
    assert text.splitlines()[:3] == [
        "# Incident, 2026-11-21 14:02:10 – 14:17:51 UTC",
        "",
        "From the journal of 2026-11-21 14:00:00 – 14:30:00 UTC: 174 events of 4 engines. All times are UTC.",
    ]
    assert section(text, "Summary") == [
        (
            "- `acme/large` failed 38 times between 14:02:10 and 14:07:49: `rate_limited` (HTTP 429) ×37 and "
            "`timeout` ×1. It was out from 14:02:47 to 14:17:51 (15m4s, 2 benches in a row); then it "
            "answered again."
        ),
        "- `acme#main` (`quota`) was out from 14:08:20 to 14:09:20 (1m); then its time was over.",
        "- For `support`, `northwind/swift` answered 33 requests in place of the first model.",
        "- 60 requests: 57 answered (33 by a model that stood in) and 3 failed. Failed: `batch` (3).",
        (
            "- `alice@ops` benched `openai/gpt-5` by hand at 14:08:40 (`cost`); `bob@ops` brought it back at "
            "14:15:00."
        ),
        (
            "- `worker:2` had no store from 14:10:00 to 14:11:00 (`disk full`); meanwhile it went by a "
            "bench of its own."
        ),
    ]
    assert section(text, "What was out")[2:] == [
        "| `acme/large` | 14:02:47 | 14:17:51 | 15m4s | `rate_limited`, `timeout` | 2, level 2 | – |",
        "| `acme#main` | 14:08:20 | 14:09:20 | 1m | `quota` | 1 | – |",
        "| `openai/gpt-5` | 14:08:40 | 14:15:00 | 6m20s | `cost` | by hand | `alice@ops` |",
    ]
    assert section(text, "Timeline") == [
        "- 14:02:10 `acme/large` failed: `rate_limited`, HTTP 429 ×37, until 14:02:46",
        "- 14:02:47 `acme/large` was benched for 5m (`rate_limited`)",
        "- 14:03:20 a request to `batch` failed: `ChainExhausted` ×3, until 14:03:40",
        "- 14:07:49 `acme/large` failed: `timeout`",
        "- 14:07:49 `acme/large` failed its trial",
        "- 14:07:49 `acme/large` was benched for 10m (`timeout`, level 2)",
        "- 14:08:20 `acme#main` was benched for 1m (`quota`)",
        "- 14:08:40 `openai/gpt-5` was benched by hand by `alice@ops` without end: `cost`",
        "- 14:09:20 `acme#main` is back, its time was over",
        "- 14:10:00 `worker:2` lost the store: `disk full`",
        "- 14:11:00 `worker:2` has the store again",
        "- 14:11:40 `api:1` took over a new configuration: `chain support: models changed`",
        "- 14:15:00 `openai/gpt-5` was brought back by `bob@ops`",
        "- 14:17:51 `acme/large` answered again and is back",
    ]
    assert section(text, "Errors")[2:] == [
        (
            "| `acme/large` | `rate_limited` | 429 | `transient` | 37 | 14:02:10 | 14:02:46 | "
            r"`Rate limit \| reached [see](http://x) 'now'␊retry later` |"
        ),
        "| `acme/large` | `timeout` | – | `transient` | 1 | 14:07:49 | 14:07:49 | `no answer within 10s` |",
    ]
    assert section(text, "Engines")[0] == "- `api:1`: 170 events, 14:00:00 to 14:19:50"


def test_no_events_at_all_is_said() -> None:
    text = page(Diary())
    assert text == (
        "# No incident, 2026-11-21 14:00:00 – 14:30:00 UTC\n\n"
        "The journal holds no events of that time (2026-11-21 14:00:00 – 14:30:00 UTC).\n"
    )


def test_requests_that_all_went_well_are_no_incident() -> None:
    told = Diary()
    told.ask(1, "support", "p/a")
    told.tell(2, "request.started", target="x", models=["p/a"], mode="stream", request="r", chain=None)
    told.tell(3, "request.cancelled", elapsed_s=1.0, request="r")
    text = page(told)
    assert text.startswith("# No incident, ")
    assert section(text, "Summary") == [
        "- No model failed.",
        "- 2 requests: 1 answered, none failed and 1 cancelled by their callers.",
    ]
    assert "## Timeline" not in text


def test_an_incident_that_is_not_over_says_until_when() -> None:
    told = Diary()
    told.fail(10, "p/a")
    told.bench(11, "p/a", 3600.0)
    text = page(told, 5)
    assert text.startswith("# Incident since 2026-11-21 14:00:10 UTC, not over\n")
    assert "It has been out from 14:00:11 on (at least 4m49s) and is **still out**, until 15:00:11." in text
    assert "| **still out**, until 15:00:11 |" in text


def test_a_bench_that_ran_out_is_no_end_until_somebody_answers() -> None:
    told = Diary()
    told.fail(10, "p/a")
    told.bench(11, "p/a", 60.0)
    told.tell(71, "model.due", model="p/a")
    text = page(told)
    assert ", not over\n" in text
    assert "**still out**: its bench was over at 14:01:11, and nobody has answered for it since." in text


def test_of_what_began_before_the_first_event_it_is_said() -> None:
    told = Diary()
    told.ask(0, None, "p/b")
    told.tell(60, "model.trial", model="p/a", by="request", outcome="success")
    told.back(60, "p/a")
    told.back(90, "q/*", "operator", manual=True, by="bob")
    text = page(told)
    assert "- `p/a` was out from before 14:00:00 to 14:01:00 (at least 1m); then it answered again." in text
    assert "- `q/*` was on the bench by hand from the beginning; `bob` brought it back at 14:01:30." in text
    assert "| `p/a` | before 14:00:00 | 14:01:00 | at least 1m |" in text
    assert text.startswith("# Incident, before 2026-11-21 14:00:00 – 14:01:00 UTC\n")


def test_of_the_time_before_the_first_event_nothing_is_said() -> None:
    told = Diary()
    told.ask(600, None, "p/b")
    told.tell(660, "model.due", model="p/a")
    text = page(told, 12)
    assert text.startswith("# Incident since before 2026-11-21 14:10:00 UTC, not over\n")
    assert "It has been out" not in text
    assert "| `p/a` | before 14:10:00 | **still out** | at least 2m |" in text


def test_the_title_goes_from_the_first_failure_to_the_last() -> None:
    told = Diary()
    told.ask(0, "support", "p/b")
    told.fail(300, "p/a")
    told.bench(301, "p/a", 60.0)
    told.back(361, "p/a")
    told.ask(400, "support", None)
    assert page(told).startswith("# Incident, 2026-11-21 14:05:00 – 14:06:40 UTC\n")


# Several engines


@dataclass
class Told:
    """One thing that an engine tells of."""

    after_s: float
    engine: str
    write: Callable[[Diary, float, str], None]


def _one(name: str, *given: Any, **facts: Any) -> Callable[[Diary, float, str], None]:
    return lambda told, after_s, engine: getattr(told, name)(after_s, *given, engine=engine, **facts)


@st.composite
def stays(draw: st.DrawFn, engines: Sequence[str] = ("web-1", "web-2", "web-3")) -> list[Told]:
    """Stays on the bench one after another, in the order of time; each step is told by any engine."""
    told, after_s = [], 1.0
    for _ in range(draw(st.integers(1, 6))):
        model = draw(st.sampled_from(["p/a", "p/b"]))
        trial: dict[str, Any] = {"model": model, "by": "request"}
        steps = [
            (draw(st.integers(400, 2000)), _one("fail", model)),
            (draw(st.integers(1, 30)), _one("bench", model, 1.0)),
            (draw(st.integers(990, 1100)), _one("tell", "model.due", model=model)),
            (draw(st.integers(1, 30)), _one("tell", "model.trial", **trial, outcome=None)),
            (draw(st.integers(1, 30)), _one("tell", "model.trial", **trial, outcome="success")),
            (draw(st.integers(1, 30)), _one("back", model)),
        ]
        for passed_ms, write in steps:
            after_s = round(after_s + passed_ms / 1000, 3)
            told.append(Told(after_s, draw(st.sampled_from(engines)), write))
    return told


def written(told: Iterable[Told]) -> Diary:
    diary = Diary()
    for each in told:
        each.write(diary, each.after_s, each.engine)
    return diary


@given(stays(), st.data())
def test_however_engines_batches_lie_in_the_journal_the_report_is_that_of_the_order_of_time(
    told: list[Told], data: st.DataObject
) -> None:
    batch: dict[str, float] = {}
    places = []
    for each in told:
        delay_s = data.draw(st.integers(0, 1000)) / 1000
        batch[each.engine] = max(batch.get(each.engine, 0.0), each.after_s + delay_s)
        places.append(batch[each.engine])
    order = sorted(range(len(told)), key=lambda number: (places[number], told[number].engine))
    assert page(written(told[number] for number in order)) == page(written(told))


@given(stays(), st.fixed_dictionaries({name: st.integers(-90, 90) for name in ("web-1", "web-2", "web-3")}))
def test_clocks_that_differ_a_little_make_no_outages(told: list[Told], fast_ms: dict[str, int]) -> None:
    clocks = [
        Told(round(each.after_s + fast_ms[each.engine] / 1000, 3), each.engine, each.write) for each in told
    ]
    rows = section(page(written(clocks)), "What was out")[2:]
    assert len(rows) == len(told) / 6
    assert not any("before" in row or "still out" in row for row in rows)


def test_an_outage_whose_beginning_was_lost_began_after_the_one_before() -> None:
    told = Diary()
    told.bench(10, "p/a", 60.0)
    told.back(70, "p/a")
    told.tell(310, "model.due", model="p/a")
    told.back(320, "p/a")
    assert "| `p/a` | before 14:05:10 | 14:05:20 | at least 10s |" in page(told)


def test_what_an_engine_wrote_long_afterwards_has_its_place_all_the_same() -> None:
    told = Diary()
    told.bench(10, "p/a", 5.0)
    told.bench(20, "p/a", 5.0, engine="api:2")
    told.back(26, "p/a", engine="api:2")
    told.back(16, "p/a", engine="api:3")
    assert [row[:30] for row in section(page(told), "What was out")[2:]] == [
        "| `p/a` | 14:00:10 | 14:00:16 ",
        "| `p/a` | 14:00:20 | 14:00:26 ",
    ]


def test_a_hold_that_ended_by_itself_is_over_although_nobody_was_there_to_tell() -> None:
    told = Diary()
    told.bench(10, "p/a", 60.0, manual=True, reason="drill", by="alice")
    text = page(told)
    assert "`alice` benched `p/a` by hand at 14:00:10 (`drill`); that was over at 14:01:10." in text
    assert text.startswith("# No incident")  # somebody wanted it so


def test_a_hold_without_end_is_still_there() -> None:
    told = Diary()
    told.bench(10, "p/a", 60.0, manual=True, reason="", by="alice")
    told.bench(20, "p/a", None, manual=True, reason="", by="bob")
    text = page(told)
    assert "`alice` benched `p/a` by hand at 14:00:10; at 14:00:20 another bench took its place." in text
    assert "`bob` benched `p/a` by hand at 14:00:20; it is **still out**, without end." in text


def test_a_model_taken_out_of_its_provider_s_hold_was_out_as_long_as_that() -> None:
    told = Diary()
    told.bench(10, "p/*", None, manual=True, reason="drill", by="alice")
    told.back(70, "p/a", "operator", manual=True, by="bob")
    assert "| `p/a` | 14:00:10 | 14:01:10 | 1m | `drill` | by hand | `alice` |" in page(told)


def test_an_operator_who_lifts_an_automatic_bench_is_named() -> None:
    told = Diary()
    told.fail(9, "p/a")
    told.bench(10, "p/a")
    told.back(20, "p/a", "operator", by="bob")
    assert "- `bob` brought `p/a` back by hand at 14:00:20." in page(told)
    assert "(10s); then it was brought back by hand." in page(told)


def test_events_that_are_missing_or_unknown_are_said() -> None:
    told = Diary()
    told.tell(1, "feed.dropped", count=1200)
    told.tell(2, "model.retired", model="p/a")
    told.raw({"event": "model.due", "engine": "api:1", "model": "p/a"})
    text = page(told)
    assert "> **1,200 events missing:** lost before they could be written." in text
    assert "> 2 events left out: this version of standby does not know them." in text


def test_a_store_that_is_not_back_is_no_incident_that_is_over() -> None:
    told = Diary()
    told.tell(1, "store.degraded", "api:1", store="s", why="gone")
    told.tell(2, "store.degraded", "api:2", store="s", why="gone")
    told.tell(3, "store.restored", "api:1", store="s", why="")
    text = page(told)
    assert ", not over\n" in text
    assert (
        "`api:1` and `api:2` had no store from 14:00:01 on, and **not all of them have it back** (`gone`); "
        "meanwhile each went by a bench of its own." in text
    )


def test_an_engine_that_fell_silent_meanwhile_is_said_to_have() -> None:
    told = Diary()
    told.fail(10, "p/a")
    incident = Incident()
    incident.add(told.records)
    incident.silent = [
        Silence(name, BEGIN + timedelta(minutes=minutes))
        for name, minutes in (("api:1", 5), ("api:2", 9), ("long before", -1), ("afterwards", 31))
    ]
    assert section(report(incident, BEGIN, BEGIN + timedelta(minutes=30)), "Engines") == [
        "- `api:1`: 1 event, 14:00:10 to 14:00:10",
        "- `api:1` gave no sign of life after 14:05:00",
        "- `api:2` gave no sign of life after 14:09:00",
    ]


def test_a_window_over_midnight_has_dates() -> None:
    told = Diary(BEGIN + timedelta(hours=9, minutes=50))
    told.fail(0, "p/a")
    told.fail(1200, "p/a")
    text = markdown(told.records, told.begin, told.begin + timedelta(hours=1))
    assert text.startswith("# Incident, 2026-11-21 23:50:00 – 2026-11-22 00:10:00 UTC\n")
    assert "failed 2 times between 11-21 23:50:00 and 11-22 00:10:00" in text


def test_runs_are_folded_until_the_state_of_play_changes() -> None:
    told = Diary()
    for second in range(1, 6):
        told.fail(second, "p/a")
        told.fail(second, "p/b", "timeout", 0)
        told.ask(second, None, None)
    told.bench(6, "p/a")
    told.fail(7, "p/a")
    told.fail(8, "p/b", "timeout", 0)
    assert section(page(told), "Timeline") == [
        "- 14:00:01 `p/a` failed: `rate_limited`, HTTP 429 ×5, until 14:00:05",
        "- 14:00:01 `p/b` failed: `timeout` ×6, until 14:00:08",
        "- 14:00:01 a request failed: `ChainExhausted` ×5, until 14:00:05",
        "- 14:00:06 `p/a` was benched for 5m (`rate_limited`)",
        "- 14:00:07 `p/a` failed: `rate_limited`, HTTP 429",
    ]


def test_of_a_long_timeline_the_middle_is_left_out() -> None:
    told = Diary()
    for number in range(1000):
        told.bench(number, "p/a", 1.0)
        told.back(number + 0.5, "p/a")
    lines = section(page(told), "Timeline")
    assert len(lines) == 301
    assert lines[150] == "- … 1,700 lines left out; the JSONL has all of it …"
    assert lines[0].startswith("- 14:00:00 `p/a` was benched")
    assert lines[-1].startswith("- 14:16:39 `p/a` answered again")
    assert "- `p/a` (`rate_limited`) was out 1,000 times, 8m20s altogether." in page(told)


HOSTILE = "a|b`c`](http://evil) <img src=x> **x** @team\r\n# head\x1b[2J\x9b\u202e\ud800" + "z" * 500


@pytest.mark.parametrize(
    "field", ["model", "reason", "message", "by", "key", "chain", "engine", "error", "why"]
)
def test_nothing_from_outside_is_markdown_or_reaches_a_terminal(field: str) -> None:
    told = Diary()
    name = {field: HOSTILE}.get
    told.fail(1, name("model", "p/a"), name("reason", "timeout"), message=name("message", "m"))
    told.bench(2, name("key", "p#k"), 5.0, reason=name("reason", "quota"), by=name("by"), manual=True)
    told.tell(3, "store.degraded", name("engine", "api:1"), store="s", why=name("why", "w"))
    told.tell(4, "config.rejected", name("engine", "api:1"), path="p", faults=[name("why", "w")])
    facts: dict[str, Any] = {"elapsed_s": 1.0, "causes": [], "message": "m", "chain": name("chain", "c")}
    told.tell(5, "request.failed", error=name("error", "E"), **facts)
    text = page(told)
    assert "evil" in text
    outside = re.sub(r"`[^`\n]*`", "", text)  # what is left when every piece of code is taken out
    assert "`" not in outside
    assert not any(word in outside for word in ("evil", "team", "img", "head"))
    assert all(character.isprintable() or character == "\n" for character in text)
    text.encode()
    for row in (line for line in text.splitlines() if line.startswith("|")):
        assert len(re.findall(r"(?<!\\)\|", row)) in (8, 9)


def test_a_hundred_thousand_events_take_no_longer_than_a_breath() -> None:
    told = Diary()
    told.fail(0, "p/a")
    told.ask(0, "support", "p/a")
    records = told.records * 34_000
    began = process_time()
    text = markdown(records, BEGIN, BEGIN + timedelta(minutes=30))
    assert process_time() - began < 5.0  # a tenth of that on a machine of today
    assert "failed 34,000 times" in text
    assert iso(BEGIN)[:10] in text
