"""What is asked for: a fact, several things, or yes or no. It decides the form of the answer, never its place."""

import re
from enum import Enum

# What goes before the question itself.
_POLITE = re.compile(
    r"(?:(?:and|but|so|or|please)[ ,]+)*"
    r"(?:(?:(?:can|could|would|will) you (?:please )?|please )?(?:tell me|say|give me|show me|explain)"
    r"|do you (?:happen to )?know|i(?: would|['’]d)? (?:like|want) to know)\b(?: please)?[ ,:]*",
    re.IGNORECASE,
)
_LEADING = re.compile(r"(?:(?:and|but|so|or|please)[ ,]+)+", re.IGNORECASE)
_YES_NO = re.compile(
    r"(?:(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)(?:n['’]t)?"
    r"|(?:wo|ca|sha)n['’]t|whether|if)\b(?!\s*\d)",
    re.IGNORECASE,
)
# "Was it A or B?" asks for one of them; "Does it say when they met?" asks when they met.
_NOT_YES_NO = re.compile(
    r"\bor\b|\b(?:say|says|tell|tells|know|known|mention|mentioned|stated?|reveal|revealed|explain|explained|clear)"
    r" (?:us |me )?(?:what|which|who|whom|whose|when|where|why|how)\b",
    re.IGNORECASE,
)
# "In which countries", and "List the countries".
_ASKS = re.compile(
    r"(?:(?:in|on|at|by|to|from|with|for|of|under|during|after|before|between|among|about|through) )?"
    r"(?P<asks>which|what|whom?)\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_LIST = re.compile(
    r"(?:(?:can|could|would|will) you (?:please )?)?(?:list|name|enumerate)\b(?P<rest>.*)", re.I | re.DOTALL
)
_AUXILIARIES = frozenset(
    "is are was were am do does did has have had can could will would shall should may might must".split()
)
_PLURAL_AUXILIARIES = frozenset({"are", "were"})
_NUMBERS = frozenset("two three four five six seven eight nine ten several".split())
_ADJECTIVES = frozenset("other foreign major main large different new joint military local public key".split())
_PREPOSITIONS = frozenset(
    "of in on at by to from with for under during after before between among about that who".split()
)
_PLURAL = re.compile(r"(?!species|series|news|means)\w+[^\Wsui]s|people|media|men|women|children", re.IGNORECASE)
_NEAR = 6


class Asked(Enum):
    """The form that an answer takes."""

    FACT = "fact"
    SEVERAL = "several"
    YES_NO = "yes or no"


def asked_for(question: str) -> Asked:
    """Return what an English question asks for, by its first words."""
    text = question.strip()
    polite = _POLITE.match(text) or _LEADING.match(text)
    if polite and polite.end() < len(text):
        text = text[polite.end() :]
    if match := _LIST.match(text):
        several = any(_PLURAL.fullmatch(word) for word in re.findall(r"\w+", match["rest"])[:_NEAR])
        return Asked.SEVERAL if several else Asked.FACT
    if _YES_NO.match(text):
        return Asked.FACT if _NOT_YES_NO.search(text) else Asked.YES_NO
    if match := _ASKS.match(text):
        words = re.findall(r"\w+", match["rest"])[:_NEAR]
        return Asked.SEVERAL if words and _several(match["asks"].lower(), words) else Asked.FACT
    return Asked.FACT


def _several(asks: str, words: list[str]) -> bool:
    """Whether "which", "what" or "who", followed by these words, asks for more than one thing."""
    first = words[0].lower()
    if first in _AUXILIARIES:
        named = _until(words[1:], _PREPOSITIONS)
        return first in _PLURAL_AUXILIARIES and any(_PLURAL.fullmatch(word) for word in named)
    if asks.startswith("who"):
        return False
    if first in _NUMBERS or (first == "the" and words[1:2] and words[1].lower() in _NUMBERS):
        return True
    named = _until(words, _AUXILIARIES | _PREPOSITIONS)
    if not named:
        return False
    if any(word.lower() in _AUXILIARIES for word in words):
        return _PLURAL.fullmatch(named[-1]) is not None
    # "Which countries sent help?", but not "Which company makes trucks?"
    adjectives = next((n for n, word in enumerate(named) if not (word[0].isupper() or word in _ADJECTIVES)), len(named))
    return asks == "which" and any(_PLURAL.fullmatch(word) for word in named[adjectives : adjectives + 1])


def _until(words: list[str], ends: frozenset[str]) -> list[str]:
    end = next((number for number, word in enumerate(words) if word.lower() in ends), len(words))
    return words[:end]


# What separates the members of an enumeration: ", ", ", and ", " and ", " as well as ", " & ", "; ".
_SEPARATOR = re.compile(r"\s*[,;]\s+(?:and\s+|or\s+|as well as\s+|&\s+)?|\s+(?:and|or|as well as|&)\s+")
_LONGEST_MEMBER = 8
_OPENERS, _CLOSERS = "([{“«", ")]}”»"


def members(text: str) -> list[tuple[int, int]]:
    """Return the offsets of the members of an enumeration ("France, Hungary and Japan"); of the whole where it is none.

    Nothing is taken apart inside brackets or quotation marks. A mark whose other half stands elsewhere
    is left out.
    """
    found: list[tuple[int, int]] = []
    begin = 0
    for match in _SEPARATOR.finditer(text):
        before = text[: match.start()]
        nested = sum(before.count(each) for each in _OPENERS) != sum(before.count(each) for each in _CLOSERS)
        if match.start() > begin and not nested and not _is_quoting(before):
            found.append(_unquoted(text, begin, match.start()))
            begin = match.end()
    found.append(_unquoted(text, begin, len(text)))
    if len(found) < 2 or any(not 0 < len(text[start:end].split()) <= _LONGEST_MEMBER for start, end in found):
        return [(0, len(text))]
    return found


def _is_quoting(text: str) -> bool:
    """Whether a text ends inside straight quotation marks: the last of them stands where one opens, behind no word."""
    last = text.rfind('"')
    return last >= 0 and (last == 0 or text[last - 1].isspace() or text[last - 1] in _OPENERS)


def _unquoted(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the edges of `text[start:end]` without a straight quotation mark there that has no other half."""
    if text.count('"', start, end) % 2:
        if text[start] == '"':
            return start + 1, end
        if text[end - 1] == '"':
            return start, end - 1
    return start, end
