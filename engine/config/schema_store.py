"""`store:`: where the bench and the journal of all processes live."""

from __future__ import annotations

from pathlib import Path

from engine.config.spot import Spot
from engine.store.address import store_address


def read_store(spot: Spot | None, folder: Path) -> str:
    """What the file says of the store, `auto` if it says nothing.

    Args:
        spot: What `store` holds, None if it is not there.
        folder: What a relative path of a file is relative to.
    """
    text = spot.text("auto, memory, sqlite:PATH, redis://HOST:PORT/DB or env:NAME") if spot else None
    if spot is None or text is None:
        return "auto"
    try:
        return store_address(text, folder)
    except ValueError as error:
        spot.fault(str(error))
        return "auto"
