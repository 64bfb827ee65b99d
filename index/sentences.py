"""Sentences: where they end in running text, with exact offsets.

A rule-based splitter for the sake of offsets and speed: every sentence is a range of the text it came from, nothing is
normalised, and the ranges together hold all that is not white space. The rules know English abbreviations, initials
("Ts. Byambajav"), enumerations, and the full-width end marks of Chinese and Japanese.
"""

import re
from collections.abc import Iterator

_END_MARKS = ".!?…。！？｡"
_WIDE_END_MARKS = "。！？｡"
_CLOSERS = "\"'”’»)]}›」』）*_"

_CANDIDATE = re.compile(rf"[{re.escape(_END_MARKS)}]+[{re.escape(_CLOSERS)}]*")
_ENDS_SENTENCE = re.compile(rf"[{re.escape(_END_MARKS)}][{re.escape(_CLOSERS)}]*$")
_LAST_WORD = re.compile(r"[\w.]+$")
_FIRST_WORD = re.compile(r"\w+")
_INITIAL = re.compile(r"(?:[^\W\d_]|[A-Z][bcdfghjklmnpqrstvwxz]{1,2})")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")

# Words that stand before a full stop without ending a sentence, whatever follows.
_ABBREVIATIONS = frozenset(
    "adm approx brig capt cf cmdr col dept e.g ed eds fig figs gen gov hon i.e inc lt maj messrs mme mr mrs ms mt"
    " nos op pp prof pvt ref rep rev sen sgt st supt viz vol vols vs".split()
)
# These are followed by a number when they are abbreviations ("No. 78", "Art. 5"), and are words otherwise.
_NUMBER_ABBREVIATIONS = frozenset("art ca ch eq no p para sec".split())
# Acronyms with full stops may end a sentence; they do when what follows can only begin one.
_SENTENCE_STARTERS = frozenset(
    "A After Although An And As At But By During For From He Her His How I If In It Its My No On Our She Since So Some"
    " That The Their Then There These They This Those To We What When Where While Who Why With You Your".split()
)
_LOOK_BEHIND = 40


def ends_sentence(text: str) -> bool:
    """Whether `text` stops at an end mark, closing quotes and brackets aside."""
    return _ENDS_SENTENCE.search(text[-12:]) is not None


def split_sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the sentences of `text[start:end]` as (start, end), offsets into `text`, without white space around them.

    White space of any kind, line breaks included, stands between words: give it one paragraph at a time.
    """
    begin = start
    for match in _CANDIDATE.finditer(text, start, end):
        if _is_boundary(text, begin, match, end):
            yield from _trimmed(text, begin, match.end())
            begin = match.end()
    yield from _trimmed(text, begin, end)


def _is_boundary(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    mark = match.group()
    after = match.end()
    if after == end or any(wide in mark for wide in _WIDE_END_MARKS):
        return True
    if not text[after].isspace():
        return False
    following = text[after : min(end, after + 60)].lstrip()
    if not following:
        return True
    opened = following.lstrip("\"'“‘«([{‹「『（¿¡*_-–— ")
    if not opened or opened[0].islower():
        # Not even "Yahoo! is" and "he asked?" said she: what goes on in lower case is the same sentence.
        return not opened
    if mark[0] != "." or mark.startswith(".."):
        return True
    return not _is_abbreviation(text, begin, match.start(), opened)


def _is_abbreviation(text: str, begin: int, stop: int, following: str) -> bool:
    """Whether the full stop at `stop` belongs to the word before it."""
    found = _LAST_WORD.search(text, max(begin, stop - _LOOK_BEHIND), stop)
    if found is None:
        return False
    word = found.group()
    lower = word.lower()
    if lower in _ABBREVIATIONS:
        return True
    if lower in _NUMBER_ABBREVIATIONS:
        return following[0].isdigit()
    if word.isdigit() and len(word) <= 3:
        # An enumeration's number ("carried out: 1. The ..."), not a number at a sentence's end.
        before = text[max(begin, found.start() - _LOOK_BEHIND) : found.start()].rstrip()
        return not before or before[-1] in ":;"
    starter = _FIRST_WORD.match(following)
    begins_sentence = starter is not None and starter.group() in _SENTENCE_STARTERS
    if _DOTTED.fullmatch(word):
        return lower not in ("a.m", "p.m") and not begins_sentence
    return _INITIAL.fullmatch(word) is not None and word[0].isupper() and not begins_sentence


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
