"""A real Redis server for tests: on a free port of its own, gone at the end whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.store.patience import PATIENCE_S


def program() -> str:
    """The server's program. A test that needs it is skipped where there is none, but not in CI."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        if "PYTEST_CURRENT_TEST" in os.environ and "STANDBY_SKIP_NOTHING" not in os.environ:
            pytest.skip("neither redis-server nor valkey-server is installed")
        raise RuntimeError("this needs redis-server or valkey-server")
    return found


class Server:
    """A server that is running.

    Args:
        folder: Where it keeps its data.
        options: As on its command line, `maxmemory` without the dashes.
    """

    def __init__(self, folder: Path, **options: str) -> None:
        self._folder = folder
        self._options = options
        self._password = options.get("requirepass", "")
        self._watcher: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        """Its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts it, at the port it had before if it had one, and waits until it answers."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            port = self.port or _free_port()
            self._process = subprocess.Popen(
                [program(), *self._words(port)],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while self._process.returncode is None and time.monotonic() < deadline:
                if self._is_ours(port):
                    self.port = port
                    self._watch()
                    return
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.002)
            self.stop()
            # Somebody else may have taken the port between our looking and its binding.
            if time.monotonic() >= deadline:
                raise AssertionError("redis-server does not start")

    def _watch(self) -> None:
        # Reads the end of its input when this process is killed, and does then what it could not.
        self._watcher = subprocess.Popen(
            ["sh", "-c", f"read _; kill -9 {self._process.pid}"], stdin=subprocess.PIPE
        )

    def _is_ours(self, port: int) -> bool:
        try:
            answer = _ask(port, self._password, "INFO", "server")
        except OSError:
            return False
        return b"process_id:%d\r\n" % self._process.pid in answer

    def _words(self, port: int) -> list[str]:
        given = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "no",
            "databases": "16",
            **self._options,
        }
        return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]

    def freeze(self) -> None:
        """It neither answers nor goes away."""
        self._process.send_signal(signal.SIGSTOP)
        # The signal is taken in at once; that it has stopped shows in the wait.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        """It goes on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it, frozen or not; its connections break."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait(PATIENCE_S)

    def restart(self) -> None:
        """Ends it and starts it again; only with `appendonly` it still has what it had."""
        self.stop()
        self.start()

    def serve_tls(self) -> int:
        """Has it listen at one more port, for TLS. → The port."""
        while True:
            port = _free_port()
            if self.ask("CONFIG", "SET", "tls-port", str(port)) == b"+OK\r\n":
                return port

    def ask(self, *words: str) -> bytes:
        """Sends one command on a connection of its own. → What came back, as it came."""
        return _ask(self.port, self._password, *words)


@contextmanager
def running(**options: str) -> Iterator[Server]:
    """A server of one's own, with nothing in it."""
    with tempfile.TemporaryDirectory(prefix="standby-redis-") as folder:
        server = Server(Path(folder), **options)
        try:
            yield server
        finally:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ask(port: int, password: str, *words: str) -> bytes:
    commands = [("AUTH", password), words] if password else [words]
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line, line.makefile("rb") as answers:
        for command in commands:
            packed = [word.encode() for word in command]
            line.sendall(b"*%d\r\n" % len(packed))
            line.sendall(b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in packed))
            answer = answers.readline()
            if answer.startswith(b"$") and (length := int(answer[1:])) > 0:
                answer = answers.read(length)
    return answer
