"""Who may play: puts providers, their keys and the bench together for one question about one model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from engine.bench import Bench
from engine.bus import log
from engine.config.model import Config, ModelConfig, ProviderConfig
from engine.keys import KeyRing, KeyValue
from engine.names import is_key
from engine.providers.base import Provider
from engine.resolve import split_model
from engine.secret import Secret, redact
from engine.stay import Block

_PLAIN = ModelConfig()

Despite = Callable[[Block], bool]
"""Which benches to ignore."""


def may_be_tried(block: Block) -> bool:
    """Ignores the automatic benches that trying again could prove wrong."""
    return block.may_be_tried


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
        await self._close(idle)

    async def aclose(self) -> None:
        """Closes every adapter."""
        seats = [*self._seats.values(), *self._retired]
        self._retired = []
        await self._close(seats)

    @staticmethod
    async def _close(seats: Iterable[Seat]) -> None:
        """Closes adapters; one that fails to close keeps nobody from closing the others."""
        for seat in seats:
            try:
                await seat.aclose()
            except Exception as error:  # noqa: BLE001  (an operator's adapter may raise anything)
                # Its words may hold a key.
                log.warning("the adapter of %s did not close: %s", seat.config.name, type(error).__name__)

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
        provider = split_model(model)[0]
        if provider not in self._seats:
            return Unusable("unresolved", f"there is no provider {provider!r}")
        block = self._bench.block(model)
        if block is not None and not block.is_open:
            return block
        return self.key_bar(model) or block

    def key_bar(self, model: str, despite: Despite | None = None) -> Block | Unusable | None:
        """What keeps a model from being asked with any of its provider's keys, None if nothing does.

        Args:
            model: A model that has a provider.
            despite: Which benched keys would do all the same.

        Returns:
            Of several blocks that of the key that is back first.
        """
        provider, name = split_model(model)
        ring = self._seats[provider].keys
        if not ring.is_needed:
            return None
        keys = ring.set_keys()
        if not keys:
            return Unusable("no_key", "; ".join(ring.problems()))
        first: Block | None = None
        for key in keys:
            block = self.key_block(key, name)
            if block is None or (despite is not None and despite(block)):
                return None
            if first is None or block.ends < first.ends:
                first = block
        return first

    def bar_despite(self, model: str, block: Block, despite: Despite) -> Block | Unusable | None:
        """What keeps a model from being asked although some benches are ignored: its own, or its keys'.

        Args:
            model: The model.
            block: What keeps it out.
            despite: Which benches to ignore.
        """
        if not is_key(block.name) and not despite(block):
            return block
        return self.key_bar(model, despite)

    def playable_despite(self, blocks: Iterable[tuple[str, Block]]) -> list[str]:
        """The models that could be asked if automatic benches are ignored, the one first back in front.

        Args:
            blocks: Models, each with what keeps it out.
        """
        by_end = sorted(blocks, key=lambda each: each[1].stay.end)
        return [m for m, block in by_end if self.bar_despite(m, block, may_be_tried) is None]

    def standing_of_keys(self, model: str) -> Block | Unusable | None:
        """As `key_bar`, also of a model whose provider is gone."""
        if split_model(model)[0] not in self._seats:
            return self.standing(model)
        return self.key_bar(model)

    def key_block(self, key: str, name: str) -> Block | None:
        """What keeps a key from being used for one of its provider's models, None if nothing does."""
        return self._bench.block(key) or self._bench.block(f"{key}/{name}")

    def take_key(
        self, model: str, besides: Collection[str] = (), despite: Despite | None = None
    ) -> Secret | None:
        """The next key for a model; None if its provider takes none, or none will do.

        Args:
            model: The model.
            besides: Keys that have had their turn; they are taken again only if no other is usable.
            despite: Which benched keys to take where none is usable; None for none of them.
        """
        name = split_model(model)[1]
        keys = self.seat(model).keys
        if not keys.is_needed:
            return None

        def will_do(key: str) -> bool:
            block = self.key_block(key, name)
            return block is None or (despite is not None and despite(block))

        return (
            keys.take(lambda key: key not in besides and self.key_block(key, name) is None)
            or keys.take(lambda key: self.key_block(key, name) is None)
            or keys.take(will_do)
        )

    def misbuilt(self, model: str) -> Unusable | None:
        """What keeps a model's adapter from being built, None if nothing does. Builds it."""
        try:
            self.seat(model).adapter()
        except Exception as error:  # noqa: BLE001  (an operator's adapter may raise anything)
            what = f"{type(error).__name__}: {error}"
            return Unusable("unresolved", f"its provider can't be set up: {redact(what, self.secrets())}")
        return None

    def has_other_key(self, seat: Seat, model: str, besides: Collection[str]) -> bool:
        """True if a model could be asked with another key of its provider.

        Args:
            seat: The provider, which a new configuration may have removed.
            model: The model.
            besides: Keys that have had their turn.
        """
        name = split_model(model)[1]
        return any(key not in besides and self.key_block(key, name) is None for key in seat.keys.set_keys())

    def key_values(self) -> list[KeyValue]:
        """Every provider's keys."""
        return [value for seat in self._seats.values() for value in seat.keys.values()]

    def bench_names(self, model: str) -> list[str]:
        """Every name whose bench keeps a model out: its own, its provider's, its keys'."""
        return [model, f"{split_model(model)[0]}/*", *self.key_names(model)]

    def key_names(self, model: str) -> list[str]:
        """Everything of a model's keys that may be benched."""
        provider, name = split_model(model)
        seat = self._seats.get(provider)
        keys = seat.keys.names() if seat else []
        return [*keys, *(f"{key}/{name}" for key in keys)]
