"""The board's rows: what is known of each chain and model at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from engine import ModelFigures
from tui.desk import Desk
from tui.glyphs import STATE_WORDS
from tui.health import Place
from tui.sought import Sought

_NONE = ModelFigures()

Key = tuple[str, str]
"""A place by name: chain and model."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a chain's, or a model's in it.

    Attributes:
        chain: The chain.
        places: All of its places.
        place: The model's; None for the chain's own line.
        figures: What the model has been doing.
        since: When it was benched, ISO 8601; empty if it is not, or that was never told.
        tried_by: Who tries it, `request` or `probe`, while it is on trial; empty if that was never told.
        probing_s: Whole seconds since the operator's own probe began; None if there is none.
    """

    chain: str
    places: tuple[Place, ...] = ()
    place: Place | None = None
    figures: ModelFigures = _NONE
    since: str = ""
    tried_by: str = ""
    probing_s: int | None = None

    @property
    def key(self) -> Key | None:
        """The place by name; None for a chain's own line."""
        return (self.chain, self.place.model) if self.place else None


def build_rows(desk: Desk, sought: Sought) -> list[Row]:
    """The rows there are now, from top to bottom.

    Args:
        desk: What the screen works with.
        sought: The words that a model's row must hold; a chain without any such row has none itself.
    """
    rows: list[Row] = []
    known: dict[str, ModelFigures] = {}
    for chain, places in desk.health.chains.items():
        wanted = [place for place in places if sought.is_in(*_texts(chain, place))] if sought else places
        if wanted or not sought:
            rows.append(Row(chain, places))
        for place in wanted:
            figures = known.get(place.model)
            if figures is None:
                figures = known[place.model] = desk.feed.figures.of(place.model, desk.now())
            away = place.is_out or place.is_coming_back
            since = desk.feed.benched_since(place.model) if away else ""
            tried_by = desk.feed.tried_by(place.model) if place.state == "on_trial" else ""
            probing_s = desk.probes.seconds(place.model)
            row = Row(chain, (), place, figures, since, tried_by, probing_s)
            rows.append(row)
    return rows


def _texts(chain: str, place: Place) -> tuple[str, ...]:
    return (chain, place.model, STATE_WORDS.get(place.state, place.state), place.reason, place.by)
