"""Prompts, taken out of what providers say about them: errors are told to many, prompts are not. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LEAST: Final = 12  # shorter pieces are words that anybody may use
_INSTEAD: Final = "(prompt)"
_MOST_REPEATS: Final = 20


def without(words: str, private: Iterable[str]) -> str:
    """Words in which a provider repeats the prompt, without the prompt.

    A provider may repeat a part only: each line of a prompt is looked for by its beginning, and goes as far
    as it is repeated.

    Args:
        words: A provider's.
        private: What must not be in them.
    """
    for text in private:
        for line in text.splitlines():
            if len(line) >= _LEAST and line[:_LEAST] in words:
                words = _without_line(words, line)
    return words


def _without_line(words: str, line: str) -> str:
    start = 0
    for _ in range(_MOST_REPEATS):
        at = words.find(line[:_LEAST], start)
        if at < 0:
            break
        same = _LEAST
        while same < len(line) and words[at + same : at + same + 1] == line[same]:
            same += 1
        words = words[:at] + _INSTEAD + words[at + same :]
        start = at + len(_INSTEAD)
    return words
