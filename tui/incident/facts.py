"""An incident, gathered from the journal's events: who failed, who was out, who took over, who did what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from engine import (
    AttemptFailed,
    ConfigRejected,
    ConfigReloaded,
    Event,
    FeedDropped,
    KeyBenched,
    KeyUnbenched,
    ModelBenched,
    ModelDue,
    ModelTrial,
    ModelUnbenched,
    Recorded,
    RequestCancelled,
    RequestFailed,
    RequestStarted,
    RequestSucceeded,
    StoreDegraded,
    StoreRestored,
    StreamBroken,
)
from tui.event_words import short, when
from tui.incident.markdown import code
from tui.incident.order import InOrder, Timed
from tui.incident.parts import Errors, Outage, Requests, Silence, StoreTrouble, Witness
from tui.incident.timeline import Timeline

_AFTERMATH: Final = timedelta(seconds=2)
"""So long after something came back, what is told of its bench is of the one that has just ended.

The clocks of two engines differ a little, and each has its own order.
"""


class Incident:
    """Takes events in, one after another, and keeps what a report needs. Few events themselves are kept.

    Some wait until it is sure that none that happened before is yet to come: `finish` takes those in, too.

    Attributes:
        first: When the first event happened.
        last: When the last one did.
        count: Events.
        missing: Events that the journal says it lost.
        unknown: Events that this version knows nothing of.
        errors: Failures by model and reason.
        outages: Everything that was out, in the order in which it went.
        requests: What became of each chain's requests; of those that named none under None.
        engines: Who told of it.
        silent: Engines that have fallen silent, whenever that was; put here by whoever knows.
        without_store: When engines were without their store: from, until, which engine, why.
        timeline: What matters, in order.
    """

    def __init__(self) -> None:
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.count = self.missing = self.unknown = 0
        self.errors: dict[tuple[str, str], Errors] = {}
        self.outages: list[Outage] = []
        self.requests: dict[str | None, Requests] = {}
        self.engines: dict[str, Witness] = {}
        self.silent: list[Silence] = []
        self.without_store: list[StoreTrouble] = []
        self.timeline = Timeline()
        self._open: dict[tuple[str, bool], Outage] = {}
        self._over: dict[tuple[str, bool], datetime] = {}  # when each was back last
        self._order = InOrder()
        self._takes: Mapping[type[Event], Callable[[datetime, Any], None]] = {
            AttemptFailed: self._attempt_failed,
            RequestStarted: self._request_started,
            RequestSucceeded: self._request_succeeded,
            RequestFailed: self._request_failed,
            RequestCancelled: self._request_cancelled,
            StreamBroken: self._stream_broken,
            ModelBenched: self._benched,
            KeyBenched: self._benched,
            ModelUnbenched: self._unbenched,
            KeyUnbenched: self._unbenched,
            ModelDue: self._due,
            ModelTrial: self._trial,
            ConfigReloaded: self._config_reloaded,
            ConfigRejected: self._config_rejected,
            StoreDegraded: self._store_degraded,
            StoreRestored: self._store_restored,
            FeedDropped: self._feed_dropped,
            Event: self._unknown,
        }

    def add(self, recorded: Iterable[Recorded]) -> None:
        """Takes events in, in the journal's order, which is only nearly the order of time."""
        for each in recorded:
            at = when(each.event.at)
            if at is None:
                self.unknown += 1
                continue
            self._take(self._order.put(at, each.run, each.event))

    def finish(self) -> None:
        """There are no more events."""
        self._take(self._order.rest())

    def _take(self, ordered: Iterable[Timed]) -> None:
        for timed in ordered:
            self._witness(timed)
            take = self._takes.get(type(timed.event))
            if take is not None:
                take(timed.at, timed.event)

    def _witness(self, timed: Timed) -> None:
        at = timed.at
        self.count += 1
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)
        witness = self.engines.get(timed.event.engine)
        if witness is None:
            witness = self.engines[timed.event.engine] = Witness(at, at)
        witness.first, witness.last = min(witness.first, at), max(witness.last, at)
        witness.count += 1
        witness.runs.add(timed.run)

    def _unknown(self, _: datetime, __: Event) -> None:
        self.unknown += 1

    # Requests

    def _of(self, chain: str | None) -> Requests:
        found = self.requests.get(chain)
        if found is None:
            found = self.requests[chain] = Requests()
        return found

    def _request_started(self, _: datetime, event: RequestStarted) -> None:
        self._of(event.chain).started += 1

    def _request_succeeded(self, _: datetime, event: RequestSucceeded) -> None:
        requests = self._of(event.chain)
        requests.answered += 1
        if event.fallback:
            requests.instead[event.model] += 1

    def _request_failed(self, at: datetime, event: RequestFailed) -> None:
        requests = self._of(event.chain)
        requests.failed += 1
        requests.first_failed = min(at, requests.first_failed or at)
        requests.last_failed = max(at, requests.last_failed or at)
        which = f"a request to {code(event.chain)}" if event.chain else "a request"
        self.timeline.run(at, "", f"{event.chain}/{event.error}", f"{which} failed: {code(event.error)}")

    def _request_cancelled(self, _: datetime, event: RequestCancelled) -> None:
        self._of(event.chain).cancelled += 1

    def _attempt_failed(self, at: datetime, event: AttemptFailed) -> None:
        errors = self.errors.get((event.model, event.reason))
        if errors is None:
            errors = self.errors[event.model, event.reason] = Errors(at, event.kind, event.status, at)
        errors.count += 1
        errors.first, errors.last = min(errors.first, at), max(errors.last, at)
        errors.example = errors.example or event.message
        status = f", HTTP {event.status}" if event.status else ""
        self.timeline.run(
            at, event.model, event.reason, f"{code(event.model)} failed: {code(event.reason)}{status}"
        )

    def _stream_broken(self, at: datetime, event: StreamBroken) -> None:
        then = f", {code(event.next_model)} took over" if event.next_model else ""
        what = f"{code(event.model)} broke off in the middle of an answer{then}"
        self.timeline.run(at, event.model, f"broken/{event.next_model}", what)

    # The bench

    def _benched(self, at: datetime, event: ModelBenched | KeyBenched) -> None:
        name = _name(event)
        outage = self._open.get((name, event.manual))
        if outage is None or event.manual:
            if outage is not None:
                self._end(outage, at, "replaced", event.by)
            outage = self._open[name, event.manual] = Outage(name, event.manual, at, by=event.by)
            self.outages.append(outage)
        outage.until = when(event.until or "")
        outage.is_due = False
        outage.benches += 1
        outage.level = max(outage.level, event.level)
        if event.reason:
            outage.reasons[event.reason] = None
        length = "without end" if event.for_s is None else f"for {short(event.for_s)}"
        why = code(event.reason) if event.reason else ""
        if event.manual:
            by = f" by {code(event.by)}" if event.by else ""
            self.timeline.add(
                at, name, f"{code(name)} was benched by hand{by} {length}{f': {why}' if why else ''}"
            )
        else:
            facts = ", ".join(filter(None, (why, f"level {event.level}" if event.level > 1 else "")))
            self.timeline.add(at, name, f"{code(name)} was benched {length}{f' ({facts})' if facts else ''}")

    def _unbenched(self, at: datetime, event: ModelUnbenched | KeyUnbenched) -> None:
        name = _name(event)
        ended = [event.manual] if event.why != "operator" else [False, True]
        found = [outage for manual in ended if (outage := self._open.get((name, manual))) is not None]
        if not found and (unseen := self._unseen(name, at, manual=event.manual)) is not None:
            self.outages.append(unseen)
            found = [unseen]
        for outage in found:
            self._end(outage, at, event.why, event.by)
        by = f" by {code(event.by)}" if event.by else ""
        words = {"success": "answered again and is back", "expired": "is back, its time was over"}
        told = words.get(event.why, f"was brought back{by}")
        self.timeline.add(at, name, f"{code(name)} {told}")

    def _unseen(self, name: str, at: datetime, *, manual: bool) -> Outage | None:
        """The outage of something that was never told to go; None if that is one that has ended just now.

        It was out with its whole provider, or since before the first event; or its beginning was lost.
        """
        over = self._over.get((name, manual))
        whole = self._open.get((f"{name.partition('/')[0]}/*", True)) if manual else None
        if whole is not None and (over is None or whole.began is None or over < whole.began):
            return Outage(name, manual, whole.began, reasons=dict(whole.reasons), benches=1, by=whole.by)
        if over is None:
            return Outage(name, manual, None)
        return None if at - over <= _AFTERMATH else Outage(name, manual, None, known_from=at)

    def _end(self, outage: Outage, at: datetime, how: str, by: str | None) -> None:
        outage.ended, outage.back = at, how
        outage.lifted_by = by
        place = outage.name, outage.manual
        self._over[place] = at
        self._open.pop(place, None)

    def _due(self, at: datetime, event: ModelDue) -> None:
        outage = self._automatic(event.model, at)
        if outage is not None:
            outage.is_due = True
            outage.until = outage.until or at

    def _trial(self, at: datetime, event: ModelTrial) -> None:
        self._automatic(event.model, at)
        words = {"failure": "failed its trial", "lapsed": "had a trial that never ended"}
        if event.outcome in words:
            self.timeline.add(at, event.model, f"{code(event.model)} {words[event.outcome]}")

    def _automatic(self, model: str, at: datetime) -> Outage | None:
        """The outage that a trial belongs to, also if its beginning was never told; None as for `_unseen`."""
        outage = self._open.get((model, False))
        if outage is None and (outage := self._unseen(model, at, manual=False)) is not None:
            self._open[model, False] = outage
            self.outages.append(outage)
        return outage

    # Around it

    def _config_reloaded(self, at: datetime, event: ConfigReloaded) -> None:
        what = "; ".join(event.changes)
        self.timeline.add(
            at, event.engine, f"{code(event.engine)} took over a new configuration: {code(what, 300)}"
        )

    def _config_rejected(self, at: datetime, event: ConfigRejected) -> None:
        what = "; ".join(event.faults)
        self.timeline.add(
            at, event.engine, f"{code(event.engine)} refused a new configuration: {code(what, 300)}"
        )

    def _store_degraded(self, at: datetime, event: StoreDegraded) -> None:
        self.without_store.append(StoreTrouble(event.engine, event.store, event.why, at))
        self.timeline.add(at, event.engine, f"{code(event.engine)} lost the store: {code(event.why)}")

    def _store_restored(self, at: datetime, event: StoreRestored) -> None:
        trouble = next((each for each in reversed(self.without_store) if each.engine == event.engine), None)
        if trouble is not None and trouble.ended is None:
            trouble.ended = at
        self.timeline.add(at, event.engine, f"{code(event.engine)} has the store again")

    def _feed_dropped(self, at: datetime, event: FeedDropped) -> None:
        self.missing += event.count
        self.timeline.add(
            at, event.engine, f"{event.count:,} events of {code(event.engine)} are missing here"
        )


def _name(event: ModelBenched | KeyBenched | ModelUnbenched | KeyUnbenched) -> str:
    return event.model if isinstance(event, ModelBenched | ModelUnbenched) else event.key
