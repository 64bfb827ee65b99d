"""Collections over HTTP: made, listed, deleted; filters of every kind; and what one holds is never seen in another."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from applications import application, problem
from fastapi.testclient import TestClient
from word_embedder import WordEmbedder

from index.library import Library


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with application(tmp_path_factory.mktemp("collections"), finds={"midnight": 9.0}) as client:
        yield client


@pytest.fixture
def client(lasting: TestClient) -> TestClient:
    """An application whose only collection is the default one, and empty."""
    for each in lasting.get("/v1/collections").json()["items"]:
        lasting.delete(f"/v1/collections/{each['name']}")
    lasting.post("/v1/collections", json={"name": "default"})
    return lasting


def put(client: TestClient, collection: str, source: str, text: str, **fields: Any) -> Any:
    body = {"collection": collection, "source": source, "text": text} | fields
    response = client.post("/v1/documents", json=body)
    assert response.status_code in (200, 201), response.text
    return response.json()


def test_life_of_a_collection(client: TestClient) -> None:
    made = client.post("/v1/collections", json={"name": "notes"})
    empty = {"name": "notes", "documents": 0, "passages": 0, "generation": 0, "index": "current"}
    assert (made.status_code, made.json()) == (201, empty)
    assert made.headers["location"] == "/v1/collections/notes"
    again = client.post("/v1/collections", json={"name": "notes"})
    assert (again.status_code, again.json()) == (200, empty)
    put(client, "notes", "a.txt", "The ferry leaves at midnight.")
    described = client.get("/v1/collections/notes").json()
    assert described == empty | {"documents": 1, "passages": 1, "generation": 1}
    asked = client.post("/v1/ask", json={"question": "When does the ferry leave?", "collection": "notes"})
    assert asked.json()["answer"]["text"] == "midnight"
    assert client.delete("/v1/collections/notes").status_code == 204
    for response in (
        client.get("/v1/collections/notes"),
        client.delete("/v1/collections/notes"),
        client.post("/v1/ask", json={"question": "When does the ferry leave?", "collection": "notes"}),
        client.post("/v1/search", json={"question": "ferry", "collection": "notes"}),
        client.get("/v1/documents?collection=notes"),
        client.post("/v1/documents", json={"text": "x", "collection": "notes"}),
        client.get("/v1/jobs?collection=notes"),
    ):
        assert "create it first" in problem(response, 404, "unknown-collection")
    assert client.post("/v1/collections", json={"name": "notes"}).json() == empty
    assert client.get("/v1/documents?collection=notes").json()["items"] == []


def test_figures_of_a_deleted_collection_are_gone(client: TestClient) -> None:
    client.post("/v1/collections", json={"name": "notes"})
    assert 'citespan_documents{collection="notes"}' in client.get("/metrics").text
    client.delete("/v1/collections/notes")
    assert 'citespan_documents{collection="notes"}' not in client.get("/metrics").text


def test_collections_are_listed_by_name_in_pages(client: TestClient) -> None:
    for name in ("c", "a", "e", "b"):
        client.post("/v1/collections", json={"name": name})
    seen, cursor = [], None
    while True:
        page = client.get("/v1/collections", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen.append([item["name"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [["a", "b"], ["c", "default"], ["e"]]
    problem(client.get("/v1/collections?cursor=bm9uZQ=="), 422, "invalid-request")


@pytest.mark.parametrize("name", ["", "A", "../x", "a b", "a" * 65, ".deleted-x", 7, None])
def test_a_name_that_a_directory_or_url_does_not_take_is_a_problem(client: TestClient, name: Any) -> None:
    problem(client.post("/v1/collections", json={"name": name}), 422, "invalid-request")
    problem(client.post("/v1/collections", json={"name": "ok", "colour": "red"}), 422, "invalid-request")


def test_a_collection_that_is_not_there_is_a_problem_of_every_kind_of_name(client: TestClient) -> None:
    for name in ("missing", "Not a name", "%2e%2e", ".spool", "a" * 300):
        problem(client.get(f"/v1/collections/{name}"), 404, "unknown-collection")
        problem(client.delete(f"/v1/collections/{name}"), 404, "unknown-collection")


DOCUMENTS: dict[str, dict[str, Any]] = {
    "a.txt": {"tags": ["red", "old"], "date": "2024-01-31", "title": "One"},
    "b.txt": {"tags": ["old"], "date": "2024-02-01", "title": "Two"},
    "c.txt": {"title": "Two"},
}

FILTERED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"title": ["Two"]}, {"title": "Two"}, "bc"),
    ({"tags": ["red"]}, {"tags": "red"}, "a"),
    ({"tags": ["red", "old"]}, {"tags": ["red", "old"]}, "ab"),
    ({"source": ["a.txt", "c.txt"], "title": ["Two"]}, {"source": ["a.txt", "c.txt"], "title": "Two"}, "c"),
    ({"date": {"from": "2024-02-01"}}, {"date_from": "2024-02-01"}, "b"),
    ({"date": {"to": "2024-01-31"}}, {"date_to": "2024-01-31"}, "a"),
    (
        {"date": {"from": "2024-01-01", "to": "2024-12-31"}},
        {"date_from": "2024-01-01", "date_to": "2024-12-31"},
        "ab",
    ),
    ({"created_at": {"from": "2020-01-01"}}, {"created_from": "2020-01-01"}, "abc"),
    ({"updated_at": {"to": "2020-01-01"}}, {"updated_to": "2020-01-01"}, ""),
    ({"tags": ["old"], "date": {"from": "2024-02-01"}}, {"tags": "old", "date_from": "2024-02-01"}, "b"),
]


@pytest.mark.parametrize(("filters", "parameters", "expected"), FILTERED)
def test_filters_limit_questions_and_lists_alike(
    client: TestClient, filters: dict[str, Any], parameters: dict[str, Any], expected: str
) -> None:
    for source, fields in DOCUMENTS.items():
        put(client, "default", source, "The ferry leaves at midnight.", **fields)
    sources = [f"{letter}.txt" for letter in expected]
    question = {"question": "When does the ferry leave?", "top_k": 20, "filters": filters}
    for path in ("/v1/ask", "/v1/search"):
        passages = client.post(path, json=question).json()["passages"]
        assert sorted(passage["source"] for passage in passages) == sources
    listed = client.get("/v1/documents", params=parameters).json()["items"]
    assert [item["source"] for item in listed] == sources


def test_tags_and_date_are_kept_and_a_change_of_them_is_a_change(client: TestClient) -> None:
    first = put(client, "default", "a.txt", "Text.", tags=["b", "a", "b"], date="2024-02-29")
    shown = client.get(f"/v1/documents/{first['id']}").json()
    assert (shown["tags"], shown["date"]) == (["a", "b"], "2024-02-29")
    assert put(client, "default", "a.txt", "Text.", tags=["a", "b"], date="2024-02-29") == first
    assert put(client, "default", "a.txt", "Text.", tags=["a"])["generation"] > first["generation"]
    shown = client.get(f"/v1/documents/{first['id']}").json()
    assert (shown["tags"], shown["date"]) == (["a"], None)


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"tags": ["x" * 101]}, "invalid-document"),
        ({"tags": [""]}, "invalid-document"),
        ({"tags": [f"{number}" for number in range(51)]}, "invalid-document"),
        ({"tags": "red"}, "invalid-request"),
        ({"tags": [1]}, "invalid-request"),
        ({"tags": None}, "invalid-request"),
        ({"date": "2024-02-30"}, "invalid-document"),
        ({"date": "yesterday"}, "invalid-document"),
        ({"date": 2024}, "invalid-request"),
        ({"metadata": {"a": ["list"]}}, "invalid-request"),
    ],
)
def test_tags_and_dates_that_cannot_be_taken_are_problems(
    client: TestClient, fields: dict[str, Any], slug: str
) -> None:
    problem(client.post("/v1/documents", json={"text": "Text."} | fields), 422, slug)


@pytest.mark.parametrize(
    "filters",
    [
        {"tag": ["red"]},
        {"tags": "red"},
        {"date": "2024-01-01"},
        {"date": {"from": "2024-13-01"}},
        {"date": {"since": "2024-01-01"}},
        {"date": {"first": "2024-01-01"}},
        {"title": ["x"] * 1001},
    ],
)
def test_filters_that_mean_nothing_are_problems(client: TestClient, filters: dict[str, Any]) -> None:
    problem(client.post("/v1/ask", json={"question": "who?", "filters": filters}), 422, "invalid-request")


@pytest.mark.parametrize("query", ["tag=red", "date_from=2024", "date=2024-01-01", "createdfrom=2024-01-01"])
def test_query_parameters_that_mean_nothing_are_problems(client: TestClient, query: str) -> None:
    problem(client.get(f"/v1/documents?{query}"), 422, "invalid-request")


OURS, THEIRS = "ours-" + "a" * 20, "theirs-" + "b" * 20
# The other collection is in Greek and in capitals of its own; nothing of it can be in ours by chance.
GREEK = "αβγδεζηθικλμνξοπρστυφχψω"


def _greek(chance: random.Random, words: int) -> str:
    return " ".join("".join(chance.choices(GREEK, k=chance.randint(2, 9))) for _ in range(words))


def test_a_thousand_questions_with_one_key_never_show_a_character_of_the_other_collection(tmp_path: Path) -> None:
    """And a response is the same, to the byte but for its id and times, as if the other collection were empty."""
    chance = random.Random(7)
    keys = f"ours:{OURS}:ours,theirs:{THEIRS}:theirs"
    common = ["ferry", "harbour", "ticket", "noon", "captain", "storm", "island", "lamp", "bridge", "winter"]
    texts = [" ".join(chance.choices(common, k=40)) + "." for _ in range(60)]
    secrets = [f"{_greek(chance, 12)} ferry captain {_greek(chance, 12)}." for _ in range(60)]
    questions: list[dict[str, Any]] = []
    for number in range(1000):
        words = chance.choices(common, k=3) if number % 2 else _greek(chance, 2).split()
        quoted = chance.choice(secrets).split()[:4] if number % 3 == 0 else []
        filters: dict[str, Any] = {}
        if number % 5 == 0:
            filters = {"source": ["secret-1.txt", "plain-1.txt"]}
        if number % 7 == 0:
            filters = {"tags": ["hidden", "shown"]}
        question = {"question": f"What is {' '.join([*words, *quoted])}?", "top_k": 20, "collection": "ours"}
        questions.append(question | ({"filters": filters} if filters else {}))

    def answers(data: Path, count: int, *, filled: bool) -> list[str]:
        with Library(data, WordEmbedder()) as library:
            library.create("ours")
            library.create("theirs")
        with application(data, keys=keys, finds={"noon": 9.0, "captain": 8.0}) as client:
            for number, text in enumerate(texts):
                body = {"text": text, "source": f"plain-{number}.txt", "collection": "ours", "tags": ["shown"]}
                assert client.post("/v1/documents", json=body, headers=_bearer(OURS)).status_code == 201
            for number, text in enumerate(secrets if filled else []):
                body = {"text": text, "source": f"secret-{number}.txt", "collection": "theirs", "tags": ["hidden"]}
                assert client.post("/v1/documents", json=body, headers=_bearer(THEIRS)).status_code == 201
            got = []
            for number, question in enumerate(questions[:count]):
                path = "/v1/search" if number % 4 == 0 else "/v1/ask"
                response = client.post(path, json=question, headers=_bearer(OURS))
                assert response.status_code == 200
                content = response.json()
                # The question is the asker's own.
                assert content.pop("question") == question["question"]
                content.pop("id", None)
                content.pop("timings_ms", None)
                got.append(json.dumps(content, ensure_ascii=False))
                if number % 10 == 0:
                    denied = client.post(path, json=question | {"collection": "theirs"}, headers=_bearer(OURS))
                    assert denied.status_code == 403
                    assert not set(denied.text) & set(GREEK)
            return got

    seen = answers(tmp_path / "filled", 1000, filled=True)
    assert len(seen) == 1000
    assert not set("".join(seen)) & set(GREEK)
    assert "secret-" not in "".join(seen)
    assert sum('"answerable": true' in each for each in seen) > 100
    assert seen[:250] == answers(tmp_path / "empty", 250, filled=False)


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
