"""Structure: what a file says of its text besides the words: where its pages begin and what its headings are.

Offsets are code points of the canonical text. A converted document has a structure, of whatever it knows; plain text
and Markdown have none, and are read by their layout.
"""

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.errors import InvalidDocument

MAX_PAGES = 100_000
MAX_HEADINGS = 100_000
MAX_LEVEL = 9


@dataclass(frozen=True, slots=True)
class Heading:
    """`text[start:end]` is a heading on one line; level 1 is the highest."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class Structure:
    """`pages[n]` is where page n + 1 begins; the first begins at 0, and there are none where a file has no pages.

    A page that holds no text begins where the next one does. Headings stand in the order of the text, apart.
    """

    pages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page, counted from 1, on which the character at `offset` stands."""
        return bisect_right(self.pages, offset) or None

    def pages_within(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield (start, number) of the pages on which something of `text[start:end]` stands."""
        first = bisect_right(self.pages, start)
        for number in range(max(first, 1), bisect_left(self.pages, end) + 1):
            yield self.pages[number - 1], number

    def to_json(self) -> str:
        """Return the structure as the store keeps it."""
        headings = [[each.start, each.end, each.level] for each in self.headings]
        return json.dumps({"pages": self.pages, "headings": headings}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Structure":
        """Return the structure that `to_json` made a text of."""
        content = json.loads(text)
        return cls(tuple(content["pages"]), tuple(Heading(*each) for each in content["headings"]))

    @property
    def sha256(self) -> str:
        """A hash of all of it, hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def checked_structure(text: str, pages: Sequence[int], headings: Iterable[Heading]) -> Structure:
    """Return the structure of a canonical text.

    Raises:
        InvalidDocument: it cannot be that of the text.
    """
    structure = Structure(tuple(pages), tuple(headings))
    if len(structure.pages) > MAX_PAGES or len(structure.headings) > MAX_HEADINGS:
        raise InvalidDocument(f"At most {MAX_PAGES} pages and {MAX_HEADINGS} headings are allowed.")
    if structure.pages and (
        structure.pages[0] != 0
        or structure.pages[-1] > len(text)
        or any(first > second for first, second in pairwise(structure.pages))
    ):
        raise InvalidDocument("The pages must begin at 0, in ascending order, and none after the end of the text.")
    before = 0
    for each in structure.headings:
        if not before <= each.start < each.end <= len(text) or not 1 <= each.level <= MAX_LEVEL:
            raise InvalidDocument(
                f"The heading {each.start}-{each.end} is none: headings are in order, apart, within the text, and of a"
                f" level from 1 to {MAX_LEVEL}."
            )
        words = text[each.start : each.end]
        if "\n" in words or words != words.strip():
            raise InvalidDocument(
                f"The heading {each.start}-{each.end} must stand on one line, without white space around it."
            )
        before = each.end
    return structure
