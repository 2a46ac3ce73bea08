"""Who may play: puts providers, their keys and the bench together for one question about one model."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.bench import Bench
from engine.config.model import Config, ModelConfig, ProviderConfig
from engine.keys import KeyRing, KeyValue
from engine.providers.base import Provider
from engine.resolve import split_model
from engine.secret import Secret, redact
from engine.stay import Block

_PLAIN = ModelConfig()


class Unusable(NamedTuple):
    """Why a model can't be used by this request, whatever the bench says.

    Attributes:
        why: `no_key`, `unresolved` or `too_long`.
        detail: What is missing, in words.
    """

    why: str
    detail: str


class Seat:
    """One provider at work: its configuration, its keys, and its adapter once it is needed.

    Args:
        config: The provider's configuration.
        build: Makes the adapter.
    """

    def __init__(self, config: ProviderConfig, build: Callable[[ProviderConfig], Provider]) -> None:
        self.config = config
        self.keys = KeyRing(config)
        self.under_way = 0
        self._build = build
        self._adapter: Provider | None = None

    @property
    def adapter(self) -> Provider:
        """Whoever answers the calls; built when first asked for."""
        if self._adapter is None:
            self._adapter = self._build(self.config)
        return self._adapter

    async def aclose(self) -> None:
        """Closes the adapter, if there ever was one."""
        if self._adapter is not None:
            await self._adapter.aclose()


class Roster:
    """Every provider of a configuration, and what the bench says of its models.

    Args:
        config: The configuration in force.
        bench: The bench.
        build: Makes a provider's adapter.
    """

    def __init__(self, config: Config, bench: Bench, build: Callable[[ProviderConfig], Provider]) -> None:
        self._bench = bench
        self._build = build
        self._seats = {name: Seat(provider, build) for name, provider in config.every_provider.items()}
        self._retired: list[Seat] = []

    def replace(self, config: Config) -> None:
        """Takes a new configuration over: what did not change keeps its keys and connections."""
        seats: dict[str, Seat] = {}
        for name, provider in config.every_provider.items():
            seat = self._seats.get(name)
            seats[name] = seat if seat and seat.config == provider else Seat(provider, self._build)
        self._retired += [seat for name, seat in self._seats.items() if seats.get(name) is not seat]
        self._seats = seats

    async def close_idle(self) -> None:
        """Closes the adapters that a new configuration replaced, once their last call is over."""
        idle = [seat for seat in self._retired if not seat.under_way]
        self._retired = [seat for seat in self._retired if seat.under_way]
        for seat in idle:
            await seat.aclose()

    async def aclose(self) -> None:
        """Closes every adapter."""
        seats = [*self._seats.values(), *self._retired]
        self._retired = []
        for seat in seats:
            await seat.aclose()

    def seat(self, model: str) -> Seat:
        """The provider of a model that `standing` did not call unresolved."""
        return self._seats[split_model(model)[0]]

    def special(self, model: str) -> ModelConfig:
        """What is special about a model."""
        provider, name = split_model(model)
        return self._seats[provider].config.models.get(name, _PLAIN)

    def secrets(self) -> list[Secret]:
        """Every key in use, for taking them out of other people's texts."""
        return [secret for seat in (*self._seats.values(), *self._retired) for secret in seat.keys.secrets()]

    def standing(self, model: str) -> Block | Unusable | None:
        """What keeps a model from being asked now, None if nothing does.

        A model that is due is blocked, too: by a block that is open to whoever takes the trial.
        """
        provider, name = split_model(model)
        seat = self._seats.get(provider)
        if seat is None:
            return Unusable("unresolved", f"there is no provider {provider!r}")
        block = self._bench.block(model)
        if (block is not None and not block.is_open) or not seat.keys.is_needed:
            return block
        keys = seat.keys.set_keys()
        if not keys:
            return Unusable("no_key", "; ".join(seat.keys.problems()))
        return self._keys_block(keys, name) or block

    def _keys_block(self, keys: list[str], name: str) -> Block | None:
        """None if a key is usable, else the block of the one that is back first."""
        first: Block | None = None
        for key in keys:
            block = self.key_block(key, name)
            if block is None:
                return None
            if first is None or block.ends < first.ends:
                first = block
        return first

    def key_block(self, key: str, name: str) -> Block | None:
        """What keeps a key from being used for one of its provider's models, None if nothing does."""
        return self._bench.block(key) or self._bench.block(f"{key}/{name}")

    def take_key(self, model: str, *, despite: Callable[[Block], bool] | None = None) -> Secret | None:
        """The next key for a model; None if its provider takes none, or none is usable.

        Args:
            model: The model.
            despite: Which benched key to take where none is usable; None for none of them.
        """
        name = split_model(model)[1]
        keys = self.seat(model).keys
        key = keys.take(lambda key: self.key_block(key, name) is None)
        if key is not None or despite is None:
            return key

        def may_be_used(key: str) -> bool:
            block = self.key_block(key, name)
            return block is None or despite(block)

        return keys.take(may_be_used)

    def misbuilt(self, model: str) -> Unusable | None:
        """What keeps a model's adapter from being built, None if nothing does. Builds it."""
        try:
            self.seat(model).adapter  # noqa: B018  (a property that builds)
        except Exception as error:  # noqa: BLE001  (an operator's adapter may raise anything)
            what = f"{type(error).__name__}: {error}"
            return Unusable("unresolved", f"its provider can't be set up: {redact(what, self.secrets())}")
        return None

    def has_other_key(self, model: str, key: str | None) -> bool:
        """True if a model could be asked with another key than the given one."""
        name = split_model(model)[1]
        keys = self.seat(model).keys.set_keys()
        return key is not None and any(other != key and self.key_block(other, name) is None for other in keys)

    def key_values(self) -> list[KeyValue]:
        """Every provider's keys."""
        return [value for seat in self._seats.values() for value in seat.keys.values()]

    def key_names(self, model: str) -> list[str]:
        """Everything of a model's keys that may be benched."""
        provider, name = split_model(model)
        seat = self._seats.get(provider)
        keys = seat.keys.names() if seat else []
        return [*keys, *(f"{key}/{name}" for key in keys)]
