"""Runs the real command in a process of its own, with folders and an environment of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.tui.warm import INTERPRETER, Warm, plain_environment
from tests.upstream import Upstream

KEY = "sk-canary-0123456789abcdef"
STANDBY = (sys.executable, "-m", "tui")
LIMIT_S = 30.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Shell:
    """A place to run the command from.

    Attributes:
        home: The user's folder, and the one that the command is run in.
        env: The environment.
        warm: Where the command is loaded already.
        started: The processes that were started without that.
    """

    home: Path
    warm: Warm
    env: dict[str, str] = field(default_factory=dict)
    started: list[asyncio.subprocess.Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.env = {
            **plain_environment(),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "P_KEY": KEY,
            **self.env,
        }

    def config(self, up: Upstream | str, *models: str, defaults: str = "attempts: 1, cooldown: 5m") -> str:
        """Writes a configuration with one provider, `p`, and a chain, `main`; returns its path."""
        url = up if isinstance(up, str) else up.openai
        chain = ", ".join(f"p/{model}" for model in models or ("a", "b"))
        return self.write(
            f"defaults: {{{defaults}}}\n"
            f"providers: {{p: {{kind: openai, base_url: '{url}', keys: [P_KEY]}}}}\n"
            f"chains: {{main: [{chain}]}}\n"
        )

    def write(self, text: str) -> str:
        """Writes a configuration; returns its path."""
        path = self.home / "standby.yaml"
        path.write_text(text)
        return str(path)

    async def start(
        self, *arguments: str, command: Sequence[str] = STANDBY, **given: Any
    ) -> asyncio.subprocess.Process:
        """Starts the command; standard input is empty unless told otherwise."""
        options: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "env": self.env,
            "cwd": self.home,
        } | given
        process = await asyncio.create_subprocess_exec(*command, *arguments, **options)
        self.started.append(process)
        return process

    async def end(self) -> None:
        """Ends what a test that failed has left running."""
        for process in self.started:
            if process.returncode is None:
                process.kill()
                await process.communicate()

    async def run(
        self, *arguments: str, typed: bytes | None = None, fresh: bool = False, **options: Any
    ) -> Ended:
        """Runs the command to its end, in a process that was forked with the command loaded.

        Args:
            arguments: What it is given.
            typed: Its standard input.
            fresh: Whether to start it as a shell does, which options of `start` demand as well.
            options: As `start` takes them.
        """
        # Elsewhere a process that was forked may not use all that the system offers.
        if sys.platform == "linux" and not (fresh or options):
            assert INTERPRETER.items() <= self.env.items()
            async with asyncio.timeout(LIMIT_S):
                code, out, err = await self.warm.run(arguments, self.env, self.home, typed)
            return Ended(code, out.decode(), err.decode())
        if typed is not None:
            options["stdin"] = subprocess.PIPE
        process = await self.start(*arguments, **options)
        return await ended(process, typed)


async def ended(process: asyncio.subprocess.Process, typed: bytes | None = None) -> Ended:
    """Waits for a command's end."""
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate(typed)
    assert process.returncode is not None
    return Ended(process.returncode, (out or b"").decode(), (err or b"").decode())
