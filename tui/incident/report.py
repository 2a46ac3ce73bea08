"""An incident as a page of Markdown that somebody would put into a post-mortem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from engine import Recorded
from tui.incident.facts import Incident
from tui.incident.markdown import DASH, TIMES, code, table, times
from tui.incident.parts import Outage
from tui.incident.span import Span, between
from tui.incident.summary import by_model, standing, summary
from tui.incident.timeline import Entry

_MOST_ROWS: Final = 100
_MOST_OF_A_MESSAGE: Final = 160


def markdown(recorded: Iterable[Recorded], since: datetime, until: datetime) -> str:
    """A report of what the journal holds.

    Args:
        recorded: Events in the journal's order.
        since: From when on they are.
        until: Until when they are: what is out then is out still.
    """
    incident = Incident()
    incident.add(recorded)
    return report(incident, since, until)


def report(incident: Incident, since: datetime, until: datetime) -> str:
    """As `markdown`, of what has been gathered already."""
    incident.finish()
    return "\n".join(_page(incident, Span(since, until, incident.first))) + "\n"


def _page(incident: Incident, span: Span) -> Iterator[str]:
    yield f"# {_title(incident, span)}"
    yield ""
    window = between(span.since, span.until)
    if not incident.count:
        yield f"The journal holds no events of that time ({window} UTC)."
        return
    told = f"{times(incident.count, 'event')} of {times(len(incident.engines), 'engine')}"
    yield f"From the journal of {window} UTC: {told}. All times are UTC."
    yield from _gaps(incident)
    yield from _section("Summary", [f"- {sentence}" for sentence in summary(incident, span)])
    yield from _section("What was out", _outages(incident, span))
    yield from _section("Timeline", _timeline(incident, span))
    yield from _section("Errors", _errors(incident, span))
    yield from _section("Engines", _engines(incident, span))


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", f"## {title}", "", *lines)


def _title(incident: Incident, span: Span) -> str:
    moments = [each for each in _trouble(incident, span) if each is not None]
    if not moments:
        return f"No incident, {between(span.since, span.until)} UTC"
    first, last = min(moments), max(moments)
    own = [each for each in incident.outages if not each.manual]
    before = "before " if any(each.began is None and span.begin(each) <= first for each in own) else ""
    is_out = any(span.end(each) is None for each in own)
    if is_out or any(each.ended is None for each in incident.without_store):
        return f"Incident since {before}{first.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, not over"
    return f"Incident, {before}{between(first, last)} UTC"


def _trouble(incident: Incident, span: Span) -> Iterator[datetime | None]:
    """When something began to go wrong, and when it was well again."""
    for errors in incident.errors.values():
        yield errors.first
        yield errors.last
    for outage in incident.outages:
        if not outage.manual:
            yield span.begin(outage)
            yield span.end(outage)
    for trouble in incident.without_store:
        yield trouble.began
        yield trouble.ended
    for requests in incident.requests.values():
        yield requests.first_failed
        yield requests.last_failed


def _gaps(incident: Incident) -> Iterator[str]:
    if incident.missing:
        yield ""
        yield f"> **{times(incident.missing, 'event')} missing:** lost before they could be written."
    if incident.unknown:
        yield ""
        yield f"> {times(incident.unknown, 'event')} left out: this version of standby does not know them."


def _outages(incident: Incident, span: Span) -> list[str]:
    rows = [_outage(each, span) for each in incident.outages[:_MOST_ROWS]]
    if not rows:
        return []
    lines = list(table(("what", "out from", "to", "how long", "why", "benches", "by"), rows))
    more = len(incident.outages) - len(rows)
    return [*lines, "", f"{times(more, 'more row')} left out."] if more else lines


def _outage(outage: Outage, span: Span) -> tuple[str, ...]:
    level = f", level {outage.level}" if outage.level > 1 else ""
    return (
        code(outage.name),
        span.at(outage.began) if outage.began else f"before {span.at(span.begin(outage))}",
        _to(outage, span),
        span.length(outage),
        ", ".join(map(code, outage.reasons)) or DASH,
        "by hand" if outage.manual else f"{outage.benches or '?'}{level}",
        code(outage.by) if outage.by else DASH,
    )


def _to(outage: Outage, span: Span) -> str:
    ended = span.end(outage)
    if ended is not None:
        return span.at(ended)
    is_ahead = outage.until is not None and outage.until > span.until and not outage.is_due
    return f"**still out**{standing(outage, span) if is_ahead else ''}"


def _timeline(incident: Incident, span: Span) -> list[str]:
    lines = [_entry(each, span) for each in incident.timeline.first()]
    last = [_entry(each, span) for each in incident.timeline.last()]
    if not last:
        return lines
    left_out = f"{times(incident.timeline.left_out, 'line')} left out; the JSONL has all of it"
    return [*lines, f"- … {left_out} …", *last]


def _entry(entry: Entry, span: Span) -> str:
    again = f" {TIMES}{entry.count:,}, until {span.at(entry.last)}" if entry.count > 1 else ""
    return f"- {span.at(entry.at)} {entry.text}{again}"


def _errors(incident: Incident, span: Span) -> list[str]:
    found = [(model, *each) for model, reasons in by_model(incident).items() for each in reasons]
    rows = [
        (
            code(model),
            code(reason),
            str(errors.status or DASH),
            code(errors.kind),
            f"{errors.count:,}",
            span.at(errors.first),
            span.at(errors.last),
            code(errors.example, _MOST_OF_A_MESSAGE),
        )
        for model, reason, errors in found[:_MOST_ROWS]
    ]
    if not rows:
        return []
    header = ("model", "reason", "HTTP", "kind", "times", "first", "last", "one of its messages")
    more = len(found) - len(rows)
    return [*table(header, rows), *(["", f"{times(more, 'more row')} left out."] if more else [])]


def _engines(incident: Incident, span: Span) -> list[str]:
    lines = []
    for name, witness in list(incident.engines.items())[:_MOST_ROWS]:
        runs = f", {len(witness.runs)} of that name" if len(witness.runs) > 1 else ""
        seen = f"{span.at(witness.first)} to {span.at(witness.last)}"
        lines.append(f"- {code(name)}: {times(witness.count, 'event')}, {seen}{runs}")
    more = len(incident.engines) - len(lines)
    silent = [each for each in incident.silent if span.since <= each.last <= span.until]
    return [
        *lines,
        *([f"- {times(more, 'more engine')} left out"] if more else []),
        *(
            f"- {code(each.engine)} gave no sign of life after {span.at(each.last)}"
            for each in silent[:_MOST_ROWS]
        ),
    ]
