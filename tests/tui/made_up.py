"""Made-up journals, for reports and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine import Recorded, event_from_json

BEGIN = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Diary:
    """Writes a journal event by event, each some seconds after the beginning."""

    def __init__(self, begin: datetime = BEGIN) -> None:
        self.begin = begin
        self.records: list[Recorded] = []

    def tell(self, after_s: float, event: str, engine: str = "api:1", **facts: Any) -> None:
        data = {
            "event": event,
            "at": iso(self.begin + timedelta(seconds=after_s)),
            "seq": 1,
            "engine": engine,
        }
        self.raw({**data, **facts})

    def raw(self, data: Mapping[str, Any]) -> None:
        place = str(len(self.records) + 1)
        self.records.append(Recorded(place, f"run-of-{data['engine']}", event_from_json(data), data))

    # What is told often

    def fail(
        self, after_s: float, model: str, reason: str = "rate_limited", status: int = 429, **facts: Any
    ) -> None:
        common: dict[str, Any] = {
            "key": None,
            "attempt": 1,
            "kind": "transient",
            "elapsed_s": 0.1,
            "message": "",
        }
        self.tell(
            after_s,
            "attempt.failed",
            **(common | {"model": model, "reason": reason, "status": status} | facts),
        )

    def bench(self, after_s: float, name: str, for_s: float | None = 300.0, **facts: Any) -> None:
        until = None if for_s is None else iso(self.begin + timedelta(seconds=after_s + for_s))
        kind = "key" if "#" in name else "model"
        common: dict[str, Any] = {"until": until, "for_s": for_s, "level": 1, "failures": 1, "manual": False}
        common |= {"reason": "rate_limited", kind: name}
        self.tell(after_s, f"{kind}.benched", **(common | facts))

    def back(self, after_s: float, name: str, why: str = "success", **facts: Any) -> None:
        kind = "key" if "#" in name else "model"
        common: dict[str, Any] = {"manual": False, "why": why, kind: name}
        self.tell(after_s, f"{kind}.unbenched", **(common | facts))

    def ask(self, after_s: float, chain: str | None, model: str | None, *, fallback: bool = False) -> None:
        """A request, and its answer; without a model it fails."""
        where = {"request": f"r{len(self.records)}"} | ({"chain": chain} if chain else {})
        self.tell(
            after_s, "request.started", target=chain or "x", models=["p/a", "p/b"], mode="stream", **where
        )
        if model is None:
            facts: dict[str, Any] = {"error": "ChainExhausted", "message": "all failed", "causes": []}
            self.tell(after_s + 0.5, "request.failed", elapsed_s=0.5, **facts, **where)
            return
        facts = {"model": model, "attempts": 1, "fallback": fallback, "elapsed_s": 0.5, "first_token_s": 0.2}
        self.tell(after_s + 0.5, "request.succeeded", **facts, input_tokens=1, output_tokens=1, **where)


def outage() -> Diary:
    """A provider limits its model's rate for a quarter of an hour; an operator steps in; it comes back."""
    told = Diary()
    for second in range(0, 120, 10):
        told.ask(second, "support", "acme/large")
    for second in range(130, 167):
        told.fail(second, "acme/large", message="Rate limit | reached [see](http://x) `now`\nretry later")
    told.bench(167, "acme/large", 300.0)
    for second in range(170, 430, 8):
        told.ask(second, "support", "northwind/swift", fallback=True)
    for second in range(200, 230, 10):
        told.ask(second, "batch", None)
    told.tell(467, "model.due", model="acme/large")
    told.tell(468, "model.trial", model="acme/large", by="request")
    told.fail(469, "acme/large", "timeout", 0, message="no answer within 10s")
    told.tell(469, "model.trial", model="acme/large", by="request", outcome="failure")
    told.bench(469, "acme/large", 600.0, level=2, failures=2, reason="timeout")
    told.bench(500, "acme#main", 60.0, reason="quota")
    told.back(560, "acme#main", "expired")
    told.bench(520, "openai/gpt-5", None, manual=True, reason="cost", by="alice@ops", engine="standby:77")
    told.back(900, "openai/gpt-5", "operator", manual=True, by="bob@ops", engine="standby:78")
    told.tell(600, "store.degraded", "worker:2", store="/x.db", why="disk full")
    told.tell(660, "store.restored", "worker:2", store="/x.db", why="")
    told.tell(700, "config.reloaded", path="c.yaml", changes=["chain support: models changed"])
    told.tell(1069, "model.due", model="acme/large")
    told.tell(1070, "model.trial", model="acme/large", by="request")
    told.tell(1071, "model.trial", model="acme/large", by="request", outcome="success")
    told.back(1071, "acme/large")
    for second in range(1080, 1200, 10):
        told.ask(second, "support", "acme/large")
    return told
