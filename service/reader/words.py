"""Words of answers: when two answers are the same one."""

import re
from collections.abc import Iterable

from index.words import words_of

_ARTICLES = frozenset({"a", "an", "the"})
_NUMBER_WORDS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion"
    " first second third fourth fifth sixth seventh eighth ninth tenth".split()
)
MONTHS = frozenset("january february march april may june july august september october november december".split())
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_MINUS = re.compile(r"(?<!\w)[-\u2212](?=\d)")
_PER_CENT = re.compile(r"\s?(?:%|per ?cent\b)", re.IGNORECASE)
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}
_MONEY = re.compile(r"(?:US|A|C)?([$€£¥])\s?(\d[\d.,]*\d|\d)((?:\s(?:hundred|thousand|million|billion|trillion))?)")
_DOLLARS = re.compile(r"\bUS (?=dollars?\b)", re.IGNORECASE)


def answer_words(text: str) -> tuple[str, ...]:
    """Return what is compared of an answer: its words without articles, in lower case.

    Numbers come without commas, with their sign and per cent sign; money as people say it ("$42": "42 dollars").
    """
    text = _MONEY.sub(lambda match: f"{match[2]}{match[3]} {_CURRENCIES[match[1]]}", _THOUSANDS.sub("", text))
    text = _PER_CENT.sub("percent", _MINUS.sub("minus", _DOLLARS.sub("", text)))
    return tuple(word for word in words_of(text) if word not in _ARTICLES)


def same_answer(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether two answers, given as their words, say the same: equal, or one a part of the other with equal numbers.

    "Battulga" and "Khaltmaa Battulga" are the same, and so are "42" and "42 fire trucks", "May 2019" and "5 May 2019";
    "two" and "twenty-two" are not, nor "2019" and "June 2020".
    """
    shorter, longer = sorted((first, second), key=len)
    if not shorter:
        return not longer
    if shorter[0] not in longer:
        return False
    places = range(len(longer) - len(shorter) + 1)
    if not any(longer[place : place + len(shorter)] == shorter for place in places):
        return False
    numbers = numbers_of(shorter)
    return not numbers or numbers == numbers_of(longer) or _is_month(shorter)


def repeats(words: tuple[str, ...], told: tuple[str, ...], following: tuple[str, ...] = ()) -> bool:
    """Whether an answer, given as its words and those that follow it, names again what was told.

    Equal numbers do where they are of the same thing: "12" before "training courses" repeats "12 training courses",
    but neither "12" before "helicopters" nor "12" alone does.
    """
    if not told or not same_answer(words, told):
        return False
    if not numbers_of(words):
        return True
    whole = (*words, *following)[: len(told)]
    return len(told) > len(numbers_of(told)) and whole == told


def _is_month(words: tuple[str, ...]) -> bool:
    """Whether the words are a month of a year; a date in it only says more."""
    return len(words) == 2 and words[0] in MONTHS and len(words[1]) == 4 and words[1].isdigit()


def numbers_of(words: Iterable[str]) -> set[str]:
    """Return those of some words, in lower case, that are numbers or hold digits."""
    return {
        word
        for word in words
        if word in _NUMBER_WORDS or (not word.isalpha() and any(character.isdigit() for character in word))
    }
