"""OpenAI's embeddings.

Source: "Create embeddings" in the API reference, https://platform.openai.com/docs/api-reference/embeddings/create
"""

from __future__ import annotations

from typing import Any, Final

from engine.messages import Usage, Vector
from engine.providers.base import EmbedCall, EmbedLimits, Vectors
from engine.providers.openai_answer import usage
from engine.providers.payload import encode, records, unreadable, vector
from engine.providers.rejection import answer_in
from engine.providers.wire import Outgoing


class OpenAIEmbedWire:
    """Speaks `/embeddings` at one base URL.

    Vectors are asked for in base64: a quarter of the bytes of floats written out, read in a fifth of
    the time. OpenAI's own SDK does so, too, so other servers know it, and those that send floats all
    the same are understood.

    Args:
        base_url: As OpenAI's SDK takes it: `https://api.openai.com/v1`, `http://localhost:8000/v1`.
    """

    # "input": at most 2048 texts, and 300,000 tokens summed across them. How a model cuts text into
    # tokens is not known here, but none is shorter than a byte.
    limits: Final = EmbedLimits(texts=2048, size=300_000)

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url.rstrip('/')}/embeddings"

    def build(self, call: EmbedCall) -> Outgoing:
        """Writes a call down."""
        body: dict[str, Any] = {"model": call.model, "input": call.texts, "encoding_format": "base64"}
        if call.dimensions is not None:
            body["dimensions"] = call.dimensions
        return Outgoing(self._url, encode(body))

    def read(self, body: Any) -> Vectors:
        """Reads the vectors from their decoded JSON, in the order of the texts.

        Raises:
            Signal: `error` for an error inside a 200, `protocol` for what can't be read.
        """
        body = answer_in(body)
        if "data" not in body:
            raise unreadable("the answer has no data")
        found = records(body["data"], "data")
        vectors: list[Vector | None] = [None] * len(found)
        for place, item in enumerate(found):
            index = place if item.get("index") is None else item["index"]
            if type(index) is not int or not 0 <= index < len(found) or vectors[index] is not None:
                raise unreadable(f"the indices of {len(found)} embeddings are not 0 to {len(found) - 1}")
            vectors[index] = vector(item.get("embedding"), f"embedding {index}")
        return Vectors([each for each in vectors if each is not None], usage(body.get("usage")) or Usage())
