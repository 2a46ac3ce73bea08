"""The signs on the screen: one set for terminals that know Unicode, one for those that don't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs. All of them take one cell, ASCII's `next` and `pause` apart.

    Attributes:
        states: State of a model → its sign; the word beside it comes from `STATE_WORDS`.
        unusable: A model that nothing but a person can make usable.
        serves: The model that gets a chain's traffic now.
        stands_in: As `serves`, but a model before it in the chain would have served.
        cursor: Beside what the cursor is on.
        next: From a model to the one that follows.
        succeeded: How an attempt ended.
        failed: How an attempt ended.
        cancelled: How an attempt ended.
        running: An attempt under way.
        left: A full cell of a countdown's bar.
        half: The bar's last half cell.
        gone: A cell of time that has passed.
        spark: Levels of a sparkline, lowest first; the first one means nothing happened.
        rule: A horizontal line.
        dot: Between two facts on a line.
        more: Stands for what was cut off.
        pause: A view that is held still.
        warn: Something needs attention.
        ascii: True if nothing beyond ASCII may be shown, whatever it is.
    """

    states: Mapping[str, str]
    unusable: str
    serves: str
    stands_in: str
    cursor: str
    next: str
    succeeded: str
    failed: str
    cancelled: str
    running: str
    left: str
    half: str
    gone: str
    spark: str
    rule: str
    dot: str
    more: str
    pause: str
    warn: str
    ascii: bool = False


STATE_WORDS: Final[Mapping[str, str]] = {
    "live": "live",
    "on_trial": "on trial",
    "due": "due",
    "benched": "benched",
    "held": "held",
    "unusable": "unusable",
}
"""State of a model → the word that is shown beside its sign."""

UNICODE: Final = Glyphs(
    states={"live": "●", "on_trial": "◐", "due": "○", "benched": "✖", "held": "■"},
    unusable="∅",
    serves="▸",
    stands_in="↳",
    cursor="▌",
    next="→",
    succeeded="✓",
    failed="✖",
    cancelled="⊘",
    running="◌",
    left="━",
    half="╸",
    gone="─",
    spark=" ▁▂▃▄▅▆▇█",
    rule="─",
    dot="·",
    more="…",
    pause="‖",
    warn="▲",
)

ASCII: Final = Glyphs(
    states={"live": "*", "on_trial": "~", "due": "o", "benched": "x", "held": "#"},
    unusable="!",
    serves=">",
    stands_in="^",
    cursor="|",
    next="->",
    succeeded="+",
    failed="x",
    cancelled="/",
    running=".",
    left="=",
    half="-",
    gone=".",
    spark=" .:-=+*#@",
    rule="-",
    dot="|",
    more="~",
    pause="||",
    warn="!",
    ascii=True,
)


def choose_glyphs(setting: str, *, encoding: str | None, term: str) -> Glyphs:
    """The set to use.

    Args:
        setting: `unicode`, `ascii`, or anything else for `auto`.
        encoding: How text reaches the terminal; None where that is not known.
        term: The terminal's name, as in `TERM`.

    Returns:
        With `auto`, ASCII on the Linux console, whose font has 512 characters at most, and wherever
        the encoding can't carry the signs.
    """
    if setting in ("unicode", "ascii"):
        return ASCII if setting == "ascii" else UNICODE
    return ASCII if term in ("linux", "vt100", "vt220") or not _is_unicode(encoding) else UNICODE


def _is_unicode(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "").replace("_", "").startswith("utf")
