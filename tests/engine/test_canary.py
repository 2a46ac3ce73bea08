"""A key that sings: used on every path, it must appear nowhere but in the header it belongs to."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine, KeySource, StandbyError, Timeouts
from tests.over_sockets import PROTOCOLS, QUICK, Protocol, ask, chain_of_errors, config_for
from tests.scripted import Heard
from tests.upstream import Step, Upstream, steps

CANARY = "sk-CANARY-7f3a9c51d2e84b60"
ECHO = f"Incorrect API key provided: {CANARY}. You sent Authorization: Bearer {CANARY}"

PATHS: list[Step] = [
    steps.ok(),
    steps.status(401, message=ECHO),
    steps.status(403, message=ECHO),
    steps.status(429, message=ECHO),
    steps.status(500, message="x" * 490 + CANARY),
    steps.status(400, message=ECHO),
    steps.status(418, ECHO),
    steps.html(title=ECHO),
    steps.bad_json(),
    steps.error_in_200(ECHO),
    steps.error_event(ECHO, after=1),
    steps.reset(),
    steps.close(),
    steps.cut(),
    steps.stall(),
    steps.hang(),
    steps.redirect(f"http://127.0.0.1:9/?key={CANARY}"),
]


def _texts(error: BaseException) -> Iterator[str]:
    """Everything a crash report could show: messages, attributes, and the locals of the engine's frames."""
    for each in chain_of_errors(error):
        yield f"{each} {each!r} {vars(each)!r}"
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if frame.f_globals["__name__"].partition(".")[0] != "tests":
                yield repr(frame.f_locals)


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_no_key_leaves_by_any_other_way_than_its_header(
    protocol: Protocol, mode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CANARY_KEY", CANARY)
    caplog.set_level(logging.DEBUG)
    heard, texts = Heard(), list[str]()
    keys = (KeySource("main", env="CANARY_KEY"),)
    policy = QUICK.replace(
        deadline=2.0, attempts=1, timeouts=Timeouts(first_token=0.2, idle=0.2, attempt=0.5)
    )
    async with Upstream() as up, asyncio.timeout(60):
        names = [f"m{number}" for number in range(len(PATHS))]
        for name, step in zip(names, PATHS, strict=True):
            up.script(name, step)
        config = config_for(up, protocol, *names, policy=policy, keys=keys)
        async with Engine(config) as engine:
            engine.observe(heard.append)
            for name in names:
                try:
                    texts.append(await ask(engine, mode, f"p/{name}"))
                except StandbyError as error:
                    texts += _texts(error)
                texts += [repr(engine.benched()), repr(engine.status()), repr(engine.explain("main"))]
                engine.unbench(f"p/{name}")
            await up.stop()
            with pytest.raises(StandbyError) as refused:
                await ask(engine, mode, "p/m0")
            texts += _texts(refused.value)
            texts += [repr(engine.config), repr(vars(engine)), repr(engine._roster.secrets())]
        assert any(CANARY in value for request in up.requests for value in request.headers.values())
        assert not any(CANARY in request.path for request in up.requests)
    texts += [str(event.to_json()) + repr(event) + repr(event.__dict__) for event in heard]
    texts += [record.getMessage() + repr(record.args) + str(record.exc_text) for record in caplog.records]
    assert len(texts) > 100
    assert not [text for text in texts if CANARY in text or "CANARY-7f" in text]


@pytest.mark.parametrize("damage", ["\n", "  ", "\r\n"])
async def test_white_space_around_a_key_is_stripped(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_KEY", f"{damage}{CANARY}{damage}")
    async with Upstream() as up:
        config = config_for(up, "openai", "a", keys=(KeySource("main", env="CANARY_KEY"),))
        async with Engine(config) as engine:
            await engine.complete("main", "hi")
        assert up.requests[0].headers["authorization"] == f"Bearer {CANARY}"


@pytest.mark.parametrize("damage", ["é", "\x07", " ", "\u202e"])
async def test_a_key_no_header_can_carry_is_refused_without_being_shown(
    damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", CANARY[:10] + damage + CANARY[10:])
    async with Upstream() as up:
        config = config_for(up, "openai", "a", keys=(KeySource("main", env="CANARY_KEY"),))
        async with Engine(config) as engine:
            with pytest.raises(StandbyError) as caught:
                await engine.complete("main", "hi")
        assert up.requests == []
    assert "CANARY_KEY holds characters that no key has" in str(caught.value)
    assert not any("sk-CANARY" in text for text in _texts(caught.value))


async def test_a_key_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("first-key\n")
    async with Upstream() as up:
        config = config_for(up, "openai", "a", keys=(KeySource("main", file=file),))
        async with Engine(config) as engine:
            await engine.complete("main", "hi")
            file.write_text("second-key-longer\n")
            await engine.complete("main", "hi")
            file.unlink()
            with pytest.raises(StandbyError, match="no such file"):
                await engine.complete("main", "hi")
        assert [request.headers["authorization"] for request in up.requests] == [
            "Bearer first-key",
            "Bearer second-key-longer",
        ]
