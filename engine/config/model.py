"""The checked configuration: immutable values that the rest of the engine reads.

A configuration may also be built in code: every class here is public and has sensible defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from engine.errors import Kind
from engine.policy import Policy, Timeouts
from engine.providers.base import Provider

ProviderKind = Literal["openai", "anthropic", "ollama", "simulated"]
Protocol = Literal["openai", "anthropic", "ollama"]


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a key is read from: an environment variable or a file, never the configuration itself.

    Attributes:
        name: What to call it; unique within its provider.
        env: Name of an environment variable.
        file: Path of a file that holds the key alone.
        tier: Lower tiers are used first.
    """

    name: str
    env: str | None = None
    file: Path | None = None
    tier: int = 1


@dataclass(frozen=True, slots=True)
class Fails:
    """A simulated model's random failures: this share of its calls, one of these ways.

    Attributes:
        rate: Share of calls that fail, in [0, 1].
        ways: Statuses and `cut`, `stall`, `hang`, `reset`, `empty`, `garbage`; drawn evenly.
    """

    rate: float
    ways: tuple[int | str, ...] = (500,)


@dataclass(frozen=True, slots=True)
class Incident:
    """A simulated model's incident: it comes, lasts, goes, and comes again.

    Attributes:
        every: Seconds from one start to the next.
        lasts: Seconds; shorter than `every`.
        way: A status, or one of the words of `Fails.ways`.
        retry_after: Seconds the failures ask the caller to wait; None for no such header.
        after: Seconds until the first one starts.
    """

    every: float
    lasts: float
    way: int | str = 503
    retry_after: float | None = None
    after: float = 5.0


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """How a simulated model behaves.

    Attributes:
        first_token: Seconds until the first token.
        tokens_per_s: Speed after it.
        tokens: Length of an answer; None draws one of 20 to 80 for each.
        fails: Random failures.
        incident: A failure that comes and goes.
    """

    first_token: float = 0.3
    tokens_per_s: float = 50.0
    tokens: int | None = None
    fails: Fails | None = None
    incident: Incident | None = None


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What is special about one model of a provider.

    Attributes:
        timeouts: The timeouts given for it, by name, in seconds; they win over any policy's.
        context_tokens: How many tokens fit into its context, None if unknown.
        simulated: Its behaviour, if its provider is simulated.
    """

    timeouts: Mapping[str, float] = field(default_factory=dict)
    context_tokens: int | None = None
    simulated: SimulatedModel | None = None

    def limits(self, policy: Timeouts) -> Timeouts:
        """The policy's timeouts with the model's own laid over them."""
        if not self.timeouts:
            return policy
        own = {name: self.timeouts.get(name, getattr(policy, name)) for name in Timeouts.__slots__}
        return Timeouts(**own)


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One entry of `providers:`.

    Attributes:
        name: Its name, the part of a model's name before the first slash.
        kind: The wire protocol, or `simulated`.
        base_url: Where it answers, without a slash at the end; empty for a simulated one.
        keys: Where its keys come from; empty if it takes none.
        headers: Sent with each call.
        errors: Overrides of the classifier: status or provider code → kind.
        proxy: A proxy's URL; None leaves it to the usual environment variables.
        ca_bundle: A file of certificates to trust instead of the usual ones.
        models: What is special about single models, by the provider's own name for them.
        speaks: The protocol a simulated provider answers in.
        seed: A simulated provider's seed: the same seed tells the same story.
        adapter: An object that answers instead of any of the above.
    """

    name: str
    kind: ProviderKind = "openai"
    base_url: str = ""
    keys: tuple[KeySource, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[int | str, Kind] = field(default_factory=dict)
    proxy: str | None = None
    ca_bundle: Path | None = None
    models: Mapping[str, ModelConfig] = field(default_factory=dict)
    speaks: Protocol = "openai"
    seed: int = 0
    adapter: Provider | None = None

    @property
    def is_simulated(self) -> bool:
        """True if nothing it says comes from a real provider."""
        return self.kind == "simulated" and self.adapter is None


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """One entry of `chains:`.

    Attributes:
        name: Its name.
        models: What it lists: models, aliases and other chains, not yet resolved.
        policy: The defaults with the chain's own keys laid over them.
        owner: Whose layer its names resolve in first; None leaves it to whoever asks.
        fallback: What is tried once it is used up, not yet resolved; None for the configuration's, `()` for
            nothing.
    """

    name: str
    models: tuple[str, ...]
    policy: Policy = field(default_factory=Policy)
    owner: str | None = None
    fallback: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of `owners:`, a layer of providers and aliases that belong to somebody.

    Attributes:
        name: Whose they are.
        providers: By the name they have in the layer, as `mine`. Their own names are made whole, as
            `alice:mine`: that is what models, keys and benches are called, and no two owners share one.
        aliases: Name → what it stands for, not yet resolved.
    """

    name: str
    providers: Mapping[str, ProviderConfig] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole = {short: replace(each, name=f"{self.name}:{short}") for short, each in self.providers.items()}
        object.__setattr__(self, "providers", whole)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Prompts in the background, to simulated providers only.

    Attributes:
        rate: Prompts a second.
        through: Chains they go through, in turn.
    """

    rate: float
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """How long events are kept.

    Attributes:
        keep: Seconds.
        rows: Most events.
    """

    keep: float = 7 * 86400.0
    rows: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Dashboard:
    """How the dashboard looks and behaves.

    Attributes:
        theme: A theme's name, `auto` to choose by the terminal.
        glyphs: `unicode`, `ascii`, or `auto`.
        keys: Command → key, for keys that are not the default.
        bell: Whether the terminal's bell may ring.
    """

    theme: str = "auto"
    glyphs: str = "auto"
    keys: Mapping[str, str] = field(default_factory=dict)
    bell: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration, checked.

    Attributes:
        providers: By name.
        aliases: Name → what it stands for, not yet resolved.
        chains: By name, in the file's order.
        groups: Models that stand in for one another, as `provider/model`; a model is in one group at most.
        fallback: What is tried once a target is used up, not yet resolved.
        owners: Layers of providers and aliases, by whose they are.
        defaults: The policy of every request that names no chain.
        store: Where benches and journal live: `auto` (a file in the user's state folder), `memory`,
            `sqlite:PATH`, `redis://…`, `rediss://…`, or `env:NAME`. A file's default is `auto`; a
            configuration that is built in code shares nothing unless it says so.
        record_prompts: Whether prompts and answers enter events.
        journal: How long events are kept.
        traffic: Prompts in the background.
        dashboard: How the dashboard looks.
        path: The file it came from, None if it was built in code.
        store_in_file: What the file says of the store. Where `store` is another one, somebody has put that in
            its place, and no edit of the file changes it.
    """

    providers: Mapping[str, ProviderConfig] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chains: Mapping[str, ChainConfig] = field(default_factory=dict)
    groups: tuple[tuple[str, ...], ...] = ()
    fallback: tuple[str, ...] = ()
    owners: Mapping[str, Owner] = field(default_factory=dict)
    defaults: Policy = field(default_factory=Policy)
    store: str = "memory"
    record_prompts: bool = False
    journal: Journal = field(default_factory=Journal)
    traffic: Traffic | None = None
    dashboard: Dashboard = field(default_factory=Dashboard)
    path: Path | None = None
    store_in_file: str | None = field(default=None, compare=False)

    @property
    def every_provider(self) -> dict[str, ProviderConfig]:
        """All providers by their whole names, those of owners included."""
        owned = (each for owner in self.owners.values() for each in owner.providers.values())
        return {**self.providers, **{each.name: each for each in owned}}
