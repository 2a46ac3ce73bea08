"""Probes that an operator asks for: one of a model at a time, and what to say of each when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from engine import Engine, Probed, StandbyError
from tui.crashlog import summary, write_crash
from tui.glyphs import STATE_WORDS
from tui.sayings import Saying
from tui.text import latency


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A probe that is under way.

    Attributes:
        model: Of which model.
        since: When it began, seconds on the dashboard's clock.
    """

    model: str
    since: float


class Probes:
    """The probes that are under way.

    Args:
        now: Seconds that only ever grow.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._under_way: dict[str, Probe] = {}

    def seconds(self, model: str) -> int | None:
        """Whole seconds since a model's probe began; None if there is none."""
        probe = self._under_way.get(model)
        return None if probe is None else max(0, int(self._now() - probe.since))

    @property
    def last(self) -> str:
        """The model whose probe began last; empty if none is under way."""
        return next(reversed(self._under_way), "")

    def begin(self, model: str) -> Probe | None:
        """A probe that is about to run; None if one of the model is under way already."""
        if model in self._under_way:
            return None
        probe = self._under_way[model] = Probe(model, self._now())
        return probe

    def end(self, model: str) -> None:
        """Nobody waits for a model's probe any more; whoever runs it is about to be cancelled."""
        self._under_way.pop(model, None)

    async def run(self, probe: Probe, engine: Engine) -> Saying:
        """Has an engine run a probe, and tells what came of it. Only being cancelled raises."""
        model = probe.model
        try:
            return _found(await engine.probe(model))
        except asyncio.CancelledError:
            raise
        except StandbyError as error:
            return Saying(f"{model} can't be probed: {error}", "error")
        except Exception as error:  # noqa: BLE001  (a fault of ours must not take the dashboard down)
            write_crash(error)
            return Saying(f"The probe of {model} failed: {summary(error)}", "error")
        finally:
            if self._under_way.get(model) is probe:  # and not the next one already
                self.end(model)


def _found(probed: Probed) -> Saying:
    if not probed.ok:
        error = (probed.error or "").removeprefix(f"{probed.model}: ").rstrip(".")
        says = f"{probed.model} did not answer: {error}."
        return Saying(f"{says}{_state(probed, ' It is {}.')}", "error")
    first = "" if probed.first_token_s is None else f" (first token {latency(probed.first_token_s)})"
    says = f"{probed.model} answered in {latency(probed.elapsed_s)}{first}."
    if probed.brought_back:
        return Saying(f"{says} That brought it back.")
    still = _state(probed, " It is still {}.")
    return Saying(f"{says}{still}", "warning" if still else "information")


def _state(probed: Probed, text: str) -> str:
    """What a model is now, unless it is live."""
    return "" if probed.state == "live" else text.format(STATE_WORDS[probed.state])
