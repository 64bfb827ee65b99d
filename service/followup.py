"""Follow-ups: whether a question needs what was said before, and the questions that it may stand for.

The kinds of follow-ups are those of Elgohary et al. (2019, CANARD): references and ellipses. A fragment takes the place
of its like in the question before; a pronoun, that of its antecedent; where neither is found, words of the question
before are added, as in query expansion from history (Voskarides et al. 2020).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.words import STOP_WORDS, words_of
from service.mentions import answer_words, is_person, is_thing, missing, names, shares_word, topic
from service.utterance import (
    AUXILIARIES,
    PREPOSITIONS,
    WORD,
    Question,
    Utterance,
    bare,
    has_verb,
    heard,
    is_verb,
    parts,
)

# Each is read, and reading is what takes time.
MOST_READINGS = 2

_PERSONAL = frozenset("he him his she her hers".split())
_NEUTRAL = frozenset("it its".split())
_PLURAL = frozenset("they them their theirs".split())
_POSSESSIVE = frozenset("his her its their".split())
_OBJECTS = frozenset("him them".split())
# "That" and "this" refer where they are all that stands there: "when was that", "who did this".
_EVENT = re.compile(
    r"\b(?:(?:is|was|are|were|did|does|do|about|of|for|after|before|by|like) (?:that|this|these|those)|"
    r"(?:that|this) (?:happen|take place|be))\b(?! \w+ \w+)|\b(?:that|this|these|those)$",
    re.IGNORECASE,
)
_WHEN_WAS_THAT = re.compile(
    r"(?P<asked>.*?)\s+(?:(?:is|was|were|did|does|has|will) (?:that|this|it|these|those)"
    r"(?: (?:happen(?:ed)?|occur|take place|taking place|been|be|held|done))?)$",
    re.IGNORECASE,
)
_THERE = re.compile(r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )\bthere\b(?! (?:is|are|was|were)\b)", re.I)
_THEN = re.compile(r"\b(?:at that time|back then|then)$", re.IGNORECASE)
_ONE = re.compile(r"\b(?:the|this|that|which|another|other|first|second|last|next) (?:\w+ )?ones?\b", re.IGNORECASE)
_ELSE = re.compile(
    r"\b(?:else|the others?|the same|both|the former|the latter|each of (?:them|those))\b", re.IGNORECASE
)
_DEFINITE = re.compile(
    r"\bthe (?P<noun>[a-z]{3,})(?=$| (?!of\b|that\b|which\b|between\b|who\b|on\b|in\b|for\b|to\b|from\b))"
)
_NOT = re.compile(r"(?P<right>.+?),? (?:not|instead of|rather than) (?P<wrong>.+)", re.IGNORECASE)
_THE_ONE = re.compile(r"^(?:the )?ones? ", re.IGNORECASE)
_HOW_MANY = re.compile(r"\bhow many$", re.IGNORECASE)
_YEAR = re.compile(
    r"^(?:in )?(?:\d{4}|(?:january|february|march|april|may|june|july|august|september|october|november|december)\b.*)$",
    re.I,
)
_FEW_WORDS = 2


@dataclass(frozen=True, slots=True)
class Before:
    """The question before, as it stands alone, what was answered (""; nothing that helps), and their names.

    `names` are those of the whole conversation, the latest first; `people` those of them that are persons.
    """

    question: str
    asked: Question
    answer: str
    names: tuple[str, ...]
    people: tuple[str, ...]

    @classmethod
    def of(cls, question: str, answer: str, earlier: "Before | None") -> "Before":
        """Return what was said before, as the last of a conversation."""
        asked, words = parts(question), answer_words(answer)
        own = names(question)
        people = [words] if is_person(words, asked) else []
        people += [each for each in own if _looks_like_a_person(each, question)]
        if earlier is not None:
            own += earlier.names
            people += earlier.people
        return cls(question, asked, words, tuple(dict.fromkeys(own)), tuple(dict.fromkeys(people)))


def rewrites(question: str, before: Before) -> tuple[str, ...]:
    """Return the questions that this one may stand for, the most likely first; itself alone if it stands alone."""
    said = heard(question)
    if not said.text:
        return (question,)
    found: list[str] = []
    if said.corrects:
        found = _corrected(said, before)
    elif _is_fragment(said):
        found = _completed(said, before)
    elif _WHEN_WAS_THAT.fullmatch(said.text):
        found = _completed_by_event(said, before)
    elif _refers(said.text):
        found = [_resolved(said.text, before)]
    elif (named := _named(said.text, before)) is not None:
        found = [named]
    elif _lacks_topic(said.text):
        found = _with_topic(said.text, before)
    elif _may_refer(said, before):
        found = [question, _with_words(said.text, before)]
    return _different(found) or (question,)


def _different(found: Iterable[str]) -> tuple[str, ...]:
    asked = (each if each.endswith("?") else f"{each}?" for each in (" ".join(each.split()) for each in found) if each)
    return tuple(dict.fromkeys(asked))[:MOST_READINGS]


# Detection


def _is_fragment(said: Utterance) -> bool:
    """Whether an utterance is no clause: "and how many fire trucks", "what about Japan", "when"."""
    if said.is_about:
        return True
    asked = parts(said.text)
    if has_verb(asked.rest):
        return False
    told = [each for each in words_of(said.text) if each not in STOP_WORDS]
    # Words for a search, without a clause, may stand alone.
    return bool(asked.word) or said.is_joined or len(told) <= _FEW_WORDS


def _refers(text: str) -> bool:
    """Whether a pronoun in a question means something outside of it."""
    words = words_of(text)
    if any(each in _NEUTRAL | _PLURAL | _PERSONAL for each in words):
        return True
    return any(pattern.search(text) for pattern in (_EVENT, _THERE, _THEN, _ONE, _ELSE))


def _lacks_topic(text: str) -> bool:
    """Whether a clause says too little to be understood alone: "how many were wounded", "what caught fire"."""
    asked = parts(text)
    if _HOW_MANY.search(asked.phrase) and asked.rest:
        return True
    told = [each for each in words_of(text) if each not in STOP_WORDS and each not in AUXILIARIES]
    return len(told) <= _FEW_WORDS and not names(text[1:])


def _may_refer(said: Utterance, before: Before) -> bool:
    """Whether a clause may go on from what was said before, though no word of it says so."""
    context = f"{before.question} {before.answer}"
    return any(shares_word(found["noun"], context) for found in _DEFINITE.finditer(said.text))


# Rewriting


def _corrected(said: Utterance, before: Before) -> list[str]:
    """Return the question before with what is corrected: "I meant the one in Japan", "mechanics, not helicopters"."""
    contrast = _NOT.fullmatch(said.text)
    if contrast is not None:
        pattern = re.compile(rf"\b{re.escape(bare(contrast['wrong']))}\b", re.IGNORECASE)
        if pattern.search(before.question):
            return [pattern.sub(lambda _: bare(contrast["right"]), before.question, count=1)]
    words = contrast["right"] if contrast is not None else said.text
    if parts(words).word:
        return [words]
    return _substituted(words, before)


def _completed(said: Utterance, before: Before) -> list[str]:
    """Return the question before with a fragment in the place of what is like it."""
    asked = parts(said.text)
    if not asked.word:
        return _substituted(said.text, before)
    return [_asking(asked, before)]


def _asking(asked: Question, before: Before) -> str:
    """Return the question before, asking for something else: "which prime minister", "since when", "how many blankets"."""
    old, phrase = before.asked, f"{asked.phrase} {asked.rest}".strip()
    if asked.word.lower() == old.word.lower() and (asked.noun or not old.noun):
        return f"{phrase} {_without_noun_of(old)}"
    if (
        asked.noun
        and asked.word.lower().startswith(("how many", "which", "what", "how much"))
        and not _is_adverbial(asked)
    ):
        return f"{phrase} {_without_noun_of(old)}"
    # What was asked for before is known by now, or at least its kind is.
    known = before.answer if old.asks_subject and before.answer and len(before.answer) < 60 else old.noun
    if old.asks_subject:
        return f"{phrase} {known} {old.rest}"
    return f"{phrase} {old.rest} {old.noun}"


def _without_noun_of(old: Question) -> str:
    return old.rest


def _is_adverbial(asked: Question) -> bool:
    return asked.word.split()[0].lower() in PREPOSITIONS


def _completed_by_event(said: Utterance, before: Before) -> list[str]:
    """Return "when was that" as "when" with what the question before says."""
    found = _WHEN_WAS_THAT.fullmatch(said.text)
    asked = parts(found["asked"] if found else said.text)
    antecedent = _thing(before)
    if re.search(r"\bit$", said.text, re.IGNORECASE) and antecedent:
        return [_resolved(said.text, before)]
    return [_asking(asked, before)]


def _substituted(words: str, before: Before) -> list[str]:
    """Return the question before with these words in the place of what is like them, or added to it."""
    words = _THE_ONE.sub("", words)
    first, _, rest = words.partition(" ")
    question = before.question
    if first.lower() in PREPOSITIONS and rest:
        for place in _prepositional(question, first):
            return [f"{question[: place[0]]}{words}{question[place[1] :]}"]
        return [f"{question} {words}", *_replacing(rest, before)] if names(rest) else [f"{question} {words}"]
    return _replacing(words, before) or [f"{question} {words}"]


def _prepositional(question: str, preposition: str) -> Iterator[tuple[int, int]]:
    """Yield where phrases with this preposition begin and end in a question, the last one first."""
    found = list(re.finditer(rf"\b{re.escape(preposition)}\b", question, re.IGNORECASE))
    for match in reversed(found):
        end = len(question)
        for word in WORD.finditer(question, match.end()):
            if word[0].lower() in PREPOSITIONS | {"and"} or is_verb(word[0]):
                end = word.start()
                break
        yield match.start(), end if end == len(question) else end - 1


def _replacing(words: str, before: Before) -> list[str]:
    """Return the question before with a noun phrase in the place of a year, a name or the noun asked for."""
    question, asked = before.question, before.asked
    if _YEAR.match(words):
        year = re.search(r"\b\d{4}\b", question)
        return [question.replace(year[0], words, 1)] if year else []
    if not names(words) and asked.noun:
        return [f"{asked.word} {words} {asked.rest}"]
    if not names(words) or words.lower().startswith("the "):
        # "And the deputy prime minister?" after "Who is the chief of the agency?"
        described = re.search(r"\bthe (?:[a-z]+ ?)+(?=$| of\b)", question)
        if described is not None and not asked.noun and not names(words):
            return [f"{question[: described.start()]}{words}{question[described.end() :]}"]
    return [question.replace(each, words, 1) for each in names(question) if each != words]


def _resolved(text: str, before: Before) -> str:
    """Return a question with pronouns replaced by what they mean, and with words that tell what else it is about."""
    resolved, used = [], ""
    words = list(WORD.finditer(text))
    end = 0
    for number, match in enumerate(words):
        word = match[0].lower()
        antecedent = _antecedent(word, before)
        if not antecedent or antecedent.lower() in used.lower():
            continue
        is_last = number + 1 == len(words)
        follows = "" if is_last else words[number + 1][0].lower()
        owns = word in _POSSESSIVE and bool(follows) and follows not in PREPOSITIONS | AUXILIARIES | STOP_WORDS
        resolved.append(text[end : match.start()] + antecedent + ("'s" if owns else ""))
        used += antecedent
        end = match.end()
    resolved.append(text[end:])
    found = "".join(resolved)
    found = _THEN.sub("", found).strip()
    return _with_words(found, before) if not used else found


def _antecedent(pronoun: str, before: Before) -> str:
    if pronoun in _PERSONAL:
        return before.people[0] if before.people else (before.names[0] if before.names else "")
    if pronoun in _NEUTRAL:
        return _thing(before)
    if pronoun in _PLURAL:
        return _several(before)
    if pronoun == "there":
        return _place(before)
    return ""


def _thing(before: Before) -> str:
    """Return what "it" means: the thing that was answered, or else what the question before was about."""
    if is_thing(before.answer, before.asked):
        return before.answer
    return topic(before.asked)


def _several(before: Before) -> str:
    """Return what "they" means: several names, what was counted, or else what was answered or asked about."""
    pair = re.search(r"\b[A-Z][\w'-]*(?: [A-Z][\w'-]*)* and [A-Z][\w'-]*(?: [A-Z][\w'-]*)*", before.question)
    if before.asked.noun and before.asked.word.lower().endswith("many"):
        return f"the {before.asked.noun}"
    if pair is not None:
        return pair[0]
    return _thing(before)


def _place(before: Before) -> str:
    asked = before.asked
    if asked.word.lower() == "where" and asked.rest.lower().startswith(("is ", "are ", "was ", "were ")):
        return f"at {topic(asked)}"
    if (asked.word.lower().endswith("where") or asked.noun) and is_thing(before.answer, asked):
        return f"in {before.answer}" if before.answer.split()[0].lower() not in PREPOSITIONS else before.answer
    return f"in {before.names[0]}" if before.names else ""


def _named(text: str, before: Before) -> str | None:
    """Return a question with "the agreement" named as the answer before did; None where that is no such name."""
    for found in _DEFINITE.finditer(text):
        if shares_word(found["noun"], before.answer) and names(before.answer):
            return f"{text[: found.start()]}the {bare(before.answer)}{text[found.end() :]}"
    return None


def _with_topic(text: str, before: Before) -> list[str]:
    """Return a clause that lacks its topic with that of the question before."""
    asked = parts(text)
    if _HOW_MANY.search(asked.phrase) and before.asked.noun:
        counted = f"{asked.word} {before.asked.noun} {asked.rest}"
        return [counted] if names(asked.rest) else [counted, _with_words(counted, before)]
    return [_with_words(text, before)]


def _with_words(text: str, before: Before) -> str:
    """Return a question with the words of the one before that it has not, and with what was answered."""
    known = before.answer if is_thing(before.answer, before.asked) or before.answer in before.people else ""
    added = " ".join(missing(f"{known} {before.asked.noun} {before.asked.rest}", text))
    return f"{text} {added}"


def _looks_like_a_person(name: str, question: str) -> bool:
    return (
        2 <= len(name.split()) <= 4
        and not re.search(r"\d|\b(?:of|and|the|for)\b", name)
        and f"the {name}" not in question
    )
