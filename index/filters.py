"""Filters: which documents a search or a list is limited to. They apply inside the store, before anything is ranked."""

import json
from dataclasses import dataclass, fields

# What is asked of a document `d` for each filter; a list of values is JSON.
_IN_LIST = {
    "document_id": "d.id IN (SELECT value FROM json_each(?))",
    "source": "d.source IN (SELECT value FROM json_each(?))",
    "title": "d.title IN (SELECT value FROM json_each(?))",
    "tags": "EXISTS (SELECT 1 FROM json_each(d.tags) AS t WHERE t.value IN (SELECT value FROM json_each(?)))",
}
# Times are ISO 8601 in UTC, so that their first ten characters are the day.
_DAY = {"date": "d.date", "created_at": "substr(d.created_at, 1, 10)", "updated_at": "substr(d.updated_at, 1, 10)"}


@dataclass(frozen=True, slots=True)
class Days:
    """The days from `first` to `last`, both included, as YYYY-MM-DD; None leaves an end open."""

    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents are meant: those that pass every filter that is not None.

    A list is passed by a document with one of its values, so an empty one by none. Days are passed by a document whose
    day is among them; one without a date passes no filter of `date`.
    """

    document_id: tuple[str, ...] | None = None
    source: tuple[str, ...] | None = None
    title: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    date: Days | None = None
    created_at: Days | None = None
    updated_at: Days | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) is not None for each in fields(self))

    def condition(self) -> tuple[str, tuple[str, ...]]:
        """Return an SQL condition on the row `d` of a document, and the values of its parameters."""
        conditions = ["TRUE"]
        values: list[str] = []
        for name, sql in _IN_LIST.items():
            if (allowed := getattr(self, name)) is not None:
                conditions.append(sql)
                values.append(json.dumps(allowed))
        for name, day in _DAY.items():
            days: Days | None = getattr(self, name)
            if days is None:
                continue
            conditions.append(f"{day} IS NOT NULL")
            for bound, comparison in ((days.first, ">="), (days.last, "<=")):
                if bound is not None:
                    conditions.append(f"{day} {comparison} ?")
                    values.append(bound)
        return " AND ".join(conditions), tuple(values)


NO_FILTERS = Filters()
