"""OpenAI's chat completions, which half the world speaks.

Source: "Create chat completion" in the API reference, https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from engine.providers.base import Answer, Call
from engine.providers.openai_answer import answer
from engine.providers.openai_embed import OpenAIEmbedWire
from engine.providers.openai_stream import OpenAIReader
from engine.providers.payload import encode
from engine.providers.wire import Outgoing, StreamReader

_HOST = "api.openai.com"


class OpenAIWire:
    """Speaks chat completions at one base URL.

    Messages, tools and the response format already have this protocol's form and pass untouched, so
    that whatever a server adds to it can be used, and a server that lacks something says so itself.

    Args:
        base_url: As OpenAI's SDK takes it: `https://api.openai.com/v1`, `http://localhost:8000/v1`.
    """

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self.embeddings = OpenAIEmbedWire(base_url)
        host = urlsplit(base_url).hostname or ""
        # OpenAI's reasoning models refuse `max_tokens`, which it has deprecated; other servers, and
        # older ones, know nothing else, and some ignore what they don't know: the limit would be lost.
        openai = host == _HOST or host.endswith(f".{_HOST}")
        self._limit = "max_completion_tokens" if openai else "max_tokens"

    def __repr__(self) -> str:
        return f"OpenAIWire({self._url!r})"

    def build(self, call: Call, *, stream: bool) -> Outgoing:
        """Writes a call down. Nothing is `unsupported` here: the call has this protocol's form.

        Raises:
            ValueError: The call holds what JSON can't carry.
        """
        params = call.params
        body: dict[str, Any] = {"model": call.model, "messages": call.messages}
        if params.max_tokens is not None:
            body[self._limit] = params.max_tokens
        for name in ("temperature", "top_p", "seed", "tool_choice", "response_format"):
            value = getattr(params, name)
            if value is not None:
                body[name] = value
        if params.stop:
            body["stop"] = params.stop
        if params.tools:
            body["tools"] = params.tools
        if stream:
            # Without the option a stream never says what it cost.
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return Outgoing(self._url, encode(body))

    def key_header(self, key: str) -> tuple[str, str]:
        """The key as a bearer token."""
        return "Authorization", f"Bearer {key}"

    def read(self, body: Any) -> Answer:
        """Reads a whole answer from its decoded JSON.

        Raises:
            Signal: `error` for an error inside a 200, `protocol` for what can't be read.
        """
        return answer(body)

    def reader(self) -> StreamReader:
        """A fresh reader for one streamed answer."""
        return OpenAIReader()
