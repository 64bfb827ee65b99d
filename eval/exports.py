"""Exports: a run in the formats that official scorers read."""

from collections.abc import Iterable

from eval.run import Record


def squad_predictions(records: Iterable[Record]) -> dict[str, str]:
    """Return the answer to every question by its id, "" where there is none: the predictions that SQuAD evaluates."""
    return {record.case.id: record.answer for record in records}


def squad_na_probabilities(records: Iterable[Record]) -> dict[str, float]:
    """Return how likely each question has no answer, by its id: what SQuAD 2.0 looks for its best threshold in.

    It is what the confidence of the answer, or of what would have been answered, leaves.
    """
    return {record.case.id: round(1 - record.confidence, 6) for record in records}
