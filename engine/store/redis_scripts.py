"""What runs inside Redis: each script touches keys of one slot, and so runs on a node of a cluster too.

A write comes before anything else that can fail, so that a full or read-only server leaves nothing half done.
Whoever may not publish writes all the same: a hint is only a hint.
"""

from __future__ import annotations

import hashlib
from typing import Final

FORMAT: Final = 1

ID: Final = "!id"
VERSION: Final = "!v"
FORMAT_FIELD: Final = "!format"

_DAY_S: Final = 86_400
_EMPTY_BENCH_S: Final = 30 * _DAY_S
_JOURNAL_S: Final = 400 * _DAY_S
_ENGINES_S: Final = 2 * _DAY_S
_NUMBERS_S: Final = 2 * _DAY_S
_LONGEST_JOURNAL: Final = 1_500_000
_ANSWERED_BYTES: Final = 256_000  # after which a script looks at no further entry; takes some 5 ms


class Script:
    """A script, and the name under which the server keeps it.

    Args:
        parts: Its text; KEYS[1] is its key, or the first of them.
    """

    __slots__ = ("sha", "text")

    def __init__(self, *parts: str) -> None:
        self.text = "\n".join(parts).encode()
        self.sha = hashlib.sha1(self.text, usedforsecurity=False).hexdigest()


# ARGV[1] is a new incarnation for a bench that is not there, ARGV[2] the channel for hints. The counter
# begins at the time, not at 0: after a FLUSHALL no version comes back that somebody still remembers.
_BENCH: Final = f"""
local key, time = KEYS[1], redis.call('TIME')
local function begin()
  if redis.call('HEXISTS', key, '{ID}') == 0 then
    redis.call('HSET', key, '{ID}', ARGV[1], '{FORMAT_FIELD}', '{FORMAT}',
      '{VERSION}', time[1] .. string.sub(string.format('%06d', time[2]), 1, 3))
  end
end
local function count()
  redis.call('HINCRBY', key, '{VERSION}', 1)
  return redis.call('HGET', key, '{VERSION}')
end
local function keep()
  if redis.call('HLEN', key) > 3 then redis.call('PERSIST', key)
  else redis.call('EXPIRE', key, {_EMPTY_BENCH_S}) end
end
local function tell() redis.pcall('PUBLISH', ARGV[2], '') end
"""

LOOK: Final = Script(
    """
    local fields = {}
    for i = 1, #ARGV do fields[i] = ARGV[i] end
    return {redis.call('TIME'), redis.call('HMGET', KEYS[1], unpack(fields))}
    """
)
"""ARGV: fields. → the time, their values."""

WRITE: Final = Script(
    _BENCH,
    """
    if math.abs(time[1] + time[2] / 1000000 - ARGV[3]) > 1 then return {time} end
    for i = 5, #ARGV, 2 do
      local value = redis.call('HGET', key, ARGV[i])
      if (value and string.match(value, '^%d+') or '0') ~= ARGV[i + 1] then return {time} end
    end
    begin()
    local version = count()
    redis.call('HSET', key, ARGV[5], version .. ' ' .. ARGV[4])
    keep()
    tell()
    return {time, version}
    """,
)
"""ARGV[3..]: the time of the look, the text, then field and version as they were seen. → the time, the
version of the first field now; without the latter if anything is no longer as it was seen."""

ROWS: Final = Script(
    _BENCH,
    f"""
    begin()
    local known = redis.call('HMGET', key, '{ID}', '{VERSION}', '{FORMAT_FIELD}')
    if redis.call('HLEN', key) == 3 then keep() end
    local all = {{}}
    if ARGV[3] ~= known[2] then all = redis.call('HGETALL', key) end
    return {{time, known, all}}
    """,
)
"""ARGV[3]: the version known. → the time; incarnation, version, format; all fields if the version differs."""

FORGET: Final = Script(
    _BENCH,
    """
    local gone = 0
    for i = 3, #ARGV, 2 do
      local value = redis.call('HGET', key, ARGV[i])
      if value and string.match(value, '^%d+') == ARGV[i + 1] then
        gone = gone + redis.call('HDEL', key, ARGV[i])
      end
    end
    if gone == 0 then return false end
    begin()
    local version = count()
    keep()
    tell()
    return version
    """,
)
"""ARGV[3..]: field and version. → the version now, nil if no row went."""

_STREAM: Final = """
local function state()
  if redis.call('EXISTS', KEYS[1]) == 0 then return {'', 0} end
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return {info[i + 1], redis.call('XLEN', KEYS[1])} end
  end
end
"""

JOURNAL: Final = Script(_STREAM, "return state()")
"""→ The place of the last record that there ever was, and how many there are."""

APPEND: Final = Script(
    _STREAM,
    f"""
    local before, last, new = state(), {{}}, {{}}
    for k = 2, #KEYS do last[k] = tonumber(redis.call('HGET', KEYS[k], 'last') or 0) end
    for _, one in ipairs(cjson.decode(ARGV[1])) do
      local key, number = one[1], one[2]
      if number == 0 or number > last[key] then
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', {_LONGEST_JOURNAL}, '*',
          'at', one[3], 'engine', one[4], 'run', one[5], 'data', one[6])
        if number > 0 then last[key], new[key] = number, true end
      end
    end
    for key, _ in pairs(new) do
      redis.call('HSET', KEYS[key], 'last', last[key])
      redis.call('EXPIRE', KEYS[key], {_NUMBERS_S})
    end
    redis.call('EXPIRE', KEYS[1], {_JOURNAL_S})
    return {{before, state()}}
    """,
)
"""KEYS: the stream, then a hash for each run, which holds the last number that was written of it.

ARGV: a JSON list of one list for each record: the place of its run among the keys, its number, the time as
text, engine, run, data. A client makes that several times as fast as many
short words. → how it was, and how it is.
"""

READ: Final = Script(
    f"""
    local found, size, start, most = {{}}, 0, ARGV[1], tonumber(ARGV[2])
    while #found < most and size < {_ANSWERED_BYTES} do
      local entry = redis.call('XRANGE', KEYS[1], start, '+', 'COUNT', 1)[1]
      if not entry then return {{found, 1}} end
      for _, word in ipairs(entry[2]) do size = size + #word end
      found[#found + 1], start = entry, '(' .. entry[1]
    end
    return {{found, 0}}
    """
)
"""ARGV: where to begin, the most entries. → entries, at least one if there is any, and 1 if they are the
last. One by one, for nobody knows how large the next one is, and a large answer holds up everybody."""

PRUNE: Final = Script(
    f"""
    local key, keep_s, rows, most = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local time = redis.call('TIME')
    local before = time[1] + time[2] / 1000000 - keep_s
    local gone = 0
    if before > 0 then
      local first = string.format('%.0f', math.ceil(before * 1000))
      gone = redis.call('XTRIM', key, 'MINID', '~', first, 'LIMIT', most)
    end
    local old, size, start = 0, 0, '-'
    while gone + old < most and size < {_ANSWERED_BYTES} do
      local entry = redis.call('XRANGE', key, start, '+', 'COUNT', 1)[1]
      if not entry then break end
      local received = string.match(entry[1], '^%d+') / 1000
      if math.min(tonumber(entry[2][2]) or 0, received) >= before then break end
      for _, word in ipairs(entry[2]) do size = size + #word end
      old, start = old + 1, '(' .. entry[1]
    end
    local length = redis.call('XLEN', key)
    old = math.max(old, math.min(length - rows, most - gone))
    if old > 0 then redis.call('XTRIM', key, 'MAXLEN', '=', length - old) end
    return gone + old
    """
)
"""ARGV: the seconds they are kept, the most that stay, the most that go. → how many went, from the first on;
none means that all is as it should be. Those that came long ago go without a look at them, as far as they
fill whole nodes; then those that happened long ago, up to the first that did not. A record whose engine's
clock is ahead goes by the time of its arrival."""

BEAT: Final = Script(
    f"""
    local time = redis.call('TIME')
    local now = time[1] .. '.' .. string.format('%06d', time[2])
    local old = redis.call('HGET', KEYS[1], ARGV[1])
    local started = old and string.match(old, '^%S+') or now
    redis.call('HSET', KEYS[1], ARGV[1], started .. ' ' .. now .. ' ' .. ARGV[2])
    redis.call('EXPIRE', KEYS[1], {_ENGINES_S})
    if old then return end
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
      local seen = tonumber(string.match(all[i + 1], '^%S+ (%S+)') or 0)
      if seen < time[1] - {_DAY_S} then redis.call('HDEL', KEYS[1], all[i]) end
    end
    """
)
"""ARGV: the run, and what it is. The first sign of a run sweeps out those of which none came for a day."""
