"""A scripted upstream: a raw server on 127.0.0.1 that speaks three protocols and fails in every way.

    async with Upstream() as up:
        up.script("tiny", steps.status(500), steps.ok("Hello there"))
        ...                                  # the last step repeats; a model without a script is well
        request = up.requests[0]             # path, headers, body, model, protocol, stream, peer
        await request.closed.wait()          # until the connection it came by is gone

The base URLs are `up.openai` (`.../v1`), `up.anthropic` (`.../v1`) and `up.ollama`; `up.url` has no path.
The protocol is told by the path of a request: `/chat/completions`, `/messages`, `/api/chat`, and for
vectors `/embeddings`, `/api/embed`. Whether to stream is told by the body, as the real ones do.

`up.accepted` counts connections ever accepted, `up.open` those open now. `await up.arrived(3)` waits
until three requests have come in (`model=` counts one model's), `await up.quiet()` until every
connection is closed. Nothing here sleeps: whatever takes its time waits for an `asyncio.Event`.

A step is any `async def step(exchange: Exchange) -> None`; see `steps.py` for those there are.
`tasks_of_others()` are the running tasks without the upstream's own, which share the loop.
A step that raises fails the test when the upstream is left.
"""

from tests.upstream import steps
from tests.upstream.exchange import Exchange, Request, Step
from tests.upstream.protocols import ToolUse
from tests.upstream.server import Upstream, tasks_of_others

__all__ = ["Exchange", "Request", "Step", "ToolUse", "Upstream", "steps", "tasks_of_others"]
