from __future__ import annotations

import pytest

from engine.policy import Backoff, Policy, Timeouts
from tests.config.reading import config, faults, with_providers


def test_every_key_of_the_defaults_is_read() -> None:
    text = """
        defaults:
          attempts: 4
          backoff: {base: 100ms, cap: 5s}
          cooldown: 1m
          cooldown_growth: 1.5
          max_cooldown: 30m
          bench_after: 2
          timeouts: {connect: 1s, first_token: 2s, idle: 3s, attempt: 4s}
          deadline: 90
          retry_after_patience: 0
          max_wait: 0s
          when_all_benched: wait
          trial: probe
          on_auth_error: raise
          on_request_error: raise
          on_content_filter: next
          mid_stream: restart
    """
    assert config(with_providers(text)).defaults == Policy(
        attempts=4,
        backoff=Backoff(0.1, 5.0),
        cooldown=60.0,
        cooldown_growth=1.5,
        max_cooldown=1800.0,
        bench_after=2,
        timeouts=Timeouts(1.0, 2.0, 3.0, 4.0),
        deadline=90.0,
        retry_after_patience=0.0,
        max_wait=0.0,
        when_all_benched="wait",
        trial="probe",
        on_auth_error="raise",
        on_request_error="raise",
        on_content_filter="next",
        mid_stream="restart",
    )


def test_a_chain_lays_its_own_keys_over_the_defaults() -> None:
    text = """
        defaults: {attempts: 5, cooldown: 1m, backoff: {base: 1s}, timeouts: {connect: 1s}}
        chains:
          short: [o/x]
          long: {models: o/x, cooldown: 2m, backoff: {cap: 3s}, timeouts: {idle: 9s}}
    """
    found = config(with_providers(text))
    assert found.chains["short"].policy == found.defaults
    long = found.chains["long"].policy
    assert (long.attempts, long.cooldown, long.backoff) == (5, 120.0, Backoff(1.0, 3.0))
    assert long.timeouts == Timeouts(connect=1.0, idle=9.0)


@pytest.mark.parametrize(
    ("defaults", "pair"),
    [
        ("cooldown: 2h", (7200.0, 7200.0)),
        ("max_cooldown: 10s", (10.0, 10.0)),
        ("cooldown: 1s, max_cooldown: 1s", (1.0, 1.0)),
    ],
)
def test_a_length_that_is_written_moves_the_usual_bound_that_is_not(
    defaults: str, pair: tuple[float, float]
) -> None:
    found = config(with_providers(f"defaults: {{{defaults}}}")).defaults
    assert (found.cooldown, found.max_cooldown) == pair


@pytest.mark.parametrize(("backoff", "pair"), [("base: 20s", (20.0, 20.0)), ("cap: 50ms", (0.05, 0.05))])
def test_so_does_a_bound_of_the_backoff(backoff: str, pair: tuple[float, float]) -> None:
    assert config(with_providers(f"defaults: {{backoff: {{{backoff}}}}}")).defaults.backoff == Backoff(*pair)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("attempts: 0", "22: defaults.attempts: must be at least 1"),
        ("attempts: -1", "22: defaults.attempts: must be at least 1"),
        ("attempts: yes", "22: defaults.attempts: must be a whole number, as 3"),
        ("bench_after: 0", "25: defaults.bench_after: must be at least 1"),
        ("cooldown: 0", "22: defaults.cooldown: must be longer than 0s"),
        ("cooldown: -5m", "22: defaults.cooldown: must be longer than 0s"),
        ("max_cooldown: 0s", "26: defaults.max_cooldown: must be longer than 0s"),
        ("deadline: 0", "22: defaults.deadline: must be longer than 0s"),
        ("deadline: .inf", "22: defaults.deadline: a duration must be finite"),
        ("deadline: 99999d", "22: defaults.deadline: must be at most 3650d"),
        ("max_wait: -1s", "22: defaults.max_wait: must be at least 0s"),
        ("retry_after_patience: -1", "34: defaults.retry_after_patience: must be at least 0s"),
        ("cooldown_growth: 0.5", "29: defaults.cooldown_growth: must be at least 1"),
        ("cooldown_growth: .nan", "29: defaults.cooldown_growth: must be a finite number, at least 1"),
        ("cooldown_growth: 1e999", "29: defaults.cooldown_growth: must be a finite number, at least 1"),
        ("cooldown_growth: two", "29: defaults.cooldown_growth: must be a number, as 2 or 0.5"),
        (
            "cooldown_growth: '2'",
            "29: defaults.cooldown_growth: must be a number, not text in quotes, as 2 or 0.5",
        ),
        ("timeouts: {connect: 0}", "32: defaults.timeouts.connect: must be longer than 0s"),
        (
            "timeouts: {idle: [1s]}",
            "29: defaults.timeouts.idle: must be a duration, as 30s or 5m, not a list",
        ),
        (
            "timeouts: {total: 1s}",
            "23: defaults.timeouts.total: unknown key; known here: attempt, connect, first_token, idle",
        ),
        (
            "timeouts: 30s",
            (
                "22: defaults.timeouts: must be a mapping of connect, first_token, idle, attempt, not a "
                "single value"
            ),
        ),
        ("backoff: {base: -1s}", "28: defaults.backoff.base: must be at least 0s"),
        ("backoff: {factor: 2}", "22: defaults.backoff.factor: unknown key; known here: base, cap"),
        (
            "when_all_benched: tray",
            (
                "30: defaults.when_all_benched: unknown value 'tray'; did you mean 'try'? (one of try, wait, "
                "fail)"
            ),
        ),
        ("on_auth_error: ignore", "27: defaults.on_auth_error: must be one of bench, raise"),
        (
            "on_content_filter: [next]",
            "31: defaults.on_content_filter: must be one of raise, next, not a list",
        ),
        (
            "models: [o/x]",
            (
                "12: defaults.models: unknown key; known here: attempts, backoff, bench_after, cooldown, "
                "cooldown_growth, deadline, max_cooldown, max_wait, mid_stream, on_auth_error, "
                "on_content_filter, on_request_error, retry_after_patience, timeouts, trial, when_all_benched"
            ),
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_a_fault(line: str, fault: str) -> None:
    assert faults(with_providers(f"defaults: {{{line}}}")) == [f"2:{fault}"]


@pytest.mark.parametrize("way", ["raise", "append", "continue", "restart"])
def test_a_chain_says_what_follows_a_stream_that_breaks(way: str) -> None:
    text = f"chains: {{c: {{models: o/x, mid_stream: {way}}}}}"
    assert config(with_providers(text)).chains["c"].policy.mid_stream == way


NO_DURATION = "not a duration: write it as 200ms, 30s, 5m, 1h30m or 7d, or as a plain number of seconds"


@pytest.mark.parametrize("text", ["5 minutes", "1:30", "soon", "'5 m'"])
def test_what_is_no_duration_is_a_fault_that_says_how_to_write_one(text: str) -> None:
    assert faults(with_providers(f"defaults: {{deadline: {text}}}")) == [
        f"2:22: defaults.deadline: {NO_DURATION}"
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "defaults: {cooldown: 2h, max_cooldown: 1h}",
            "2:26: defaults.max_cooldown: `max_cooldown` is 1h, shorter than `cooldown`, 2h",
        ),
        (
            "defaults: {backoff: {base: 20s, cap: 10s}}",
            "2:33: defaults.backoff.cap: `cap` is 10s, shorter than `base`, 20s",
        ),
        (
            "defaults: {max_cooldown: 1h}\nchains: {c: {models: o/x, cooldown: 2h}}",
            "3:27: chains.c.cooldown: `max_cooldown` is 1h, shorter than `cooldown`, 2h",
        ),
        (
            "defaults: {cooldown: 2h}\nchains: {c: {models: o/x, max_cooldown: 90m}}",
            "3:27: chains.c.max_cooldown: `max_cooldown` is 1h30m, shorter than `cooldown`, 2h",
        ),
    ],
)
def test_a_bound_below_what_it_bounds_is_a_fault_at_the_latest_word(text: str, fault: str) -> None:
    assert faults(with_providers(text)) == [fault]


def test_a_contradiction_in_the_defaults_is_not_told_again_for_each_chain() -> None:
    text = """
        defaults: {cooldown: 2h, max_cooldown: 1h}
        chains: {a: {models: o/x, attempts: 1}, b: [o/x]}
    """
    assert len(faults(with_providers(text))) == 1


def test_a_chain_s_settings_are_checked_like_the_defaults() -> None:
    text = "chains: {c: {models: o/x, attempts: 0, cooldwn: 1m, backoff: {base: x}}}"
    assert faults(with_providers(text)) == [
        "2:37: chains.c.attempts: must be at least 1",
        "2:40: chains.c.cooldwn: unknown key; did you mean 'cooldown'?",
        f"2:69: chains.c.backoff.base: {NO_DURATION}",
    ]
