"""Noun phrases: what a question speaks of, found between its small words and its verbs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.words import STOP_WORDS
from service.followups.utterance import AUXILIARIES, PREPOSITIONS, QUESTION_WORDS, WORD, is_verb

_ARTICLES = frozenset("the a an".split())
_POINTING = frozenset("this that these those".split())
_DEMONSTRATIVES = _POINTING | frozenset("its his her their some any each every all no".split())
_NO_NOUN = frozenset(
    "not also ever still already yet then now there here again too only even just so often well together ago away back"
    " out up down off and or but than as if that because although though whether while".split()
)
_NUMBER = re.compile(r"\d[\d.,]*")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
# "News" and "series" are no plurals, nor are "his", "campus" and "class".
_PLURAL = re.compile(r"(?!news$|series$|species$)\w+[^\Wsui]s|people|children|men|women|media", re.IGNORECASE)
_PRONOUNS = frozenset("he him she it they them we us you i me".split())
_SUBJECT_FIRST = frozenset("do does did will would shall should can could may might must".split())


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A noun phrase of a text, without what a preposition adds to it: `words` stand from `start` to `end`.

    `preposition` is the one before it, "" where there is none.
    """

    start: int
    end: int
    words: str
    preposition: str = ""

    @property
    def determiner(self) -> str:
        """Its article or the like, in lower case; "" where there is none."""
        first = self.words.split()[0].lower()
        return first if first in _ARTICLES | _DEMONSTRATIVES else ""

    @property
    def head(self) -> str:
        """Its last word."""
        return self.words.split()[-1]

    @property
    def is_name(self) -> bool:
        """Whether it ends in a word with a capital letter: "Mongolia", "the Chadwick Program"."""
        return self.head[0].isupper()

    @property
    def is_plural(self) -> bool:
        """Whether it means several, by its last word; a name never does."""
        return not self.is_name and _PLURAL.fullmatch(self.head) is not None

    @property
    def is_year(self) -> bool:
        """Whether it is a year."""
        return _YEAR.fullmatch(self.head) is not None

    @property
    def is_number(self) -> bool:
        """Whether it is nothing but a number."""
        return _NUMBER.fullmatch(self.head) is not None

    @property
    def is_possessive(self) -> bool:
        """Whether it says whose something is: "Mongolia's", "the ushers'"."""
        return self.words.endswith(("'s", "’s", "s'", "s’"))


def noun_phrases(text: str) -> list[NounPhrase]:
    """Return the noun phrases of a question, or of a part of one, in their order."""
    found: list[NounPhrase] = []
    preposition, run = "", list[re.Match[str]]()
    for match, is_inside in _marked(text):
        follows = bool(run) and text[run[-1].end() : match.start()].strip(' "“”') == ""
        if run and not (is_inside and follows and match[0].lower() not in _ARTICLES | _POINTING):
            found.append(_phrase(text, run, preposition))
            preposition, run = "", []
        if is_inside:
            run.append(match)
        else:
            preposition = match[0].lower() if match[0].lower() in PREPOSITIONS else ""
    if run:
        found.append(_phrase(text, run, preposition))
    return [each for each in found if each.words.lower() not in _ARTICLES | _DEMONSTRATIVES]


def extended(phrase: NounPhrase, phrases: list[NounPhrase], text: str, *, only: str = "") -> str:
    """Return a noun phrase of a text with those that prepositions add to it: "the height of the tower in Ghent".

    Where `only` names a preposition, no other adds anything.
    """
    end = phrase.end
    for each in phrases:
        adds = each.preposition and (each.preposition == only or not only)
        if each.start > end and adds and text[end : each.start].split() == [each.preposition]:
            end = each.end
    return text[phrase.start : end]


def _phrase(text: str, run: list[re.Match[str]], preposition: str) -> NounPhrase:
    start, end = run[0].start(), run[-1].end()
    if text[end : end + 1] in ("'", "’") and run[-1][0].endswith("s"):
        end += 1
    return NounPhrase(start, end, text[start:end], preposition)


def _marked(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """Yield the words of a text, each with whether it may be part of a noun phrase."""
    words = list(WORD.finditer(text))
    auxiliary = next((n for n, each in enumerate(words) if each[0].lower() in _SUBJECT_FIRST), None)
    behind = None if auxiliary is None else base_verb([each[0] for each in words[auxiliary + 1 :]])
    verb = -1 if auxiliary is None or behind is None else auxiliary + 1 + behind
    for number, match in enumerate(words):
        word, lower = match[0], match[0].lower()
        before = words[number - 1][0].lower() if number else ""
        begins = before in _ARTICLES | _DEMONSTRATIVES
        determines = lower in _ARTICLES | _DEMONSTRATIVES and not (lower == "that" and number)
        is_small = lower in QUESTION_WORDS | PREPOSITIONS | _NO_NOUN | _PRONOUNS | STOP_WORDS
        closed = is_small and (word.islower() or not number or lower == "i")
        # "How long", and verbs that are none behind an article: "the costs".
        acts = (is_verb(word) and not begins) or before == "how" or number == verb
        yield match, determines or not (closed or acts)


def base_verb(words: Sequence[str]) -> int | None:
    """Return the number of the word that is likely the verb among those behind "did" or "will"; None: there is none.

    It has no form of its own. It is the last of some words in lower case that follow each other ("did the 2019 loan /
    secure"), or the first one behind a name.
    """
    for number, word in enumerate(words):
        if word in AUXILIARIES:
            return None
        if not number or not _is_open(word):
            continue
        before, after = words[number - 1].lower(), words[number + 1] if number + 1 < len(words) else ""
        opens = before in PREPOSITIONS or (before in STOP_WORDS and before not in _PRONOUNS)
        if not opens and not (after and (_is_open(after) or after in ("of", "and", "or"))):
            return number
    return None


def _is_open(word: str) -> bool:
    """Whether a word is in lower case and of an open class, so that it may be a noun, an adjective or a verb."""
    return word.islower() and not word.endswith(("'s", "’s")) and word not in STOP_WORDS | PREPOSITIONS | _PRONOUNS
