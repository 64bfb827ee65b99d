"""Edges: where a span begins and ends so that a person would have cut it there too."""

import re
import unicodedata

_OPENING = {"(": ")", "[": "]", "{": "}", "“": "”", "‘": "’", "«": "»"}
_CLOSING = {closing: opening for opening, closing in _OPENING.items()}
_STRAIGHT = '"'
# At an edge these say nothing; signs that belong to a number (%, $, °, +) stay.
_LOOSE = frozenset(".,;:!?…·•-–—/\\|*_~`'’")
_CURRENCY = frozenset("$€£¥₮₽₩₹¢")
_INSIDE_NUMBERS = frozenset(".,:")
# A period that ends one of these belongs to it: initials, "U.S.", "p.m.", "Inc.".
_ABBREVIATION = re.compile(
    r"(?:\b(?:[^\W\d_]\.){2,}|\b(?:Inc|Ltd|Co|Corp|Jr|Sr|Bros|etc)\.)$",
    re.IGNORECASE,
)
# The full stop after the last letter of these belongs to them wherever they stand.
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}$")
# What a bare number cannot stand without: its magnitude, and then its unit.
_MAGNITUDE = re.compile(r"[ \u00a0-]?(?:hundred|thousand|million|billion|trillion)(?!\w)", re.IGNORECASE)
_UNIT = re.compile(
    r"[ \u00a0-]?(?:percent|per cent|%|°[CF]?"
    r"|(?:(?:US|[A-Z][a-z]+) )?(?:dollars?|euros?|pounds|yen|yuan|rupees|rubles|roubles|francs|tugriks?))(?!\w)"
)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the edges of `text[start:end]`, moved to where they make sense; an empty span where nothing is left.

    No word and no number is cut in two. A number keeps its sign and its magnitude. Brackets and quotation marks stand
    in pairs or not at all. No punctuation is left over at either edge.
    """
    start, end = _whole_words(text, start, end)
    start, end = _bare(text, start, end)
    start, end = _paired(text, start, end)
    start, end = _bare(text, start, end)
    if start < end and text[end : end + 1] == "." and _DOTTED.search(text, start, end + 1):
        end += 1
    return _whole_number(text, start, end)


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    if start >= end:
        return start, start
    while start > 0 and _joined(text, start):
        start -= 1
    while end < len(text) and _joined(text, end):
        end += 1
    return start, end


def _joined(text: str, place: int) -> bool:
    """Whether the characters before and at `place` belong to one word or one number."""
    before, after = text[place - 1], text[place]
    if _in_word(before) and _in_word(after):
        return True
    if before.isdigit() and after in _INSIDE_NUMBERS:
        return place + 1 < len(text) and text[place + 1].isdigit()
    return before in _INSIDE_NUMBERS and after.isdigit() and place > 1 and text[place - 2].isdigit()


def _in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and _is_loose(text[start]) and not _is_sign(text, start):
        start += 1
    while end > start and _is_loose(text[end - 1]) and not _belongs(text, start, end):
        end -= 1
    return start, end


def _belongs(text: str, start: int, end: int) -> bool:
    """Whether the last sign of a span is the period of an abbreviation, or closes a quotation that begins in it."""
    if _ABBREVIATION.search(text, start, end):
        return True
    opening, _, _ = _lone(text, start, end - 1)
    return opening is not None and text[end - 1] == _OPENING[text[opening]]


def _is_loose(character: str) -> bool:
    return character in _LOOSE or character.isspace()


def _is_sign(text: str, place: int) -> bool:
    """Whether the character is the sign of a negative number, or the point of one below 1."""
    followed = place + 1 < len(text) and text[place + 1].isdigit()
    return text[place] in "-–.'’" and followed and (place == 0 or text[place - 1].isspace())


def _paired(text: str, start: int, end: int) -> tuple[int, int]:
    """Drop marks at the edges that lack their other half, or take that in where it stands right beside the span.

    What was dropped is not taken in again: where marks cross ("([)]"), that would go on for ever.
    """
    first, last = 0, len(text)
    while start < end:
        lone_opening, lone_closing, lone_straight = _lone(text, start, end)
        lone = (lone_opening, lone_closing, lone_straight)
        if start in lone:
            start = first = start + 1
        elif end - 1 in lone:
            end = last = end - 1
        elif lone_opening is not None and end < last and text[end] == _OPENING[text[lone_opening]]:
            end += 1
        elif lone_closing is not None and start > first and text[start - 1] == _CLOSING[text[lone_closing]]:
            start -= 1
        elif lone_straight is not None and end < last and text[end] == _STRAIGHT:
            end += 1
        elif lone_straight is not None and start > first and text[start - 1] == _STRAIGHT:
            start -= 1
        else:
            break
        begin, stop = _bare(text, start, end)
        first = begin if begin > start else first
        last = stop if stop < end else last
        start, end = begin, stop
    return start, end


def _lone(text: str, start: int, end: int) -> tuple[int | None, int | None, int | None]:
    """Return the places of an opening mark, a closing mark and a straight quote that have no partner in the span."""
    waiting: list[int] = []
    closing: int | None = None
    straight = [place for place in range(start, end) if text[place] == _STRAIGHT]
    for place in range(start, end):
        character = text[place]
        if character in _OPENING:
            waiting.append(place)
        elif character in _CLOSING and not (character == "’" and _is_apostrophe(text, place)):
            if waiting and _OPENING[text[waiting[-1]]] == character:
                waiting.pop()
            elif character != "’" and closing is None:
                closing = place
    return (waiting[-1] if waiting else None), closing, (straight[-1] if len(straight) % 2 else None)


def _is_apostrophe(text: str, place: int) -> bool:
    return 0 < place < len(text) - 1 and text[place - 1].isalnum() and text[place + 1].isalnum()


def _whole_number(text: str, start: int, end: int) -> tuple[int, int]:
    """Take in the currency before a number, and its magnitude and its unit after it."""
    if start >= end:
        return start, start
    if text[start].isdigit() and start and text[start - 1] in _CURRENCY:
        start -= 1
    if start and text[start].isdigit() and _is_sign(text, start - 1):
        start -= 1
    last = text[start:end].rsplit(None, 1)[-1]
    if text[end - 1].isdigit() and (match := _MAGNITUDE.match(text, end)):
        end = match.end()
    elif not text[end - 1].isdigit() and not _MAGNITUDE.fullmatch(last):
        return start, end
    if match := _UNIT.match(text, end):
        end = match.end()
    return start, end
