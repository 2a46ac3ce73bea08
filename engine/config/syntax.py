"""What is wrong with a YAML text, in words of our own: the parser's quote the file."""

from __future__ import annotations

import re
from typing import Any

_TELL: tuple[tuple[str, str], ...] = (
    # What PyYAML's two parsers say (context and problem) → what to tell the author.
    ("quoted scalar.*end of stream", "a quote is opened here and never closed"),
    ("quoted scalar.*document", "a quote is opened here and never closed"),
    ("escape", "an unknown escape after '\\' in double quotes; use single quotes, or write '\\\\'"),
    (
        "cannot start any token",
        "this character can't begin a value: quote the value; indent with blanks, not tabs",
    ),
    (" tab", "a tab can't be used to indent; use blanks"),
    ("mapping values", "a ':' is not expected here; check the indentation, and quote text that holds ': '"),
    ("sequence entries", "a '-' is not expected here; a list begins on a line of its own, below its key"),
    ("expected ':'", "a key without a ':'; write `key: value`"),
    ("flow sequence", "a list opened with '[' in line {line} is not closed with ']', or lacks a ','"),
    ("flow mapping", "a mapping opened with '{{' in line {line} is not closed with '}}', or lacks a ','"),
    (
        "block (?:mapping|collection|sequence)",
        "this does not fit the lines above; check indentation and quotes",
    ),
    ("(?:an anchor|an alias)", "'&' and '*' have a meaning of their own in YAML; quote the value"),
    ("tag", "'!' has a meaning of its own in YAML; quote the value"),
    ("block scalar", "text after '|' or '>' belongs on the next line, indented"),
    ("directive|incompatible", "a line that begins with '%' is not needed here; remove it"),
    ("document start", "nothing may follow here; check the indentation"),
    ("node content", "a value is missing here"),
)
_TELL_ELSE = "this is not valid YAML; check indentation, quotes and brackets"


def syntax_fault(error: Exception) -> tuple[int, int, str]:
    """Line, column (1-based, 0 where the parser gives none) and words for a parser's error.

    Args:
        error: What PyYAML raised. Its own text is looked at, never passed on: it may quote the file.
    """
    problem: Any = getattr(error, "problem_mark", None)
    context: Any = getattr(error, "context_mark", None)
    said = f"{getattr(error, 'context', '')} {getattr(error, 'problem', '')}".lower()
    what = next((tell for pattern, tell in _TELL if re.search(pattern, said)), _TELL_ELSE)
    mark = context if what.startswith("a quote is opened") and context else problem
    opened = context.line + 1 if context else "?"
    what = what.format(line=opened)
    return (mark.line + 1, mark.column + 1, what) if mark else (0, 0, what)
