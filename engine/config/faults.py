"""The faults of one configuration: collected, never thrown one by one."""

from __future__ import annotations

from collections.abc import Collection

from engine.config.inline import quoted
from engine.errors import ConfigError, Fault
from engine.suggest import nearest

_MOST = 1000
_COMPARISONS = 50_000


class Faults:
    """Collects what is wrong with a configuration.

    Args:
        path: The file, as the faults show it.

    At a thousand faults the reading ends, and "did you mean" has a budget: a file of one megabyte can
    hold a hundred thousand unknown names, and nobody reads that many suggestions.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: list[Fault] = []
        self._comparisons = _COMPARISONS

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, line: int, column: int, where: str, what: str) -> None:
        """Notes one fault at a place of the file.

        Args:
            line: 1-based.
            column: 1-based.
            where: The place in the configuration, as `providers.openai.kind`.
            what: What is wrong and what to do about it; never holds a value that could be a secret.

        Raises:
            ConfigError: It is one too many.
        """
        self._found.append(Fault(self.path, line, column, where, what))
        if len(self._found) == _MOST:
            raise self.error()

    def did_you_mean(self, name: str, known: Collection[str]) -> str:
        """The end of a sentence about an unknown name: `; did you mean 'x'?`, or nothing."""
        if len(known) > self._comparisons:
            return ""
        self._comparisons -= len(known)
        found = nearest(name, known, most=1)
        return f"; did you mean {quoted(found[0])}?" if found else ""

    def error(self) -> ConfigError:
        """All faults in the order of the file, as the error to raise."""
        found = sorted(self._found, key=lambda fault: fault[1:3])
        if len(found) >= _MOST:
            found.append(Fault(self.path, 0, 0, "", "more faults may follow; these are enough to begin with"))
        return ConfigError(found)
