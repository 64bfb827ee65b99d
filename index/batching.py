"""Batching: which texts are computed together, so that little is computed for padding."""

from collections.abc import Sequence


def batches(lengths: Sequence[int], *, most_tokens: int, largest_padding: float) -> list[list[int]]:
    """Return the numbers of the texts in batches of similar length, the shortest first.

    `lengths` are in tokens. A batch holds at most `most_tokens`, padding included, unless a single text has more; its
    longest text has at most `largest_padding` times the length of its shortest.
    """
    found: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda each: lengths[each]):
        length = lengths[number]
        if not found or (len(found[-1]) + 1) * length > most_tokens or length > largest_padding * lengths[found[-1][0]]:
            found.append([])
        found[-1].append(number)
    return found
