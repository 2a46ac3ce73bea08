"""Reads configurations in tests and gives their faults in a short form."""

from __future__ import annotations

from textwrap import dedent

from engine.config.load import parse_config
from engine.config.model import Config
from engine.errors import ConfigError

REAL = "o: {kind: openai}"
SIMULATED = "s: {kind: simulated}"


def config(text: str) -> Config:
    return parse_config(dedent(text).lstrip("\n"), "test.yaml")


def faults(text: str) -> list[str]:
    """Each fault as `LINE:COLUMN: where: what`; none if the text is a good configuration."""
    try:
        config(text)
    except ConfigError as error:
        return [str(fault).removeprefix("test.yaml:") for fault in error.faults]
    return []


def with_providers(text: str) -> str:
    """A text that stands below two providers, which are a file's first line."""
    return f"providers: {{{REAL}, {SIMULATED}}}\n" + dedent(text).lstrip("\n")


def provider(inner: str) -> str:
    """A file with one provider, in its second line."""
    return f"providers:\n  p: {{{inner}}}"


def of_openai(inner: str) -> list[str]:
    """The faults of a provider of kind openai, as `COLUMN: where: what`; the columns are those of `inner`."""
    found = faults(f"providers:\n  p: {{kind: openai,\n{inner}}}")
    assert all(fault.startswith("3:") for fault in found)
    return [fault.removeprefix("3:") for fault in found]
