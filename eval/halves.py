"""Halves: the dev and the test half of the questions of a run.

Nothing is chosen or tuned on the test half. Its figures are always shown; what became of its single questions is not,
unless a person asks for it.
"""

from collections.abc import Sequence

from eval.run import Record


def halves(records: Sequence[Record]) -> dict[str, Sequence[Record]]:
    """Return all records under "all" and, where there are both, those of either half under its name."""
    found: dict[str, Sequence[Record]] = {"all": records}
    for split in ("dev", "test"):
        half = [each for each in records if each.case.split == split]
        if half and len(half) < len(records):
            found[split] = half
    return found


def open_to_view(records: Sequence[Record]) -> Sequence[Record]:
    """Return the records that may be looked at one by one: those of the dev half, or all where there is one half."""
    return halves(records).get("dev", records)
