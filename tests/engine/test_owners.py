"""Owners, groups and the fallback at work: who is asked, and what it is called everywhere."""

from __future__ import annotations

import pytest

from engine import Engine
from engine.config.model import ChainConfig, Config, KeySource, Owner, ProviderConfig
from engine.errors import ChainExhausted, UnknownTarget
from engine.policy import Policy
from engine.providers.base import Provider
from tests.scripted import Heard, Scripted, status
from tests.virtual_time import run_virtual

POLICY = Policy(attempts=1)


def shared(provider: Scripted, *owners: tuple[str, Provider]) -> Config:
    """A configuration with a provider for all, `p`, and one of each owner's own, `mine`, with a key."""
    return Config(
        providers={"p": ProviderConfig("p", adapter=provider)},
        aliases={"cheap": ("p/small",)},
        chains={
            "main": ChainConfig("main", ("p/a", "cheap"), POLICY),
            "private": ChainConfig("private", ("p/a",), POLICY, fallback=()),
        },
        groups=(("p/a", "p/b"),),
        fallback=("p/last",),
        owners={
            name: Owner(
                name,
                {"mine": ProviderConfig("mine", adapter=adapter, keys=(KeySource("k", env="OWN_KEY"),))},
                {"cheap": ("mine/tiny",)},
            )
            for name, adapter in owners
        },
        defaults=POLICY,
    )


@pytest.fixture(autouse=True)
def the_key_of_every_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_KEY", "a-key-of-somebody")


def test_each_owner_is_served_by_the_own_provider_and_events_say_whose() -> None:
    hers, his = Scripted({"tiny": ["hers"]}), Scripted({"tiny": ["his"]})
    config = shared(Scripted({"a": [status(500)]}), ("alice", hers), ("bob", his))

    async def play() -> None:
        async with Engine(config, watch=False) as engine:
            heard = Heard()
            engine.observe(heard.append)
            for owner, text in (("alice", "hers"), ("bob", "his")):
                reply = await engine.complete("main", "hi", owner=owner)
                assert (reply.text, reply.model) == (text, f"{owner}:mine/tiny")
            assert [event.owner for event in heard.of("request.started")] == ["alice", "bob"]
            keys = [event.key for event in heard.of("attempt.started") if event.key]
            assert keys == ["alice:mine#k", "bob:mine#k"]

    run_virtual(play())


def test_what_is_benched_of_one_owner_is_not_benched_of_another() -> None:
    config = shared(Scripted({}), ("alice", Scripted({})), ("bob", Scripted({"tiny": ["ok"]})))

    async def play() -> None:
        async with Engine(config, watch=False) as engine:
            engine.bench("alice:mine/tiny")
            engine.bench("alice:mine#k")
            assert engine.is_benched("alice:mine/tiny")
            assert not engine.is_benched("bob:mine/tiny")
            reply = await engine.complete("bob:mine/tiny", "hi")
            assert reply.model == "bob:mine/tiny"

    run_virtual(play())


def test_the_group_and_then_the_fallback_stand_in_and_a_private_chain_has_neither() -> None:
    broken = Scripted({model: [status(400)] for model in ("a", "b", "last")})

    async def play() -> None:
        async with Engine(shared(broken), watch=False) as engine:
            with pytest.raises(ChainExhausted):
                await engine.complete("p/a", "hi")
            assert broken.models() == ["a", "b", "last"]
            for target, only in (("private", False), ("p/a", True)):
                broken.calls.clear()
                with pytest.raises(ChainExhausted):
                    await engine.complete(target, "hi", only=only)
                assert broken.models() == ["a"]

    run_virtual(play())


def test_explain_tells_which_models_are_there_as_fallback_only() -> None:
    async def play() -> None:
        async with Engine(shared(Scripted({}), ("alice", Scripted({}))), watch=False) as engine:
            told = [(each.model, each.fallback) for each in engine.explain("main", owner="alice")]
            assert told == [("p/a", False), ("alice:mine/tiny", False), ("p/last", True)]
            assert engine.chains() == {"main": ("p/a", "p/small", "p/last"), "private": ("p/a",)}

    run_virtual(play())


def test_status_knows_the_models_of_groups_of_the_fallback_and_of_every_owner() -> None:
    async def play() -> None:
        config = shared(Scripted({}), ("alice", Scripted({})), ("bob", Scripted({})))
        async with Engine(config, watch=False) as engine:
            assert [each.model for each in engine.status()] == [
                "p/a",
                "p/small",
                "p/last",
                "alice:mine/tiny",
                "bob:mine/tiny",
                "p/b",
            ]

    run_virtual(play())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine/tiny", "there is no provider 'mine', did you mean 'alice:mine'?"),
        ("alcie:mine/tiny", "there is no provider 'alcie:mine', did you mean 'alice:mine'?"),
        ("alice:mine#key", "provider alice:mine has no key 'key'"),
        ("alice:mine", "'alice:mine' is no model; give provider/model, provider/* or provider#key"),
    ],
)
def test_what_is_of_no_owner_is_not_benched(name: str, message: str) -> None:
    async def play() -> None:
        async with Engine(shared(Scripted({}), ("alice", Scripted({}))), watch=False) as engine:
            engine.bench("alice:mine/*")
            with pytest.raises(UnknownTarget) as raised:
                engine.bench(name)
            assert str(raised.value) == message

    run_virtual(play())
