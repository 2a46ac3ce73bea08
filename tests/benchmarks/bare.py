"""The bare minimum: what one would write by hand with `httpx.AsyncClient`, and nothing more."""

from __future__ import annotations

import json
from time import perf_counter
from typing import Any

import httpx

KEY = "sk-benchmark-0123456789abcdef"
PROMPT = "Why is the sky blue?"
_MESSAGES = [{"role": "user", "content": PROMPT}]
_TIMEOUT_S = 60.0


class Failed(Exception):
    """The answer was no 200."""


class Bare:
    """A client of its own, without retries, benches, events or checks.

    Args:
        base_url: The upstream.
        fast: True to send through aiohttp, as `standby[fast]` does.
    """

    def __init__(self, base_url: str, *, fast: bool) -> None:
        self._url = f"{base_url}/chat/completions"
        headers = {"Authorization": f"Bearer {KEY}"}
        self._client = httpx.AsyncClient(transport=_aiohttp(fast), headers=headers, timeout=_TIMEOUT_S)

    async def aclose(self) -> None:
        """Closes the client."""
        await self._client.aclose()

    async def ask(self, model: str = "good") -> str:
        """POST and JSON decode."""
        response = await self._client.post(self._url, json={"model": model, "messages": _MESSAGES})
        if response.status_code != 200:
            raise Failed
        text: str = response.json()["choices"][0]["message"]["content"]
        return text

    async def ask_two(self) -> str:
        """The two calls in a try/except."""
        try:
            return await self.ask("fail")
        except Failed:
            return await self.ask("good")

    async def read_stream(self, model: str = "good") -> int:
        """Reads a stream to its end; how many pieces of text there were."""
        return (await self._stream(model, 0.0))[0]

    async def first_token_of_two(self) -> float:
        """Seconds from asking the model that fails to the first token of the one that answers."""
        began = perf_counter()
        try:
            return (await self._stream("fail", began))[1]
        except Failed:
            return (await self._stream("good", began))[1]

    async def _stream(self, model: str, began: float) -> tuple[int, float]:
        pieces, first = 0, 0.0
        payload = {"model": model, "messages": _MESSAGES, "stream": True}
        async with self._client.stream("POST", self._url, json=payload) as response:
            if response.status_code != 200:
                await response.aread()
                raise Failed
            rest = b""
            async for chunk in response.aiter_bytes():
                *events, rest = (rest + chunk).split(b"\n\n")
                for event in events:
                    if event == b"data: [DONE]":
                        continue
                    choices = json.loads(event[6:])["choices"]
                    if choices and choices[0]["delta"].get("content"):
                        pieces += 1
                        first = first or perf_counter() - began
        return pieces, first


def _aiohttp(fast: bool) -> Any:
    if not fast:
        return None
    from httpx_aiohttp import AiohttpTransport  # noqa: PLC0415  (only there with the extra)

    return AiohttpTransport()
