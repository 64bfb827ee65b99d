"""The HTTP edge: shapes, statuses and problems, on an application with a model-free embedder."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from word_embedder import WordEmbedder

from index.errors import DeadlineExceeded, InvalidDocument
from service.app import create_app
from service.limits import Deadline
from service.problems import problem_of
from service.settings import Settings

BASE = "http://127.0.0.1:8000"
TEXT = "Ada Lovelace wrote the first program in 1843. It computed Bernoulli numbers. 🚀 Done."

MakeClient = Callable[..., TestClient]


@pytest.fixture
def make_client(tmp_path: Path, words: WordEmbedder) -> Iterator[MakeClient]:
    """Return a function that starts an application with some settings."""
    clients = []

    def make(**settings: Any) -> TestClient:
        app = create_app(Settings(data_dir=tmp_path / "data", **settings), embedder=words)
        client = TestClient(app, base_url=BASE, raise_server_exceptions=False)
        clients.append(client.__enter__())
        return client

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    client = make_client()
    assert client.post("/v1/documents", json={"text": TEXT, "source": "ada.txt", "title": "Ada"}).status_code == 201
    return client


@pytest.fixture(scope="module")
def lasting_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An application that outlives a test, for properties."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("lasting")), embedder=WordEmbedder())
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
        yield client


def problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    """Check that a response is a problem of this kind and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["type"] == f"urn:citespan:problem:{slug}"
    assert content["status"] == status
    assert content["title"]
    assert len(content["detail"]) > 15
    return content


def test_ask_has_the_shape_of_the_contract(client: TestClient) -> None:
    response = client.post("/v1/ask", json={"question": "When was the first program written?"})
    assert response.status_code == 200
    content = response.json()
    assert set(content) == {
        *("id", "question", "standalone_question", "answerable", "answer", "alternatives", "agreement"),
        *("passages", "fingerprint", "timings_ms"),
    }
    assert content["answerable"] is True
    assert content["agreement"] == "single"
    assert set(content["timings_ms"]) == {"retrieve", "read", "total"}
    (citation,) = content["answer"]["citations"]
    assert set(citation) == {
        *("type", "document_id", "document_title", "section", "source", "content_sha256"),
        *("start_char_index", "end_char_index", "cited_text", "sentence", "page", "url"),
    }
    text = client.get(f"/v1/documents/{citation['document_id']}/text").text
    for part, words in (
        (citation, "cited_text"),
        (citation["sentence"], "text"),
        *((p, "text") for p in content["passages"]),
    ):
        assert text[part["start_char_index"] : part["end_char_index"]] == part[words]
    assert content["answer"]["text"] == citation["cited_text"] == "1843"
    assert citation["sentence"]["text"] == "Ada Lovelace wrote the first program in 1843."
    assert set(content["passages"][0]) == {
        *(
            "document_id",
            "document_title",
            "source",
            "start_char_index",
            "end_char_index",
            "text",
            "score",
            "relevance",
        ),
    }


def test_abstention_shows_the_nearest(client: TestClient) -> None:
    content = client.post("/v1/ask", json={"question": "Which planet has rings?"}).json()
    assert (content["answerable"], content["answer"], content["agreement"]) == (False, None, None)
    assert content["passages"]
    assert content["alternatives"]


def test_a_follow_up_says_which_question_was_answered(client: TestClient) -> None:
    history = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who wrote the first program?"},
        {"role": "assistant", "content": "Ada Lovelace"},
    ]
    body: dict[str, Any] = {"question": "And when did she write it?", "history": history}
    content = client.post("/v1/ask", json=body).json()
    assert content["question"] == "And when did she write it?"
    assert content["standalone_question"].startswith("when did Ada Lovelace write ")
    for no_history in (None, [], history[:1]):
        assert client.post("/v1/ask", json=body | {"history": no_history}).json()["standalone_question"] is None
    body["question"] = "Who founded the Red Cross in Geneva in 1863?"
    assert client.post("/v1/ask", json=body).json()["standalone_question"] is None


def test_min_confidence_of_a_request_decides(client: TestClient) -> None:
    question = "When was the first program written?"
    assert client.post("/v1/ask", json={"question": question, "min_confidence": 1.0}).json()["answer"] is None
    assert client.post("/v1/ask", json={"question": "Rings?", "min_confidence": 0.0}).json()["answer"] is not None


def test_search_returns_passages_and_the_same_fingerprint_as_ask(client: TestClient) -> None:
    search = client.post("/v1/search", json={"question": "first program", "top_k": 1}).json()
    ask = client.post("/v1/ask", json={"question": "first program", "top_k": 1}).json()
    assert set(search) == {"question", "passages", "fingerprint"}
    assert [{**each, "relevance": None} for each in search["passages"]] == [
        {**each, "relevance": None} for each in ask["passages"]
    ]
    assert search["fingerprint"] == ask["fingerprint"]


def test_filters_limit_what_is_found(client: TestClient) -> None:
    client.post("/v1/documents", json={"text": "Grace wrote a compiler.", "source": "grace.txt"})
    found = client.post("/v1/search", json={"question": "who wrote", "filters": {"source": ["grace.txt"]}}).json()
    assert {passage["source"] for passage in found["passages"]} == {"grace.txt"}
    assert client.post("/v1/search", json={"question": "who wrote", "filters": None}).status_code == 200
    none = client.post("/v1/search", json={"question": "who wrote", "filters": {"document_id": []}}).json()
    assert none["passages"] == []


def test_life_of_a_document(client: TestClient) -> None:
    added = client.post(
        "/v1/documents", json={"text": "Version one.", "source": "notes.md", "metadata": {"year": 2024, "draft": True}}
    )
    assert added.status_code == 201
    receipt = added.json()
    assert set(receipt) == {"id", "title", "source", "generation", "passages", "content_sha256"}
    path = f"/v1/documents/{receipt['id']}"
    assert added.headers["location"] == path

    same = client.post(
        "/v1/documents", json={"text": "Version one.", "source": "notes.md", "metadata": {"year": 2024, "draft": True}}
    )
    assert (same.status_code, same.json()) == (200, receipt)

    replaced = client.post("/v1/documents", json={"text": "Version two\r\nis longer.", "source": "notes.md"})
    assert replaced.status_code == 200
    assert replaced.json()["id"] == receipt["id"]
    assert replaced.json()["generation"] > receipt["generation"]
    assert client.get(f"{path}/text").content == b"Version two\nis longer."
    described = client.get(path).json()
    assert described["characters"] == 22
    assert described["metadata"] == {}

    assert client.delete(path).status_code == 204
    problem(client.get(path), 404, "unknown-document")
    problem(client.get(f"{path}/text"), 404, "unknown-document")
    problem(client.delete(path), 404, "unknown-document")
    found = client.post("/v1/search", json={"question": "Version two"}).json()["passages"]
    assert all(passage["source"] != "notes.md" for passage in found)


def test_document_without_source_is_named_by_its_content(client: TestClient) -> None:
    receipt = client.post("/v1/documents", json={"text": "No name."}).json()
    assert receipt["source"] == f"upload:{receipt['content_sha256']}"
    assert client.post("/v1/documents", json={"text": "No name."}).status_code == 200


def test_list_pages_through_all_documents(client: TestClient) -> None:
    for number in range(6):
        client.post("/v1/documents", json={"text": f"Text {number}.", "source": f"{number}.txt"})
    seen, cursor = [], None
    while True:
        page = client.get("/v1/documents", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        seen += [item["source"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["ada.txt", *(f"{number}.txt" for number in range(6))]


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"question": ""}, 422, "invalid-request"),
        ({"question": " \n"}, 422, "invalid-request"),
        ({"question": "x" * 1001}, 422, "invalid-request"),
        ({"question": 7}, 422, "invalid-request"),
        ({}, 422, "invalid-request"),
        ([], 422, "invalid-request"),
        ({"question": "who?", "top_k": 0}, 422, "invalid-request"),
        ({"question": "who?", "history": "What?"}, 422, "invalid-request"),
        ({"question": "who?", "history": [{"role": "tool", "content": "x"}]}, 422, "invalid-request"),
        ({"question": "who?", "history": [{"role": "user"}]}, 422, "invalid-request"),
        ({"question": "who?", "history": [{"role": "user", "content": None}]}, 422, "invalid-request"),
        ({"question": "who?", "history": [{"role": "user", "content": "x", "name": "y"}]}, 422, "invalid-request"),
        ({"question": "who?", "history": [{"role": "user", "content": "x" * 10_001}]}, 422, "invalid-request"),
        ({"question": "who?", "history": [{"role": "user", "content": "x"}] * 51}, 422, "invalid-request"),
        ({"question": "who?", "top_k": 21}, 422, "invalid-request"),
        ({"question": "who?", "top_k": "5"}, 422, "invalid-request"),
        ({"question": "who?", "min_confidence": 1.5}, 422, "invalid-request"),
        ({"question": "who?", "topk": 5}, 422, "invalid-request"),
        ({"question": "who?", "filters": {"colour": ["red"]}}, 422, "invalid-request"),
        ({"question": "who?", "collection": "../etc"}, 422, "invalid-request"),
        ({"question": "who?", "collection": "missing"}, 404, "unknown-collection"),
    ],
)
def test_bad_question_is_a_problem(client: TestClient, body: Any, status: int, slug: str) -> None:
    content = problem(client.post("/v1/ask", json=body), status, slug)
    if slug == "invalid-request":
        assert content["errors"]


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": " \n\t"},
        {"text": "a\0b"},
        {"text": "x", "source": ""},
        {"text": "x", "source": "two\nlines"},
        {"text": "x", "title": "   "},
        {"text": "x", "metadata": {"a": "y" * 20_000}},
    ],
)
def test_bad_document_is_a_problem_and_changes_nothing(client: TestClient, body: dict[str, Any]) -> None:
    before = client.get("/v1/documents").json()
    problem(client.post("/v1/documents", json=body), 422, "invalid-document")
    assert client.get("/v1/documents").json() == before


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "slug"),
    [
        (b"{", "application/json", 400, "invalid-json"),
        (b"\xff\xfe{}", "application/json", 400, "invalid-json"),
        (b'{"question":' + b"[" * 100_000, "application/json", 400, "invalid-json"),
        (b'{"question": "who?"}', "text/plain", 415, "unsupported-media-type"),
        (b'{"question": "who?"}', "", 415, "unsupported-media-type"),
        (b'{"question": "\\ud800"}', "application/json", 422, "invalid-request"),
        (b"", "application/json", 422, "invalid-request"),
    ],
)
def test_bad_body_is_a_problem(client: TestClient, raw: bytes, content_type: str, status: int, slug: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    problem(client.post("/v1/ask", content=raw, headers=headers), status, slug)


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "slug"),
    [
        (b"{", "application/json", 400, "invalid-json"),
        (b'{"text": "\xff"}', "application/json", 400, "invalid-json"),
        (b'{"text": "\\ud800"}', "application/json", 400, "invalid-json"),
        (b'{"text": ' + b"[" * 100_000, "application/json", 400, "invalid-json"),
        (b'{"text": "x"}', "text/plain", 415, "unsupported-media-type"),
        (b'{"text": "x"}', "", 415, "unsupported-media-type"),
        (b"[]", "application/json", 422, "invalid-request"),
    ],
)
def test_bad_body_of_a_document_is_a_problem(
    client: TestClient, raw: bytes, content_type: str, status: int, slug: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    problem(client.post("/v1/documents", content=raw, headers=headers), status, slug)


def test_body_over_the_limit_is_refused_with_and_without_its_length(make_client: MakeClient) -> None:
    client = make_client(max_body_bytes=2000)
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"text": "word " * 1000}).encode()
    problem(client.post("/v1/documents", content=body, headers=headers), 413, "body-too-large")
    parts = (body[start : start + 500] for start in range(0, len(body), 500))
    problem(client.post("/v1/documents", content=parts, headers=headers), 413, "body-too-large")
    assert client.get("/v1/documents").json()["items"] == []


def test_unknown_path_method_and_parameter_are_problems(client: TestClient) -> None:
    problem(client.get("/v1/nothing"), 404, "not-found")
    problem(client.put("/v1/ask"), 405, "method-not-allowed")
    content = problem(client.get("/v1/documents?limt=3"), 422, "invalid-request")
    assert content["errors"][0]["pointer"] == "?limt"
    problem(client.get("/v1/documents?limit=0"), 422, "invalid-request")
    problem(client.get("/v1/documents?cursor=bm9uZQ=="), 422, "invalid-request")
    problem(client.get("/v1/documents?cursor=%C3%A9"), 422, "invalid-request")


def test_health_before_during_and_after(tmp_path: Path, words: WordEmbedder) -> None:
    app = create_app(Settings(data_dir=tmp_path), embedder=words)
    outside = TestClient(app, base_url=BASE)
    assert outside.get("/livez").json() == {"status": "alive"}
    response = outside.get("/readyz")
    problem(response, 503, "not-ready")
    assert response.headers["retry-after"]
    problem(outside.post("/v1/ask", json={"question": "who?"}), 503, "not-ready")
    with TestClient(app, base_url=BASE) as client:
        assert client.get("/readyz").json() == {"status": "ready"}
        app.state.context.draining = True
        problem(client.get("/readyz"), 503, "not-ready")
        assert client.post("/v1/ask", json={"question": "who?"}).status_code == 200
    problem(outside.get("/readyz"), 503, "not-ready")


def test_metrics_count_and_hold_no_text(client: TestClient) -> None:
    client.post("/v1/ask", json={"question": "When was the first program written?"})
    client.get("/v1/documents/unheard-of")
    text = client.get("/metrics").text
    assert 'citespan_requests_total{method="POST",route="/v1/ask",status="200"} 1.0' in text
    assert 'citespan_questions_total{outcome="answered"} 1.0' in text
    assert 'citespan_documents{collection="default"} 1.0' in text
    assert "unheard-of" not in text
    assert "program" not in text


def test_request_id_is_returned_and_kept_only_if_harmless(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    generated = client.get("/livez", headers={"X-Request-ID": "x" * 200}).headers["x-request-id"]
    assert len(generated) == 32


@pytest.mark.parametrize("log_questions", [False, True])
def test_question_is_logged_only_if_asked_for(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture, log_questions: bool
) -> None:
    client = make_client(log_questions=log_questions)
    with caplog.at_level(logging.DEBUG):
        client.post("/v1/ask", json={"question": "Where is the zebra?"})
        client.post("/v1/search", json={"question": "zebra"})
    logged = " ".join(f"{record.getMessage()} {getattr(record, 'fields', '')}" for record in caplog.records)
    assert ("zebra" in logged) == log_questions


def test_unexpected_error_is_a_problem_without_details(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("service.answering.Answerer.ask", broken)
    response = client.post("/v1/ask", json={"question": "who?"})
    content = problem(response, 500, "internal-error")
    assert "secret" not in json.dumps(content)
    assert len(response.headers["x-request-id"]) == 32


def _sqlite_error(message: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (_sqlite_error("database or disk is full", sqlite3.SQLITE_FULL), 507, "storage-full"),
        (_sqlite_error("attempt to write a readonly database", sqlite3.SQLITE_READONLY), 503, "store-read-only"),
        (_sqlite_error("disk I/O error", sqlite3.SQLITE_IOERR), 503, "store-unavailable"),
        (_sqlite_error("database is locked", sqlite3.SQLITE_BUSY), 503, "store-unavailable"),
        (_sqlite_error("database disk image is malformed", sqlite3.SQLITE_CORRUPT), 503, "store-damaged"),
        (sqlite3.DatabaseError("file is not a database"), 503, "store-damaged"),
    ],
)
def test_store_that_fails_is_a_problem_that_says_when_to_come_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: sqlite3.Error, status: int, slug: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("index.change.Change.commit", fail)
    response = client.post("/v1/documents", json={"text": "One more."})
    problem(response, status, slug)
    assert response.headers["retry-after"]
    answered = client.post("/v1/ask", json={"question": "When was the first program written?"}).json()
    assert answered["answer"]["text"] == "1843"
    monkeypatch.undo()
    assert client.post("/v1/documents", json={"text": "One more."}).status_code == 201


def test_overload_is_503_with_retry_after(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    context = client.app.state.context  # type: ignore[attr-defined]
    monkeypatch.setattr(context.questions, "_capacity", 0)
    response = client.post("/v1/ask", json={"question": "who?"})
    problem(response, 503, "overloaded")
    assert int(response.headers["retry-after"]) >= 1


def test_turn_that_does_not_come_in_time_is_503_with_retry_after(make_client: MakeClient) -> None:
    response = make_client(deadline_s=1e-9).post("/v1/ask", json={"question": "who?"})
    problem(response, 503, "overloaded")
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/search"])
def test_deadline_that_passes_at_work_is_503_with_retry_after(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def passed(_: Deadline) -> None:
        raise DeadlineExceeded("The request was not answered in time; ask again later.")

    monkeypatch.setattr("service.limits.Deadline.check", passed)
    response = client.post(path, json={"question": "who?"})
    problem(response, 503, "deadline-exceeded")
    assert int(response.headers["retry-after"]) >= 1


HOSTILE = {
    "spaces after a hash": "# a" + " " * 300_000 + "b",
    "spaces in a sentence": "The zebra password" + " " * 300_000 + "is swordfish today.",
    "one word": "a" * 300_000,
    "combining marks": "e" + "\u0301" * 300_000,
    "enumerations": ": 1. X" * 50_000,
    "full stops": "." * 300_000,
    "initials": "A. " * 100_000,
    "short lines": "Ab cd\n" * 50_000,
    "headings": "Ab cd\n\n" * 20_000,
    "marks": "[" * 100_000 + "*" * 100_000 + "`" * 100_000,
    "the same again": "The same sentence stands here again. " * 8_000,
}


@pytest.mark.parametrize("suffix", ["txt", "md"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_taken_and_answered_from_in_bounded_size(client: TestClient, name: str, suffix: str) -> None:
    added = client.post("/v1/documents", json={"text": HOSTILE[name], "source": f"hostile.{suffix}"})
    assert added.status_code == 201
    response = client.post("/v1/ask", json={"question": "What is the zebra password today?", "top_k": 20})
    assert response.status_code == 200
    assert len(response.content) < 300_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/ask", {"question": "who?"} | {f"x{number}": 0 for number in range(5000)}),
        ("/v1/documents", {"text": "x"} | {f"x{number}": 0 for number in range(100_000)}),
        ("/v1/documents", {"text": "x", "metadata": {f"x{number}": None for number in range(100_000)}}),
        ("/v1/documents", {"text": "x", "metadata": {f"x{number}": None for number in range(90)}}),
    ],
)
def test_thousands_of_wrong_fields_get_a_short_answer(client: TestClient, path: str, body: dict[str, Any]) -> None:
    response = client.post(path, json=body)
    problem(response, 422, "invalid-request")
    assert len(response.content) < 5000


def test_only_documents_may_be_large(client: TestClient) -> None:
    body = {"question": "who?", "filters": {"source": ["x" * 300_000]}}
    problem(client.post("/v1/ask", json=body), 413, "body-too-large")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:8000\x00"},
        {"Content-Length": "9" * 30},
        {"Content-Length": "-1"},
        {"Authorization": "Bearer \xff"},
        {"Host": "[::1]evil"},
        {"Host": "[127.0.0.1"},
    ],
)
def test_odd_headers_do_not_make_the_service_fail(client: TestClient, headers: dict[str, str]) -> None:
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    assert client.get("/v1/documents", headers=raw).status_code in (200, 400, 403, 413, 421)


def test_made_up_methods_share_one_series(client: TestClient) -> None:
    for number in range(3):
        client.request(f"FOO{number}", "/livez")
    text = client.get("/metrics").text
    assert "FOO" not in text
    assert 'citespan_requests_total{method="other",' in text


def test_openapi_describes_every_route_without_a_model() -> None:
    schema = create_app(Settings()).openapi()
    assert {"/v1/ask", "/v1/search", "/v1/documents", "/v1/documents/{document_id}/text"} <= set(schema["paths"])
    assert schema["components"]["schemas"]["AskRequest"]["additionalProperties"] is False


@hypothesis_settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["question", "top_k", "filters", "collection", "x"]), inner, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_no_body_makes_the_service_fail(lasting_client: TestClient, body: Any) -> None:
    raw = json.dumps(body).encode()
    response = lasting_client.post("/v1/ask", content=raw, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400, 404, 422)
    if response.status_code != 200:
        assert response.headers["content-type"] == "application/problem+json"


def test_text_is_returned_byte_for_byte(client: TestClient) -> None:
    text = "\ufeffe\u0301 👩‍👩‍👧 \u2028 \r\n \x85 tab\t end"
    receipt = client.post("/v1/documents", json={"text": text, "source": "odd.txt"}).json()
    body = client.get(f"/v1/documents/{receipt['id']}/text")
    assert body.content.decode() == "e\u0301 👩‍👩‍👧 \u2028 \n \x85 tab\t end"
    assert body.headers["content-type"] == "text/plain; charset=utf-8"


def test_errors_of_the_index_have_a_kind_each() -> None:
    assert problem_of(InvalidDocument("No text.")).slug == "invalid-document"
