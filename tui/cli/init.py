"""`standby init`: a commented configuration to start from. What is there is never lost."""

from __future__ import annotations

import argparse
import errno
import os
import tempfile
from contextlib import suppress
from importlib.resources import files
from itertools import count
from pathlib import Path

from engine import user_config_path
from tui.cli.parser import Parser, command_parser
from tui.exits import DONE, FAILED, Exit, that_it_is_done
from tui.output import Output

_NEXT = """
next:
  1. set the keys you have, as in: export OPENAI_API_KEY=...
     (also ANTHROPIC_API_KEY; ollama needs none)
  2. standby check{config}
  3. standby run{config} support "hello"
"""


def parser() -> Parser:
    """How `standby init` is written."""
    parser = command_parser("init")
    parser.add_argument("--force", action="store_true", help="replace what is there, and keep a backup of it")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Writes the configuration and says what to do next.

    Returns:
        0.

    Raises:
        Exit: There is one already, or it can't be written.
        OutputLost: Standard output can't be written; the configuration is.
    """
    path = user_config_path() if arguments.config is None else Path(arguments.config).expanduser()
    template = files("tui").joinpath("init_config.yaml").read_bytes()
    out = Output()
    try:
        backup = write_config(path, template, replace=arguments.force)
    except FileExistsError:
        raise Exit(
            f"{path} is there already and was left as it is\n"
            f"standby check {path} looks at it; standby init --force replaces it and keeps a backup"
        ) from None
    except OSError as error:
        raise Exit(f"{path} can't be written: {error.strerror or error}", FAILED) from None
    with that_it_is_done(f"wrote {path}"):
        if backup is not None:
            out.line(f"what was there is now {backup}")
        out.line(f"wrote {path}")
        if arguments.config is None and os.environ.get("STANDBY_CONFIG"):
            out.line(f"but STANDBY_CONFIG is set, so {os.environ['STANDBY_CONFIG']} stays in force")
        out.write(_NEXT.format(config="" if arguments.config is None else f" --config {path}"))
    return DONE


def write_config(path: Path, content: bytes, *, replace: bool = False) -> Path | None:
    """Writes a file that only its owner may read, whole or not at all.

    Args:
        path: Where; its folder is made. A link is followed.
        content: What.
        replace: Whether what is there may be replaced; it is kept beside it.

    Returns:
        Where what was there is now, None if nothing was.

    Raises:
        FileExistsError: Something is there and `replace` is false.
        OSError: It can't be written.
    """
    path = Path(os.path.realpath(path))
    _make_folder(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600 by itself
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        backup = _backup(path) if replace and path.exists() else None
        if backup is None:
            # Takes the name, and fails if it is taken. A link would do, but not every file system has them.
            path.open("xb").close()
        written.replace(path)
    finally:
        with suppress(FileNotFoundError):
            written.unlink()
    return backup


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, f"{folder} is no folder") from None


def _backup(path: Path) -> Path:
    content = path.read_bytes()
    for number in count(1):
        backup = path.with_name(f"{path.name}.{number}.bak")
        try:
            descriptor = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return backup
    raise AssertionError("numbers do not end")
