"""How long a busy machine may take for what is a matter of milliseconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from engine.store.base import StoreError

PATIENCE_S: Final = 30.0


def soon(holds: Callable[[], object]) -> bool:
    """True as soon as something holds, False if it never does; an error of the store is not it yet."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with suppress(StoreError):
            if holds():
                return True
        os.sched_yield()
    return False
