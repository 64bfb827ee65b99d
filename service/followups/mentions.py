"""Mentions: people, places and things that a turn of a conversation speaks of, found by their spelling."""

import re
from collections.abc import Iterator
from html import unescape

from index.words import STOP_WORDS, words_of
from service.followups.phrases import base_verb
from service.followups.utterance import AUXILIARIES, DETERMINERS, PREPOSITIONS, QUESTION_WORDS, WORD, Question, is_verb

# "Ministry of Foreign Affairs", "Ts. Munkh-Orgil", "Corinne Pereira Da Silva", "2019"; not "Who" at the beginning.
_NAME = re.compile(
    r"(?<!\w)(?:\w{1,3}\.\s)?[^\W\d_a-z][\w'’.-]*(?:\s(?:(?:of|for|and|the|de|da|di|van|von|on)\s){0,2}[^\W\d_a-z][\w'’-]*)*"
)
_NO_NAME = QUESTION_WORDS | AUXILIARIES | DETERMINERS | PREPOSITIONS | STOP_WORDS
_PERSON_NOUN = re.compile(
    r"\b(?:who|whom|ambassador|envoy|minister|president|secretary|mayor|chief|head|director|leader|commissioner|general|"
    r"chancellor|spokesperson|spokesman|spokeswoman|person|man|woman|american|official|author|founder)\b",
    re.IGNORECASE,
)
_NO_PERSON = re.compile(
    r"\d|;|\b(?:of|society|agency|program(?:me)?|agreement|order|ministry|government|villa|project|embassy|university|"
    r"hospital|unit|prefecture|the)\b",
    re.IGNORECASE,
)
# What has a name, and is no person.
_THINGS = frozenset(
    "city town village country state district region province prefecture county place capital street road square"
    " island river lake sea bay mountain ford valley bridge building church castle tower hall museum station airport"
    " harbour port park school university college hospital bank court council parliament committee ministry agency"
    " office society union league party club team band group company firm corporation airline airlines ferries"
    " newspaper paper magazine book film song play language ship ferry boat vessel craft plane aircraft prize award"
    " medal treaty agreement declaration convention act law fund foundation programme program project mission battle"
    " war festival session army navy forces month day year date version model organisation organization"
    " institution hotel inn restaurant".split()
)
# Things that are surnames, too: Henry Ford.
_SURNAMES = frozenset("ford hall park day law church lake bay castle island".split())
_NAMED = re.compile(r"\bname\b")
_LONGEST_PARTICLE = 3
_ABSTAINED = re.compile(r"\b(?:do(?:es)? not say|don['’]t say|no answer|not found|cannot answer)\b", re.IGNORECASE)
_BE_OR_HAVE = frozenset("is are was were has have had".split())
_SUBORDINATING = frozenset("when where while if because that which who whom whose although though whether".split())
_LONGEST_ANSWER = 150
# A sentence of that length may have links in it.
_LONGEST_LINE = 2000
# In Markdown: a character that is escaped, the mark of a citation, a link, how a line begins, what makes text look
# otherwise.
_MARKUP = re.compile(
    r"\\([!-/:-@\[-`{-~])|\[\[\d+\]\]\([^)]*\)|!?\[([^\]]*)\]\([^)]*\)|\[\d+\]"
    r"|^(?:#+|>|[-+*]|\d{1,2}[.)])\s+|`+|\*+(?=\S)|(?<=\S)\*+|(?<!\w)_+|_+(?!\w)"
)
# How a message begins that says what the question before it was taken for.
READ_AS = "Read as:"


def names(text: str) -> list[str]:
    """Return the names in a text, in their order: runs of capitalised words, with the small words between them."""
    found = []
    for match in _NAME.finditer(text):
        words = match[0].split()
        while words and (words[0][0].islower() or words[0].lower().rstrip(".") in _NO_NAME):
            words = words[1:]
        if words:
            found.append(re.sub(r"['’]s$", "", " ".join(words)).rstrip(".'’"))
    return found


def reply_words(content: str) -> str:
    """Return the words that an assistant replied with; "" where it had no answer.

    Of a message in Markdown, that is its first line, after what only leads to it.
    """
    for line in content.splitlines():
        shown = _MARKUP.sub(lambda match: match[1] or match[2] or "", line.strip()[:_LONGEST_LINE])
        words = " ".join(unescape(shown).split())
        if words and not words.startswith(READ_AS) and not words.endswith(":"):
            return "" if _ABSTAINED.search(words) else words.rstrip(" .")
    return ""


def answer_words(reply: str) -> str:
    """Return the words of a reply that can stand for what was asked for: all of them, or "" where it is a long one."""
    return reply if len(reply) <= _LONGEST_ANSWER else ""


def is_person(answer: str, asked: Question) -> bool:
    """Whether the answer to a question is a person: by what was asked for, and by how it is spelled."""
    first, _, home = answer.partition(" of ")
    if home and len(first.split()) > 1 and _PERSON_NOUN.search(asked.word):
        answer = first  # "Thomas Ellery of Bath"
    if not answer or not answer[0].isupper() or _NO_PERSON.search(answer):
        return False
    if _PERSON_NOUN.search(asked.phrase):
        return True
    if not 2 <= len(answer.split()) <= 4 or asked.word.lower().endswith("where"):
        return False
    if asked.noun:
        # "Which hostage is missing?", "Fausto Perrone"; not "Which city ...?", "New York".
        is_one = _is_capitalised(answer) and " and " not in answer and "," not in answer
        return asked.word.lower() == "which" and is_one and not _THINGS.intersection(words_of(asked.noun))
    if not asked.word.lower().endswith("what"):
        return True
    is_of_thing = _THINGS.intersection(words_of(asked.rest))
    return bool(_NAMED.search(asked.rest)) and _is_capitalised(answer) and not is_of_thing


def looks_like_a_person(name: str, question: str) -> bool:
    """Whether a name in a question may be that of a person, by its spelling."""
    is_thing = (_THINGS - _SURNAMES).intersection(words_of(name))
    return (
        2 <= len(name.split()) <= 4 and not _NO_PERSON.search(name) and not is_thing and f"the {name}" not in question
    )


def _is_capitalised(name: str) -> bool:
    """Whether all words of a name have capital letters, but for small ones: "Corinne da Silva"."""
    return all(each[0].isupper() or len(each) <= _LONGEST_PARTICLE for each in name.split())


def head(phrase: str) -> str:
    """Return the last word of a noun phrase, before any "of": what it says that something is."""
    words = re.split(r" (?:of|for|in|on|to|between)\b", phrase)[0].split()
    return words[-1] if words else ""


def topic(asked: Question) -> str:
    """Return what a question is about: its subject or, where that is asked for, what stands behind the verb.

    The subject ends before the verb.
    """
    words = [match[0] for match in WORD.finditer(asked.rest)]
    if not words:
        return ""
    auxiliary, words = words[0].lower(), words[1:]
    if not words or words[0].lower() in PREPOSITIONS:
        return ""
    if asked.asks_subject:
        return " ".join(words)
    words = words[: next((n for n, each in enumerate(words) if n and each.lower() in _SUBORDINATING), len(words))]
    end = next(
        (n for n, each in enumerate(words) if n and is_verb(each) and each.lower() not in AUXILIARIES), len(words)
    )
    if auxiliary not in _BE_OR_HAVE:
        verb = base_verb(words)
        end = end if verb is None else min(end, verb)
    return " ".join(words[:end])


def missing(words: str, text: str) -> Iterator[str]:
    """Yield the words of the first text that tell something and that the second one has not, in their order."""
    known = {_stem(each) for each in words_of(text)}
    for each in WORD.findall(words):
        is_known = all(_stem(part) in known for part in words_of(each))
        if each.lower() not in STOP_WORDS and not is_known:
            known.add(_stem(each.lower()))
            yield each


def _stem(word: str) -> str:
    for suffix in ("'s", "’s", "ing", "ed", "es", "s"):
        if word.endswith(suffix) and len(word) - len(suffix) > 2:
            return word[: -len(suffix)]
    return word


def shares_word(first: str, second: str) -> bool:
    """Whether a word that tells something stands in both texts, in whatever form."""
    known = {_stem(each) for each in words_of(second)} - STOP_WORDS
    return any(_stem(each) in known for each in words_of(first) if each not in STOP_WORDS)
