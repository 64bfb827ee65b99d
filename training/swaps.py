"""Swaps: questions that their passage no longer answers, because a name, a number or a year in them is another one."""

import re
from collections.abc import Sequence

import numpy as np

_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_NUMBER = re.compile(r"\b\d[\d,.]*\b|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred)\b")
# Capitals in the middle of a sentence: the first word is capital whatever it is.
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'’-]+(?: (?:(?:of|the|de|and) )?[A-Z][\w'’-]+)*")
_PATTERNS = (_YEAR, _NUMBER, _NAME)
_TRIES = 5


class Swapper:
    """Swaps what a question names for what another question of the same kind names."""

    def __init__(self, questions: Sequence[str]) -> None:
        """Collect what there is to swap from `questions`, in their order."""
        self._known = [
            sorted({match for text in questions for match in pattern.findall(text)}) for pattern in _PATTERNS
        ]

    def swap(self, question: str, passage: str, random: np.random.Generator, *, nearby: str = "") -> str | None:
        """Return the question with one thing in it swapped for one that the passage does not hold, or None.

        What the text `nearby` names is taken first: it is what such a question might as well be about.
        """
        places = [
            (match, pattern, known)
            for pattern, known in zip(_PATTERNS, self._known, strict=True)
            for match in pattern.finditer(question)
        ]
        if not places:
            return None
        match, pattern, everywhere = places[int(random.integers(len(places)))]
        for known in (sorted(set(pattern.findall(nearby))), everywhere):
            for _ in range(_TRIES if known else 0):
                other: str = known[random.integers(len(known))]
                if other.casefold() not in passage.casefold() and other.casefold() not in question.casefold():
                    return question[: match.start()] + other + question[match.end() :]
        return None
