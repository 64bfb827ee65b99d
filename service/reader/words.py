"""Words of answers: when two answers are the same one."""

import re

from index.words import words_of

_ARTICLES = frozenset({"a", "an", "the"})
_NUMBER_WORDS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion"
    " first second third fourth fifth sixth seventh eighth ninth tenth".split()
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")


def answer_words(text: str) -> tuple[str, ...]:
    """Return what is compared of an answer: its words without articles, in lower case, thousands without commas."""
    return tuple(word for word in words_of(_THOUSANDS.sub("", text)) if word not in _ARTICLES)


def same_answer(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether two answers, given as their words, say the same: equal, or one a part of the other with equal numbers.

    "Battulga" and "Khaltmaa Battulga" are the same, and so are "42" and "42 fire trucks"; "two" and "twenty-two" are
    not, nor "2019" and "June 2020".
    """
    shorter, longer = sorted((first, second), key=len)
    if not shorter:
        return not longer
    places = range(len(longer) - len(shorter) + 1)
    if not any(longer[place : place + len(shorter)] == shorter for place in places):
        return False
    numbers = _numbers(shorter)
    return not numbers or numbers == _numbers(longer)


def _numbers(words: tuple[str, ...]) -> set[str]:
    return {word for word in words if word in _NUMBER_WORDS or any(character.isdigit() for character in word)}
