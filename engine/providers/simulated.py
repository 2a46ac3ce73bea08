"""Simulated providers: an httpx transport that answers calls in a real wire format, without a socket.

Everything but the socket is the real path. What becomes of a call is decided in `simulated_story`, what
it looks like on the wire in `simulated_bodies`, `simulated_vectors` and `simulated_errors`; this file
plays it, in time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from http import HTTPStatus
from itertools import chain
from typing import Any

import httpx

from engine.config.model import ProviderConfig, SimulatedModel
from engine.providers.simulated_answer import Asked
from engine.providers.simulated_bodies import DIALECTS
from engine.providers.simulated_errors import GARBAGE, refusal
from engine.providers.simulated_script import Ending, Script, Step, write
from engine.providers.simulated_story import Story, Turn
from engine.providers.simulated_vectors import EMBED_PATHS, embedded, texts_of

_FOR_EVER_S = 1e9


def build_simulated(
    config: ProviderConfig, *, clock: Callable[[], float] | None = None
) -> httpx.AsyncBaseTransport:
    """The transport behind one simulated provider.

    It answers POSTs to any URL that ends as the protocol's calls do: `/chat/completions` and
    `/embeddings`, `/messages`, `/api/chat` and `/api/embed`.

    Args:
        config: The provider; its name, `speaks`, `seed` and `models` matter.
        clock: Monotonic seconds, for incidents, which are counted from this call on. None takes the
            running loop's time; if no loop runs yet, incidents are counted from the first request.
    """
    return SimulatedTransport(config, clock)


class SimulatedTransport(httpx.AsyncBaseTransport):
    """Answers the calls of one simulated provider; see `build_simulated`."""

    def __init__(self, config: ProviderConfig, clock: Callable[[], float] | None = None) -> None:
        self._protocol = config.speaks
        self._dialect = DIALECTS[config.speaks]
        self._embed_path = EMBED_PATHS.get(config.speaks)
        self._seed = config.seed
        self._stories = {
            name: Story(model.simulated or SimulatedModel(), config.seed, config.name, name)
            for name, model in config.models.items()
        }
        # One story for all other models: their names come from outside and must not pile up here.
        self._others = Story(SimulatedModel(), config.seed, config.name, "")
        self._clock = clock or _loop_time
        self._began = self._clock() if clock is not None or _loop_runs() else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answers one call as its model's story goes.

        Raises:
            httpx.TransportError: The story says that the connection fails.
        """
        came = _loop_time()
        body, path = _decoded(await request.aread()), request.url.path
        asked = self._dialect.asked(body)
        embeds = self._embed_path is not None and path.endswith(self._embed_path)
        if not embeds and not path.endswith(self._dialect.path):
            return self._refused(HTTPStatus.NOT_FOUND, asked)
        if not asked.model or (embeds and not texts_of(body)):
            return self._refused(HTTPStatus.BAD_REQUEST, asked)
        turn = self._stories.get(asked.model, self._others).turn(self._elapsed_s())
        match turn.way:
            case "hang":
                await _for_ever()
            case "reset":
                await asyncio.sleep(turn.refused_after_s)
                raise _lost_before_an_answer(request, turn)
            case "garbage":
                await asyncio.sleep(turn.refused_after_s)
                return httpx.Response(HTTPStatus.OK, headers={"content-type": "text/html"}, content=GARBAGE)
            case int(status):
                await asyncio.sleep(turn.refused_after_s)
                return self._refused(status, asked, turn)
        if embeds:
            return await self._answered(embedded(self._protocol, body, turn, self._seed), came)
        return await self._answered(write(self._dialect, asked, turn, time.time()), came)

    async def _answered(self, script: Script, came: float) -> httpx.Response:
        first = next(script.steps)
        await _until(came + first.at_s)
        body = _Body(chain((first,), script.steps), script.ending, came)
        return httpx.Response(HTTPStatus.OK, headers={"content-type": script.content_type}, stream=body)

    def _refused(self, status: int, asked: Asked, turn: Turn | None = None) -> httpx.Response:
        said = refusal(
            self._protocol,
            status,
            model=asked.model,
            request_id=f"req_{turn.seed if turn else 0:016x}",
            retry_after=turn.retry_after if turn else None,
        )
        return httpx.Response(said.status, headers=said.headers, content=said.body)

    def _elapsed_s(self) -> float:
        now = self._clock()
        if self._began is None:
            self._began = now
        return now - self._began


class _Body(httpx.AsyncByteStream):
    """Plays a script. No generator, which would need closing when a reader leaves early."""

    def __init__(self, steps: Iterator[Step], ending: Ending, came: float) -> None:
        self._steps = steps
        self._ending = ending
        self._came = came

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        step = next(self._steps, None)
        if step is not None:
            await _until(self._came + step.at_s)
            return step.data
        if self._ending == "cut":
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body (incomplete chunked read)"
            )
        if self._ending == "stall":
            await _for_ever()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._steps = iter(())
        self._ending = "close"


def _lost_before_an_answer(request: httpx.Request, turn: Turn) -> httpx.TransportError:
    if turn.seed % 2:
        return httpx.ConnectError("[Errno 111] Connection refused", request=request)
    return httpx.ReadError("[Errno 104] Connection reset by peer", request=request)


def _decoded(body: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    return request if isinstance(request, Mapping) else {}


async def _until(moment: float) -> None:
    wait = moment - _loop_time()
    if wait > 0:
        await asyncio.sleep(wait)


async def _for_ever() -> None:
    # A timer, not a bare future: the loop holds on to it, so that the waiting task can't be collected.
    await asyncio.sleep(_FOR_EVER_S)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
