"""One connection to a Redis server: no pool, no hidden retry, every wait bounded.

redis-py's client repeats a failed command for many seconds by default; its `Connection`, used here as it is,
sends once. Nothing that it raises leaves this package: an exception may carry the address with its password.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol, cast
from urllib.parse import parse_qs, urlsplit

from engine.secret import MASK, redact
from engine.store.address import without_secrets
from engine.store.base import StoreRefused
from engine.store.redis_scripts import Script

try:
    from redis import connection, exceptions
except ImportError:
    _MISSING = True
else:
    _MISSING = False

if _MISSING:  # raised here, so that the error of the import does not hang on to it
    raise StoreRefused("a store in Redis needs the package redis: pip install 'standby[redis]'")

NOT_HEARD: Final = (exceptions.RedisError, OSError)
"""What a connection for hints may fail with; there are none then."""
TROUBLE: Final = (*NOT_HEARD, ValueError, TypeError, IndexError)
"""What asking may fail with: the network, the server, an answer that is none of Redis."""
_OPTIONS: Final = ("username", "password")
_CHECK_NAME: Final = "ssl_check_hostname"

_parse = cast("Callable[[str], dict[str, object]]", connection.parse_url)

Word = str | bytes | int | float


class Address(NamedTuple):
    """Where a server is, how to get in, and how long to wait for it.

    Attributes:
        name: The URL without user, password and options.
        password: What must be shown nowhere; empty if there is none.
        options: What redis-py's connection is made with.
        within_s: Seconds until it is connected, and for each answer.
    """

    name: str
    password: str
    options: dict[str, object]
    within_s: float

    def __repr__(self) -> str:
        return f"Address({self.name!r})"


class _Wire(Protocol):
    _sock: socket.socket | None

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def pack_commands(self, commands: Sequence[Sequence[bytes]]) -> list[bytes]: ...
    def send_packed_command(self, command: list[bytes]) -> None: ...
    def read_response(self) -> object: ...


def read_url(url: str, within_s: float) -> Address:
    """Takes a URL apart.

    Raises:
        StoreRefused: It is none, or has an option that standby does not take. The message shows no value.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        options: dict[str, object] = _parse(url)
    except ValueError:  # its message may quote the password
        options = {}
    # An `@` behind the host is that of a password with a `/`, `?` or `#` in it: the host is not the host.
    stray = "@" in f"{parts.path}{parts.query}{parts.fragment}" if options else True
    database = "" if stray else parts.path.strip("/")
    if stray or not parts.hostname or (database and not database.isdigit()) or "path" in options:
        raise StoreRefused(
            "the store's URL can't be read: it is redis://HOST:PORT/DB or "
            "rediss://USER:PASSWORD@HOST:PORT/DB (a password's / ? # @ : % are written "
            "%2F %3F %23 %40 %3A %25)"
        )
    odd = [one for one in parse_qs(parts.query) if one not in _OPTIONS and not one.startswith("ssl_")]
    if odd:
        raise StoreRefused(
            f"the store's URL has the option {odd[0]}: only {', '.join(_OPTIONS)} and those that "
            "begin with ssl_ are taken; the database's number follows the port"
        )
    if parts.scheme == "rediss" and options.get("ssl_cert_reqs") != "none":
        options.setdefault(_CHECK_NAME, True)  # redis-py 5 does not by itself
    return Address(without_secrets(url), str(options.get("password", "")), options, within_s)


class Link:
    """A connection.

    Args:
        address: To whom.

    Any method but `close` may fail with what is in `TROUBLE`; after that only `close` may be called.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._wire: _Wire | None = None

    def connect(self) -> None:
        """Connects, and says who it is."""
        options = {"host": "localhost", **self._address.options}
        make = cast("Callable[..., _Wire]", options.pop("connection_class", connection.Connection))
        try:
            self._wire = make(
                **options,
                socket_timeout=self._address.within_s,
                socket_connect_timeout=self._address.within_s,
                socket_keepalive=True,
                retry=None,
                health_check_interval=0,
                protocol=2,
            )
        except (TypeError, exceptions.RedisError):
            given = ", ".join(sorted(one for one in options if one.startswith("ssl_") and one != _CHECK_NAME))
            refusal = StoreRefused(
                f"{self._address.name}: not an option of TLS, or not a value of it: {given}"
            )
        else:
            self._wire.connect()
            return
        raise refusal

    def close(self) -> None:
        """Closes it. One that a parent process opened stays open there."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.disconnect()

    def ask(self, *words: Word) -> object:
        """Sends one command. → The answer."""
        return self.ask_all([words])[0]

    def ask_all(self, commands: Sequence[Sequence[Word]]) -> list[object]:
        """Sends several commands at once. → Their answers."""
        wire = self._wire
        if wire is None:
            raise ConnectionError("not connected")
        wire.send_packed_command(wire.pack_commands([[*map(_packed, words)] for words in commands]))
        return [wire.read_response() for _ in commands]

    def run(self, script: Script, key: str, *arguments: Word) -> object:
        """Runs a script on one key. → What it returns."""
        return self._run((), script, (key,), *arguments)[0]

    def run_on(self, script: Script, keys: Sequence[str], *arguments: Word) -> object:
        """Runs a script on several keys of one slot. → What it returns."""
        return self._run((), script, keys, *arguments)[0]

    def ask_and_run(self, words: Sequence[Word], script: Script, key: str) -> list[object]:
        """A command and a script in one round trip. → Both answers."""
        return self._run([words], script, (key,))

    def _run(
        self, first: Sequence[Sequence[Word]], script: Script, keys: Sequence[str], *arguments: Word
    ) -> list[object]:
        words = (len(keys), *keys, *arguments)
        try:
            return self.ask_all([*first, ("EVALSHA", script.sha, *words)])
        except exceptions.NoScriptError:  # a server that was started anew, or whose scripts were flushed
            return self.ask_all([*first, ("EVAL", script.text, *words)])


class Ear(Link):
    """A connection that hears when something changed, and nothing of what."""

    def listen(self, channel: str) -> None:
        """Subscribes. From here on nothing waits."""
        self.ask("SUBSCRIBE", channel)
        if (line := self._line()) is not None:
            line.setblocking(False)

    def fileno(self) -> int | None:
        """The descriptor to wait for."""
        line = self._line()
        return None if line is None else line.fileno()

    def drain(self) -> bool:
        """Takes in what came, without waiting. → False if the connection is gone."""
        line = self._line()
        try:
            while line is not None and line.recv(65_536):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        return False

    def _line(self) -> socket.socket | None:
        return self._wire._sock if self._wire is not None else None  # noqa: SLF001  (there is no other way to it)


def _packed(word: Word) -> bytes:
    if isinstance(word, bytes):
        return word
    return str(word).encode("utf-8", "surrogatepass")


# What the error says of itself (its class and its text) → what to tell an operator. The first that is found.
_WORDS: Final = (
    (
        r"AuthenticationError|NOAUTH|WRONGPASS|invalid password",
        "it refuses the user or the password, or wants some: correct them in the store's URL",
    ),
    (
        r"NoPermission|NOPERM|this user has no permissions|ACL failure",
        "its user may not do this: allow it scripts, hashes and streams on {prefix}:*, and publishing",
    ),
    (r"MaxConnections|max number of clients", "it takes no more connections: raise its maxclients"),
    (
        r"OutOfMemory|\bOOM\b",
        "its memory is full (maxmemory): give it more, or remove what else is kept there",
    ),
    (r"ReadOnly|READONLY", "it is a replica that takes no writes: give the address of the primary"),
    (r"BusyLoading|LOADING", "it is still loading its data: it will be used when it is done"),
    (r"MISCONF", "it can't save its data to disk and so takes no writes: look at its log and its disk"),
    (
        r"WRONGTYPE",
        "a key {prefix}:* there is somebody else's: remove that key, or choose another database number",
    ),
    (
        r"MovedError|AskError|MOVED|ClusterCrossSlot|CROSSSLOT",
        "it is one node of a cluster, and the keys {prefix}:* are elsewhere: give one server, or a proxy",
    ),
    (r"ClusterDown|CLUSTERDOWN|MasterDown|MASTERDOWN", "its cluster or its primary is down"),
    (r"\bBUSY\b", "it is busy with somebody's script"),
    (r"DB index|Invalid Database", "it has no database of that number: choose another in the store's URL"),
    (r"unknown command|Unknown Redis command|syntax error", "it is too old: Redis 6.2 or newer, or Valkey"),
    (
        r"InvalidResponse|Protocol Error|^(Value|Type|Index|Unicode\w*|Recursion)Error",
        "what answers there does not speak as Redis does: check host, port and redis:// or rediss://",
    ),
    (r"CERTIFICATE|SSL|TLS", "TLS does not come about: check its certificate, and redis:// or rediss://"),
    (
        r"^TimeoutError",
        "no answer within {within:g} s: it is stopped, overloaded, or out of reach{tls}",
    ),
    (
        r"closed by server|reset by peer|Broken pipe",
        "it closed the connection (one that wants TLS is written rediss://)",
    ),
    (r"refused", "nothing listens there (connection refused): is it running, are host and port right?"),
    (r"not known|resolution|nodename", "its host name is not known: check the store's URL"),
)


def told(error: Exception, address: Address, prefix: str) -> str:
    """What an operator should read about an error: what, where, and what to do; no password."""
    tls = ", or does not speak TLS" if address.name.startswith("rediss:") else ""
    text = " ".join(str(error).split())
    about = f"{type(error).__name__}: {text}"
    for pattern, words in _WORDS:
        if re.search(pattern, about):
            return f"{address.name}: {words.format(prefix=prefix, within=address.within_s, tls=tls)}"
    if address.password:
        text = text.replace(address.password, MASK)
    safe = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in redact(text))
    return f"{address.name}: {safe[:200] or type(error).__name__}"
