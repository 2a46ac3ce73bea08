"""What the bench must do, told over again from what has happened: a log of each name, and nothing kept.

Every question goes through the log from its beginning. That is slow, and hard to get wrong in the way
a state machine is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from engine.stay import Sentence, State, Terms

What = Literal[
    "failure", "success", "benched", "lifted", "held", "released", "spared", "cleared", "taken", "settled"
]


class Fact(NamedTuple):
    """Something that happened to a name.

    Attributes:
        what: What.
        at: When.
        until: Of a stay or a trial: its end.
        sentence: Of a bench: what caused it.
        word: The hold's reason, who takes the trial, or the model that is spared.
        number: Of a trial: its number.
    """

    what: What
    at: float
    until: float = math.inf
    sentence: Sentence | None = None
    word: str = ""
    number: int = 0


class Seen(NamedTuple):
    """What is to be seen of a name."""

    name: str
    state: State
    ends: float
    until: float
    level: int
    failures: int
    reason: str
    awaits_probe: bool


def length_s(terms: Terms, level: int) -> float:
    """By multiplying, one level after another."""
    length = terms.cooldown_s
    for _ in range(level - 1):
        if length >= terms.longest_s:
            break
        length *= terms.growth
    return min(length, terms.longest_s)


@dataclass(eq=False)
class Known:
    """The log of one name."""

    name: str
    log: list[Fact] = field(default_factory=list)

    @property
    def is_key(self) -> bool:
        return "#" in self.name

    def last(self, *whats: What) -> Fact | None:
        """The last fact of some kinds."""
        return next((fact for fact in reversed(self.log) if fact.what in whats), None)

    def since(self, *whats: What) -> list[Fact]:
        """What came after the last fact of some kinds."""
        later: list[Fact] = []
        for fact in reversed(self.log):
            if fact.what in whats:
                break
            later.insert(0, fact)
        return later

    def is_heard(self, mark: int) -> bool:
        """True if an attempt that began when the log had this length still changes something."""
        return not any(fact.what in ("benched", "lifted", "cleared") for fact in self.log[mark:])

    @property
    def auto(self) -> Fact | None:
        """The automatic bench, also while due and on trial."""
        fact = self.last("benched", "lifted", "cleared")
        return fact if fact and fact.what == "benched" else None

    @property
    def hold(self) -> Fact | None:
        fact = self.last("held", "released", "cleared")
        return fact if fact and fact.what == "held" else None

    @property
    def spared(self) -> set[str]:
        return {fact.word for fact in self.since("held", "released", "cleared") if fact.what == "spared"}

    @property
    def trial(self) -> Fact | None:
        """The trial that nobody has settled; its time may be over."""
        fact = self.last("taken", "settled", "cleared")
        return fact if fact and fact.what == "taken" else None

    @property
    def failures(self) -> int:
        return sum(fact.what == "failure" for fact in self.since("success", "cleared"))

    @property
    def awaits_probe(self) -> bool:
        auto = self.auto
        if auto is None or auto.sentence is None or not auto.sentence.terms.probe:
            return False
        taken = [fact for fact in self.since("benched") if fact.what == "taken" and fact.word == "probe"]
        return not any(fact.number != (self.trial.number if self.trial else 0) for fact in taken)

    def is_over(self, now: float) -> bool:
        """True if its automatic bench has run out, and it is not live for all that."""
        return self.auto is not None and self.auto.until <= now

    def level(self, now: float) -> int:
        """Up with each bench, down with each cooldown in health."""
        level, healthy_since, step_s = 0, math.inf, math.inf
        for fact in [*self.log, Fact("success", now)]:
            while level and fact.at - healthy_since >= step_s:
                level -= 1
                healthy_since += step_s
            match fact.what:
                case "benched":
                    assert fact.sentence is not None
                    terms = fact.sentence.terms
                    level = min(level + 1, 64)
                    healthy_since, step_s = math.inf, terms.cooldown_s
                case "cleared":
                    level = 0
                case "lifted":
                    healthy_since = fact.at
                case "failure" if healthy_since < math.inf:
                    healthy_since = fact.at
                case _:
                    pass
        return level

    def bench(self, sentence: Sentence, now: float) -> None:
        """A failure that benches."""
        self.log.append(Fact("benched", now, sentence=sentence))
        length = length_s(sentence.terms, self.level(now)) if sentence.exact_s is None else sentence.exact_s
        length = min(max(length, sentence.floor_s), sentence.terms.longest_s)
        self.log[-1] = self.log[-1]._replace(until=now + length)

    def state(self, now: float) -> State:
        if self.hold and now < self.hold.until:
            return "held"
        if self.auto is None or (self.is_key and now >= self.auto.until):
            return "live"
        if now < self.auto.until:
            return "benched"
        return "on_trial" if self.trial and now < self.trial.until else "due"

    def seen(self, now: float) -> Seen | None:
        state = self.state(now)
        stay = self.hold if state == "held" else self.auto
        if state == "live" or stay is None:
            return None
        ends = stay.until
        if state == "due":
            ends = math.inf
        elif state == "on_trial" and self.trial:
            ends = self.trial.until
        reason = stay.sentence.reason if stay.sentence else stay.word
        waits = state == "due" and self.awaits_probe
        return Seen(self.name, state, ends, stay.until, self.level(now), self.failures, reason, waits)

    def expire(self, now: float) -> None:
        if self.trial and now >= self.trial.until:
            self.log.append(Fact("settled", now))
        if self.hold and now >= self.hold.until:
            self.log.append(Fact("released", now))
        if self.is_key and self.auto and now >= self.auto.until:
            self.log.append(Fact("lifted", now))


class Model:
    """Every name's log, and the rules that write it.

    Args:
        names: All there are.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.known = {name: Known(name) for name in names}

    def whole(self, name: str) -> Known | None:
        """Of a model: what is known of `provider/*`."""
        provider = name.partition("/")[0]
        is_model = "#" not in name and not name.endswith("/*")
        return self.known.get(f"{provider}/*") if is_model else None

    def seen(self, name: str, now: float) -> Seen | None:
        """What keeps a name out of play."""
        own, whole = self.known[name].seen(now), self.whole(name)
        if (own and own.state == "held") or whole is None or name in whole.spared:
            return own
        return whole.seen(now) or own

    def trial_open(self, name: str, number: int, now: float) -> bool:
        """True if a trial is under way, and the one of this number."""
        trial = self.known[name].trial
        return trial is not None and trial.number == number and now < trial.until

    def fail(self, name: str, mark: int, number: int, sentence: Sentence, now: float) -> None:
        """A failure of an attempt that began when the log was `mark` long, as the trial `number`."""
        known = self.known[name]
        if not known.is_heard(mark):
            return
        if known.auto:
            if not self.trial_open(name, number, now):
                return
            known.log += [Fact("settled", now), Fact("failure", now)]
            known.bench(sentence, now)
            return
        known.log.append(Fact("failure", now))
        if known.failures >= sentence.after:
            known.bench(sentence, now)

    def succeed(self, name: str, mark: int, now: float) -> None:
        """A success of an attempt that began when the log was `mark` long."""
        known = self.known[name]
        if not known.is_heard(mark):
            return
        known.log.append(Fact("success", now))
        if known.auto:
            known.log += [Fact("settled", now), Fact("lifted", now)]

    def give_back(self, name: str, number: int, now: float) -> None:
        """An attempt that told nothing."""
        if self.trial_open(name, number, now):
            self.known[name].log.append(Fact("settled", now))

    def take(self, name: str, by: str, number: int, until: float, now: float) -> None:
        """A trial begins."""
        self.known[name].log += [Fact("settled", now), Fact("taken", now, until, word=by, number=number)]

    def hold(self, name: str, length_s: float | None, reason: str, now: float) -> None:
        """An operator takes a name out of play."""
        until = math.inf if length_s is None else now + length_s
        self.known[name].log.append(Fact("held", now, until, word=reason))

    def unbench(self, name: str, also: Iterable[str], now: float) -> None:
        """An operator brings back a name and others with it."""
        provider, _, model = name.partition("/")
        names = {name, *also}
        if model == "*":
            names |= {each for each in self.known if each.startswith((f"{provider}/", f"{provider}#"))}
        for each in names:
            self.known[each].log.append(Fact("cleared", now))
        whole = self.whole(name)
        if whole and whole.state(now) == "held":
            whole.log.append(Fact("spared", now, word=name))

    def expire(self, now: float) -> None:
        for known in self.known.values():
            known.expire(now)
