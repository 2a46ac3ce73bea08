"""Embeddings of the simulated protocols: made-up vectors, the same for the same text. No I/O."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from collections.abc import Mapping
from typing import Any, Final

from engine.config.model import Protocol
from engine.messages import Vector
from engine.providers.simulated_answer import compact, limit, word
from engine.providers.simulated_script import Script, ending_of, whole
from engine.providers.simulated_story import Turn

EMBED_PATHS: Final[Mapping[Protocol, str]] = {"openai": "/embeddings", "ollama": "/api/embed"}

_DIMENSIONS = 256
_MOST_DIMENSIONS = 4096
_CHARS_PER_TOKEN = 4


def texts_of(request: Mapping[str, Any]) -> list[str]:
    """What a request wants embedded; none if it makes no sense."""
    given = request.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        return []
    return texts


def embedded(protocol: Protocol, request: Mapping[str, Any], turn: Turn, seed: int) -> Script:
    """The body that answers a call for vectors.

    Args:
        protocol: Whose form it has.
        request: The call's decoded JSON; it has a model and texts.
        turn: What happens to it; its way is None, `empty`, `cut` or `stall`.
        seed: The provider's seed.
    """
    texts, model = texts_of(request), word(request.get("model"))
    dimensions = min(limit(request.get("dimensions")) or _DIMENSIONS, _MOST_DIMENSIONS)
    vectors = [] if turn.way == "empty" else [vector(f"{seed}/{model}/{text}", dimensions) for text in texts]
    sent = sum(1 + len(text) // _CHARS_PER_TOKEN for text in texts)
    body = _ollama(model, vectors, sent, turn) if protocol == "ollama" else _openai(request, vectors, sent)
    ending = ending_of(turn)
    step = whole(compact(body), turn.first_token_s, turn, ending)
    return Script("application/json", iter((step,)), ending)


def vector(name: str, dimensions: int) -> Vector:
    """A vector of length 1 whose direction depends on a name, the same in every process."""
    digest = hashlib.shake_256(name.encode("utf-8", "replace")).digest(2 * dimensions)
    drawn = struct.unpack(f"<{dimensions}h", digest)
    length = math.hypot(*drawn) or 1.0
    return [number / length for number in drawn]


def _openai(request: Mapping[str, Any], vectors: list[Vector], sent: int) -> dict[str, Any]:
    in_base64 = request.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(each) if in_base64 else each}
        for index, each in enumerate(vectors)
    ]
    usage = {"prompt_tokens": sent, "total_tokens": sent}
    return {"object": "list", "data": data, "model": request["model"], "usage": usage}


def _base64(numbers: Vector) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _ollama(model: str, vectors: list[Vector], sent: int, turn: Turn) -> dict[str, Any]:
    return {
        "model": model,
        "embeddings": vectors,
        "total_duration": round(turn.first_token_s * 1e9),
        "load_duration": 0,
        "prompt_eval_count": sent,
    }
