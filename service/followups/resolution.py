"""Resolution: pronouns, "there", "then" and "the agreement" replaced by what they mean after an exchange."""

import re
from collections.abc import Sequence

from index.words import STOP_WORDS, words_of
from service.followups.antecedents import place, several, thing, time
from service.followups.exchange import Exchange
from service.followups.mentions import head, missing, names, shares_word
from service.followups.utterance import AUXILIARIES, POSSESSIVE, PREPOSITIONS, WORD, bare, is_verb, parts

PERSONAL = frozenset("he him his she her hers".split())
NEUTRAL = frozenset("it its".split())
PLURAL = frozenset("they them their theirs".split())
# "How much would that cost", "how many of those", "who did this"; not "the loan that", nor "that year's loan".
DEMONSTRATIVE = re.compile(
    r"\b(?:(?P<before>is|was|are|were|do|does|did|has|have|will|would|can|could) (?P<subject>this|that|these|those)"
    r"(?= \w+$| (?:not |be |been |have )?\w+(?:ed|en)?\b(?= (?:to|in|on|for|by|the|a)\b))"
    r"|\b(?:of|in|on|at|by|for|from|with|about|under|to|into) (?P<object>this|that|these|those)"
    r"(?= (?:is|was|are|were|do|does|did|has|have|had|can|could|will|would)\b|$)"
    r"|(?<= )(?P<last>this|that|these|those)$)",
    re.IGNORECASE,
)
# "The agreement", not "the agreement of 2010": that one is told apart by its own words.
_DEFINITE = re.compile(
    r"\b(?:the|this|that) (?P<noun>[a-z]{3,})(?=$|['’]s\b| (?!(?:of|that|which|between|who|on|in|for|to|from|with)\b))"
)
_POINTED_AT = re.compile(r"\b(?:this|these|those) [a-z]{3,}")
# "The man", not "the man who fell": whom the conversation is about.
SOMEONE = re.compile(
    r"\b(?i:the|this|that) (?:man|woman|lady|gentleman|boy|girl|guy|person)\b"
    rf"(?=$|['’]s\b|[,.;:]| (?:{'|'.join(sorted(AUXILIARIES))})\b)"
    r"|(?:(?<=do )|(?<=does )|(?<=did )|(?<=can )|(?<=could )|(?<=will )|(?<=would )|(?<=must )|(?<=should ))"
    r"(?:the|this|that) (?:man|woman|lady|gentleman|boy|girl|guy|person)\b(?= [a-z])"
)
_TAKEN_FOR_KNOWN = re.compile(r"\b(?:the|this|that) [a-z]{3,}")
_THEN = re.compile(r"\s*\b(?:at that time|back then|(?:in|during) that (?:year|month)|(?:on )?that day|then)$", re.I)
THAT_TIME = re.compile(r"\b(?P<preposition>before|after|since|until|by) (?:that|then)\b", re.IGNORECASE)
ANOTHER_YEAR = re.compile(
    r"\b(?:in )?(?:(?P<earlier>the year before(?: that)?|the (?:previous|preceding) year|a year earlier)"
    r"|(?:the year after(?: that)?|the (?:next|following) year|a year later))$",
    re.IGNORECASE,
)
_LONGEST_NAME = 60
_BOTH = 2
# A question with so many words that tell something may well be whole.
MANY_WORDS = 4
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_HOW_MANY = re.compile(r"\bhow many$", re.IGNORECASE)
_ONES = re.compile(r"\b(?P<such>which|the|this|that|what)(?P<kind>(?: \w+)?) ones?\b", re.IGNORECASE)
# "Does the latter", "the former is"; not "the former president".
OF_TWO = re.compile(
    rf"\b(?:{'|'.join(rf'(?<={each} )' for each in sorted(AUXILIARIES))})the (?:former|latter)(?: one)?\b"
    rf"|\bthe (?:former|latter)(?: one)?\b(?=$|['’]s\b| (?:{'|'.join(sorted(AUXILIARIES | PREPOSITIONS))}|\w+ing)\b)",
    re.IGNORECASE,
)
# People in general: "why do they call him", "what do they say".
_PEOPLE = re.compile(r"\bdo they (?:call|say)\b", re.IGNORECASE)
# "Was there a treaty", "how many are there": no place.
_NO_PLACE = re.compile(r"\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were|been|be)\b", re.IGNORECASE)


def resolved(text: str, before: Exchange) -> str:
    """Return a question with each pronoun replaced by what it likely means; where there is none, with more words."""
    told = _with_time(_with_ones(_with_member(text, before), before), before)
    told = DEMONSTRATIVE.sub(lambda found: _personal_pronoun(found, before), told)
    if before.people and not PERSONAL.intersection(words_of(told)):
        told = SOMEONE.sub(lambda _: before.people[0], told)
    found = _without_pronouns(told, before)
    return found if found != text else with_words(found, before)


def _personal_pronoun(found: re.Match[str], before: Exchange) -> str:
    """Return "how much would it cost" for "how much would that cost", and "of them" for "of those"."""
    words = found[0].split()
    is_subject = found["subject"] is not None
    are_several = words[-1].lower() in ("these", "those")
    if not (several(before) if are_several else thing(before)):
        return found[0]
    return " ".join([*words[:-1], ("they" if is_subject else "them") if are_several else "it"])


def _without_pronouns(text: str, before: Exchange) -> str:
    words = list(WORD.finditer(text))
    found, end, used = "", 0, ""
    for number, match in enumerate(words):
        word = match[0].lower()
        is_empty = (word == "there" and _NO_PLACE.search(text)) or (word == "they" and _PEOPLE.search(text))
        antecedent = "" if is_empty else _antecedent(word, before)
        # Two pronouns do not mean the same thing twice in "who gave it to her".
        if not antecedent or antecedent in used:
            continue
        next_word = words[number + 1][0].lower() if number + 1 < len(words) else ""
        owns = word in POSSESSIVE and next_word not in PREPOSITIONS | AUXILIARIES | STOP_WORDS | {""}
        begin, end, used = end, match.end(), used + antecedent
        if word == "there" and number and words[number - 1][0].lower() in PREPOSITIONS:
            # "From there": not "from from the canal".
            antecedent = re.sub(rf"^(?:{'|'.join(PREPOSITIONS)}) ", "", antecedent)
        if owns and PREPOSITIONS.intersection(antecedent.split()):
            # "The magnitude of the earthquake in Turkiye", not "the earthquake in Turkiye's magnitude".
            is_subject = number > 0 and words[number - 1][0].lower() in AUXILIARIES
            end = _end_of_owned(text, words[number + 1 :], is_subject=is_subject)
            antecedent = f"the {text[match.end() : end].strip()} of {antecedent}"
        elif owns:
            antecedent += "'s"
        found += text[begin : match.start()] + antecedent
    return found + text[end:]


def _with_time(text: str, before: Exchange) -> str:
    """Return a question with the time that was spoken of for "then", "before that" or "the year before"."""
    spoken = time(before)
    year = _YEAR.search(spoken)
    if year and (another := ANOTHER_YEAR.search(text)):
        meant = int(year[0]) + (-1 if another["earlier"] else 1)
        return f"{text[: another.start()]}in {meant}"
    if spoken:
        text = THAT_TIME.sub(lambda found: f"{found['preposition']} {spoken.split(maxsplit=1)[-1]}", text)
    return _THEN.sub(f" {spoken}" if spoken else "", text)


def _with_ones(text: str, before: Exchange) -> str:
    """Return a question with "which country" for "which one", where a country was asked for."""
    noun = re.split(r" (?:of|for|in|on|to|between)\b", before.asked.noun)[0]
    return _ONES.sub(lambda found: f"{found['such']}{found['kind']} {noun}", text) if noun else text


def _with_member(text: str, before: Exchange) -> str:
    """Return a question with the first of two that were answered for "the former", the second for "the latter".

    Two are answered together, or one after the other to the same question word.
    """
    both = re.split(r",? and |; |, ", before.answer)
    earlier = before.earlier
    if len(both) == 1 and earlier is not None and earlier.asked.word.lower() == before.asked.word.lower():
        both = [earlier.answer, before.answer]
    if len(both) != _BOTH or not all(both):
        return text
    return OF_TWO.sub(lambda found: both["latter" in found[0].lower()], text)


def with_words(text: str, before: Exchange) -> str:
    """Return a question with the words of an exchange that it has not: the expansion of Voskarides et al. (2020)."""
    return " ".join([text, *missing(before.words, text)])


def named(text: str, before: Exchange) -> str | None:
    """Return a question with "the agreement" called by what was answered, "the Canal Agreement"; None: it was not."""
    for found in _DEFINITE.finditer(text):
        is_longer = len(before.answer.split()) > 1 and bare(before.answer).lower() != found["noun"]
        if is_longer and len(before.answer) < _LONGEST_NAME and shares_word(found["noun"], head(before.answer)):
            return f"{text[: found.start()]}the {bare(before.answer)}{text[found.end() :]}"
    return None


def mentions_known(text: str, before: Exchange) -> bool:
    """Whether a question speaks of "the agreement" after an exchange that has spoken of an agreement.

    Where it says little and has no name or number of its own, "the company" is one that was spoken of, too, whatever
    it was called.
    """
    told = f"{before.question} {before.answer}"
    asked = parts(text)
    # "How much of the foliage" says less of what is asked for than "which company".
    says_little = len(telling(text)) < MANY_WORDS + bool(asked.word and not asked.noun)
    is_bare = says_little and not names(asked.rest) and not any(character.isdigit() for character in text)
    pattern = _TAKEN_FOR_KNOWN if is_bare else _POINTED_AT
    return pattern.search(text) is not None or any(shares_word(each, told) for each in definites(text))


def telling(text: str) -> list[str]:
    """Return the words of a text that are neither small words nor pronouns, in lower case."""
    small = STOP_WORDS | AUXILIARIES | PREPOSITIONS | NEUTRAL | PLURAL | PERSONAL
    return [each for each in words_of(text) if each not in small]


def definites(text: str) -> list[str]:
    """Return the nouns that a text takes for known: "agreement" of "the agreement"."""
    return [each["noun"] for each in _DEFINITE.finditer(text)]


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
        return thing(before)
    if pronoun in PLURAL:
        return several(before)
    return place(before) if pronoun == "there" else ""


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
