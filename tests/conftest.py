"""What holds for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Speed is measured in tests/benchmarks; a busy machine must not fail a claim about behaviour.
settings.register_profile("standby", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("standby")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own: no test sees a bench, or a name, that somebody else has set."""
    folder = tmp_path / "own-state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.delenv("STANDBY_NAME", raising=False)
    return folder / "standby"
