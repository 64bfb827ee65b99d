"""Words: what of a question counts for full-text search, and which words of it must be there."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

_WORD = re.compile(r"(?:\w|[\u0300-\u036f])+")

# Words in quotation marks that open before a word and close behind one: 5" is a length, and so is 5'.
_QUOTED = re.compile(r'(?<![^\s(\[{,;:\u2013\u2014-])"([^"\n]+)"(?!\w)|\u201c([^\u201c\u201d\n]+)\u201d')
# Scripts without spaces between words: full text knows no words in them, so that none can be required.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")

# English words that stand in most questions and most passages and tell neither apart.
STOP_WORDS = frozenset(
    "a about an and are as at be been by can could did do does for from had has have he her his how i if in into is it"
    " its many me much of on or our she should so some such than that the their them then there these they this those"
    " to us was we were what when where which while who whom whose why will with would you your".split()
)

_SPELLED = re.compile(r"[a-z]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Shorter words are a letter away from too many others.
_SHORTEST_MISSPELT = 4
_LONGEST_MISSPELT = 24
# So many words at most may be meant by one that is not known.
_MOST_MEANT = 3
# Of so many unknown words it is asked what they mean; a question with more is no question.
_MOST_UNKNOWN = 8

TokenCounter = Callable[[Sequence[str]], list[int]]
"""Returns how many tokens of a model each of some texts has."""
Counted = Callable[[Sequence[str]], dict[str, int]]
"""Returns in how many passages each of some words stands, in whatever ending; words that stand in none are left out."""


def words_of(text: str) -> list[str]:
    """Return the words of `text` in order, in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def content_words(question: str) -> list[str]:
    """Return the words of a question without stop words, each once; all its words where nothing else would be left."""
    words = list(dict.fromkeys(words_of(question)))
    return [word for word in words if word not in STOP_WORDS and (len(word) > 1 or not word.isascii())] or words


def quoted_phrases(question: str) -> list[str]:
    """Return what stands in a question between double quotation marks, each once: a passage must have it.

    What holds no word, and what is in a script without spaces between words, is left out.
    """
    found = (first or second for first, second in _QUOTED.findall(question))
    return list(dict.fromkeys(each for each in found if re.search(r"[^\W_]", each) and not _UNSPACED.search(each)))


def holds_phrase(text: str, phrase: str) -> bool:
    """Whether the words of `phrase`, if it has any, stand in `text` in a row.

    Case, accents and what is between words do not count.
    """
    words, wanted = _folded(text), _folded(phrase)
    if not wanted:
        return False
    first = wanted[0]
    return any(word == first and words[place : place + len(wanted)] == wanted for place, word in enumerate(words))


def full_text_query(question: str, meant: Sequence[str] = ()) -> str | None:
    """Return an FTS5 query that matches any content word of the question, or None where it has no word at all.

    `meant` are further words. Content words that are neighbours count once more where they are neighbours in a passage,
    too: names and dates are such. Everything is quoted, so that nothing a person types is ever read as query syntax.
    """
    words = content_words(question)
    known = set(words)
    neighbours = (pair for pair in pairwise(words_of(question)) if known.issuperset(pair))
    terms = [*words, *meant, *dict.fromkeys(" ".join(pair) for pair in neighbours)]
    return " OR ".join(f'"{term}"' for term in terms) if terms else None


def phrase_query(phrase: str) -> str:
    """Return an FTS5 query that matches the words of a phrase in a row, whatever their endings."""
    return f'"{" ".join(words_of(phrase))}"'


def meant_words(question: str, counted: Counted, count_tokens: TokenCounter) -> list[str]:
    """Return the words that may be meant by misspelt ones of a question, the most frequent first.

    A word is misspelt if it stands nowhere and is no token of its own: the frequent words of a language are. Meant are
    those one letter away: one is missing, or too many, or another one, or two have changed places (Damerau 1964).
    """
    words = [word for word in content_words(question) if _may_be_misspelt(word)]
    words = [word for word, tokens in zip(words, count_tokens(words), strict=True) if tokens > 1]
    known = counted(words) if words else {}
    found: list[str] = []
    for word in [word for word in words if word not in known][:_MOST_UNKNOWN]:
        near = counted(sorted(set(_one_letter_away(word))))
        found += sorted(near, key=lambda each: (-near[each], each))[:_MOST_MEANT]
    return found


def _may_be_misspelt(word: str) -> bool:
    return _SHORTEST_MISSPELT <= len(word) <= _LONGEST_MISSPELT and _SPELLED.fullmatch(word) is not None


def _one_letter_away(word: str) -> Iterator[str]:
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        for letter in _LETTERS:
            yield f"{before}{letter}{after}"
            if after:
                yield f"{before}{letter}{after[1:]}"
        if after:
            yield f"{before}{after[1:]}"
        if len(after) > 1:
            yield f"{before}{after[1]}{after[0]}{after[2:]}"


def _folded(text: str) -> list[str]:
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return [word.casefold() for word in _WORD.findall(plain)]
