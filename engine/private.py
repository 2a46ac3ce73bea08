"""Prompts, taken out of what providers say about them: errors are told to many, prompts are not. Pure.

A provider repeats a prompt in its own way: as JSON within JSON, as HTML, as a URL has it, without its line
breaks, without what is no ASCII, cut anywhere. So its words and the prompt are compared in three readings:
as they stand; with escapes undone and of the rest only letters and digits, without case and accents; and of
these only what is ASCII. Twelve characters in a row that stand in the same reading of both are the prompt's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html.entities import html5
from itertools import pairwise
from typing import Any, Final, NamedTuple
from unicodedata import category, normalize

from engine.messages import texts_in, whole_text

_INSTEAD: Final = "(prompt)"
_LEAST: Final = 12  # shorter pieces are words that anybody may use
# Every twelve characters hold one of the places that are looked at first, with the seven that begin there.
_PIECE: Final = 7
_STEP: Final = _LEAST - _PIECE + 1
_GAP: Final = 12  # what is between two pieces of a prompt, and no longer, is the prompt's
_MOST_WORDS: Final = 8000  # a message is far shorter in the end
_LONG: Final = 2000
_COMMON: Final = 32  # so many letters of common words, though in a long prompt too, are the provider's own
_SHORT: Final = 4
_SHORT_OTHER: Final = 2  # what is no ASCII is no parameter's name; and a sign may be a word

# A backslash may be escaped itself, any number of times, as JSON does and as a URL does; so may an ampersand.
_SLASHES: Final = r"(?:\\|%(?:25)*5[cC])+"
_HEX: Final = "[0-9a-fA-F]"
_SLASHED_BYTE: Final = rf"{_SLASHES}(?:[xX]{_HEX}{{2}}|[0-3][0-7]{{2}})"
_URL_BYTE: Final = rf"%(?:25)*(?!5[cC]|26){_HEX}{{2}}"
_AND: Final = rf"(?:&|%(?:25)*26|{_SLASHES}[uU]0026)"
_END: Final = "(?:;|%(?:25)*3[bB])"
_ESCAPE: Final = re.compile(
    rf"""
      (?P<slashed>(?:{_SLASHED_BYTE})+)
    | (?P<of_url>(?:{_URL_BYTE})+)
    | {_AND} (?:
          (?:amp{_END})*
          (?:\#(?P<decimal>[0-9]{{1,7}})|\#[xX](?P<hex>{_HEX}{{1,6}})|(?P<named>[A-Za-z]{{2,8}})){_END}
      )?
    | {_SLASHES} (?:
          [uU](?P<high>[dD][89abAB]{_HEX}{{2}}){_SLASHES}[uU](?P<low>[dD][c-fC-F]{_HEX}{{2}})
        | U(?P<eight>{_HEX}{{8}}) | [uU](?P<four>{_HEX}{{4}}) | [uU]\{{(?P<braced>{_HEX}{{1,6}})\}}
        | [abfnrtvABFNRTV0]
      )?
    """,
    re.VERBOSE,
)
_BYTES: Final[Mapping[str, re.Pattern[str]]] = {
    "slashed": re.compile(_SLASHED_BYTE),
    "of_url": re.compile(_URL_BYTE),
}
_IS_OCTAL: Final = re.compile(r"[\\cC][0-3][0-7]{2}$")
_MAY_BE_ESCAPES: Final = re.compile(r"[%\\&][%\\&#;{}0-9A-Za-z]*")  # found four times as fast
_OTHER: Final = re.compile(r"[\W_]+")
_LOWER: Final = bytes(range(128)).lower() + bytes(range(128, 256))
_NO_LETTERS: Final = bytes(code for code in range(128) if not chr(code).isalnum())
_QUOTES: Final = frozenset(
    "\"'`\u00b4\u201e\u201a\u300c\u300d\u300e\u300f\uff02\uff07"
)  # and Unicode's own kinds
_SAID_BY_MANY: Final = """
a above access account additional after again all allowed also an and another any api are array as at
available be been before being below but by call can cannot change check code completion completions contact
contain contains content context could current currently data details do docs does due either empty error
errors exceed exceeded exceeds exist expected failed field file files for format found from function
functions has have help high however id if image images in information input instead integer internal into
invalid is it its key keys later least length less limit limits list long made make many max maximum may
message messages missing model models more most must name names need no not number object occurred of on one
only or organization other our out output parameter parameters per plan please processing prompt properties
property provide provided quota rate reached read received reduce remove request requested requests required
resource response retry role roles s schema see send sent server service should size so some string
supported supports t temporarily text than that the their there these they this time to token tokens too
tool tools total try type types unable unavailable unexpected unknown unsupported up url usage use used user
using valid value values was we were when which while will with without would you your
"""
_COMMON_WORDS: Final = frozenset(_SAID_BY_MANY.split())

_Span = tuple[int, int]


class _Reading(NamedTuple):
    """Words as they are compared.

    Attributes:
        text: What is compared.
        places: Where each character of it stands in the words: begin and end.
    """

    text: str
    places: list[_Span]


def texts_of(value: Any) -> Iterator[str]:
    """Every text that a prompt holds, addresses of images and names of files included.

    Args:
        value: Messages in OpenAI's chat form, or texts.
    """
    return texts_in(value, _STRUCTURE)


_STRUCTURE: Final = frozenset({"role", "type", "tool_call_id"})


def without(words: str, private: Iterable[str]) -> str:
    """Words in which a provider repeats the prompt, without the prompt.

    What goes are all pieces that are twelve characters long or longer, in any of the readings, and what
    little is between two of them. A text of less than twelve letters and digits goes where it stands whole
    and in quotes, if it is more than a word: of four letters at least, with a blank or a digit in it, or not
    all ASCII. A long text has much in common with any error: of it, a few words that errors are made of stay.

    Args:
        words: A provider's. Of very long ones only the beginning is kept.
        private: What must not be in them.
    """
    is_cut = len(words) > _MOST_WORDS
    words = words[:_MOST_WORDS]
    texts = [text for text in map(whole_text, dict.fromkeys(private)) if text]
    if not words or not texts:
        return words
    characters = list(_characters(words))
    plain = _plain_reading(characters)
    meant = [_undone(text) for text in texts]
    plains = [_plain(text) for text in meant]
    raw = _Reading(words, [(at, at + 1) for at in range(len(words))])
    runs: list[_Span] = []
    for is_long in (False, True):
        marks = bytearray(len(words))
        these = [place for place, text in enumerate(texts) if (len(text) >= _LONG) is is_long]
        _mark(marks, raw, [texts[place] for place in these])
        _mark(marks, plain, [plains[place] for place in these])
        others = [_ascii(meant[place]) for place in these if not texts[place].isascii()]
        if others:
            _mark(marks, _ascii_reading(characters), others)
        runs += (run for run in _runs(marks) if not (is_long and _is_common(words, run)))
    short = {fold for text, fold in zip(texts, plains, strict=True) if _is_short_but_telling(text, fold)}
    if short:
        runs += _quoted(characters, plain, short)
    left = _replaced(words, runs)
    if is_cut and not any(end == len(words) for _, end in runs):
        # Not in the midst of a word: it may be a key, which nobody would know any more by its beginning.
        return left.rsplit(None, 1)[0]
    return left


# The readings


def _characters(words: str) -> Iterator[tuple[str, int, int]]:
    """Each character that is meant, escapes undone, and where it stands."""
    at = 0
    for escape in _ESCAPE.finditer(words):
        yield from ((words[place], place, place + 1) for place in range(at, escape.start()))
        yield from _meant(escape)
        at = escape.end()
    yield from ((words[place], place, place + 1) for place in range(at, len(words)))


def _undone(text: str) -> str:
    """A prompt with all escapes undone, for it may hold some itself."""
    return _MAY_BE_ESCAPES.sub(lambda found: _ESCAPE.sub(_meant_alone, found[0]), text)


def _meant_alone(escape: re.Match[str]) -> str:
    if escape.lastgroup is None:  # by far the most: the ends of lines
        return " "
    return "".join(character for character, _, _ in _meant(escape))


def _meant(escape: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    begin, end = escape.span()
    name = escape.lastgroup
    match name:
        case "slashed" | "of_url":
            yield from _meant_by_bytes([*_BYTES[name].finditer(escape.string, begin, end)])
        case "low":
            yield bytes.fromhex(escape["high"] + escape["low"]).decode("utf-16-be"), begin, end
        case "named":
            known = html5.get(f"{escape[name]};")
            at = escape.start(name)
            for place, character in enumerate(known or escape[name]):
                yield (character, begin, end) if known else (character, at + place, at + place + 1)
        case None:  # the end of a line, or the like; or only a backslash
            yield " ", begin, end
        case _:
            code = int(escape[name], 10 if name == "decimal" else 16)
            yield chr(code) if code < 0x110000 else " ", begin, end


def _meant_by_bytes(escapes: list[re.Match[str]]) -> Iterator[tuple[str, int, int]]:
    """Escaped bytes are UTF-8; those that are not are characters up to U+00FF."""
    codes = bytes(
        int(each[0][-3:], 8) if _IS_OCTAL.search(each[0]) else int(each[0][-2:], 16) for each in escapes
    )
    at = 0
    while at < len(codes):
        size = 1 + (codes[at] >= 0xC2) + (codes[at] >= 0xE0) + (codes[at] >= 0xF0)
        try:
            character = codes[at : at + size].decode()
        except UnicodeDecodeError:
            character, size = chr(codes[at]), 1
        last = min(at + size, len(codes)) - 1
        yield character, escapes[at].start(), escapes[last].end()
        at = last + 1


def _plain(text: str) -> str:
    """Letters and digits, without case and accents."""
    return _ascii(text) if text.isascii() else _OTHER.sub("", normalize("NFKD", text).casefold())


def _ascii(text: str) -> str:
    """Letters and digits of ASCII, without case."""
    return text.encode("ascii", "ignore").translate(_LOWER, _NO_LETTERS).decode()


def _plain_reading(characters: Iterable[tuple[str, int, int]]) -> _Reading:
    text, places = [], []
    for character, begin, end in characters:
        for letter in _plain_of_one(character):
            text.append(letter)
            places.append((begin, end))
    return _Reading("".join(text), places)


def _plain_of_one(character: str) -> str:
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    return _OTHER.sub("", normalize("NFKD", character).casefold())


def _ascii_reading(characters: Iterable[tuple[str, int, int]]) -> _Reading:
    kept = [each for each in characters if each[0].isascii() and each[0].isalnum()]
    return _Reading("".join(each[0].lower() for each in kept), [each[1:] for each in kept])


# What both have in common


def _mark(marks: bytearray, reading: _Reading, texts: Iterable[str]) -> None:
    """Marks all characters of the words that a reading has in common with texts in the same reading."""
    words, places = reading
    wanted = {words[at : at + _LEAST] for at in range(len(words) - _LEAST + 1)}
    common = _common(words, wanted, texts)
    for at in range(len(words) - _LEAST + 1):
        if words[at : at + _LEAST] in common:
            begin, end = places[at][0], places[at + _LEAST - 1][1]
            marks[begin:end] = b"\1" * (end - begin)


def _common(words: str, wanted: set[str], texts: Iterable[str]) -> set[str]:
    """All twelve characters in a row that are wanted and stand in a text. Passes once through each."""
    pieces = {words[at : at + _PIECE] for at in range(len(words) - _PIECE + 1)}
    found: set[str] = set()
    if not wanted:
        return found
    for text in texts:
        begins = range(0, len(text) - _PIECE + 1, _STEP)
        # As a set: a text may say the same a million times.
        around = {
            text[max(0, at - _STEP + 1) : at + _LEAST] for at in begins if text[at : at + _PIECE] in pieces
        }
        for part in around:
            rows = (part[at : at + _LEAST] for at in range(len(part) - _LEAST + 1))
            found.update(row for row in rows if row in wanted and not row.isspace())
    return found


def _runs(marks: bytearray) -> Iterator[_Span]:
    at = marks.find(1)
    while at >= 0:
        end = marks.find(0, at)
        end = len(marks) if end < 0 else end
        yield at, end
        at = marks.find(1, end)


def _is_common(words: str, run: _Span) -> bool:
    """True for a few words that errors are made of: they tell nothing of a prompt."""
    begin, end = run
    if end - begin > 2 * _COMMON or sum(map(str.isalnum, words[begin:end])) >= _COMMON:
        return False
    while begin > 0 and words[begin - 1].isalnum():
        begin -= 1
    while end < len(words) and words[end].isalnum():
        end += 1
    held = _OTHER.split(words[begin:end].casefold())
    return _COMMON_WORDS.issuperset(filter(None, held))


# Short ones


def _is_short_but_telling(text: str, plain: str) -> bool:
    if len(plain) >= _LEAST:
        return False
    if not text.isascii():
        return len(plain) >= _SHORT_OTHER
    return len(plain) >= _SHORT and (len(text.split()) > 1 or any(map(str.isdigit, plain)))


def _quoted(characters: Iterable[tuple[str, int, int]], plain: _Reading, short: set[str]) -> Iterator[_Span]:
    """Where one of the short texts stands whole, with a quote before and behind."""
    quotes: list[int] = []
    passed, text = 0, plain.text
    for character, _, _ in characters:
        passed += len(_plain_of_one(character))
        is_quote = character in _QUOTES or category(character) in ("Pi", "Pf")
        if is_quote and passed not in quotes[-1:]:
            quotes.append(passed)
    for place, begin in enumerate(quotes):
        for end in quotes[place + 1 : place + _LEAST]:
            if text[begin:end] in short:
                yield plain.places[begin][0], plain.places[end - 1][1]


def _replaced(words: str, runs: Iterable[_Span]) -> str:
    merged: list[_Span] = []
    for begin, end in sorted(runs):
        if merged and begin - merged[-1][1] <= _GAP:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    stops = [0, *(place for run in merged for place in run), len(words)]
    kept = [words[begin:end] for begin, end in pairwise(stops)][::2]
    return _INSTEAD.join(kept)
