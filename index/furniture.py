"""Furniture: the lines of a page that are not what it says, such as share bars, comment counts and cookie notices.

They are told by what pages write on them (`index/labels.py`), and by their company. Furniture is marked, never removed:
it comes behind content in a search, and the canonical text stays what it is.
"""

from collections.abc import Iterator, Sequence

from index.blocks import Block, BlockKind
from index.labels import BAR, Likeness, likeness_of

# So many short lines in a row, where none of them is prose, get a passage of their own.
_LONG_RUN = 4


def split_furniture(text: str, blocks: Sequence[Block]) -> Iterator[tuple[list[Block], bool]]:
    """Yield runs of `blocks` in order, each with whether it is page furniture; together they are all of them.

    Short lines between two that are furniture belong to it where they are no more than those. A line or two amid a text
    stay in it. Many short lines in a row that are not known as furniture come by themselves, too, but are content.
    """
    marked = _furniture(text, blocks)
    run: list[Block] = []
    for begin, end in _stretches(blocks, marked):
        part = list(blocks[begin:end])
        is_inside = begin > 0 and end < len(blocks) and end - begin < BAR
        is_furniture = begin in marked and not is_inside
        if is_furniture or (end - begin >= _LONG_RUN and all(each.kind is BlockKind.FRAGMENT for each in part)):
            if run:
                yield run, False
            yield part, is_furniture
            run = []
        else:
            run += part
    if run:
        yield run, False


def _furniture(text: str, blocks: Sequence[Block]) -> set[int]:
    """Return the numbers of the blocks that are furniture."""
    likeness = [likeness_of(text[each.start : each.end]) for each in blocks]
    marked: set[int] = set()
    for first, last in _short_runs(blocks, likeness):
        begin, end = first, last
        while begin < end and likeness[begin] is Likeness.NONE:
            begin += 1
        while begin < end and likeness[end - 1] is Likeness.NONE:
            end -= 1
        inside = likeness[begin:end]
        like = sum(each is not Likeness.NONE for each in inside)
        if (Likeness.CERTAIN in inside or like >= BAR) and 2 * like >= len(inside):
            marked.update(range(begin, end))
        else:
            marked.update(place for place in range(begin, end) if likeness[place] is Likeness.CERTAIN)
    return marked


def _short_runs(blocks: Sequence[Block], likeness: Sequence[Likeness]) -> Iterator[tuple[int, int]]:
    """Yield the runs of blocks that are short lines, or furniture themselves."""
    begin: int | None = None
    for place, block in enumerate(blocks):
        is_short = block.kind is BlockKind.FRAGMENT or likeness[place] is not Likeness.NONE
        if is_short and block.kind is not BlockKind.HEADING:
            begin = place if begin is None else begin
        elif begin is not None:
            yield begin, place
            begin = None
    if begin is not None:
        yield begin, len(blocks)


def _stretches(blocks: Sequence[Block], marked: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the longest stretches of blocks that are of one kind: furniture, other short lines, or anything else."""
    begin = 0
    for place in range(1, len(blocks) + 1):
        if place == len(blocks) or _kind(blocks, place, marked) != _kind(blocks, place - 1, marked):
            yield begin, place
            begin = place


def _kind(blocks: Sequence[Block], place: int, marked: set[int]) -> tuple[bool, bool]:
    return place in marked, place not in marked and blocks[place].kind is BlockKind.FRAGMENT
