"""Words: what of a question counts for full-text search."""

import re

_WORD = re.compile(r"(?:\w|[\u0300-\u036f])+")

# English words that stand in most questions and most passages and tell neither apart.
STOP_WORDS = frozenset(
    "a about an and are as at be been by can could did do does for from had has have he her his how i if in into is it"
    " its many me much of on or our she should so some such than that the their them then there these they this those"
    " to us was we were what when where which while who whom whose why will with would you your".split()
)


def words_of(text: str) -> list[str]:
    """Return the words of `text` in order, in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def content_words(question: str) -> list[str]:
    """Return the words of a question without stop words, each once; all its words where nothing else would be left."""
    words = list(dict.fromkeys(words_of(question)))
    return [word for word in words if word not in STOP_WORDS and (len(word) > 1 or not word.isascii())] or words


def full_text_query(question: str) -> str | None:
    """Return an FTS5 query that matches any content word of the question, or None where it has no word at all.

    Every word is quoted, so that nothing a person types is ever read as query syntax.
    """
    words = content_words(question)
    return " OR ".join(f'"{word}"' for word in words) if words else None
