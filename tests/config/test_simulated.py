from __future__ import annotations

import pytest

from engine.config.model import Fails, Incident, ModelConfig, SimulatedModel, Traffic
from tests.config.reading import config, faults, with_providers


def model(inner: str) -> list[str]:
    """The faults of one simulated model, as `COLUMN: where: what`; the columns are those of `inner`."""
    found = faults(f"providers: {{s: {{kind: simulated, models: {{m:\n{{{inner}}}}}}}}}")
    assert all(fault.startswith("2:") for fault in found)
    return [fault.removeprefix("2:").replace("providers.s.models.m", "m") for fault in found]


def test_everything_about_simulated_models_is_read() -> None:
    text = """
        providers:
          acme:
            kind: simulated
            speaks: anthropic
            seed: 7
            keys: [ACME_KEY]
            models:
              plain:
              large: {first_token: 400ms, tokens_per_s: 60, tokens: 12, timeouts: {idle: 1s}}
              flaky: {fails: {rate: 0.2, with: [500, 429, cut]}}
              broken: {fails: {rate: 1}}
              single: {fails: {rate: 0, with: reset}}
              storm: {incident: {every: 90s, lasts: 30s, with: 429, retry_after: 12s}}
              late: {incident: {every: 2m, lasts: 1m, with: hang, after: 0}}
    """
    found = config(text).providers["acme"]
    assert (found.kind, found.speaks, found.seed, len(found.keys)) == ("simulated", "anthropic", 7, 1)
    assert {name: special.simulated for name, special in found.models.items()} == {
        "plain": SimulatedModel(),
        "large": SimulatedModel(0.4, 60.0, 12),
        "flaky": SimulatedModel(fails=Fails(0.2, (500, 429, "cut"))),
        "broken": SimulatedModel(fails=Fails(1.0, (500,))),
        "single": SimulatedModel(fails=Fails(0.0, ("reset",))),
        "storm": SimulatedModel(incident=Incident(90.0, 30.0, 429, 12.0, 5.0)),
        "late": SimulatedModel(incident=Incident(120.0, 60.0, "hang", None, 0.0)),
    }
    assert found.models["large"] == ModelConfig({"idle": 1.0}, None, SimulatedModel(0.4, 60.0, 12))


WAYS = "a status, cut, stall, hang, reset, empty, garbage"


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        ("first_token: -1s", "15: m.first_token: must be at least 0s"),
        ("tokens_per_s: 0", "16: m.tokens_per_s: must be more than 0"),
        ("tokens_per_s: .inf", "16: m.tokens_per_s: must be a finite number, more than 0"),
        ("tokens: 0", "10: m.tokens: must be at least 1"),
        (
            "speed: 3",
            (
                "2: m.speed: unknown key; known here: context_tokens, fails, first_token, incident, "
                "timeouts, tokens, tokens_per_s"
            ),
        ),
        ("fails: {rate: 1.5}", "16: m.fails.rate: must be at least 0 and at most 1"),
        ("fails: {rate: -0.1}", "16: m.fails.rate: must be at least 0 and at most 1"),
        ("fails: {rate: .nan}", "16: m.fails.rate: must be a finite number, at least 0 and at most 1"),
        ("fails: {with: 500}", "9: m.fails: has no `rate`, the share of calls that fail, from 0 to 1"),
        ("fails: {rate: 1, with: []}", "25: m.fails.with: is empty; list at least one status or word"),
        (
            "fails: {rate: 1, with: [cutt]}",
            f"26: m.fails.with[0]: unknown value 'cutt'; did you mean 'cut'? (one of {WAYS})",
        ),
        ("fails: {rate: 1, with: [a status]}", f"26: m.fails.with[0]: must be one of {WAYS}"),
        ("fails: {rate: 1, with: 200}", "25: m.fails.with: a failure is a status from 300 to 599"),
        ("fails: {rate: 1, with: 600}", "25: m.fails.with: a failure is a status from 300 to 599"),
        ("fails: 0.2", "9: m.fails: must be a mapping of rate and with, not a single value"),
        ("incident: {every: 1m}", "12: m.incident: needs both `every` and `lasts`, as 90s and 30s"),
        ("incident: {every: 30s, lasts: 30s}", "32: m.incident.lasts: must be shorter than `every`, 30s"),
        ("incident: {every: 30s, lasts: 0}", "32: m.incident.lasts: must be longer than 0s"),
        (
            "incident: {every: 30s, lasts: 1s, wiht: 500}",
            "36: m.incident.wiht: unknown key; did you mean 'with'?",
        ),
        (
            "incident: {every: 30s, lasts: 1s, retry_after: soon}",
            (
                "49: m.incident.retry_after: not a duration: write it as 200ms, 30s, 5m, 1h30m or 7d, or as "
                "a plain number of seconds"
            ),
        ),
    ],
)
def test_what_could_not_be_simulated_is_a_fault(inner: str, fault: str) -> None:
    assert model(inner) == [fault]


@pytest.mark.parametrize(
    ("rate", "per_second"), [("2/s", 2.0), ("30/m", 0.5), ("36/h", 0.01), ("0.5", 0.5), ("1000/s", 1000.0)]
)
def test_traffic_has_a_rate(rate: str, per_second: float) -> None:
    text = f"chains: {{a: [s/x], b: [a]}}\ntraffic: {{rate: {rate}, through: [a, b]}}"
    assert config(with_providers(text)).traffic == Traffic(per_second, ("a", "b"))


RATE = "must be a rate, as 2/s, 30/m or 100/h, or a plain number a second"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{rate: 2/s}", "10: traffic: has no `through`; write it as {rate: 2/s, through: [a chain]}"),
        ("{through: [sim]}", "10: traffic: has no `rate`; write it as {rate: 2/s, through: [a chain]}"),
        ("{rate: 2/x, through: [sim]}", f"17: traffic.rate: {RATE}"),
        ("{rate: -1/s, through: [sim]}", f"17: traffic.rate: {RATE}"),
        ("{rate: [2/s], through: [sim]}", "17: traffic.rate: must be a rate, as 2/s, not a list"),
        ("{rate: inf, through: [sim]}", f"17: traffic.rate: {RATE}"),
        ("{rate: 0/s, through: [sim]}", "17: traffic.rate: must be more than 0 and at most 1000/s"),
        ("{rate: 1001, through: [sim]}", "17: traffic.rate: must be more than 0 and at most 1000/s"),
        (
            "{rate: 2/s, through: []}",
            "31: traffic.through: is empty; it must be a list of chains, with at least one",
        ),
        ("{rate: 2/s, through: [smi]}", "32: traffic.through[0]: unknown chain 'smi'; did you mean 'sim'?"),
        (
            "{rate: 2/s, through: [s/x]}",
            "32: traffic.through[0]: unknown chain 's/x'; traffic goes through chains",
        ),
        (
            "{rate: 2/s, through: 'sim, real'}",
            "37: traffic.through: reaches 'o/x', a real model; traffic is for simulated providers only",
        ),
        (
            "{rate: 2/s, through: [deep]}",
            "32: traffic.through[0]: reaches 'o/x', a real model; traffic is for simulated providers only",
        ),
        (
            "{rate: 2/s, through: [sim], burst: 1}",
            "38: traffic.burst: unknown key; known here: rate, through",
        ),
        ("2/s", "10: traffic: must be a mapping, not a single value"),
    ],
)
def test_traffic_never_reaches_a_real_provider(line: str, fault: str) -> None:
    text = (
        f"traffic: {line}\naliases: {{far: real}}\nchains: {{sim: [s/x], real: [s/x, o/x], deep: [sim, far]}}"
    )
    assert faults(with_providers(text)) == [f"2:{fault}"]


ONLY = "a real model; traffic is for simulated providers only"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("fallback: o/x\nchains: {c: [s/x]}", f"reaches 'o/x' as fallback, {ONLY}"),
        ("chains: {c: {models: s/x, fallback: far}}", f"reaches 'o/x' as fallback, {ONLY}"),
        ("owners: {al: {providers: {s: {kind: openai}}}}\nchains: {c: {models: s/x, owner: al}}",
         f"reaches 'al:s/x', {ONLY}"),
        ("fallback: o/x\nchains: {c: {models: s/x, fallback: none}}", None),
        ("fallback: o/x\nchains: {c: {models: s/x, fallback: s/y}}", None),
        ("groups: [[s/x, o/x]]\nchains: {c: [s/x]}", None),
        ("owners: {al: {providers: {o: {kind: simulated}}}}\nchains: {c: {models: o/x, owner: al}}", None),
    ],
)  # fmt: skip
def test_traffic_reaches_no_real_provider_by_a_fallback_or_an_owner_either(
    text: str, fault: str | None
) -> None:
    text = f"traffic: {{rate: 1, through: [c]}}\naliases: {{far: o/x}}\n{text}"
    told = f"2:30: traffic.through[0]: {fault}"
    assert faults(with_providers(text)) == ([told] if fault else [])


def test_traffic_through_a_chain_with_faults_of_its_own_adds_none() -> None:
    text = "traffic: {rate: 1, through: [c]}\nchains: {c: [c, s/x, zz/y]}"
    assert [fault.split(": ")[1] for fault in faults(with_providers(text))] == ["chains.c[0]", "chains.c[2]"]
