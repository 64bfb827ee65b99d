"""Blocks: the parts of a text as its layout shows them, each with exact offsets.

A heading, a paragraph or a fragment (a short line that is no sentence: a byline, an archive reference, a share button).
Markdown is parsed by markdown-it-py (CommonMark); plain text is read by its lines: blank lines, lengths and ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from markdown_it import MarkdownIt

from index.labels import Likeness, likeness_of
from index.sentences import ends_sentence, split_sentences
from index.structure import Structure

MAX_HEADING_LENGTH = 120
MAX_HEADING_WORDS = 18
TITLE_LENGTH = 80

_LINE = re.compile(r"[^\n]+")
_LIST_MARK = re.compile(r"(?:[-*+•‣–—]|\(?\d{1,3}[.)]|[a-z][.)])\s")
# Far more than a first block and what follows it.
_TITLE_REACH = 20_000
_TITLE_DEPTH = 500

_WORD = re.compile(r"\w+")
_HEADING_MARKS = re.compile(r"#{1,6}(?:[ \t]+|$)")
_MARKDOWN = MarkdownIt("commonmark").enable("table").disable("inline")
_MARKDOWN_LEAVES = {"heading_open", "paragraph_open", "fence", "code_block", "html_block", "tr_open"}

# A line this long that stops without an end mark was probably wrapped by its writer's editor.
_WRAPPED_LENGTH = 50
# A heading glued to its paragraph is told by what follows: a line much longer than itself that ends a sentence.
_BODY_RATIO = 2
_BODY_LENGTH = 120
# "No comments yet..." ends like a sentence and is none; "On March 12, 2011." is as short as sentences get.
_SENTENCE_WORDS = 4


class BlockKind(Enum):
    """What a block is in its document's layout."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    FRAGMENT = "fragment"


@dataclass(frozen=True, slots=True)
class Block:
    """`text[start:end]` of the canonical text; it neither begins nor ends with white space."""

    kind: BlockKind
    start: int
    end: int


def split_blocks(text: str, *, markdown: bool, structure: Structure | None = None) -> list[Block]:
    """Return the blocks of `text` in order. They do not overlap, and together they hold all that is not white space.

    A structure says which lines are headings; then every other line is a paragraph.
    """
    if structure is not None:
        return list(_structured_blocks(text, structure))
    return list(_markdown_blocks(text) if markdown else _plain_blocks(_lines(text, 0, len(text))))


def find_title(text: str, *, markdown: bool, structure: Structure | None = None) -> str:
    """Return a title for `text`: its first block where that is a heading, else the beginning of its first sentence.

    The title is made for people and need not stand in the text: white space is folded, a long sentence is cut at a
    word and ends with an ellipsis.
    """
    skipped = len(text) - len(text.lstrip())
    text = text[skipped : skipped + _TITLE_REACH]  # only the beginning decides, and the whole may be a book
    if structure is not None and structure.headings:
        heading = structure.headings[0]
        end = min(heading.end - skipped, len(text))
        # The first line of a page may stand above its title; a heading far below is of a part only.
        if end > heading.start - skipped and heading.start - skipped <= _TITLE_DEPTH:
            return _shortened(text[heading.start - skipped : end], MAX_HEADING_LENGTH)
    first = split_blocks(text, markdown=markdown, structure=None if structure is None else Structure())[0]
    words = text[first.start : first.end]
    if first.kind is BlockKind.HEADING:
        if markdown:
            words = heading_text(words)
    else:
        start, end = next(iter(split_sentences(text, first.start, first.end)))
        words = text[start:end]
    return _shortened(words, MAX_HEADING_LENGTH if first.kind is BlockKind.HEADING else TITLE_LENGTH)


def _shortened(words: str, limit: int) -> str:
    words = " ".join(words.split())
    if len(words) <= limit:
        return words
    cut = words.rfind(" ", limit // 2, limit)
    return words[: cut if cut > 0 else limit - 1].rstrip(" ,;:-–—") + "…"


def heading_text(words: str) -> str:
    """Return a heading's words without its Markdown marks (`## Title ##`, or a title underlined)."""
    title, _, last_line = words.strip().rpartition("\n")
    if title and set(last_line.strip()) in ({"="}, {"-"}):
        return title.strip()
    words = words.strip()
    if marks := _HEADING_MARKS.match(words):
        words = words[marks.end() :].rstrip()
        unmarked = words.rstrip("#")
        if not unmarked or unmarked[-1] in " \t":
            words = unmarked
    return words.strip()


def _structured_blocks(text: str, structure: Structure) -> Iterator[Block]:
    position = 0
    for heading in structure.headings:
        yield from _line_blocks(text, position, heading.start)
        yield Block(BlockKind.HEADING, heading.start, heading.end)
        position = heading.end
    yield from _line_blocks(text, position, len(text))


def _line_blocks(text: str, start: int, end: int) -> Iterator[Block]:
    """Yield every line as a paragraph: who made a structure has put lines together, and left page furniture out."""
    for line in _lines(text, start, end):
        yield Block(BlockKind.PARAGRAPH, line.start, line.end)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is not blank, without the white space around it; `group` counts the blank gaps before it."""

    text: str
    start: int
    group: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def _lines(text: str, start: int, end: int) -> list[_Line]:
    lines: list[_Line] = []
    group = 0
    gap = False
    position = start
    for match in _LINE.finditer(text, start, end):
        words = match.group().strip()
        gap = gap or text.count("\n", position, match.start()) > 1
        position = match.end()
        if not words:
            gap = True
            continue
        if gap and lines:
            group += 1
        gap = False
        lines.append(_Line(words, match.start() + match.group().index(words), group))
    return lines


def _plain_blocks(lines: list[_Line]) -> Iterator[Block]:
    """Yield the blocks of plain text.

    Headings are told by their place: alone between blank lines with something below, or glued on top of a line that is
    much longer and ends a sentence. The short lines glued above such a heading (name of the paper, date) are its own.
    """
    headings = _heading_lines(lines)
    index = 0
    while index < len(lines):
        line = lines[index]
        last = index
        if index in headings:
            while last + 1 in headings and lines[last + 1].group == line.group:
                last += 1
            kind = BlockKind.HEADING
        else:
            while _goes_on(lines, last) and last + 1 not in headings:
                last += 1
            words = " ".join(each.text for each in lines[index : last + 1])
            kind = BlockKind.PARAGRAPH if _is_prose(words) else BlockKind.FRAGMENT
        yield Block(kind, line.start, lines[last].end)
        index = last + 1


def _goes_on(lines: list[_Line], index: int) -> bool:
    """Whether the line break after `lines[index]` was only made to fit a page's width."""
    if index + 1 == len(lines) or lines[index + 1].group != lines[index].group:
        return False
    line, following = lines[index].text, lines[index + 1].text
    if ends_sentence(line) or _LIST_MARK.match(following):
        return False
    if following[0].islower():
        return len(line) >= _WRAPPED_LENGTH // 2
    return line[-1] in ",;-–—" or len(line) >= _WRAPPED_LENGTH


def _is_prose(words: str) -> bool:
    """Whether a block reads as sentences: it ends one and is more than a label, or is too long to be a label."""
    count = len(_WORD.findall(words))
    return len(words) > MAX_HEADING_LENGTH or (ends_sentence(words) and count >= _SENTENCE_WORDS)


def _heading_lines(lines: list[_Line]) -> set[int]:
    """Return the numbers of the lines that are headings."""
    groups: dict[int, list[int]] = {}
    for number, line in enumerate(lines):
        groups.setdefault(line.group, []).append(number)
    found: set[int] = set()
    for group, numbers in groups.items():
        # Alone between blank lines (two lines where a long heading was wrapped), with something below.
        if len(numbers) <= 2 and group + 1 in groups and all(_may_be_heading(lines[n].text) for n in numbers):
            found.update(numbers)
            continue
        for number in numbers[:-1]:
            words, body = lines[number].text, lines[number + 1].text
            is_body = len(body) >= max(_BODY_LENGTH, _BODY_RATIO * len(words)) and ends_sentence(body)
            if is_body and _may_be_heading(words):
                found.add(number)
    return {number for number in found if not _is_label(lines, number)}


def _is_label(lines: list[_Line], number: int) -> bool:
    """Whether a line is a label of the page: for certain, or since it may be one and stands beside another."""
    likeness = likeness_of(lines[number].text)
    if likeness is not Likeness.POSSIBLE:
        return likeness is Likeness.CERTAIN
    beside = (each for each in (number - 1, number + 1) if 0 <= each < len(lines))
    return any(likeness_of(lines[each].text) is not Likeness.NONE for each in beside)


def _may_be_heading(line: str) -> bool:
    words = len(_WORD.findall(line))
    short = len(line) <= MAX_HEADING_LENGTH and 0 < words <= MAX_HEADING_WORDS
    starts = line[0].isalnum() and not line[0].islower()
    return short and starts and not ends_sentence(line) and line[-1] not in ",;:-–—" and not _LIST_MARK.match(line)


def _markdown_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of Markdown: CommonMark decides what is a heading and where a paragraph or a code block ends."""
    line_starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]

    taken = 0  # the first line that no block holds yet
    count = len(line_starts) - 1
    for token in _MARKDOWN.parse(text):
        if token.map is None or token.type not in _MARKDOWN_LEAVES:
            continue
        first, after = token.map[0], min(token.map[1], count)
        if first < taken:
            continue
        yield from _rest_blocks(text, line_starts[taken], line_starts[first])
        kind = BlockKind.HEADING if token.type == "heading_open" else BlockKind.PARAGRAPH
        yield from _stripped(text, kind, line_starts[first], line_starts[after])
        taken = after
    yield from _rest_blocks(text, line_starts[taken], len(text))


def _rest_blocks(text: str, start: int, end: int) -> Iterator[Block]:
    """Yield what CommonMark gives no block of its own (rules, link definitions) as fragments, a line each."""
    for line in _lines(text, start, end):
        yield Block(BlockKind.FRAGMENT, line.start, line.end)


def _stripped(text: str, kind: BlockKind, start: int, end: int) -> Iterator[Block]:
    words = text[start:end]
    if stripped := words.strip():
        start += words.index(stripped)
        yield Block(kind, start, start + len(stripped))
