"""Drafts: canonical text in the making, with its pages and headings."""

import re
from dataclasses import dataclass, field
from typing import Any

from index.errors import EmptyFile, FileOverLimit
from index.formats.limits import Limits
from index.structure import Heading, Structure

# Typography of print, not of words: a glyph that stands for two or three letters.
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_SPACE = re.compile(r"\s+")
# Controls, marks of bytes, soft hyphens, and halves of characters; none of them is to be seen.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\ufeff\ufffe\uffff\ud800-\udfff]")

LONGEST_HEADING = 300


def clean(words: str) -> str:
    """Return words on one line: white space folded, ligatures written out, what cannot be seen left out."""
    return _SPACE.sub(" ", _UNSEEN.sub("", words.translate(_LIGATURES))).strip()


@dataclass(slots=True)
class Draft:
    """Text that grows by lines. Paragraphs and headings stand apart; rows and items of lists stand close."""

    limits: Limits
    _parts: list[str] = field(default_factory=list)
    _length: int = 0
    _pages: list[int] = field(default_factory=list)
    _page: int = 0
    _headings: list[Heading] = field(default_factory=list)
    _is_close: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added yet."""
        return not self._length

    @property
    def first_heading(self) -> str | None:
        """The words of the first heading."""
        text = "".join(self._parts) if self._headings else ""
        return text[self._headings[0].start : self._headings[0].end] if self._headings else None

    def begin_page(self) -> None:
        """Let what is added from now on stand on the next page.

        Raises:
            FileOverLimit: there are too many pages.
        """
        self._page += 1
        if self._page > self.limits.pages:
            raise FileOverLimit(
                f"The file has more than {self.limits.pages} pages; send it in parts, or raise CITESPAN_MAX_FILE_PAGES."
            )

    def add_line(self, words: str, *, close: bool = False) -> None:
        """Add a paragraph, or, `close`, a row of a table or an item of a list; nothing where there are no words."""
        self.add_parts([(words, self._page)], close=close)

    def add_parts(self, parts: list[tuple[str, int]], *, close: bool = False) -> tuple[int, int]:
        """Add a paragraph that may go over pages: clean words and the number of their page, from 1; 0: no pages.

        The parts are put together as they are. Return where the paragraph stands.
        """
        parts = [(words, page) for words, page in parts if words]
        if not parts or not any(words.strip() for words, _ in parts):
            return self._length, self._length
        if self._length:
            self._write("\n" if close and self._is_close else "\n\n")
        self._is_close = close
        start = self._length
        for words, page in parts:
            self._open_pages(page)
            self._write(words)
        return start, self._length

    def add_heading(self, words: str, level: int) -> None:
        """Add a heading of a level, 1 the highest; what is too long for one is a paragraph."""
        start, end = self.add_parts([(words, self._page)])
        if start < end and end - start <= LONGEST_HEADING:
            self._headings.append(Heading(start, end, min(max(level, 1), 6)))

    def finish(self, *, title: str | None = None) -> dict[str, Any]:
        """Return the document as a line of a batch says it (docs/http-api.md).

        Raises:
            EmptyFile: it holds no text.
        """
        if self.is_empty:
            raise EmptyFile("The file holds no text.")
        self._open_pages(self._page)
        structure = Structure(tuple(self._pages), tuple(self._headings))
        made: dict[str, Any] = {"text": "".join(self._parts)}
        if title:
            made["title"] = title
        if structure.pages:
            made["pages"] = list(structure.pages)
        made["headings"] = [
            {"start_char_index": each.start, "end_char_index": each.end, "level": each.level}
            for each in structure.headings
        ]
        return made

    def _open_pages(self, page: int) -> None:
        """Let all pages up to `page` that have not begun begin here; the first begins with the text."""
        while len(self._pages) < page:
            self._pages.append(self._length if self._pages else 0)

    def _write(self, words: str) -> None:
        self._length += len(words)
        if self._length > self.limits.characters:
            raise FileOverLimit(
                f"The file holds more than {self.limits.characters} characters of text; send it in parts, or raise "
                "CITESPAN_MAX_FILE_CHARACTERS."
            )
        self._parts.append(words)
