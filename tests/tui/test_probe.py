"""Probes from the board: one at a time, told while they run and when they are over."""

from __future__ import annotations

import pytest

from engine import Engine, UnknownTarget
from engine.providers.base import Signal
from tests.scripted import HANG, Scripted
from tests.tui.incidents import due, fail, playing
from tests.tui.stage import Stage, dashboard

pytestmark = pytest.mark.usefixtures("own_state_folder")


def provider(stage: Stage) -> Scripted:
    adapter = stage.engine.config.providers["p"].adapter
    assert isinstance(adapter, Scripted)
    return adapter


async def says(stage: Stage, words: str) -> None:
    await stage.until(lambda: words in " ".join(stage.screen.replace("▌", " ").split()))


async def test_an_answer_is_told_with_its_times() -> None:
    async with dashboard(playing({"large": ["OK"]})) as stage:
        await stage.press("p")
        await says(stage, "p/large answered in 0ms (first token 0ms).")
        assert "brought it back" not in stage.screen
        assert provider(stage).models() == ["large"]


async def test_an_answer_that_ends_a_bench_says_that_it_brought_the_model_back() -> None:
    async with dashboard(playing({"large": ["OK"]})) as stage:
        await due(stage, "p/large")
        await stage.press("p")
        await says(stage, "That brought it back.")
        await stage.until(lambda: "● live" in stage.row("p/large"))


async def test_an_answer_lifts_no_hold_and_says_so() -> None:
    async with dashboard(playing({"large": ["OK"]})) as stage:
        stage.engine.bench("p/large")
        await stage.press("p")
        await says(stage, "p/large answered in 0ms (first token 0ms). It is still held.")


async def test_a_failure_is_told_with_its_error_and_the_state_that_follows() -> None:
    async with dashboard(playing({"large": [Signal("status", "no [/] credit", status=402)]})) as stage:
        await due(stage, "p/large")
        await stage.press("p")
        await says(stage, "p/large did not answer: quota (HTTP 402): no [/] credit. It is benched.")
        await stage.until(lambda: "✖ benched" in stage.row("p/large"))


async def test_a_failure_of_a_model_in_play_changes_nothing() -> None:
    async with dashboard(playing({"large": [Signal("status", "busy", status=503)]})) as stage:
        await stage.press("p")
        await says(stage, "p/large did not answer: overloaded (HTTP 503): busy.")
        assert "▸ ● live" in stage.row("p/large")


async def test_while_it_runs_the_row_says_for_how_long_and_escape_stops_it() -> None:
    async with dashboard(playing({"large": [HANG]})) as stage:
        await stage.press("p")
        await stage.until(lambda: provider(stage).open == 1)
        assert "probing 0s" in stage.row("p/large")
        assert "Esc Stop probe" in stage.screen
        stage.clock.pass_(3.0)
        await stage.beat()
        assert "probing 3s" in stage.row("p/large")
        await stage.press("escape")
        await says(stage, "The probe of p/large was stopped; it counts for nothing.")
        await stage.until(lambda: provider(stage).open == 0)
        assert "probing" not in stage.row("p/large")
        assert "Stop probe" not in stage.screen
        assert stage.engine.benched() == []


async def test_two_probes_of_one_model_at_once_are_not_started() -> None:
    async with dashboard(playing({"large": [HANG]})) as stage:
        await stage.press("p", "p")
        await says(stage, "A probe of p/large is under way.")
        await stage.until(lambda: provider(stage).open == 1)
        assert provider(stage).models() == ["large"]


async def test_two_models_are_probed_side_by_side_and_escape_stops_the_one_under_the_cursor() -> None:
    async with dashboard(playing({"large": [HANG], "mini": [HANG]})) as stage:
        await stage.press("p", "j", "p", "k")
        await stage.until(lambda: provider(stage).open == 2)
        await stage.press("escape")
        await stage.until(lambda: provider(stage).open == 1)
        assert "probing" not in stage.row("p/large")
        assert "probing" in stage.row("p/mini")
        await stage.press("escape")  # nothing runs under the cursor: the other one is meant
        await stage.until(lambda: provider(stage).open == 0)


async def test_a_stopped_probe_may_be_begun_again_at_once() -> None:
    async with dashboard(playing({"large": [HANG, "OK"]})) as stage:
        await stage.press("p")
        await stage.until(lambda: provider(stage).open == 1)
        await stage.pilot.press("escape", "p")
        await says(stage, "p/large answered")


async def test_a_probe_stopped_before_it_ran_leaves_nothing_behind() -> None:
    async with dashboard(playing({"large": ["OK"]})) as stage:
        stage.view.action_probe()
        stage.view.action_stop_probe()
        await stage.beat()
        assert stage.app.desk.probes.last == ""
        await stage.press("p")
        await says(stage, "p/large answered")


async def test_a_stopped_trial_is_given_back() -> None:
    async with dashboard(playing({"large": [HANG]})) as stage:
        await due(stage, "p/large")
        await stage.press("p")
        await stage.until(lambda: "◐ on trial" in stage.row("p/large"))
        assert "by a probe" in stage.row("p/large")
        await stage.press("escape")
        await stage.until(lambda: "○ due" in stage.row("p/large"))


async def test_it_goes_on_while_another_view_is_shown() -> None:
    async with dashboard(playing({"large": [HANG]})) as stage:
        await stage.press("p")
        await stage.until(lambda: provider(stage).open == 1)
        await stage.press("2")
        assert provider(stage).open == 1
        await stage.press("escape", "escape")
        await stage.until(lambda: provider(stage).open == 0)


async def test_quitting_ends_it() -> None:
    async with dashboard(playing({"large": [HANG]})) as stage:
        scripted = provider(stage)
        await stage.press("p")
        await stage.until(lambda: scripted.open == 1)
    assert scripted.open == 0


async def test_read_only_probes_nothing_and_does_not_offer_it() -> None:
    async with dashboard(playing({"large": ["OK"]}), read_only=True) as stage:
        assert "Probe" not in stage.screen
        await stage.press("p")
        assert provider(stage).calls == []


async def test_a_model_that_can_not_be_asked_is_told_why() -> None:
    async with dashboard() as stage:
        stage.retake(playing({}, chains={"other": ["p/a"]}))
        await stage.press("j", "j", "p")
        await says(stage, "q/small did not answer: there is no provider 'q'.")


async def test_a_target_that_names_no_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(*_: object) -> None:
        raise UnknownTarget("no [/] such", target="p/large")

    async with dashboard() as stage:
        monkeypatch.setattr(Engine, "probe", refuses)
        await stage.press("p")
        await says(stage, "p/large can't be probed: no [/] such")


async def test_a_fault_of_our_own_is_told_and_the_dashboard_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise TypeError("no [bold such")

    async with dashboard() as stage:
        monkeypatch.setattr(Engine, "probe", broken)
        await stage.press("p")
        await says(stage, "The probe of p/large failed: TypeError: no [bold such")
        assert stage.app.desk.probes.last == ""


async def test_at_40_columns_the_row_still_says_that_it_is_probed() -> None:
    async with dashboard(playing({"large": [HANG]}), size=(40, 12)) as stage:
        fail(stage, "p/large")
        await stage.press("p")
        await stage.until(lambda: stage.row("p/large").endswith("probing"))
