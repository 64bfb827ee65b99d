"""Wording: questions as they are typed in a hurry: with a slip of the finger, or without the small words."""

import re

import numpy as np

from index.words import STOP_WORDS

_WORD = re.compile(r"[A-Za-z]{4,}")
_FEWEST_KEYWORDS = 3


def mistyped(question: str, random: np.random.Generator) -> str:
    """Return the question with one letter of one word left out, doubled, replaced or swapped with the next one.

    Four of five misspelt words differ by one such slip (Damerau 1964). The first letter, and words of fewer than four,
    are hardly ever wrong, and stay.
    """
    words = list(_WORD.finditer(question))
    if not words:
        return question
    word = words[random.integers(len(words))]
    place = int(random.integers(word.start() + 1, word.end() - 1))
    here, after = question[place], question[place + 1]
    slips = ("", here + here, chr(int(random.integers(ord("a"), ord("z") + 1))))
    kind = int(random.integers(len(slips) + 1))
    if kind == len(slips):
        return question[:place] + after + here + question[place + 2 :]
    return question[:place] + slips[kind] + question[place + 1 :]


def keywords(question: str) -> str:
    """Return the words of the question that mean something by themselves, or the question where too few are left."""
    kept = [
        stripped
        for stripped in (word.strip(".,;:?!\"'()") for word in question.split())
        if stripped and stripped.casefold() not in STOP_WORDS
    ]
    return " ".join(kept) if len(kept) >= _FEWEST_KEYWORDS else question
