"""How far two clocks are apart, one of which can only be asked for."""

from __future__ import annotations

import math
from collections.abc import Callable


class Shift:
    """What to add to the store's time for the engine's, ever more exactly.

    The store's clock is read somewhere between asking and having the answer, so each answer gives two bounds.
    Those of many together are closer than those of one, unless a clock was set: then all begins anew.

    Args:
        clock: The engine's clock, seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._least, self._most = -math.inf, math.inf

    def seen(self, asked: float, theirs: float) -> float:
        """An answer is here, just now.

        Args:
            asked: When it was asked for, on the engine's clock.
            theirs: The store's time that it brought.

        Returns:
            Seconds to add to the store's time for the engine's.
        """
        least, most = asked - theirs, self._clock() - theirs
        if least <= self._most and most >= self._least:
            least, most = max(least, self._least), min(most, self._most)
        self._least, self._most = least, most
        return (least + most) / 2
