"""Antecedents: what "it", "they", "there" and "then" mean after an exchange."""

import re
from dataclasses import dataclass

from service.followups.exchange import Exchange
from service.followups.mentions import is_person, names, topic
from service.followups.phrases import NounPhrase, extended, noun_phrases
from service.followups.utterance import PREPOSITIONS, Question, bare
from service.reader.words import MONTHS

_BEING = ("is ", "are ", "was ", "were ")
_PAIR = re.compile(r"\b[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)* and [A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*")
_PLACE_NOUN = re.compile(
    r"\b(?:city|town|village|country|state|district|region|province|prefecture|county|place|capital|street)\b"
)
_TIME = re.compile(
    r"(?:(?:in|on|at|around|about|since|from|by|until) )?(?:the )?(?:(?:early|late|mid-?)\s?)?"
    rf"(?:(?:{'|'.join(sorted(MONTHS))})\b.*|\d{{1,2}}(?:st|nd|rd|th)?\b(?: of)? (?:{'|'.join(sorted(MONTHS))})\b.*"
    r"|(?:1[5-9]|20)\d\ds?|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b.*|\d{1,2}(?:st|nd|rd|th))",
    re.IGNORECASE,
)
_TIME_PHRASE = re.compile(r"\b(?:in|on|since|during) (?:[A-Z]\w+ )?(?:\d{1,2}, )?(?:1[5-9]|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class _Mention:
    """Something that an exchange speaks of, and how likely a pronoun means it."""

    words: str
    score: float


# What is asked for with these is said of something, and that is what is spoken of.
_QUALITIES = frozenset(
    "colour color shade size shape age height length width depth weight speed price rank grade language nationality"
    " religion material style mood condition sort kind type".split()
)


def thing(before: Exchange) -> str:
    """Return what "it" means: what was answered, or the thing that the question before is about."""
    found = [_Mention(each, score) for each, score in _things(before)]
    if before.thing:
        is_quality = before.asked.noun.lower() in _QUALITIES
        found.append(_Mention(before.thing, 1.5 if is_quality or _asks_place(before.asked) else 4.0))
    if before.focus:
        found.append(_Mention(before.focus, 3.5))
    best = max(found, key=lambda each: each.score, default=None)  # the first of equals
    return best.words if best is not None else ""


def _asks_place(asked: Question) -> bool:
    """Whether a question asks where something is: "where", "in which city"; not "which city was hit"."""
    first, _, rest = asked.word.lower().partition(" ")
    return first == "where" or (bool(rest) and first in PREPOSITIONS and bool(_PLACE_NOUN.search(asked.noun.lower())))


def _things(before: Exchange) -> list[tuple[str, float]]:
    """Return the things of the question before, each with how likely it is meant by "it"."""
    found: list[tuple[str, float]] = []
    if before.asked.noun and before.answer and not before.thing and not before.counted:
        # "Which version of the book came out in May?", "3.2"
        found.append((f"{before.asked.noun} {before.answer}", 2.5))
    phrases = [each for each in _behind(before) if not each.is_year and not each.is_number]
    subject = topic(before.asked)
    for each in phrases:
        words = extended(each, phrases, before.question)
        score = 2.0 if each.determiner else 0.5
        score += 0.5 if subject and bare(subject).startswith(bare(each.words)) else 0.0
        score += 1.0 if each.determiner in ("a", "an") else 0.0
        score -= 1.5 if each.is_plural else 0.0
        score -= 1.0 if each.preposition else 0.0
        score -= 3.0 if each.words in before.people else 0.0
        found.append((f"the {bare(words)}" if each.determiner in ("a", "an") else words, score))
    return found


def several(before: Exchange) -> str:
    """Return what "they" means: what was counted, several that are named together, or what the exchange is about."""
    if before.counted:
        return f"the {before.asked.noun}"
    if " and " in before.answer and is_person(before.answer, before.asked):
        return before.answer
    answered = noun_phrases(before.answer)
    if before.thing and (" and " in before.answer or (answered and answered[0].is_plural)):
        return before.thing
    pair = _PAIR.search(before.question)
    if pair is not None:
        return pair[0]
    phrases = noun_phrases(before.question)
    plurals = [each for each in phrases if each.is_plural]
    if not plurals:
        return thing(before) or before.answer
    plural = max(plurals, key=lambda each: (bool(each.determiner) - bool(each.preposition), each.start))
    words = extended(plural, phrases, before.question)
    return words if plural.determiner else f"the {words}"


def place(before: Exchange) -> str:
    """Return what "there" means, with a preposition: the place that was answered, or that of what it is asked for."""
    asked = before.asked
    if asked.word.lower() == "where" and asked.rest.lower().startswith(_BEING):
        return f"at {topic(asked)}"
    if before.thing and (asked.noun or asked.word.lower().endswith("where")):
        return before.thing if before.thing.split()[0].lower() in PREPOSITIONS else f"in {before.thing}"
    located = re.search(r"\b(?:in|at|to|near) (?:the )?(?=[A-Z])", before.question)
    found = names(before.question[located.end() :]) if located is not None else []
    everywhere = [*found, *names(before.question)[::-1], *before.names]
    return next((f"in {each}" for each in everywhere if each.lower() not in MONTHS), "")


def time(before: Exchange) -> str:
    """Return what "then" means, with a preposition: the time that was answered, or that of the question before."""
    if _TIME.fullmatch(before.answer):
        first = before.answer.split()[0].lower()
        is_day = bool(re.search(r"\b\d{1,2}\b|day\b|\d(?:st|nd|rd|th)\b", before.answer))
        return before.answer if first in PREPOSITIONS else f"{'on' if is_day else 'in'} {before.answer}"
    found = _TIME_PHRASE.search(before.question)
    return found[0] if found is not None else ""


def _behind(before: Exchange) -> list[NounPhrase]:
    """Return the noun phrases of the question before, without what it asks for."""
    begin = before.question.find(before.asked.rest) if before.asked.noun else 0
    found = noun_phrases(before.question)
    is_subject = not topic(before.asked)
    return [each for each in found if each.start >= begin or (is_subject and not before.thing)]
