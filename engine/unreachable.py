"""Why a provider could not be reached, in words an operator can act on.

The words are ours, built from the kind of an exception, its error number and the place it concerns.
The exceptions' own texts quote URLs and headers, so nothing of them is passed on. HTTP libraries are
told by the names of their exceptions: httpx and aiohttp need not be imported to be understood.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from engine.providers.base import Signal

_BY_NUMBER: Final = {
    errno.ECONNREFUSED: "could not connect to {place}: connection refused; is the server running?",
    errno.EHOSTUNREACH: "could not connect to {place}: no route to the host",
    errno.ENETUNREACH: "could not connect to {place}: the network is unreachable",
    errno.EADDRNOTAVAIL: "could not connect to {place}: no local address or port is free",
    errno.EMFILE: "could not connect to {place}: this process has too many files open; see `ulimit -n`",
    errno.ENFILE: "could not connect to {place}: this machine has too many files open",
    errno.ECONNRESET: "{place} reset the connection",
    errno.ECONNABORTED: "the connection to {place} was aborted",
    errno.EPIPE: "{place} closed the connection while the request was being sent",
}

_BAD_HEADER: Final = "the request to {place} could not be written: a header holds what HTTP does not allow"

# Names of httpx's, httpcore's and aiohttp's exceptions, the most telling first.
_BY_NAME: Final = (
    (
        {"ProxyError", "ClientHttpProxyError", "ClientProxyConnectionError"},
        "the proxy on the way to {place} refused or failed; look at `proxy` and at the proxy variables",
    ),
    ({"LocalProtocolError", "UnicodeEncodeError"}, _BAD_HEADER),
    (
        {"ServerDisconnectedError", "RemoteProtocolError", "ClientPayloadError", "ReadError"},
        "{place} closed the connection before its answer was complete",
    ),
    (
        {"WriteError", "ConnectionResetError", "BrokenPipeError"},
        "the connection to {place} broke while the request was being sent",
    ),
    (
        {"InvalidURL", "UnsupportedProtocol"},
        "{place} is no address that requests can be sent to; look at base_url",
    ),
    ({"ValueError"}, _BAD_HEADER),  # aiohttp's word for it
)
_TIMEOUTS: Final = frozenset({"TimeoutException", "TimeoutError", "ServerTimeoutError"})


def unreachable(
    error: BaseException,
    place: str,
    timeout_s: float | None = None,
    *,
    ambient: BaseException | None = None,
) -> Signal:
    """The signal for an exception that a request ended in.

    Args:
        error: What the HTTP library, TLS or the system raised. The signal keeps no reference to it.
        place: Host and port, as `api.example.com:443`.
        timeout_s: The limit on connecting, in seconds; None once the connection stood.
        ambient: What was being handled when the request began, which is nobody's cause.

    Returns:
        `connection`, `timeout` if no connection stood in time, or `protocol` for a body whose encoding
        is broken.
    """
    chain = list(_chain(error, ambient))
    names = {cls.__name__ for link in chain for cls in type(link).__mro__}
    if "DecodingError" in names:
        return Signal("protocol", f"the body that {place} sent does not have the encoding it claims")
    told = _by_type(chain, place) or _by_number(chain, place)
    if told:
        return Signal("connection", told)
    # What httpx_aiohttp takes for a timeout is not always one; its cause tells.
    kind = next((words for kinds, words in _BY_NAME if kinds & names), None)
    if kind is None and timeout_s is not None and names & _TIMEOUTS:
        return Signal("timeout", f"no connection to {place} within {timeout_s:g}s")
    return Signal("connection", (kind or "the connection to {place} failed").format(place=place))


def _chain(error: BaseException, ambient: BaseException | None) -> Iterator[BaseException]:
    """The exception and all that led to it, groups opened."""
    waiting: list[BaseException | None] = [error]
    seen = {id(ambient)}
    while waiting:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += (link.__cause__, link.__context__)
        if isinstance(link, BaseExceptionGroup):
            waiting += link.exceptions


def _by_type(chain: list[BaseException], place: str) -> str:
    for link in reversed(chain):  # aiohttp's own exceptions are ssl's, too, but lack what those know
        if isinstance(link, ssl.SSLCertVerificationError):
            why = getattr(link, "verify_message", "verification failed")
            return (
                f"the TLS certificate of {place} is not trusted: {why}; "
                "if an authority of your own signed it, name that authority's file in `ca_bundle`"
            )
        if isinstance(link, ssl.SSLError):
            reason = (getattr(link, "reason", None) or "handshake failed").replace("_", " ").lower()
            return f"TLS with {place} failed: {reason}; does it speak TLS at all, or is base_url http://?"
        if isinstance(link, socket.gaierror):
            if link.errno == socket.EAI_AGAIN:
                return f"could not look up {place}: the name servers do not answer; is this machine online?"
            return f"could not look up {place}: no such host; look at base_url"
    return ""


def _by_number(chain: list[BaseException], place: str) -> str:
    numbers = (link.errno for link in chain if isinstance(link, OSError))
    words = next((_BY_NUMBER[number] for number in numbers if number in _BY_NUMBER), "")
    return words.format(place=place)
