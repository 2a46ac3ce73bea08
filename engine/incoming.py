"""The answer to a request while it comes in: its head, its body in pieces, the end of its connection."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any, Final, Protocol

from engine.providers.base import Signal
from engine.shards import Shard
from engine.unreachable import unreachable

_MIB: Final = 1024 * 1024
_LEFT_IN_BUFFERS: Final = 1000  # pieces; a read brings 64 KiB, and most servers send some 200 bytes at once


class Closable(Protocol):
    """What holds a connection until it is closed."""

    async def aclose(self) -> None:
        """Returns the connection if the body was read to its end, else closes it."""
        ...


class Incoming:
    """One answer. Read it to its end, which returns its connection, or close it, which closes that too.

    Args:
        status: The HTTP status.
        headers: Names and values as they came.
        stream: Holds the connection.
        pieces: The body's bytes, decoded.
        shard: What carried the request; retired if the reading or the closing is cancelled.
        place: Host and port, for messages.
        is_networked: False if what answers stands in for the network.

    Attributes:
        status: The HTTP status.
        headers: With names in lower case; of several with one name, the first.
    """

    __slots__ = (
        "_closed",
        "_is_networked",
        "_pieces",
        "_place",
        "_shard",
        "_stream",
        "headers",
        "status",
    )

    def __init__(
        self,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        stream: Closable,
        pieces: AsyncIterable[bytes],
        *,
        shard: Shard[Any],
        place: str,
        is_networked: bool,
    ) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        for name, value in headers:
            self.headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        self._stream = stream
        self._pieces: AsyncIterator[bytes] = aiter(pieces)
        self._shard = shard
        self._place = place
        self._is_networked = is_networked
        self._closed = False

    def __repr__(self) -> str:
        return f"<Incoming {self.status} from {self._place}{', closed' if self._closed else ''}>"

    @property
    def content_type(self) -> str:
        """The type of the body, in lower case and without parameters; empty if there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def next_chunk(self) -> bytes:
        """The next bytes of the body, as they come from the network; empty at its end.

        At the end the connection goes back to where it came from.

        Raises:
            Signal: `connection` if it breaks, `protocol` if the bytes don't have the encoding they claim.
        """
        if self._closed:
            return b""
        broken = None
        ambient = sys.exc_info()[1]
        try:
            while not (chunk := await anext(self._pieces)):
                pass
        except StopAsyncIteration:
            chunk = b""
        except asyncio.CancelledError as error:
            self._shard.retire()
            raise bare(error) from None
        except Exception as error:  # noqa: BLE001 - the exceptions of HTTP libraries hold headers, and so keys
            broken = unreachable(error, self._place, ambient=ambient)
        else:
            return chunk
        await self.aclose()
        if broken is not None:
            raise broken
        return b""

    async def read(self, limit: int) -> bytes:
        """The rest of the body.

        Args:
            limit: Most bytes of it.

        Raises:
            Signal: `protocol` if there are more, and as for `next_chunk`.
        """
        pieces = []
        room = limit
        while piece := await self.next_chunk():
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                await self.aclose()
                raise Signal("protocol", f"the answer is larger than {limit // _MIB} MiB")
        return b"".join(pieces)

    async def read_start(self, limit: int) -> bytes:
        """The rest of the body up to a limit, or up to where it breaks."""
        pieces = []
        with contextlib.suppress(Signal):
            while limit > 0 and (piece := await self.next_chunk()):
                pieces.append(piece[:limit])
                limit -= len(piece)
        return b"".join(pieces)

    async def aclose(self) -> None:
        """Closes the connection at once, unless the body has been read to its end."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._stream.aclose()
            await self._close_generators()
        except asyncio.CancelledError as error:
            self._shard.retire()
            raise bare(error) from None
        except Exception:  # noqa: BLE001, S110 - what goes wrong with a connection nobody needs is no news
            pass
        finally:
            self._shard.give_back()

    async def _close_generators(self) -> None:
        """Lets every generator of a body come to its end.

        httpx and httpcore nest them, and one that is left suspended is closed by the event loop, in a
        task of its own, when the collector finds it. With the connection closed, the next read fails in
        the innermost, and the failure ends them all.
        """
        with contextlib.suppress(Exception):
            for _ in range(_LEFT_IN_BUFFERS if self._is_networked else 0):
                await anext(self._pieces)
        aclose = getattr(self._pieces, "aclose", None)
        if aclose is not None:
            await aclose()


def bare(error: asyncio.CancelledError) -> asyncio.CancelledError:
    """A cancellation without the frames it came through, which hold headers."""
    error.__traceback__ = None
    error.__context__ = None
    return error
