"""The journal as commands read it: page by page, between two times."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from engine import Engine, Recorded
from tui.event_words import when
from tui.moments import now

Chosen = Callable[[Recorded], bool]

_PAGE = 1000


async def pages(
    engine: Engine, since: datetime, until: datetime | None = None, *, after: str = ""
) -> AsyncIterator[Sequence[Recorded]]:
    """The journal from one time to another, page by page, the oldest first. Never all of it at once.

    Args:
        engine: An engine at the store.
        since: Events that are older are left out.
        until: Events that are younger are left out; None for none.
        after: The place to go on behind.

    Raises:
        StoreError: The store can't be used.
    """
    while True:
        # Counted back from now each time: the same point in time.
        page = await engine.history((now() - since).total_seconds(), after=after, limit=_PAGE)
        if not page:
            return
        after = page[-1].place
        some = page if until is None else [each for each in page if is_before(each, until)]
        if some:
            yield some
        if len(page) < _PAGE:  # damaged events are passed over, so this is the end
            return


def is_before(recorded: Recorded, until: datetime) -> bool:
    """True if an event happened before a time, or nobody knows when it did."""
    at = when(recorded.event.at)
    return at is None or at <= until


def about(model: str) -> Chosen:
    """What tells the events of one model from all others.

    Args:
        model: The model. Benches of its provider as a whole and of the provider's keys, everywhere or on this
            model, are about it, too; so is a request that failed with it.
    """
    provider, _, own = model.partition("/")
    names = {model, f"{provider}/*"}

    def is_about(recorded: Recorded) -> bool:
        data = recorded.data
        if data.get("model") in names:
            return True
        key = data.get("key")
        if "model" not in data and isinstance(key, str) and key.startswith(f"{provider}#"):
            return key.partition("/")[2] in ("", own)
        causes = data.get("causes")
        return isinstance(causes, list | tuple) and any(
            isinstance(cause, dict) and cause.get("model") == model for cause in causes
        )

    return is_about
