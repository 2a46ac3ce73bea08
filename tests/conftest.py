"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Speed is measured in tests/benchmarks; a busy machine must not fail a claim about behaviour.
settings.register_profile("standby", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("standby")
