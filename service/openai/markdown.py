"""Markdown: text of documents and users, so that every renderer shows it and none obeys it.

Renderers differ: some of them find mathematics, tags of their own or bare addresses in the raw text. So brackets, angle
brackets and backslashes become character references, which no renderer takes for anything but text, and what could be
taken for an address stands in a code span, where nothing is made into a link (CommonMark 0.31.2, 6.1; GFM 6.9).
"""

import re
import unicodedata

# What changes the direction of text that follows (Unicode UAX #9): it could turn our own words around.
_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"\s+")
# Angle brackets never stand in a code span: some front ends look for tags of their own in the raw text.
_WORD = re.compile(r"[^\s<>]+")
_ADDRESS = re.compile(r"//|@|www\.|[\w-]\.[^\W\d_]{2}", re.IGNORECASE)
_COLONS = re.compile(r":{2,}")
_AT_THE_START = re.compile(r"^(?:[#+=-]|\d{1,9}(?=[.)](?:\s|$)))")
_BACKTICKS = re.compile(r"`+")

_ESCAPES = str.maketrans(
    {
        **{character: f"&#{ord(character)};" for character in "[]\\`"},
        **{character: f"\\{character}" for character in "*_~$|"},
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
    }
)


def plain(text: str) -> str:
    """Return a text on one line, without control characters and without what changes the direction of writing."""
    return _SPACE.sub(" ", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.translate(_DIRECTIONS)))


def escape(text: str) -> str:
    """Return Markdown that shows a text, on one line, as what it is."""
    shown = []
    end = 0
    line = plain(text)
    for word in _WORD.finditer(line):
        if _ADDRESS.search(word[0]):
            shown += [_escape_characters(line[end : word.start()]), code(word[0])]
            end = word.end()
    return "".join([*shown, _escape_characters(line[end:])])


def code(text: str) -> str:
    """Return a code span that shows a text without line breaks."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def bold(before: str, text: str, after: str) -> str:
    """Return Markdown of a text in bold between two others; all three are Markdown already.

    It stays as it is where CommonMark would not see the asterisks as emphasis: between a letter and punctuation.
    """
    if not text or not (_opens(before[-1:], text[0]) and _opens(after[:1], text[-1])):
        return f"{before}{text}{after}"
    return f"{before}**{text}**{after}"


def link(text: str, url: str) -> str:
    """Return a link; `text` is Markdown already, and `url` is one that this service made."""
    return f"[{text}]({url})"


def _escape_characters(text: str) -> str:
    text = _COLONS.sub(lambda found: "&#58;" * len(found[0]), text.translate(_ESCAPES))
    return _AT_THE_START.sub(lambda found: f"{found[0]}\\" if found[0].isdecimal() else f"\\{found[0]}", text)


def _opens(outside: str, inside: str) -> bool:
    """Whether asterisks between these two characters can be emphasis (left-flanking seen from outside)."""
    return not _is_punctuation(inside) or not outside or outside.isspace() or _is_punctuation(outside)


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
