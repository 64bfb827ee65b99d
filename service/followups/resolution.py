"""Resolution: pronouns, "there" and "the agreement" replaced by what they mean after an exchange."""

import re
from collections.abc import Sequence

from index.words import STOP_WORDS
from service.followups.exchange import Exchange
from service.followups.mentions import head, missing, names, shares_word, topic
from service.followups.utterance import AUXILIARIES, PREPOSITIONS, WORD, bare, is_verb, parts
from service.reader.words import MONTHS

PERSONAL = frozenset("he him his she her hers".split())
NEUTRAL = frozenset("it its".split())
PLURAL = frozenset("they them their theirs".split())
_POSSESSIVE = frozenset("his her its their".split())
_BEING = ("is ", "are ", "was ", "were ")
_PAIR = re.compile(r"\b[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)* and [A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*")
# "The agreement", not "the agreement of 2010": that one is told apart by its own words.
_DEFINITE = re.compile(
    r"\b(?:the|this|that) (?P<noun>[a-z]{3,})(?=$| (?!(?:of|that|which|between|who|on|in|for|to|from|with)\b))"
)
_AT_THAT_TIME = re.compile(r"\s*\b(?:at that time|back then|then)$", re.IGNORECASE)
_HOW_MANY = re.compile(r"\bhow many$", re.IGNORECASE)


def resolved(text: str, before: Exchange) -> str:
    """Return a question with each pronoun replaced by what it likely means; where there is none, with more words."""
    words = list(WORD.finditer(text))
    found, end, used = "", 0, ""
    for number, match in enumerate(words):
        word = match[0].lower()
        antecedent = _antecedent(word, before)
        # Two pronouns do not mean the same thing twice in "who gave it to her".
        if not antecedent or antecedent in used:
            continue
        next_word = words[number + 1][0].lower() if number + 1 < len(words) else ""
        owns = word in _POSSESSIVE and next_word not in PREPOSITIONS | AUXILIARIES | STOP_WORDS | {""}
        begin, end, used = end, match.end(), used + antecedent
        if owns and PREPOSITIONS.intersection(antecedent.split()):
            # "The magnitude of the earthquake in Turkiye", not "the earthquake in Turkiye's magnitude".
            is_subject = number > 0 and words[number - 1][0].lower() in AUXILIARIES
            end = _end_of_owned(text, words[number + 1 :], is_subject=is_subject)
            antecedent = f"the {text[match.end() : end].strip()} of {antecedent}"
        elif owns:
            antecedent += "'s"
        found += text[begin : match.start()] + antecedent
    found = _AT_THAT_TIME.sub("", found + text[end:])
    return found if used else with_words(found, before)


def with_words(text: str, before: Exchange) -> str:
    """Return a question with the words of an exchange that it has not: the expansion of Voskarides et al. (2020)."""
    known = before.answer if before.answer in before.people else before.thing
    added = missing(f"{known} {before.asked.noun} {before.asked.rest}", text)
    return " ".join([text, *added])


def named(text: str, before: Exchange) -> str | None:
    """Return a question with "the agreement" called by the name that was answered; None where that was no such name."""
    for found in _DEFINITE.finditer(text):
        if names(before.answer) and shares_word(found["noun"], head(before.answer)):
            return f"{text[: found.start()]}the {bare(before.answer)}{text[found.end() :]}"
    return None


def mentions_known(text: str, before: Exchange) -> bool:
    """Whether a question speaks of "the agreement" after an exchange that has spoken of an agreement."""
    told = f"{before.question} {before.answer}"
    return any(shares_word(found["noun"], told) for found in _DEFINITE.finditer(text))


def with_topic(text: str, before: Exchange) -> list[str]:
    """Return what a clause may mean that lacks its topic: "how many were wounded", "what caught fire"."""
    asked = parts(text)
    if not _HOW_MANY.search(asked.phrase) or not before.asked.noun:
        return [with_words(text, before)]
    counted = f"{asked.word} {before.asked.noun} {asked.rest}"
    return [counted] if names(asked.rest) else [counted, with_words(counted, before)]


def _antecedent(pronoun: str, before: Exchange) -> str:
    if pronoun in PERSONAL:
        return next(iter(before.people or before.names), "")
    if pronoun in NEUTRAL:
        return _thing(before)
    if pronoun in PLURAL:
        return _several(before)
    return _place(before) if pronoun == "there" else ""


def _thing(before: Exchange) -> str:
    """Return what "it" means: what was answered, or what the exchange is about, as of a thing that has a place."""
    about = topic(before.asked)
    if before.asked.word.lower() == "where" and bare(about) != about:
        return about
    return before.thing or about


def _end_of_owned(text: str, words: Sequence[re.Match[str]], *, is_subject: bool) -> int:
    """Return where the noun phrase ends of which these are the words and those behind it.

    Behind a subject, the last of some words that follow each other is the verb: "what does its roof / weigh".
    """
    closed = PREPOSITIONS | AUXILIARIES | STOP_WORDS
    ends = (
        number
        for number, each in enumerate(words)
        if number and (each[0].lower() in closed or is_verb(each[0]) or not each[0].islower())
    )
    end = next(ends, len(words))
    if is_subject and end > 1 and not (end < len(words) and is_verb(words[end][0])):
        end -= 1
    return words[end - 1].end() if words else len(text)


def _several(before: Exchange) -> str:
    """Return what "they" means: what was counted, two that are named together, or what the exchange is about."""
    if before.asked.noun and _HOW_MANY.search(before.asked.word):
        return f"the {before.asked.noun}"
    pair = _PAIR.search(before.question)
    return pair[0] if pair is not None else _thing(before) or before.answer


def _place(before: Exchange) -> str:
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
