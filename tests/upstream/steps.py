"""The steps there are, in one namespace.

Good, all of which say `Hello there`, finish `stop`, and count (7, 3) tokens unless told otherwise:
    ok, tool_call, byte_by_byte, burst, crlf, cr, bom, u2028, huge_line, commented, no_done, gzipped,
    closing, whole_for_a_stream; vectors, which answers what is embedded, as `ok` does, too
Refusals and nonsense:
    status, retry_after, redirect, html, bad_json, error_in_200, error_event, empty, refused, done_only
The network's own:
    reset, close, hang, hang_headers, cut, stall, no_finish

Those that stop in the middle take `after`: how many pieces of the text (its words) go out before.
The good ones take the options of `ok`, `hold` among them, which waits for events at given points.
"""

from tests.upstream.answers import (
    ODD_ENDS,
    bom,
    burst,
    byte_by_byte,
    closing,
    commented,
    cr,
    crlf,
    gzipped,
    huge_line,
    no_done,
    ok,
    tool_call,
    u2028,
    vectors,
    whole_for_a_stream,
)
from tests.upstream.failures import (
    bad_json,
    close,
    cut,
    done_only,
    empty,
    error_event,
    error_in_200,
    hang,
    hang_headers,
    html,
    no_finish,
    redirect,
    refused,
    reset,
    retry_after,
    stall,
    status,
)

__all__ = [
    "ODD_ENDS",
    "bad_json",
    "bom",
    "burst",
    "byte_by_byte",
    "close",
    "closing",
    "commented",
    "cr",
    "crlf",
    "cut",
    "done_only",
    "empty",
    "error_event",
    "error_in_200",
    "gzipped",
    "hang",
    "hang_headers",
    "html",
    "huge_line",
    "no_done",
    "no_finish",
    "ok",
    "redirect",
    "refused",
    "reset",
    "retry_after",
    "stall",
    "status",
    "tool_call",
    "u2028",
    "vectors",
    "whole_for_a_stream",
]
