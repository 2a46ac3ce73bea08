"""`providers:`: who is called, how, and what is special about single models."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast, get_args

from engine.config.inline import names_a_secret
from engine.config.model import ModelConfig, Protocol, ProviderConfig, ProviderKind
from engine.config.schema_keys import read_keys
from engine.config.schema_names import check_name
from engine.config.schema_policy import read_timeouts
from engine.config.schema_simulated import read_simulated
from engine.config.spot import Entry, Section, Spot
from engine.config.urls import read_headers, read_url
from engine.errors import Kind

BASE_URLS: Final[Mapping[str, str]] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "ollama": "http://127.0.0.1:11434",
    "simulated": "",
}
_ONLY_REAL: Final = ("base_url", "proxy", "ca_bundle")
_ONLY_SIMULATED: Final = ("speaks", "seed")


def read_providers(section: Section, folder: Path) -> dict[str, ProviderConfig]:
    """Every provider of a known kind.

    Args:
        section: `providers`.
        folder: What relative paths are relative to.
    """
    found = {}
    for entry in section.entries():
        check_name(entry, "provider")
        inner = entry.value.section("a mapping with `kind`")
        provider = _read_provider(entry, inner, folder) if inner else None
        if provider is not None:
            found[entry.name] = provider
    return found


def _read_provider(entry: Entry, section: Section, folder: Path) -> ProviderConfig | None:
    kind = _read_kind(entry, section)
    _check_belonging(section, kind)
    seed = section.take("seed")
    speaks = section.take("speaks")
    word = speaks.choice(get_args(Protocol)) if speaks else None
    keys = section.take("keys")
    provider = ProviderConfig(
        name=entry.name,
        kind=kind or "openai",
        base_url=_read_url(section, "base_url") or BASE_URLS[kind or "openai"],
        keys=read_keys(keys, folder) if keys else (),
        headers=_read_headers(section),
        errors=_read_errors(section),
        proxy=_read_url(section, "proxy"),
        ca_bundle=_read_ca_bundle(section, folder),
        models=_read_models(section, simulated=kind == "simulated") if kind else {},
        speaks=cast("Protocol", word or "openai"),
        seed=(seed.integer() if seed else None) or 0,
    )
    if kind is None:
        section.take("models")
    _refuse_secrets(section)
    section.close()
    return provider if kind else None


def _read_kind(entry: Entry, section: Section) -> ProviderKind | None:
    spot = section.take("kind")
    if spot is None:
        entry.key.fault(f"has no `kind` (one of {', '.join(get_args(ProviderKind))})")
        return None
    return cast("ProviderKind | None", spot.choice(get_args(ProviderKind)))


def _check_belonging(section: Section, kind: ProviderKind | None) -> None:
    """A fault for each key that means nothing for this kind of provider."""
    if kind is None:
        return
    for key in _ONLY_REAL if kind == "simulated" else _ONLY_SIMULATED:
        if key in section:
            belongs = "a real provider" if key in _ONLY_REAL else "a provider of kind `simulated`"
            section.key(key).fault(f"only {belongs} has this; remove it")


def _refuse_secrets(section: Section) -> None:
    for key in section.unknown():
        if names_a_secret(key):
            section.key(key).fault(
                "an inline secret: no key stands in this file; write `keys: [NAME_OF_VARIABLE]`"
            )
            section.take(key)


def _read_url(section: Section, key: str) -> str | None:
    spot = section.take(key)
    return read_url(spot) if spot else None


def _read_headers(section: Section) -> dict[str, str]:
    spot = section.take("headers")
    inner = spot.section("a mapping of header to value") if spot else None
    return read_headers(inner) if inner else {}


def _read_errors(section: Section) -> dict[int | str, Kind]:
    spot = section.take("errors")
    inner = spot.section("a mapping of status or code to kind") if spot else None
    found: dict[int | str, Kind] = {}
    for entry in inner.entries() if inner else ():
        kind = entry.value.choice(get_args(Kind))
        signal: int | str = entry.name.strip().lower()
        if entry.name.isdecimal():
            signal = int(entry.name) if len(entry.name) == 3 else 0
            if not 100 <= signal <= 599:
                entry.key.fault("is not a status (100 to 599)")
                continue
        if signal in found:
            entry.key.fault("stands here twice, for case does not count; remove one")
        elif kind is not None:
            found[signal] = cast("Kind", kind)
    return found


def _read_ca_bundle(section: Section, folder: Path) -> Path | None:
    spot = section.take("ca_bundle")
    path = spot.path(folder, "the path of a file") if spot else None
    if spot is None or path is None:
        return None
    if not path.is_file():
        spot.fault("there is no such file")
    elif not os.access(path, os.R_OK):
        spot.fault("the file can't be read; check its permissions")
    elif not _holds_certificates(path):
        spot.fault("the file holds no certificates in PEM form")
    else:
        return path
    return None


def _holds_certificates(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError:
        return False
    return True


def _read_models(section: Section, *, simulated: bool) -> dict[str, ModelConfig]:
    spot = section.take("models")
    inner = spot.section("a mapping of model to what is special about it") if spot else None
    found = {}
    for entry in inner.entries() if inner else ():
        model = entry.value.section()
        if model is not None:
            found[entry.name] = _read_model(model, simulated=simulated)
    return found


def _read_model(section: Section, *, simulated: bool) -> ModelConfig:
    tokens: Spot | None = section.take("context_tokens")
    model = ModelConfig(
        timeouts=read_timeouts(section),
        context_tokens=tokens.integer(least=1) if tokens else None,
        simulated=read_simulated(section, allowed=simulated),
    )
    section.close()
    return model
