"""Somebody who hears the bench's transitions and knows nothing else of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.stay import Benched, Due, Outcome, Transition, Trial, TrialTakenBy, Unbenched


@dataclass
class Heard:
    """What was heard of a name.

    Attributes:
        out: It has an automatic bench.
        due: And that has run out.
        held: An operator holds it.
        tried_by: Who has its trial.
        spared: It was taken out of its provider's hold.
    """

    out: bool = False
    due: bool = False
    held: bool = False
    tried_by: TrialTakenBy | None = None
    spared: bool = False


class Listener:
    """Keeps account of the transitions. One that changes nothing, or that can't be, is an error.

    Args:
        names: All there are.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.heard = {name: Heard() for name in names}
        self.taken = self.settled = 0
        self.outcomes: set[Outcome] = set()

    def hear(self, transitions: Sequence[Transition]) -> None:
        """Hears what took place in one step."""
        for transition in transitions:
            heard = self.heard[transition.name]
            match transition:
                case Due():
                    assert "#" not in transition.name
                    assert heard.out
                    assert not heard.due
                    heard.due = True
                case Trial():
                    self._trial(heard, transition)
                case Benched():
                    self._benched(heard, transition)
                case Unbenched(why="operator"):
                    self._brought_back(heard, transition)
                case Unbenched():
                    self._ended(heard, transition)

    def _trial(self, heard: Heard, transition: Trial) -> None:
        assert heard.due
        if transition.outcome is None:
            assert heard.tried_by is None
            heard.tried_by = transition.by
            self.taken += 1
        else:
            assert heard.tried_by == transition.by
            heard.tried_by = None
            self.settled += 1
            self.outcomes.add(transition.outcome)

    def _benched(self, heard: Heard, transition: Benched) -> None:
        if transition.manual:
            heard.held = True
            self._nobody_is_spared(transition.name)
        else:
            assert heard.tried_by is None
            assert heard.due or not heard.out
            heard.out, heard.due = True, False

    def _brought_back(self, heard: Heard, transition: Unbenched) -> None:
        provider, _, model = transition.name.partition("/")
        whole = self.heard.get(f"{provider}/*")
        covered = whole is not None and whole is not heard and whole.held and not heard.spared
        assert heard.tried_by is None
        assert heard.held or heard.out or covered
        assert transition.manual == (heard.held or covered)
        heard.held = heard.out = heard.due = False
        heard.spared |= covered
        self._nobody_is_spared(f"{provider}/{model}")

    def _ended(self, heard: Heard, transition: Unbenched) -> None:
        if transition.manual:
            assert heard.held
            assert transition.why == "expired"
            heard.held = False
            self._nobody_is_spared(transition.name)
        else:
            assert heard.out
            assert heard.tried_by is None
            assert transition.why == "success" or "#" in transition.name
            heard.out = heard.due = False

    def _nobody_is_spared(self, name: str) -> None:
        """The end, or the beginning, of a hold of `provider/*`."""
        provider, _, model = name.partition("/")
        if model == "*":
            for each, heard in self.heard.items():
                heard.spared &= not each.startswith(f"{provider}/")
