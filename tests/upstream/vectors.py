"""What the real providers send for texts to embed."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence

from tests.upstream.protocols import Json, Protocol


def vector_of(text: str) -> list[float]:
    """A vector that tells its text: no two different words of one length share it."""
    return [float(len(text)), *(float(ord(letter)) for letter in text[:3].ljust(3))]


def embedded(
    protocol: Protocol,
    request: Json,
    *,
    make: Callable[[str], Sequence[float]] = vector_of,
    in_base64: bool | None = None,
    backwards: bool = False,
) -> Json:
    """The body that answers a request for vectors; `in_base64` overrides what the request asks for."""
    texts = request["input"]
    vectors = [list(make(text)) for text in texts]
    if protocol == "ollama":
        return {
            "model": request["model"],
            "embeddings": vectors,
            "total_duration": 14143917,
            "load_duration": 1019500,
            "prompt_eval_count": 2 * len(texts),
        }
    if in_base64 is None:
        in_base64 = request.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": packed(each) if in_base64 else each}
        for index, each in enumerate(vectors)
    ]
    if backwards:
        data.reverse()
    usage = {"prompt_tokens": 2 * len(texts), "total_tokens": 2 * len(texts)}
    return {"object": "list", "data": data, "model": request["model"], "usage": usage}


def packed(vector: Sequence[float]) -> str:
    """Float32, little-endian, in base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
