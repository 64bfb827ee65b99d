"""Rewriting: whether a question needs what was said before it, and the questions that it may stand for."""

import re
from dataclasses import dataclass, replace

from index.words import quoted_phrases, words_of
from service.followups.antecedents import thing
from service.followups.completion import asking, completed, contrasted, corrected
from service.followups.exchange import Exchange
from service.followups.mentions import names, shares_word
from service.followups.resolution import (
    ANOTHER_YEAR,
    DEMONSTRATIVE,
    MANY_WORDS,
    NEUTRAL,
    OF_TWO,
    PERSONAL,
    PLURAL,
    SOMEONE,
    THAT_TIME,
    definites,
    mentions_known,
    named,
    resolved,
    telling,
    with_topic,
    with_words,
)
from service.followups.utterance import POSSESSIVE, PREPOSITIONS, WORD, Utterance, bare, has_verb, heard, parts

# Each is read, and reading is what takes time.
MOST_MEANINGS = 2

_FEW_WORDS = 2
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
# "Was anyone hurt", "were any rules changed afterwards": of what was spoken of.
_ANYONE = re.compile(r"\b(?:any|some)(?:one|body|thing)?\b", re.IGNORECASE)
_ADVERBS = re.compile(r"\b(?:afterwards|beforehand|instead|meanwhile|in return|since then)$", re.IGNORECASE)
# What holds no such letter is no English.
_LATIN = re.compile(r"[A-Za-z]")
_PRONOUNS = NEUTRAL | PLURAL | PERSONAL
# These are not said of what the same clause names before them: "when did Ada meet him".
_OBJECTS = frozenset("him them".split())
# "It" that means nothing: "is it true that", "how long does it take".
_EMPTY_IT = re.compile(
    r"\b(?:is|was) it (?:true|possible|likely|known|clear|legal|allowed|necessary)\b|\bit takes?\b|\bit (?:rain|snow)"
    r"|\b(?:consider|find|make|think)s? it \w+ (?:to|that)\b",
    re.IGNORECASE,
)
_REFERENCES = (
    ANOTHER_YEAR,
    DEMONSTRATIVE,
    THAT_TIME,
    # "Who did this", "what came after that"; not "the loan that", nor "that year's loan of".
    re.compile(r"\b(?:this|that|these|those)$", re.IGNORECASE),
    re.compile(
        r"\b(?:in|on|at|by|of|for|from|with|after|before|during|about) (?:this|that|these|those)\b", re.IGNORECASE
    ),
    re.compile(
        r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )\bthere\b(?! (?:is|are|was|were)\b)", re.IGNORECASE
    ),
    re.compile(r"\b(?:at that time|back then|then)$", re.IGNORECASE),
    re.compile(r"\b(?:the|this|that|which|another|other|first|second|last|next) (?:\w+ )?ones?\b", re.IGNORECASE),
    re.compile(r"\b(?:else|the others?|the same|(?:the former|the latter)(?! [a-z]))\b", re.IGNORECASE),
    OF_TWO,
    SOMEONE,
)
_ORDINAL = re.compile(r"\b(?:first|second|former|latter)\b", re.IGNORECASE)
# Who asks for another one does not ask for what was answered.
_OTHER = re.compile(r"\b(?:else|the others?|the other one|another)\b", re.IGNORECASE)
_WHEN_WAS_THAT = re.compile(
    r"(?P<asked>.*?)\s+(?:is|was|were|did|does|has|will) (?:that|this|these|those)"
    r"(?: (?:happen(?:ed)?|occur|take place|taking place|been|be|held|done))?",
    re.IGNORECASE,
)
# "And how many was it in 1912": the same question again, but for what is added.
_AGAIN = re.compile(
    r"(?P<word>how (?:many|much|long|high|old|far|often|big|large)|what|who|when|where) (?:is|was|were|are|will)"
    r" (?:it|that|this|they|those|there)(?: be)? (?P<added>(?:in|on|at|for|before|after|by|with|during|under|over"
    r"|a year|the (?:same|year|month|week|previous|next)) .+)",
    re.IGNORECASE,
)
_A_TIME = re.compile(r"\d|\b(?:year|month|week|day|time|season|end|start|beginning)s?\b", re.IGNORECASE)
# A verb that no list holds: "which company chairs the board", "what borders Mongolia".
_THIRD_PERSON = re.compile(r"\b[a-z]+s (?:the|a|an|its|their|[A-Z]\w+)\b")


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question that stands alone. `told` is what was answered to its like, which it does not ask for again; or ""."""

    question: str
    told: str = ""


def rewrites(question: str, last: Exchange) -> tuple[Meaning, ...]:
    """Return what a question may mean after an exchange, the most likely first; only itself where it stands alone.

    A question that gives a sign of needing what was said before means one of its rewritings; one that only says little
    may mean itself, too.
    """
    said = heard(question)
    if _denies(said.text, last):
        said = replace(said, corrects=True)
    if not said.text or not (_LATIN.search(question) or _YEAR.fullmatch(said.text)):
        return (Meaning(question),)
    before = _ground(said, last)
    told = before.told if said.corrects else ""
    if _is_fragment(said):
        found, told = _fragments(said, question, before)
    elif said.points_to:
        meant = _clauses(said.text, said.text, before)[0]
        found = [with_words(meant, before), meant]
    else:
        itself = said.text if said.is_turned or said.corrects else question
        found = _clauses(said.text, itself, before)
        if (said.is_joined or said.is_turned or said.corrects) and found == [itself]:
            found = [itself, with_words(said.text, before)]
        # "Sorry, was he Dutch?" is about who was told.
        told = "" if told.lower() in found[0].lower() else told
    if not told and _OTHER.search(said.text):
        told = before.told
    asked = dict.fromkeys(each if each == question else _as_question(each) for each in found)
    return tuple(Meaning(each, told) for each in asked)[:MOST_MEANINGS]


def names_nothing(question: str) -> bool:
    """Whether a question has no name, number or quotation of its own: it may well be about what was spoken of.

    Names that are not capitalised are not seen.
    """
    asked = parts(heard(question).text)
    said = f"{asked.noun} {asked.rest}"
    return said != " " and not (names(said) or quoted_phrases(question) or any(map(str.isdigit, said)))


def _fragments(said: Utterance, question: str, before: Exchange) -> tuple[list[str], str]:
    """Return what something that is no clause may mean, and what was answered to its like."""
    if said.text.split()[0].lower() in POSSESSIVE:
        return _owned(said.text, before), ""
    change = corrected if said.corrects else completed
    found = change(said.text, before)
    if len(found) == 1 and not names(found[0]):
        found.append(with_words(found[0], before))
    goes_on = said.is_joined or said.is_about or said.corrects
    if not goes_on and len(telling(said.text)) >= MANY_WORDS:
        found = [question, *found[:1]]
    elif not goes_on and not parts(said.text).word:
        found = [*found[:1], question]
    return found, before.told


def _owned(text: str, before: Exchange) -> list[str]:
    """Return what "his ship" may ask: the same of it, where its owner was asked about, or what it is."""
    owned = resolved(text, before)
    owner = before.people[0] if before.people else thing(before)
    if not owner or owner not in before.question or owner not in owned:
        return [owned]
    return [before.question.replace(owner, owned, 1), owned]


def _denies(text: str, last: Exchange) -> bool:
    """Whether a text sets something apart from what was asked for: "Bruges, not Ghent"."""
    contrast = contrasted(text)
    if contrast is None or parts(text).word or has_verb(contrast["right"]):
        return False
    wrong = re.compile(rf"\b{re.escape(bare(contrast['wrong']))}\b", re.IGNORECASE)
    return text.lower().startswith("not ") or ", not " in text or wrong.search(last.question) is not None


def _ground(said: Utterance, last: Exchange) -> Exchange:
    """Return the exchange that a question goes on from: the last one, or an earlier one that alone speaks of the same.

    "The first one" is the first one that was answered with something of the same kind.
    """
    every = [last]
    while every[-1].earlier is not None:
        every.append(every[-1].earlier)
    pointing = said.points_to or " ".join(definites(said.text))
    if said.points_to and (number := _ORDINAL.search(said.points_to)):
        return (
            every[-1]
            if number[0].lower() in ("first", "former")
            else every[len(every) // 2 - 1 if len(every) > 2 else 0]
        )
    speaks = (each for each in every if shares_word(pointing, f"{each.question} {each.answer}"))
    return next(speaks, last) if pointing else last


def _clauses(text: str, question: str, before: Exchange) -> list[str]:
    """Return what a whole clause may mean; `text` is the question without what is said around it."""
    if event := _WHEN_WAS_THAT.fullmatch(text):
        return [asking(parts(event["asked"]), before)]
    again = _AGAIN.fullmatch(text)
    if again is not None and _asks_again(again, before):
        return [*completed(again["added"], before)[:1], *_references(text, question, before)]
    if _refers(text):
        return _references(text, question, before)
    if renamed := named(text, before):
        return [renamed]
    if _lacks_topic(text):
        return [*with_topic(text, before), question]
    return [question, with_words(text, before)] if mentions_known(text, before) else [question]


def _asks_again(again: re.Match[str], before: Exchange) -> bool:
    """Whether the same is asked for at another time or place: after a number, "what was it in 1912" is, too."""
    word, old = again["word"].lower(), before.asked.word.lower()
    is_same = word == old or (word == "what" and old.startswith("how "))
    return is_same and bool(_A_TIME.search(again["added"]) or names(again["added"]))


def _references(text: str, question: str, before: Exchange) -> list[str]:
    """Return what a clause may mean in which a word points to something else."""
    meant = resolved(text, before)
    if _names_before_pronouns(text) or _may_be_whole(text):
        return [question, meant]
    is_plain = bool((_PRONOUNS | {"there"}).intersection(words_of(text))) and len(telling(text)) < MANY_WORDS
    return [meant, with_words(meant, before) if is_plain else question]


def _as_question(words: str) -> str:
    folded = " ".join(words.split())
    return folded if folded.endswith("?") else f"{folded}?"


def _is_fragment(said: Utterance) -> bool:
    """Whether an utterance is no clause: "and how many fire trucks", "what about Japan", "when"."""
    if said.is_about:
        return True
    asked = parts(said.text)
    if said.corrects and not asked.word and contrasted(said.text):
        return True
    if has_verb(asked.rest) or _THIRD_PERSON.search(said.text) or (said.is_indirect and asked.rest):
        return False
    if said.corrects:
        return True
    if asked.word.lower() in ("who", "whom"):
        return not asked.rest or asked.rest.split()[0].lower() in PREPOSITIONS
    # Words for a search are no clause, either, and may stand alone.
    return bool(asked.word) or said.is_joined or len(telling(said.text)) <= _FEW_WORDS


def _refers(text: str) -> bool:
    """Whether a word of a question points to something else: "he", "there", "the other one"."""
    pronouns = _PRONOUNS.intersection(words_of(text))
    if pronouns - NEUTRAL or (pronouns and not _EMPTY_IT.search(text)):
        return True
    return any(pattern.search(text) for pattern in _REFERENCES)


def _names_before_pronouns(text: str) -> bool:
    """Whether the pronouns of a question may mean what it names before them: "when did Ada say that she would come"."""
    pronouns = [match for match in WORD.finditer(text) if match[0].lower() in _PRONOUNS]
    is_object = any(each[0].lower() in _OBJECTS or each.end() == len(text) for each in pronouns)
    if not pronouns or is_object:
        return False
    return bool(names(text[: pronouns[0].start()]))


def _may_be_whole(text: str) -> bool:
    """Whether a question says so much that its pronouns may mean what it names itself, in whatever place."""
    return len(telling(text)) > MANY_WORDS and bool(names(parts(text).rest))


def _lacks_topic(text: str) -> bool:
    """Whether a clause says too little to be understood alone: "how many were wounded", "what caught fire"."""
    asked = parts(text)
    if asked.phrase.lower().endswith("how many") and asked.rest:
        return True
    if names(asked.rest):
        return False
    is_of_something = _ADVERBS.search(text) or (not asked.word and _ANYONE.search(text))
    return len(telling(text)) <= _FEW_WORDS + bool(is_of_something)
