"""Passages: the spans of a document that are embedded and retrieved, cut between sentences, with exact offsets."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from index.blocks import Block, BlockKind, heading_text, split_blocks
from index.furniture import split_furniture
from index.sentences import split_sentences
from index.structure import Structure
from index.words import TokenCounter

# How far from where a long sentence should be cut a good place is looked for, in characters.
_CUT_REACH = 200
# A tokenizer may count a word of a megabyte, or as much white space, as one token or none; this many characters count
# as a token whatever it says. English has between four and five.
_CHARACTERS_PER_TOKEN = 10

# Goes up with every change of what the same text is cut into, so that an index built by older rules is noticed.
RULES_VERSION = 3

# What it costs to begin a passage within a paragraph, in passages twice as large as is ideal.
_CUT_PARAGRAPH = 2.0


@dataclass(frozen=True, slots=True)
class Sentence:
    """`document.text[start:end]`: a sentence, a heading, or a piece of a sentence too long for one passage."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """`document.text[start:end] == text`, with the sentences that it is made of, in order.

    `ordinal` counts the passages of a document from 0. `section` is the nearest heading above, as people read it.
    `is_furniture`: it is part of a page, not of what the page says; see `index/furniture.py`.
    """

    ordinal: int
    start: int
    end: int
    text: str
    section: str | None
    sentences: tuple[Sentence, ...]
    is_furniture: bool = False

    def words(self, start: int, end: int) -> str:
        """Return what stands from `start` to `end`, offsets into the canonical text, as far as it is in the passage."""
        return self.text[max(0, start - self.start) : max(0, end - self.start)]


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """How large passages are, in tokens of the embedder.

    `max_tokens` leaves room for the heading that is embedded in front of the passage; `overlap_tokens` is how much of
    the end of one passage the next may repeat (whole sentences only; 0: none). `ideal_tokens` is the size, overlap
    left out, that passages get where paragraphs allow for it.
    """

    max_tokens: int = 200
    overlap_tokens: int = 0
    ideal_tokens: int = 120

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or not 0 <= self.overlap_tokens < self.max_tokens:
            raise ValueError("max_tokens must be at least 1 and overlap_tokens between 0 and max_tokens - 1")
        if self.ideal_tokens < 1:
            raise ValueError("ideal_tokens must be at least 1")

    @property
    def fresh_tokens(self) -> int:
        """How many tokens of a passage are left for what no passage before it held."""
        return self.max_tokens - self.overlap_tokens


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence with its size, the white space before it counted in: the smallest thing that goes into a passage.

    `opens`: a paragraph, or another block, begins with it.
    """

    sentence: Sentence
    tokens: int
    opens: bool


def embedded_text(heading: str, text: str) -> str:
    """Return what is embedded of a passage: its heading, too."""
    return f"{heading}\n{text}"


def heading_above(title: str, section: str | None) -> str:
    """Return what stands above a passage: the document's title and the section, where they say different things."""
    return "\n".join(dict.fromkeys(part for part in (title, section) if part))


def split_passages(
    text: str,
    *,
    markdown: bool,
    count_tokens: TokenCounter,
    settings: PassageSettings,
    structure: Structure | None = None,
) -> list[Passage]:
    """Cut canonical text into passages. A structure says what its headings are.

    No passage crosses a heading; every character that is not white space stands in at least one passage; the sentences
    of a passage have at most `settings.max_tokens` tokens together.
    """
    passages: list[Passage] = []
    blocks = split_blocks(text, markdown=markdown, structure=structure)
    for section, run, is_furniture in _runs(text, blocks, markdown=markdown):
        units = _units(text, run, count_tokens, settings.fresh_tokens)
        for window in _windows(units, settings):
            start, end = window[0].sentence.start, window[-1].sentence.end
            inside = tuple(unit.sentence for unit in window)
            passages.append(Passage(len(passages), start, end, text[start:end], section, inside, is_furniture))
    return passages


def _runs(text: str, blocks: list[Block], *, markdown: bool) -> Iterator[tuple[str | None, list[Block], bool]]:
    """Yield the runs of blocks that passages must not cross, with the heading above and whether it is furniture."""
    section: str | None = None
    starts = _section_starts(text, blocks)
    for start, end in zip(starts, [*starts[1:], len(blocks)], strict=True):
        opening = [block for block in blocks[start:end] if block.kind is BlockKind.HEADING]
        if opening:
            heading = text[opening[-1].start : opening[-1].end]
            section = " ".join((heading_text(heading) if markdown else heading).split()) or section
        for run, is_furniture in split_furniture(text, blocks[start:end]):
            yield section, run, is_furniture


def _section_starts(text: str, blocks: list[Block]) -> list[int]:
    """Return the number of the first block of every section.

    Headings in a row open one section. Short lines glued above a heading (a newspaper's name, a date) belong to what
    they introduce, not to what happens to stand before them.
    """
    starts = {0}
    for index, block in enumerate(blocks):
        if block.kind is not BlockKind.HEADING or (index and blocks[index - 1].kind is BlockKind.HEADING):
            continue
        start = index
        while start and blocks[start - 1].kind is BlockKind.FRAGMENT and _is_glued(text, blocks, start):
            start -= 1
        starts.add(start)
    return sorted(starts)


def _is_glued(text: str, blocks: list[Block], index: int) -> bool:
    """Whether no blank line stands between a block and the one before it."""
    return text.count("\n", blocks[index - 1].end, blocks[index].start) < 2


def _sentences(text: str, block: Block) -> Iterator[Sentence]:
    if block.kind is BlockKind.PARAGRAPH:
        for start, end in split_sentences(text, block.start, block.end):
            yield Sentence(start, end)
    else:
        yield Sentence(block.start, block.end)


def _units(text: str, blocks: list[Block], count_tokens: TokenCounter, max_tokens: int) -> list[_Unit]:
    """Size every sentence, and cut those that are too long into pieces that fit."""
    sentences = [sentence for block in blocks for sentence in _sentences(text, block)]
    opening = {block.start for block in blocks}
    units: list[_Unit] = []
    for sentence, tokens in _fitting(text, sentences, count_tokens, max_tokens):
        gap = sentence.start - units[-1].sentence.end if units else 0
        size = max(tokens, _least_tokens(gap + sentence.end - sentence.start))
        units.append(_Unit(sentence, size, sentence.start in opening))
    return units


def _fitting(
    text: str, sentences: list[Sentence], count_tokens: TokenCounter, max_tokens: int
) -> Iterator[tuple[Sentence, int]]:
    counts = count_tokens([text[each.start : each.end] for each in sentences])
    for sentence, count in zip(sentences, counts, strict=True):
        tokens = max(count, _least_tokens(sentence.end - sentence.start))
        if tokens <= max_tokens or sentence.end - sentence.start < 2:
            yield sentence, tokens
        else:
            pieces = _pieces(text, sentence, -(-tokens // max_tokens))
            yield from _fitting(text, pieces, count_tokens, max_tokens)


def _least_tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_PER_TOKEN)


def _pieces(text: str, sentence: Sentence, parts: int) -> list[Sentence]:
    """Cut a long sentence into about equal parts, at good places, without the white space between them."""
    start, end = sentence.start, sentence.end
    step = (end - start) / min(parts, end - start)
    cuts = [_cut(text, start + round(step * part), int(step) // 2) for part in range(1, round((end - start) / step))]
    pieces = []
    for first, last in pairwise([start, *cuts, end]):
        piece = text[first:last]
        if stripped := piece.strip():
            begin = first + piece.index(stripped)
            pieces.append(Sentence(begin, begin + len(stripped)))
    return pieces


def _cut(text: str, at: int, reach: int) -> int:
    """Return the best place to cut at most `reach` before or behind `at`, the nearest of its kind.

    Behind punctuation, else between words, else between characters.
    """
    # One sentence may be a whole file without a space: nothing is looked for far away.
    reach = min(reach, _CUT_REACH)
    near = [place for away in range(reach + 1) for place in dict.fromkeys((at + away, at - away)) if place < len(text)]
    spaces = [place for place in near if text[place].isspace()]
    behind_mark = next((place for place in spaces if text[place - 1] in ",;:)–—"), None)
    if behind_mark is not None:
        return behind_mark
    return spaces[0] if spaces else next((place for place in near if not _joins(text, place)), at)


def _joins(text: str, at: int) -> bool:
    """Whether the character at `at` makes one visible character with the one before it."""
    joiners = "\u200d\ufe0e\ufe0f"
    return text[at] in joiners or text[at - 1] == "\u200d" or unicodedata.combining(text[at]) != 0


def _windows(units: list[_Unit], settings: PassageSettings) -> Iterator[list[_Unit]]:
    """Yield the windows that cost least together, as lines of a paragraph are broken (Knuth and Plass 1981).

    A window costs the square of the share by which it is smaller or larger than is ideal, so that sizes are even and
    none is a mere remainder; one that begins within a paragraph costs `_CUT_PARAGRAPH` more.
    """
    capacity = settings.fresh_tokens
    ideal = min(settings.ideal_tokens, capacity)
    cheapest, begins = [0.0], [0]  # of the first n units: what their windows cost, and where the last of them begins
    for end in range(1, len(units) + 1):
        best, size = (float("inf"), 0), 0
        for begin in range(end - 1, -1, -1):
            size += units[begin].tokens
            if size > capacity and begin < end - 1:
                break
            off = size / ideal - 1
            cut = 0.0 if units[begin].opens else _CUT_PARAGRAPH
            best = min(best, (cheapest[begin] + off * off + cut, begin))
        cheapest.append(best[0])
        begins.append(best[1])
    ends = [len(units)]
    while ends[-1]:
        ends.append(begins[ends[-1]])
    before: list[_Unit] = []
    for begin, end in pairwise(reversed(ends)):
        window = units[begin:end]
        yield _overlap(before, settings.overlap_tokens) + window
        before = window


def _overlap(window: list[_Unit], overlap_tokens: int) -> list[_Unit]:
    """Return the last units of `window` that fit into the overlap."""
    kept: list[_Unit] = []
    for unit in reversed(window[1:]):
        overlap_tokens -= unit.tokens
        if overlap_tokens < 0:
            break
        kept.insert(0, unit)
    return kept
