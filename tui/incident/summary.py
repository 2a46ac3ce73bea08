"""What an incident was, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tui.incident.facts import Incident
from tui.incident.markdown import TIMES, code, several, times
from tui.incident.parts import Errors, Outage, Requests
from tui.incident.span import Span, lasted

_MOST: Final = 12
"""Models, outages or chains that are told of one by one; the tables have the others."""

_BACK: Final = {
    "success": "then it answered again",
    "operator": "then it was brought back by hand",
    "expired": "then its time was over",
}


def summary(incident: Incident, span: Span) -> Iterator[str]:
    """One sentence or two for each model that failed, and for everything else that matters."""
    yield from _models(incident, span)
    yield from _others(incident, span)
    yield from _stood_in(incident)
    yield _requests(list(incident.requests.items()))
    yield from _by_hand(incident, span)
    yield from _store(incident, span)


def by_model(incident: Incident) -> dict[str, list[tuple[str, Errors]]]:
    """Each model's failures by their reasons, those that failed most first."""
    found: dict[str, list[tuple[str, Errors]]] = {}
    for (model, reason), errors in incident.errors.items():
        found.setdefault(model, []).append((reason, errors))
    for reasons in found.values():
        reasons.sort(key=lambda each: -each[1].count)
    return dict(sorted(found.items(), key=lambda each: -_count(each[1])))


def _count(reasons: Sequence[tuple[str, Errors]]) -> int:
    return sum(errors.count for _, errors in reasons)


def _models(incident: Incident, span: Span) -> Iterator[str]:
    failed = by_model(incident)
    if not failed:
        yield "No model failed."
    for model, reasons in list(failed.items())[:_MOST]:
        count = _count(reasons)
        first = min(errors.first for _, errors in reasons)
        last = max(errors.last for _, errors in reasons)
        at = f"at {span.at(first)}" if count == 1 else f"between {span.at(first)} and {span.at(last)}"
        why = several([_why(reason, errors, count) for reason, errors in reasons])
        yield (
            f"{code(model)} failed {'once' if count == 1 else f'{count:,} times'} {at}: {why}. "
            f"It {_out(_automatic(incident, model), span)}."
        )
    if len(failed) > _MOST:
        yield f"{times(len(failed) - _MOST, 'other model')} failed, too: see below."


def _others(incident: Incident, span: Span) -> Iterator[str]:
    """What was out although no failure of it is told: keys, and models that failed before."""
    failed = {model for model, _ in incident.errors}
    names = [each.name for each in incident.outages if not each.manual and each.name not in failed]
    for name in list(dict.fromkeys(names))[:_MOST]:
        outages = _automatic(incident, name)
        reasons = dict.fromkeys(code(reason) for each in outages for reason in each.reasons)
        why = f" ({several(list(reasons))})" if reasons else ""
        yield f"{code(name)}{why} {_out(outages, span)}."


def _automatic(incident: Incident, name: str) -> list[Outage]:
    return [each for each in incident.outages if each.name == name and not each.manual]


def _why(reason: str, errors: Errors, count: int) -> str:
    status = f" (HTTP {errors.status})" if errors.status else ""
    return f"{code(reason)}{status}{f' {TIMES}{errors.count:,}' if errors.count != count else ''}"


def _out(outages: Sequence[Outage], span: Span) -> str:
    """How something was out, as the rest of a sentence."""
    if not outages:
        return "was not benched"
    if len(outages) == 1:
        return _once(outages[0], span)
    altogether = lasted(sum(map(span.seconds, outages)))
    still = f"; it {_once(outages[-1], span)}" if span.end(outages[-1]) is None else ""
    return f"was out {len(outages):,} times, {altogether} altogether{still}"


def _once(outage: Outage, span: Span) -> str:
    began = f"from {span.at(outage.began)}" if outage.began else f"from before {span.at(span.begin(outage))}"
    benches = f", {outage.benches} benches in a row" if outage.benches > 1 else ""
    ended = span.end(outage)
    if ended is not None:
        back = _BACK.get(outage.back, "then its time was over")
        return f"was out {began} to {span.at(ended)} ({span.length(outage)}{benches}); {back}"
    length = f"({span.length(outage)}{benches})"
    return f"has been out {began} on {length} and is **still out**{standing(outage, span)}"


def standing(outage: Outage, span: Span) -> str:
    """How what is out still comes back, as the end of a sentence."""
    if outage.until is None:
        return "" if outage.is_due or not outage.manual else ", without end"
    if outage.is_due or outage.until <= span.until:
        return f": its bench was over at {span.at(outage.until)}, and nobody has answered for it since"
    return f", until {span.at(outage.until)}"


def _stood_in(incident: Incident) -> Iterator[str]:
    chains = [each for each in incident.requests.items() if each[1].instead]
    for chain, requests in sorted(chains, key=lambda each: -each[1].instead.total())[:_MOST]:
        who = [
            f"{code(model)} answered {times(count, 'request')}"
            for model, count in requests.instead.most_common()
        ]
        whose = f"For {code(chain)}, " if chain else "Where no chain was named, "
        yield f"{whose}{several(who)} in place of the first model."


def _requests(requests: Sequence[tuple[str | None, Requests]]) -> str:
    every = [each for _, each in requests]
    total = sum(each.total for each in every)
    if not total:
        return "No request was made."
    answered, failed = sum(each.answered for each in every), sum(each.failed for each in every)
    stood_in, left = sum(each.instead.total() for each in every), sum(each.cancelled for each in every)
    parts = [f"{answered:,} answered"]
    if stood_in:
        parts[0] += f" ({stood_in:,} by a model that stood in)"
    parts.append(f"{failed:,} failed" if failed else "none failed")
    if left:
        parts.append(f"{left:,} cancelled by their callers")
    if total > answered + failed + left:
        parts.append(f"{total - answered - failed - left:,} not ended")
    chains = [f"{code(chain)} ({each.failed:,})" for chain, each in requests if each.failed and chain]
    those = f" Failed: {several(chains)}." if chains else ""
    return f"{times(total, 'request')}: {several(parts)}.{those}"


def _by_hand(incident: Incident, span: Span) -> Iterator[str]:
    told = 0
    for outage in incident.outages:
        sentence = _hold(outage, span) if outage.manual else _lifted(outage, span)
        if not sentence:
            continue
        told += 1
        if told <= _MOST:
            yield sentence
    if told > _MOST:
        yield f"{times(told - _MOST, 'other thing')} done by hand: see below."


def _hold(outage: Outage, span: Span) -> str:
    if outage.began is None:
        since = f"before {span.at(outage.known_from)}" if outage.known_from else "from the beginning"
        return f"{code(outage.name)} was on the bench by hand {since}{_hold_end(outage, span)}."
    who = code(outage.by) if outage.by else "Somebody"
    why = f" ({several([code(reason) for reason in outage.reasons])})" if outage.reasons else ""
    return (
        f"{who} benched {code(outage.name)} by hand at {span.at(outage.began)}{why}{_hold_end(outage, span)}."
    )


def _hold_end(outage: Outage, span: Span) -> str:
    ended = span.end(outage)
    if ended is None:
        return f"; it is **still out**{standing(outage, span)}"
    if outage.back == "operator" and outage.lifted_by:
        return f"; {code(outage.lifted_by)} brought it back at {span.at(ended)}"
    if outage.back == "replaced":
        return f"; at {span.at(ended)} another bench took its place"
    return f"; that was over at {span.at(ended)}"


def _lifted(outage: Outage, span: Span) -> str:
    if outage.back != "operator" or outage.ended is None:
        return ""
    who = code(outage.lifted_by) if outage.lifted_by else "Somebody"
    return f"{who} brought {code(outage.name)} back by hand at {span.at(outage.ended)}."


def _store(incident: Incident, span: Span) -> Iterator[str]:
    troubles = incident.without_store
    if not troubles:
        return
    engines = list(dict.fromkeys(code(each.engine) for each in troubles))
    ends = [each.ended for each in troubles if each.ended is not None]
    is_over = len(ends) == len(troubles)
    end = f"to {span.at(max(ends))}" if is_over else "on, and **not all of them have it back**"
    began = span.at(min(each.began for each in troubles))
    alone = "it went by a bench of its own" if len(engines) == 1 else "each went by a bench of its own"
    yield f"{several(engines)} had no store from {began} {end} ({code(troubles[0].why)}); meanwhile {alone}."
