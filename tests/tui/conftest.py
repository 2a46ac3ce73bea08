from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet

from tests.tui.command import Shell
from tests.tui.warm import Warm
from tests.upstream import Upstream


@pytest.fixture(scope="session", autouse=True)
def css_parsed_once() -> Iterator[None]:
    """Every dashboard has the same CSS, and to read it is most of what it takes to open one."""
    parsed: dict[tuple[object, ...], Any] = {}
    parse = Stylesheet._parse_rules

    def known(sheet: Stylesheet, *source: Any, **about: Any) -> Any:
        key = (source, *about.items(), *sheet._variables.items())
        if key not in parsed:
            parsed[key] = parse(sheet, *source, **about)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", known)
        yield


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture
def own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    warm = Warm()
    yield warm
    warm.end()


@pytest.fixture
async def shell(tmp_path: Path, warm: Warm) -> AsyncIterator[Shell]:
    shell = Shell(tmp_path, warm)
    yield shell
    await shell.end()
