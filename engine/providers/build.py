"""From a provider's configuration to whoever answers its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.providers.base import Provider
from engine.providers.wire import Wire

if TYPE_CHECKING:
    from engine.config.model import ProviderConfig

_SIMULATED_URL = "http://simulated.invalid"  # RFC 6761: a name that never resolves


def build_provider(config: ProviderConfig) -> Provider:
    """The adapter of a provider; opens no connection yet.

    Args:
        config: The provider's configuration; an `adapter` in it is used as it is.
    """
    if config.adapter is not None:
        return config.adapter
    from engine.providers.http import HttpProvider  # noqa: PLC0415 - HTTP is most of what an import takes
    from engine.transport import Transport  # noqa: PLC0415 - HTTP is most of what an import takes

    if config.kind == "simulated":
        from engine.providers.simulated import build_simulated  # noqa: PLC0415 - few have such a provider

        wire = _wire(config.speaks)(_SIMULATED_URL)
        transport = Transport(_SIMULATED_URL, headers=config.headers, inner=build_simulated(config))
    else:
        wire = _wire(config.kind)(config.base_url)
        transport = Transport(
            config.base_url, headers=config.headers, proxy=config.proxy, ca_bundle=config.ca_bundle
        )
    return HttpProvider(wire, transport)


def _wire(protocol: str) -> Callable[[str], Wire]:
    match protocol:
        case "anthropic":
            from engine.providers.anthropic import AnthropicWire  # noqa: PLC0415 - one protocol is loaded, not all

            return AnthropicWire
        case "ollama":
            from engine.providers.ollama import OllamaWire  # noqa: PLC0415 - one protocol is loaded, not all

            return OllamaWire
        case _:
            from engine.providers.openai import OpenAIWire  # noqa: PLC0415 - one protocol is loaded, not all

            return OpenAIWire
