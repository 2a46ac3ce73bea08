"""How a request ends that got no answer: the errors, in words that tell an operator what to do.

Each message says who could not answer, why, until when, and what would change that. An upstream's own
words are quoted on one line and cut: whole they are in the error's `causes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from engine.durations import format_duration
from engine.errors import (
    AllBenched,
    ChainExhausted,
    DeadlineExceeded,
    NoUsableModel,
    StandbyError,
    StreamInterrupted,
    UpstreamError,
)
from engine.names import is_model
from engine.request import Request
from engine.roster import Unusable
from engine.sideline import Sideline
from engine.stay import Block

Standings = Sequence[tuple[str, Block | Unusable | None]]
"""A request's models in order, each with what keeps it out."""

_LONGEST_CAUSE: Final = 240
UNKNOWN: Final = "nothing has this name"
"""Why a part of a target that names nothing was skipped."""


def describe(block: Block, sideline: Sideline) -> str:
    """A block in words: `benched until 2026-01-01T12:00:00.000Z (rate_limited)`."""
    why = f" ({block.stay.reason})" if block.stay.reason else ""
    match block.state:
        case "on_trial":
            return f"on trial after a bench{why}, by another request or a probe"
        case "due":
            return f"due after a bench{why}" + (", waiting for its probe" if block.awaits_probe else "")
        case _:
            pass
    until = sideline.until(block.stay)
    end = f"until {until}" if until else "without end"
    by = f" by {block.stay.by}" if block.stay.by else ""
    name = f"{block.name} " if _is_wider(block) else ""
    return f"{name}{'held' if block.manual else 'benched'}{by} {end}{why}"


def no_usable_model(target: str, standings: Standings) -> NoUsableModel:
    """The error for a target whose models nothing but a person can make usable."""
    bars = [(model, bar) for model, bar in standings if isinstance(bar, Unusable)]
    parts = [(model, bar.detail) for model, bar in bars]
    way_out = ""
    if any(bar.why == "too_long" for _, bar in bars):
        way_out = "; shorten the request, or add a model with a larger context"
    return NoUsableModel(
        f"no model of {target} can be used: {_told(parts, ': ')}{way_out}",
        parts=parts,
        reasons=[bar.why for _, bar in bars],
    )


def all_benched(request: Request, standings: Standings, sideline: Sideline) -> AllBenched:
    """The error for a request all of whose models are on the bench."""
    blocks = [(model, bar) for model, bar in standings if isinstance(bar, Block)]
    out = _told((model, describe(block, sideline)) for model, block in blocks)
    rest = [(model, bar.detail) for model, bar in standings if isinstance(bar, Unusable)] + _unknown(request)
    also = f"; {_told(rest, ': ')}" if rest else ""
    way_out = "; ".join(_ways_off_the_bench(request, [block for _, block in blocks]))
    return AllBenched(
        f"every model of {request.target} is on the bench: {out}{also}; {way_out}",
        models=[model for model, _ in blocks],
        retry_after_s=first_back(standings, sideline),
    )


def first_back(standings: Standings, sideline: Sideline) -> float | None:
    """Seconds until the first benched model is due back, None if there is none or it has no end.

    How long a trial takes nobody knows.
    """
    blocks = [bar for _, bar in standings if isinstance(bar, Block) and bar.state in ("benched", "held")]
    ends = [sideline.remaining_s(block.stay) for block in blocks]
    return min((end for end in ends if end is not None), default=None)


def chain_exhausted(request: Request, standings: Standings, sideline: Sideline) -> ChainExhausted:
    """The error for a request none of whose models answered."""
    causes = _last_causes(request.causes)
    told: list[tuple[str, str]] = []
    for model, bar in standings:
        own = [cause for cause in causes if cause.model == model]
        whys = [_words(cause) for cause in own]
        match bar:
            case Block() if whys:
                # Most often the bench is for this very cause, which is not said twice.
                whys[-1] += f" [{describe(bar, sideline).removesuffix(f' ({own[-1].reason})')}]"
            case Block():
                whys = [describe(bar, sideline)]
            case Unusable() if not whys:
                whys = [bar.detail]
            case None if not whys:
                whys = ["skipped, it could not play when its turn came"]
            case _:
                pass
        told += [(model, why) for why in whys]
    return ChainExhausted(
        f"no model of {request.target} answered: {_told(told + _unknown(request), ': ')}",
        causes=request.causes,
        retry_after_s=first_back(standings, sideline),
    )


def out_of_time(request: Request) -> DeadlineExceeded:
    """The error for a request whose deadline has passed, or would before anything more could come."""
    total = format_duration(request.deadline - request.started)
    told = [f"{cause.model}: {_words(cause)}" for cause in _last_causes(request.causes)]
    last = request.asked_last
    way_out = "raise `deadline`"
    if last is None:
        told.append("until then no model could be asked")
    else:
        way_out += ", or lower `timeouts` so that the next model gets its turn"
        if last not in {cause.model for cause in request.causes}:
            told.append(f"{last} had not answered yet")
    return DeadlineExceeded(
        f"no answer to {request.target} within its deadline of {total}: {'; '.join(told)}; {way_out}",
        causes=request.causes,
    )


def interrupted(
    request: Request, cause: UpstreamError, text: str, then: StandbyError | None = None
) -> StreamInterrupted:
    """The error for a stream that broke after content had been delivered.

    Args:
        request: The request.
        cause: Who broke off, and why.
        text: What has been delivered.
        then: What became of the attempt to go on, None if there was none.
    """
    message = f"{cause.model} broke off after {len(text)} characters: {_words(cause)}"
    if then is not None:
        message += f"; and nobody took over: {then}"
    elif request.policy.mid_stream == "raise":
        message += "; with another `mid_stream` than raise the next model would take over"
    return StreamInterrupted(message, text=text, model=cause.model, cause=cause, causes=request.causes)


def _last_causes(causes: Sequence[UpstreamError]) -> list[UpstreamError]:
    """The last error of each model; of keys that failed, each one's."""
    last: dict[tuple[str, str | None], UpstreamError] = {}
    for cause in causes:
        slot = cause.model, cause.key if cause.failure.scope in ("key", "key_model") else None
        last.pop(slot, None)
        last[slot] = cause
    return list(last.values())


def _words(cause: UpstreamError) -> str:
    """A cause on one line, without the model's name."""
    words = str(cause).removeprefix(f"{cause.model}: ")
    return words if len(words) <= _LONGEST_CAUSE else f"{words[: _LONGEST_CAUSE - 1]}…"


def _told(whys: Iterable[tuple[str, str]], between: str = " ") -> str:
    """Names with what keeps each from answering; those kept by the same are told together."""
    by_why: dict[str, list[str]] = {}
    for name, why in whys:
        by_why.setdefault(why, []).append(name)
    return "; ".join(f"{', '.join(names)}{between}{why}" for why, names in by_why.items())


def _unknown(request: Request) -> list[tuple[str, str]]:
    return [(part, UNKNOWN) for part in request.unresolved]


def _ways_off_the_bench(request: Request, blocks: Sequence[Block]) -> list[str]:
    """What would let a request through, for each kind of bench that there is."""
    held = dict.fromkeys(block.name for block in blocks if block.manual)
    dead = dict.fromkeys(block.name for block in blocks if not block.manual and block.stay.dead)
    ways = []
    if held:
        ways.append(f"unbench {', '.join(held)}, which nothing else brings back early")
    if dead:
        ways.append(f"see to {', '.join(dead)}, then unbench it")
    if any(block.may_be_tried for block in blocks):
        match request.policy.when_all_benched:
            case "wait":
                ways.append("a longer `deadline` would let the request wait")
            case "try":
                ways.append("their keys are out, too: see to these")
            case "fail":
                ways.append("`when_all_benched: try` would ask all the same, `wait` would wait")
    return ways


def _is_wider(block: Block) -> bool:
    """True if more than one model is out with it: a key's bench, or a provider's."""
    return not is_model(block.name)
