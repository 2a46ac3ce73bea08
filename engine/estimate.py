"""How large a request is, roughly, before anybody counted its tokens. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.messages import texts_in

# English has about four bytes a token, and so have other scripts, whose characters take more bytes
# ("What are tokens and how to count them?", OpenAI's help center; Llama's and Qwen's are close).
_BYTES_A_TOKEN: Final = 4
SLACK: Final = 1.1
"""An estimate must pass a limit by so much before anything is refused for it."""


def tokens_of(messages: Iterable[Mapping[str, Any]], tools: Iterable[Mapping[str, Any]] = ()) -> int:
    """About how many tokens a conversation takes. Images are not counted.

    Args:
        messages: In OpenAI's chat form.
        tools: In OpenAI's form.
    """
    size = 0
    for text in texts_in([*messages, *tools], _DATA):
        size += len(text.encode("utf-8", "replace"))
    return size // _BYTES_A_TOKEN


def tokens_of_longest(texts: Iterable[str]) -> int:
    """About how many tokens the longest of some texts takes; each is embedded by itself."""
    return max((len(text.encode("utf-8", "replace")) for text in texts), default=0) // _BYTES_A_TOKEN


_DATA: Final = frozenset({"image_url", "input_audio", "file", "role", "type", "id", "tool_call_id"})
