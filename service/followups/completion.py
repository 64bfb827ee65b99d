"""Completion: a fragment put into the question before, in the place of what is like it."""

import re
from collections.abc import Iterator

from service.followups.exchange import Exchange
from service.followups.mentions import names
from service.followups.utterance import PREPOSITIONS, WORD, Question, bare, has_verb, is_verb, parts

_CONTRAST = re.compile(r"(?P<right>.+?),? (?:not|instead of|rather than) (?P<wrong>.+)", re.IGNORECASE)
_THE_ONE = re.compile(r"(?:the )?ones? ", re.IGNORECASE)
_SUCH_A_ONE = re.compile(r"(?:the )?(\w+) ones?", re.IGNORECASE)
_YEAR = re.compile(r"\b\d{4}\b")
_DESCRIBED = re.compile(r"\bthe [a-z]+(?: [a-z]+)*?(?=$| of\b)")
_LONGEST_ANSWER = 60
_IDENTITY = frozenset(("who", "which", "what"))
_BEING = frozenset(("is", "was", "are", "were"))


def completed(text: str, before: Exchange) -> list[str]:
    """Return what a fragment may ask: "and how many fire trucks", "what about Japan", "since when", "in 2024"."""
    asked = parts(text)
    return [asking(asked, before)] if asked.word else _substituted(text, before)


def corrected(text: str, before: Exchange) -> list[str]:
    """Return the question before with what was corrected: "I meant the one in Japan", "mechanics, not helicopters"."""
    contrast = _CONTRAST.fullmatch(text)
    if contrast is None:
        return [text] if parts(text).word else _substituted(text, before)
    wrong = re.compile(rf"\b{re.escape(bare(contrast['wrong']))}\b", re.IGNORECASE)
    if wrong.search(before.question):
        return [wrong.sub(lambda _: bare(contrast["right"]), before.question, count=1)]
    return _substituted(contrast["right"], before)


def asking(asked: Question, before: Exchange) -> str:
    """Return the question before, asking for something else: "how many blankets", "since when", "which minister"."""
    old, phrase = before.asked, f"{asked.phrase} {asked.rest}".strip()
    is_same_kind = asked.word.lower() == old.word.lower() and (asked.noun or not old.noun)
    if is_same_kind or (asked.noun and asked.word.split()[0].lower() not in PREPOSITIONS):
        return f"{phrase} {old.rest}"
    # What was asked for before is part of what is known now, or at least its kind is.
    known = before.answer if 0 < len(before.answer) < _LONGEST_ANSWER else old.noun
    if old.asks_subject:
        return f"{phrase} {known} {old.rest}"
    being, _, described = old.rest.partition(" ")
    if old.word.lower() in _IDENTITY and being.lower() in _BEING and not has_verb(described):
        return f"{phrase} {being} {known} {described}"
    return f"{phrase} {old.rest} {old.noun}"


def _substituted(text: str, before: Exchange) -> list[str]:
    """Return the question before with these words in the place of what is like them, or added to it."""
    words = _THE_ONE.sub("", text) if _THE_ONE.match(text) else text
    question = before.question
    first, _, rest = words.partition(" ")
    if first.lower() in PREPOSITIONS and rest:
        places = _phrases(question, first)
        found = [f"{question[:begin]}{words}{question[end:]}" for begin, end in places][:1]
        return found or [f"{question} {words}", *_replaced(rest, before)]
    return _replaced(words, before) or [f"{question} {words}"]


def _phrases(question: str, preposition: str) -> Iterator[tuple[int, int]]:
    """Yield where phrases with this preposition begin and end in a question, the last one first."""
    found = list(re.finditer(rf"\b{re.escape(preposition)}\b", question, re.IGNORECASE))
    for match in reversed(found):
        following = WORD.finditer(question, match.end())
        stops = (each.start() for each in following if each[0].lower() in PREPOSITIONS | {"and"} or is_verb(each[0]))
        end = next(stops, len(question))
        yield match.start(), match.start() + len(question[match.start() : end].rstrip())


def _put_for_its_like(words: str, question: str) -> str:
    """Return the question with "the new town" for "the old town", "the new one" for "the old fleet", or ""."""
    one = _SUCH_A_ONE.fullmatch(words)
    if one is None and bare(words) == words:
        return ""
    head = r"[a-z]+" if one is not None else re.escape(words.rsplit(maxsplit=1)[-1])
    like = re.search(rf"\bthe \w+ (?P<head>{head})\b", question)
    if like is None:
        return ""
    put = words if one is None else f"the {one[1]} {like['head']}"
    return f"{question[: like.start()]}{put}{question[like.end() :]}"


def _replaced(words: str, before: Exchange) -> list[str]:
    """Return the question before with a noun phrase in the place of a year, a name or the noun that it asks for."""
    question, asked = before.question, before.asked
    if alike := _put_for_its_like(words, question):
        return [alike]
    if _YEAR.search(words):
        return [_YEAR.sub(lambda _: words, question, count=1)] if _YEAR.search(question) else []
    if names(words):
        return [question.replace(each, words, 1) for each in names(question) if each != words]
    if asked.noun:
        return [f"{asked.word} {words} {asked.rest}"]
    # "And the deputy prime minister?" after "Who is the chief of the agency?"
    described = _DESCRIBED.search(question)
    if described is not None:
        return [f"{question[: described.start()]}{words}{question[described.end() :]}"]
    return [question.replace(each, words, 1) for each in names(question)]
