"""Ollama's own embeddings.

Source: "Generate embeddings", https://docs.ollama.com/api/embed
"""

from __future__ import annotations

from typing import Any, Final

from engine.messages import Usage
from engine.providers.base import EmbedCall, EmbedLimits, Vectors
from engine.providers.payload import encode, tokens, unreadable, vector
from engine.providers.rejection import answer_in
from engine.providers.wire import Outgoing


class OllamaEmbedWire:
    """Speaks `/api/embed` at one base URL.

    A text that is too long for the model is refused, as other providers do: Ollama would else cut its
    end off, and the vector of half a text looks like any other.

    Args:
        base_url: With or without `/api` at its end: `http://localhost:11434`.
    """

    # The page states no limit. These few keep a call within an attempt's timeout on a machine without
    # a graphics card, and a retry cheap.
    limits: Final = EmbedLimits(texts=128, size=300_000)

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url.rstrip('/').removesuffix('/api')}/api/embed"

    def build(self, call: EmbedCall) -> Outgoing:
        """Writes a call down."""
        body: dict[str, Any] = {"model": call.model, "input": call.texts, "truncate": False}
        if call.dimensions is not None:
            body["dimensions"] = call.dimensions
        return Outgoing(self._url, encode(body))

    def read(self, body: Any) -> Vectors:
        """Reads the vectors from their decoded JSON; they stand in the order of the texts.

        Raises:
            Signal: `error` for an error inside a 200, `protocol` for what can't be read.
        """
        body = answer_in(body)
        found = body.get("embeddings")
        if not isinstance(found, list):
            raise unreadable("the answer has no list of embeddings")
        return Vectors(
            [vector(each, f"embedding {place}") for place, each in enumerate(found)],
            Usage(tokens(body.get("prompt_eval_count"))),
        )
