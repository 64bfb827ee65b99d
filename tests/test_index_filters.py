"""Filters: the same documents pass in a list, in full text and among the vectors; the best elsewhere hide nothing."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from test_index_collection import open_collection

from index.collection import Collection
from index.documents import document_id, make_document
from index.filters import Days, Filters
from index.retriever import RetrievalSettings

TEXT = "Red trucks drove there."

DOCUMENTS = {
    "a": {"title": "One", "tags": ["red", "old"], "date": "2024-01-31"},
    "b": {"title": "Two", "tags": ["old"], "date": "2024-02-01"},
    "c": {"title": "Two", "tags": []},
    "d": {"title": "Three", "tags": ['qu"ote', "语"], "date": "2025-01-01"},
}

FILTERED = [
    (Filters(), "abcd"),
    (Filters(title=("Two",)), "bc"),
    (Filters(title=("two", "Tw")), ""),
    (Filters(title=("One", "Three")), "ad"),
    (Filters(tags=("old",)), "ab"),
    (Filters(tags=("red", "语")), "ad"),
    (Filters(tags=('qu"ote',)), "d"),
    (Filters(tags=("ol", "OLD", "%", "o_d")), ""),
    (Filters(tags=()), ""),
    (Filters(tags=("old",), title=("Two",)), "b"),
    (Filters(date=Days("2024-01-31", "2024-01-31")), "a"),
    (Filters(date=Days("2024-02-01")), "bd"),
    (Filters(date=Days(None, "2024-02-01")), "ab"),
    (Filters(date=Days()), "abd"),
    (Filters(date=Days("2025-01-02", "2024-01-01")), ""),
    (Filters(created_at=Days("2020-05-05", "2020-05-05")), "ac"),
    (Filters(created_at=Days(None, "2021-01-01")), "abc"),
    (Filters(updated_at=Days("2022-01-01")), "bd"),
    (Filters(source=("a", "b"), tags=("old",), date=Days("2024-02-01")), "b"),
    (Filters(document_id=(document_id("c"),), created_at=Days()), "c"),
]

TIMES = {
    "a": ("2020-05-05T00:00:00+00:00", "2020-05-05T23:59:59+00:00"),
    "b": ("2020-05-06T00:00:00+00:00", "2022-01-01T00:00:00+00:00"),
    "c": ("2020-05-05T23:59:59+00:00", "2021-12-31T23:59:59+00:00"),
    "d": ("2023-01-01T00:00:00+00:00", "2023-01-01T00:00:00+00:00"),
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    directory = tmp_path_factory.mktemp("filters")
    with closing(open_collection(directory)) as made:
        made.put_all(
            [
                make_document(
                    TEXT,
                    source=source,
                    title=str(each["title"]),
                    tags=each["tags"],
                    date=each.get("date"),  # type: ignore[arg-type]
                )
                for source, each in DOCUMENTS.items()
            ]
        )
        with made._store.writing() as change:
            for source, (created, updated) in TIMES.items():
                change._connection.execute(
                    "UPDATE documents SET created_at = ?, updated_at = ? WHERE source = ?", (created, updated, source)
                )
            change.commit()
    with closing(open_collection(directory)) as opened:
        yield opened


@pytest.mark.parametrize(("filters", "sources"), FILTERED)
def test_a_filter_limits_lists_and_both_searches_alike(collection: Collection, filters: Filters, sources: str) -> None:
    assert [record.source for record in collection.documents(limit=9, filters=filters)] == list(sources)
    for question in (TEXT, "?!"):  # by words and vectors; by vectors alone
        hits = collection.retrieve(question, top_k=20, filters=filters).hits
        assert sorted(hit.found.source for hit in hits) == list(sources)


def test_pages_of_a_filtered_list_are_whole(collection: Collection) -> None:
    filters = Filters(title=("Two", "Three"))
    first = collection.documents(limit=2, filters=filters)
    rest = collection.documents(after=first[-1].number, limit=2, filters=filters)
    assert [record.source for record in (*first, *rest)] == ["b", "c", "d"]


def test_a_filter_finds_what_is_far_behind_the_best(tmp_path: Path) -> None:
    """Hundreds of better passages stand elsewhere, more than either search looks at."""
    with closing(open_collection(tmp_path, retrieval=RetrievalSettings(pool=5))) as collection:
        collection.put_all(
            [make_document(f"Red trucks, trucks {number}.", source=f"{number}") for number in range(300)]
        )
        collection.put(make_document("A truck was mentioned once, a long way down.", source="far", tags=["far"]))
        assert "far" not in {hit.found.source for hit in collection.retrieve("red trucks", top_k=20).hits}
        for question in ("red trucks", "?!"):
            hits = collection.retrieve(question, top_k=20, filters=Filters(tags=("far",))).hits
            assert {hit.found.source for hit in hits} == {"far"}


@pytest.mark.parametrize("name", [each.name for each in fields(Filters)])
def test_every_field_counts_as_a_filter(name: str) -> None:
    assert not Filters()
    empty: Any = Days() if name in ("date", "created_at", "updated_at") else ()
    assert replace(Filters(), **{name: empty})
