"""The words that an operator looks for. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sought:
    """A filter: something is meant if it holds every word, in any case and order.

    Attributes:
        text: The words as they were typed; none means everything.
    """

    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.text.strip())

    def is_in(self, *texts: str) -> bool:
        """Whether texts hold every word between them."""
        words = self.text.casefold().split()
        if not words:
            return True
        whole = "\n".join(texts).casefold()
        return all(word in whole for word in words)
