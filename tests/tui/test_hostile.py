"""Text from outside through every place of the screen: nothing of it steers the terminal or is markup."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.widgets._toast import Toast

from engine import (
    AttemptStarted,
    Benched,
    ConfigRejected,
    Engine,
    KeyStatus,
    ModelDue,
    ModelSkipped,
    ModelTrial,
    ModelUnbenched,
    Probed,
    RequestFailed,
    StreamBroken,
)
from tests.tui.stage import Stage, begun, benched, config, dashboard, failed, told
from tui.feed import Drained
from tui.screens.bench_dialog import BenchDialog
from tui.text import safe_line

HOSTILE = {
    "closing tag": "[/]",
    "open tag": "[bold",
    "link": "[@click=app.quit]x[/]",
    "escape": "\x1b[2J\x1b]52;c;aGk=\x07",
    "C1": "\x9b31m\x9d0;x\x9c",
    "bidi": "a\u202eb\u2066c",
    "surrogate": "\ud83d",
    "wide": "表" * 40,
    "combining": "e\u0301\u0302" * 40,
    "family": "👩\u200d👩\u200d👧",
    "line breaks": "a\r\nb\u2028c\x85d",
    "nul": "\x00\x7f",
    "megabyte": "[/x]\x1b" * 210_000,
}
PIECES = (
    "\x1b",
    "\x07",
    "\x9b",
    "\x9d",
    "\u202e",
    "\u2066",
    "\ud83d",
    "\x00",
    "\x7f",
    "\r",
    "\u2028",
    "\x85",
)


def is_calm(stage: Stage, name: str) -> None:
    """Nothing on the screen steers a terminal, now that it shows the text of this name."""
    for strip in stage.strips:
        assert strip.cell_length == stage.app.size.width, name
        assert not any(piece in strip.text for piece in PIECES), name
        assert strip.text.encode(errors="replace").decode() == strip.text, name


async def forget(stage: Stage) -> None:
    """Takes what was said in the corner off the screen."""
    stage.app.clear_notifications()
    await stage.until(lambda: not stage.app.screen.query(Toast))


async def is_asked_for_and_brought_back(stage: Stage, out: str, name: str) -> None:
    """The dialog about what is under the cursor names it, and `u` says that it is back."""
    await stage.press("b")
    assert isinstance(stage.app.screen, BenchDialog), name
    assert stage.app.screen.bench_name == out, name
    is_calm(stage, name)
    await stage.press("escape", "u")
    await stage.until(lambda: len(stage.app._notifications) == 1)
    is_calm(stage, name)
    await forget(stage)


# Each text comes to a dashboard that shows those before it.


@pytest.mark.parametrize("width", [40, 80, 120, 200])
async def test_every_event_field_may_hold_anything(width: int) -> None:
    async with dashboard(size=(width, 40)) as stage:
        for name, text in HOSTILE.items():
            await stage.tell(
                begun(text, text),
                failed(text, text, reason=text, message=text, next_model=text),
                told(AttemptStarted, request=text, model=text, chain=text, provider=text),
                told(ModelSkipped, request=text, model=text, why=text),
                told(StreamBroken, request=text, chain=text, model=text, mode=text, next_model=text),
                told(ModelDue, model=text),
                told(ModelTrial, model=text, by=text),
                told(ModelTrial, model=text, by=text, outcome=text),
                told(RequestFailed, request=text, chain=text, error=text, message=text),
                benched(text, reason=text, by=text),
                told(ModelUnbenched, model=text, why=text, by=text),
                told(ConfigRejected, path=text, faults=(text,)),
            )
            is_calm(stage, name)


@pytest.mark.parametrize("width", [40, 120])
async def test_names_and_reasons_on_the_board_may_hold_anything(width: int) -> None:
    async with dashboard(size=(width, 40)) as stage:
        for name, text in HOSTILE.items():
            stage.retake(config({text: [f"p/{text}", "p/b"], "drafts": ["p/b"]}))
            stage.engine._sideline.hold(f"p/{text}", 90.0, text, text)
            stage.clock.pass_(2.0)
            await stage.beat()
            is_calm(stage, name)
            await stage.press("g")
            await is_asked_for_and_brought_back(stage, f"p/{text}", name)


@pytest.mark.parametrize("width", [40, 80, 120, 200])
async def test_names_of_keys_and_why_they_are_out_may_be_anything(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[KeyStatus] = []
    monkeypatch.setattr(Engine, "keys", lambda _: keys)
    async with dashboard(size=(width, 40)) as stage:
        await stage.press("K", "tab")
        for name, text in HOSTILE.items():
            on_model = Benched(f"p#{text}/{text}", None, None, None, True, text, text, 0, 1)
            keys[:] = [
                KeyStatus(
                    f"p#{text}", "p", 1, "held", reason=text, by=text, manual=True, on_models=(on_model,)
                ),
                KeyStatus("p#unset", "p", 2, "unset", unset=text),
            ]
            stage.view.tick(Drained(states=True))
            await stage.press("g", "j")
            assert "■ held" in stage.screen, name
            is_calm(stage, name)
            await is_asked_for_and_brought_back(stage, f"p#{text}/{text}", name)


async def test_what_a_probe_brings_may_be_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ""

    async def probed(_: Engine, model: str) -> Probed:
        return Probed(model, False, 1.0, None, error, False, "benched")

    monkeypatch.setattr(Engine, "probe", probed)
    async with dashboard() as stage:
        for name, error in HOSTILE.items():  # noqa: B007  (the probe brings it)
            await stage.press("p")
            await stage.until(lambda: len(stage.app._notifications) == 1)
            is_calm(stage, name)
            await forget(stage)


async def test_markup_is_shown_as_it_is() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r"), failed("r", message="[bold]see [/oops]"))
        assert "[bold]see [/oops]" in stage.screen


async def test_control_characters_are_shown_as_pictures() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r", "p/\x1b[31mred"), failed("r", "p/\x1b[31mred"))
        assert "p/␛[31mred" in stage.screen


def test_the_table_of_hostile_texts_holds_what_it_says() -> None:
    assert len(HOSTILE["megabyte"]) > 1_000_000
    assert all(any(piece in text for text in HOSTILE.values()) for piece in PIECES)
    assert cell_len(safe_line(HOSTILE["wide"])) == 80
