"""Waiting for descriptors, of which a busy program may have more than `select` can count (1024)."""

from __future__ import annotations

import select
from collections.abc import Collection


def readable(descriptors: Collection[int], wait_s: float) -> list[int]:
    """Those of some descriptors that can be read from.

    Args:
        descriptors: Of sockets.
        wait_s: Seconds to wait for the first.
    """
    if not hasattr(select, "poll"):  # Windows, whose `select` has another limit
        return select.select(descriptors, [], [], wait_s)[0]
    polled = select.poll()
    for each in descriptors:
        polled.register(each, select.POLLIN)
    return [each for each, _ in polled.poll(wait_s * 1000)]
