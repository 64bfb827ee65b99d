"""Layout: printed lines, each with its place on a page, become paragraphs in reading order.

What belongs to the page and not to the text (running heads, page numbers) is left out; columns are read one after the
other; lines are put together, and so are words that were hyphenated, paragraphs also across columns and pages.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from index.formats.draft import Draft
from index.sentences import ends_sentence

SOFT_HYPHEN = "\u00ad"

# Running heads and page numbers stand in this part of a page, from above and from below.
_MARGIN = 0.12
_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:(?:page|p\.|seite|side|sida)\s*)?(?:\d{1,4}|[ivxl]{1,6})(?:\s*(?:/|of|von)\s*\d{1,4})?[-–—\s.]*", re.I
)
_NUMBER = re.compile(r"[0-9]+")
_LIST_MARK = re.compile(r"(?:[-*+•‣▪●◦–—]|\(?\d{1,3}[.)]|[a-z][.)])\s")
_MARK_ALONE = re.compile(r"[-*+•‣▪●◦–—o]|\(?\d{1,3}[.)]|[a-z][.)]")
_WORD_END = re.compile(r"[^\W\d_]+$")
_WORD_START = re.compile(r"[^\W\d_]+")

# A gutter is at least so wide, in points; this share of the lines may cross it, and as many must stand beside it.
_GUTTER = 8
_WIDEST = 20_000
_CROSSING = 0.2
_LEAST_BESIDE = 4
# The lines beside a gutter are text, and no cells, if their words fill this much of their column.
_FILLED = 0.6
# Cells of a column begin, end or have their middle at the same place, give or take so many points.
_ALIGNED = 2.0
# A gap this wide, in heights of the line, is between cells even where no other row is.
_LONE_GAP = 4.0

_HEADING_SIZE = 1.12
_LONGEST_HEADING = 160
_LARGER_LEADING = 1.3
_INDENT = 0.8


@dataclass(frozen=True, slots=True)
class Line:
    """Words on one line, and where they stand, in points from the left and from below; `size` is their height."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    is_bold: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its height in points and its lines, as the file has them."""

    height: float
    lines: tuple[Line, ...]


@dataclass(slots=True)
class _Row:
    """Lines side by side: cells of a table, or just one line. `column` is the edge where the lines around it end."""

    cells: list[Line]
    page: int
    column: float = 0.0

    @property
    def line(self) -> Line:
        return self.cells[0]

    @property
    def text(self) -> str:
        return " | ".join(cell.text.rstrip(SOFT_HYPHEN) for cell in self.cells)

    @property
    def raw_text(self) -> str:
        """The same; a mark of a hyphen at its end stays."""
        return self.text if len(self.cells) > 1 else self.line.text


def flow(pages: Sequence[Page], draft: Draft) -> None:
    """Write the text of pages to a draft."""
    kept = [_without_furniture(pages, number) for number in range(len(pages))]
    rows = [
        row
        for number, lines in enumerate(kept, start=1)
        for part in _in_order(lines)
        if part
        for row in _rows(part, number)
    ]
    writer = _Writer(draft, _Style(rows), _hyphenated(kept))
    for row in rows:
        writer.add(row)
    writer.end(len(pages))


class _Writer:
    """Writes rows to a draft, each as a part of a heading or of a paragraph."""

    def __init__(self, draft: Draft, style: "_Style", words: Counter[str]) -> None:
        self._draft = draft
        self._style = style
        self._words = words
        self._page = 0
        self._heading: list[_Row] = []
        self._parts: list[tuple[str, int]] = []
        self._last: _Row | None = None

    def add(self, row: _Row) -> None:
        goes_on = self._last is not None and _goes_on(self._last, row, self._style)
        if not goes_on:
            self._end_paragraph()
        if self._page < row.page:
            self._end_heading()
            self._turn_to(row.page)
        if self._style.is_heading(row):
            if self._heading and not self._style.continues_heading(self._heading[-1], row):
                self._end_heading()
            self._heading.append(row)
            return
        self._end_heading()
        if self._parts:
            before, page = self._parts[-1]
            self._parts[-1] = _joined(before, row.text, self._words), page
        self._parts.append((row.raw_text, row.page))
        self._last = row

    def end(self, pages: int) -> None:
        """Write what is left, and the pages that hold nothing."""
        self._end_heading()
        self._end_paragraph()
        self._turn_to(pages)

    def _turn_to(self, page: int) -> None:
        while self._page < page:
            self._draft.begin_page()
            self._page += 1

    def _end_heading(self) -> None:
        if self._heading:
            words = " ".join(row.text for row in self._heading)
            self._draft.add_heading(words, self._style.level(self._heading[0]))
            self._heading = []

    def _end_paragraph(self) -> None:
        if self._parts and self._last is not None:
            text, page = self._parts[-1]
            self._parts[-1] = text.replace(SOFT_HYPHEN, "-"), page  # of a word that goes on nowhere
            self._draft.add_parts(self._parts, close=_is_close(self._last))
        self._parts, self._last = [], None


def _without_furniture(pages: Sequence[Page], number: int) -> list[Line]:
    """Return the lines of a page that are its text: no page number, nothing that stands there on other pages, too."""
    page = pages[number]
    seen = {
        key
        for at in range(max(0, number - 4), min(len(pages), number + 5))
        if at != number
        for line in pages[at].lines
        if _in_margin(line, pages[at])
        for key in _keys(line, at)
    }
    return [
        line
        for line in page.lines
        if not _in_margin(line, page)
        or (seen.isdisjoint(_keys(line, number)) and not _PAGE_NUMBER.fullmatch(line.text))
    ]


def _keys(line: Line, page: int) -> set[tuple[str, int]]:
    """Return what a line has in common with those at the same height that say the same, but for a page number.

    A page number is one that goes up with the pages: the first or the last number of a line, less the page it is on.
    """
    words, height = line.text.casefold(), round(line.bottom / 4)
    numbers = [found for found in _NUMBER.finditer(words) if len(found[0]) <= 6]
    return {(words, height)} | {
        (f"{words[: found.start()]}#{int(found[0]) - page}{words[found.end() :]}", height)
        for found in (*numbers[:1], *numbers[-1:])
    }


def _in_margin(line: Line, page: Page) -> bool:
    return line.bottom > (1 - _MARGIN) * page.height or line.top < _MARGIN * page.height


def _in_order(lines: list[Line]) -> Iterator[list[Line]]:
    """Yield the lines in the order in which they are read: above, left column, right column, below."""
    gutter = _gutter(lines)
    if gutter is None:
        yield lines
        return
    beside: tuple[list[Line], list[Line]] = ([], [])
    for line in sorted(lines, key=lambda each: (-each.top, each.left)):
        if line.left < gutter < line.right:
            for side in beside:
                yield from _in_order(side[:])
                side.clear()
            yield [line]
        else:
            beside[line.left >= gutter].append(line)
    for side in beside:
        yield from _in_order(side)


def _gutter(lines: list[Line]) -> float | None:
    """Return where two columns of text part, in points from the left, or None where there is one column."""
    if len(lines) < 2 * _LEAST_BESIDE:
        return None
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    width = int(right - left) + 1
    if width > _WIDEST:
        return None
    crossing = [0] * (width + 2)
    for line in lines:
        crossing[int(line.left - left)] += 1
        crossing[int(line.right - left) + 1] -= 1
    best: tuple[int, int] | None = None
    count = begin = 0
    most = _CROSSING * len(_side_by_side(lines))
    for at in range(width + 1):
        count += crossing[at]
        if count <= most and 0.2 * width <= at <= 0.8 * width:
            begin = begin or at
            if best is None or at - begin > best[1] - best[0]:
                best = begin, at
        else:
            begin = 0
    if best is None or best[1] - best[0] < _GUTTER:
        return None
    middle = left + (best[0] + best[1]) / 2
    first = [line for line in lines if line.right <= middle]
    second = [line for line in lines if line.left >= middle]
    if min(len(first), len(second)) < _LEAST_BESIDE:
        return None
    filled = _ink(first) >= _FILLED * best[0] and _ink(second) >= _FILLED * (width - best[1])
    return middle if filled else None


def _ink(lines: list[Line]) -> float:
    """Return how much of the width is printed on in most rows, in points."""
    return median(sum(cell.right - cell.left for cell in cells) for cells in _side_by_side(lines))


def _rows(lines: list[Line], page: int) -> list[_Row]:
    """Return rows: the cells of tables side by side, and lines whole where only their spaces are wide."""
    groups = _side_by_side(lines)
    edge = max((cells[-1].right for cells in groups), default=0.0)
    edges = {each for cells in groups if len(cells) == 1 for each in _edges(cells)}
    rows = []
    for number, cells in enumerate(groups):
        near = [groups[each] for each in (number - 1, number + 1) if 0 <= each < len(groups)]
        rows.append(_Row(cells if _is_of_table(cells, near, edges) else [_whole(cells)], page, edge))
    return rows


def _side_by_side(lines: list[Line]) -> list[list[Line]]:
    groups: list[list[Line]] = []
    for line in lines:
        last = groups[-1][-1] if groups else None
        if last is not None and line.left > last.right - 1 and _is_beside(last, line):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _is_of_table(cells: list[Line], near: list[list[Line]], edges: set[tuple[int, int]]) -> bool:
    """Whether a row is one of a table: its cells stand under or above those of a row beside it.

    `edges` are where the lines begin and end that have no wide gap.
    """
    gaps = [after.left - before.right for before, after in pairwise(cells)]
    if not gaps or (len(cells) == 2 and _MARK_ALONE.fullmatch(cells[0].text)):
        return False
    size = cells[0].size
    are_alike = max(gaps) - min(gaps) < 0.2 * size and not any(" " in cell.text for cell in cells)
    if are_alike and (len(gaps) > 1 or _edges(cells) & edges):
        return False  # a justified line: all its spaces are as wide
    if max(gaps) >= _LONE_GAP * size:
        return True
    aligned = max(
        (
            sum(any(_are_aligned(cell, other) for other in row[1:]) for cell in cells[1:])
            for row in near
            if len(row) > 1
        ),
        default=0,
    )
    return aligned >= max(1, (len(cells) - 1) / 2)


def _are_aligned(first: Line, second: Line) -> bool:
    middles = abs(first.left + first.right - second.left - second.right) / 2
    return min(abs(first.left - second.left), abs(first.right - second.right), middles) <= _ALIGNED


def _edges(cells: list[Line]) -> set[tuple[int, int]]:
    """Return where a row begins and ends, in whole points, each rounded both ways."""
    left, right = int(cells[0].left), int(cells[-1].right)
    return {(first, last) for first in (left, left + 1) for last in (right, right + 1)}


def _whole(cells: list[Line]) -> Line:
    if len(cells) == 1:
        return cells[0]
    return Line(
        " ".join(cell.text for cell in cells),
        cells[0].left,
        cells[-1].right,
        min(cell.bottom for cell in cells),
        max(cell.top for cell in cells),
        median(cell.size for cell in cells),
        all(cell.is_bold for cell in cells),
    )


def _is_beside(first: Line, second: Line) -> bool:
    overlap = min(first.top, second.top) - max(first.bottom, second.bottom)
    return overlap > 0.5 * min(first.top - first.bottom, second.top - second.bottom)


class _Style:
    """What is usual in a document: the size of its text, the distance of its lines, and what headings look like."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        sizes: Counter[float] = Counter()
        bold = 0
        for cell in (cell for row in rows for cell in row.cells):
            sizes[_rounded(cell.size)] += len(cell.text)
            bold += len(cell.text) if cell.is_bold else 0
        self.size = sizes.most_common(1)[0][0] if sizes else 1.0
        self._bold_tells = bold < 0.4 * sum(sizes.values())
        pitches = [
            above.line.bottom - below.line.bottom
            for above, below in pairwise(rows)
            if above.page == below.page
            and above.line.bottom > below.line.bottom
            and _rounded(below.line.size) == self.size
        ]
        small = [pitch for pitch in pitches if pitch < 3 * self.size]
        self.pitch = median(small) if small else 1.2 * self.size
        self._levels = sorted({self._look(row) for row in rows if self.is_heading(row)}, reverse=True)

    def is_heading(self, row: _Row) -> bool:
        """Whether a row looks like a heading: larger than the text or bold, short, and no sentence."""
        line = row.line
        if len(row.cells) > 1 or len(line.text) > _LONGEST_HEADING or sum(map(str.isalpha, line.text)) < 2:
            return False
        is_large = line.size >= _HEADING_SIZE * self.size
        is_bold = self._bold_tells and line.is_bold and line.size >= 0.95 * self.size
        return is_large or (is_bold and line.text[-1] not in ".;,:" and not _LIST_MARK.match(line.text[:2]))

    def continues_heading(self, above: _Row, below: _Row) -> bool:
        """Whether a heading goes on in the next line."""
        distance = above.line.bottom - below.line.bottom
        return self._look(above) == self._look(below) and 0 < distance < 1.6 * above.line.size

    def level(self, row: _Row) -> int:
        """Return a heading's level: the larger the higher."""
        return self._levels.index(self._look(row)) + 1

    def _look(self, row: _Row) -> tuple[float, bool]:
        return max(_rounded(row.line.size), self.size), row.line.is_bold


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _is_close(row: _Row) -> bool:
    return len(row.cells) > 1 or _LIST_MARK.match(row.text) is not None


def _goes_on(above: _Row, below: _Row, style: _Style) -> bool:
    """Whether a paragraph goes on in the next row."""
    if len(above.cells) > 1 or len(below.cells) > 1 or _LIST_MARK.match(below.text) or style.is_heading(below):
        return False
    first, second = above.line, below.line
    if abs(first.size - second.size) > 0.1 * style.size:
        return False
    distance = first.bottom - second.bottom
    is_below = above.page == below.page and distance > 0 and second.left < first.right
    if not is_below:  # in the next column, or on the next page
        return not ends_sentence(first.text) and first.text[-1] != ":"
    if distance > _LARGER_LEADING * style.pitch:
        return False
    ends = ends_sentence(first.text)
    if second.left > first.left + _INDENT * style.size and ends:
        return False
    is_short = first.right < above.column - 0.2 * (above.column - first.left)
    return not (is_short and ends)


def _joined(before: str, after: str, words: Counter[str]) -> str:
    """Return `before` as it stands in front of `after`: with a space, or without the hyphen of a word that goes on."""
    if not before.endswith((SOFT_HYPHEN, "-", "‐")):
        return before + " "
    stem, rest = _WORD_END.search(before[:-1]), _WORD_START.match(after)
    if stem is None or rest is None:
        return before.replace(SOFT_HYPHEN, "-")
    whole, apart = f"{stem[0]}{rest[0]}".casefold(), f"{stem[0]}-{rest[0]}".casefold()
    if rest[0][0].islower() and not (words[apart] and not words[whole]):
        return before[:-1]
    return before[:-1] + "-"


def _hyphenated(pages: Sequence[Sequence[Line]]) -> Counter[str]:
    """Count the words within lines, hyphenated ones as one: how a word is written elsewhere tells how it is here."""
    return Counter(
        word.casefold()
        for lines in pages
        for line in lines
        for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text)
    )
