"""What simulated models say: short, plain prose about running services, to an exact length."""

from __future__ import annotations

import random
from collections.abc import Iterator

# Neighbours go together, for a text is read off from a random place. There is a sentence of every length
# from 1 to 18 words, so that any length can be met.
_SENTENCES = """
Probably.
Not yet.
It is live.
Start with the logs.
The queue is draining again.
Nothing else needs to change.
Check the slowest dependency before anything else.
A timeout is a promise you can keep.
Keep the first fix small and easy to undo.
One slow call should never hold up the fast ones.
If the error rate falls, the rollout can go on as planned.
The cache was cold, so every request went all the way to storage.
Latency at the edge looks fine, and the backlog has shrunk since the last restart.
In short, the service slowed down because one of its replicas had run out of connections.
Once that replica was taken out, the others absorbed its share without a visible change in latency.
It helps to write down what you expected to see, because the surprise is where the cause hides.
Retries help only while the far end has room.
Give every retry a budget and some jitter.
Without jitter, all clients come back at the same moment and knock it over again.
A circuit breaker stops asking a service that has stopped answering.
When it opens, callers fail fast instead of piling up behind a dead upstream.
After a while it lets a single request through to see whether things are better.
That keeps the damage local and gives the upstream room to recover.
Look at the ninety-fifth percentile rather than at the mean.
Averages hide the users who waited longest.
Sunlight scatters on the molecules of the air, and blue light scatters far more than red.
That is why the sky looks blue at noon and red in the evening.
Short wavelengths are bent more strongly than long ones.
The summary below leaves out the parts that have not changed since last week.
Two of the three regions are healthy, and the third is catching up.
No customer data was lost during the incident.
The alert fired four minutes after the first failed request.
A shorter evaluation window would have caught it sooner, at the price of more noise.
Rolling back took less time than finding the cause, which is how it should be.
Idempotent requests can be repeated safely; others need a key that the server remembers.
Write the runbook while the details are fresh.
Ask what made the mistake easy instead of who made it.
Backups count only once somebody has restored from them.
Capacity planning starts with the busiest hour, not with the average day.
Leave headroom for the failure of one zone.
Turn the feature off first and investigate afterwards.
Messages that cannot be processed belong in a queue of their own.
That way a single bad message does not block the good ones behind it.
The connection pool was sized for yesterday's traffic.
Doubling it would move the bottleneck to the database.
Measure first, then decide which of the two limits to raise.
Name resolution is often the last thing that people suspect.
A certificate that expires on a Sunday is found by customers.
Rename the column in two steps, so that old and new code can run side by side.
Large jobs are easier to resume when they record how far they got.
Small batches finish sooner and fail more cheaply.
If you need a single number, take the share of requests that succeeded within a second.
Anything beyond that belongs on a dashboard, not in an alert.
Yes, that should be safe to try during the day.
The change is small, but it touches every request, so roll it out slowly.
Thanks for the details.
Here is what I would do.
There are three likely causes, and only one of them is yours to fix.
"""
_BANK = tuple(tuple(line.split()) for line in _SENTENCES.strip().splitlines())
_STUB = 3


def prose(rng: random.Random, words: int) -> Iterator[str]:
    """Whole sentences, word by word; joined as they are, they make a paragraph.

    Args:
        rng: Chooses where to begin.
        words: How many words to give.

    Yields:
        One word at a time, with the space that goes before it.
    """
    left = words
    page: list[tuple[str, ...]] = []
    while left > 0:
        if not page:
            start = rng.randrange(len(_BANK))
            page = [*_BANK[start:], *_BANK[:start]]
        place = next((place for place, sentence in enumerate(page) if _fits(len(sentence), left)), None)
        if place is None:
            page = []
            continue
        for word in page.pop(place):
            yield word if left == words else f" {word}"
            left -= 1


def _fits(length: int, left: int) -> bool:
    """True if a sentence ends the text exactly, or leaves room for another that is no mere stub."""
    return length == left or (length > _STUB and left - length > _STUB)
