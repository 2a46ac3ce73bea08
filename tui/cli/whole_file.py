"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """A file to write into, which takes its name when the block has ended without an error.

    Only its owner may read it. What fails leaves nothing behind, and what was there is there still.

    Args:
        path: Its name. A link is followed.
        replace: Whether it may take the place of what is there.

    Raises:
        FileExistsError: Something is there, and it may not be replaced.
        OSError: It can't be written.
    """
    path = Path(os.path.realpath(path))
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)  # 0600 by itself
    written = Path(name)
    taken = False
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not replace:
            # Takes the name, and fails if it is taken. A link would do, but not every file system has them.
            path.open("xb").close()
            taken = True
        written.replace(path)
        taken = False
    finally:
        with suppress(FileNotFoundError):
            written.unlink()
        if taken:
            with suppress(OSError):
                path.unlink()
