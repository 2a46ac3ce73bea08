"""The README's service and a dashboard beside it: a model benched by hand, and the service moves over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.terminal import ROOT, Terminal, on_terminal

CALM = """
providers:
  acme: {kind: simulated, seed: 7, models: {large: {first_token: 10ms}, mini: {first_token: 10ms}}}
chains:
  support: [acme/large, acme/mini]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose configuration has no incidents of its own."""
    folder = tmp_path / "config" / "standby"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CALM, encoding="utf-8")
    return tmp_path


@pytest.fixture
def service(home: Path) -> Iterator[Terminal]:
    """The service, word for word, in a terminal of its own."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"<!-- service -->\n```python\n(.*?)```", readme, re.DOTALL)
    assert code is not None
    program = home / "service.py"
    program.write_text(code.group(1), encoding="utf-8")
    with on_terminal([str(program)], home) as terminal:
        terminal.until(lambda: "acme/large answered" in terminal.text)
        yield terminal


def test_a_model_benched_in_the_dashboard_is_left_by_the_service_next_door(
    home: Path, service: Terminal
) -> None:
    with on_terminal(["-m", "tui", "--no-traffic"], home, size=(140, 36)) as dashboard:
        dashboard.until(lambda: re.search(r"support +acme/large .* ok", dashboard.text))  # its traffic
        dashboard.type("b")
        dashboard.until(lambda: "Bench it" in dashboard.text)
        dashboard.type("\t\r")  # from Cancel to Bench it
        service.until(lambda: "acme/mini answered" in service.text)
        dashboard.until(lambda: re.search(r"support +acme/mini .* ok", dashboard.text))
        dashboard.type("u")
        dashboard.until(lambda: "2 of 2 live" in dashboard.text)
        service.until(lambda: re.search(r"mini answered\s+acme/large answered", service.text))
        dashboard.type("q")
        assert dashboard.ends(10.0) == 0


def test_a_script_benches_it_as_well(home: Path, service: Terminal) -> None:
    command = ["-m", "tui", "bench", "acme/large", "--for", "10m", "--reason", "cost"]
    with on_terminal(command, home) as script:
        assert script.ends(30.0) == 0
    service.until(lambda: "acme/mini answered" in service.text)
