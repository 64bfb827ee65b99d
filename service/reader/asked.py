"""What is asked for: a fact, several things, or yes or no. It decides the form of the answer, never its place."""

import re
from enum import Enum

_YES_NO = re.compile(
    r"(?:and |but |so |or )?"
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)(?:n['’]t)?\b",
    re.IGNORECASE,
)
# "Was it A or B?" asks for one of them.
_CHOICE = re.compile(r"\bor\b", re.IGNORECASE)
_AUXILIARIES = frozenset(
    "is are was were am do does did has have had can could will would shall should may might must".split()
)
_PLURAL_AUXILIARIES = frozenset({"are", "were"})
_NUMBERS = frozenset("two three four five six seven eight nine ten several".split())
_PLURAL = re.compile(r"(?!species|series|news|means)\w+[^\Wsui]s|people|media|men|women|children", re.IGNORECASE)
_ASKS_WHICH = re.compile(r"\b(?:which|what|who|whom)\b", re.IGNORECASE)
_NEAR = 5


class Asked(Enum):
    """The form that an answer takes."""

    FACT = "fact"
    SEVERAL = "several"
    YES_NO = "yes or no"


def asked_for(question: str) -> Asked:
    """Return what an English question asks for, by its first words."""
    text = question.strip()
    if _YES_NO.match(text) and not _CHOICE.search(text):
        return Asked.YES_NO
    if match := _ASKS_WHICH.search(text):
        words = re.findall(r"\w+", text[match.end() :].lower())[: _NEAR + 1]
        return Asked.SEVERAL if _several(match.group().lower(), words) else Asked.FACT
    return Asked.FACT


def _several(asks: str, words: list[str]) -> bool:
    """Whether "which", "what" or "who", followed by these words, asks for more than one thing."""
    if not words:
        return False
    if words[0] in _AUXILIARIES:
        plural = words[0] in _PLURAL_AUXILIARIES
        return plural and (asks.startswith("who") or any(_PLURAL.fullmatch(word) for word in words[1:]))
    if words[0] in _NUMBERS or (words[0] == "the" and words[1:2] and words[1] in _NUMBERS):
        return True
    place = next((number for number, word in enumerate(words) if word in _AUXILIARIES), None)
    if place is not None:
        return _PLURAL.fullmatch(words[place - 1]) is not None
    return asks != "what" and any(_PLURAL.fullmatch(word) for word in words[:3])


# What separates the members of an enumeration: ", ", ", and ", " and ", " as well as ", " & ", "; ".
_SEPARATOR = re.compile(r"\s*[,;]\s+(?:and\s+|or\s+|as well as\s+|&\s+)?|\s+(?:and|or|as well as|&)\s+")
_LONGEST_MEMBER = 8
_OPENERS, _CLOSERS = "([{“«", ")]}”»"


def members(text: str) -> list[tuple[int, int]]:
    """Return the offsets of the members of an enumeration ("France, Hungary and Japan"); of the whole where it is none.

    Nothing is taken apart inside brackets or quotation marks.
    """
    found: list[tuple[int, int]] = []
    begin = 0
    for match in _SEPARATOR.finditer(text):
        before = text[: match.start()]
        nested = sum(before.count(each) for each in _OPENERS) != sum(before.count(each) for each in _CLOSERS)
        if match.start() > begin and not nested and before.count('"') % 2 == 0:
            found.append((begin, match.start()))
            begin = match.end()
    found.append((begin, len(text)))
    if len(found) < 2 or any(not 0 < len(text[start:end].split()) <= _LONGEST_MEMBER for start, end in found):
        return [(0, len(text))]
    return found
