"""Batches: every line counts for itself, what is counted is durable, and sending the same again changes nothing."""

import errno
import io
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from applications import application, problem
from fastapi.testclient import TestClient
from word_embedder import WordEmbedder

from index.change import Change
from index.documents import canonical_text
from index.embedder import Matrix
from index.library import Library
from service.batch import Batch
from service.routes.batches import WAITED_BYTES, WAITED_LINES
from service.spool import Incoming, Spool, Spooled

LINES = {"Content-Type": "application/jsonl"}
ASYNC = LINES | {"Prefer": "respond-async"}


class SlowEmbedder(WordEmbedder):
    """Embeds the first `free` ferries that it is given at once, and more of them only when it is let go."""

    def __init__(self, free: int = 64) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.go = threading.Event()
        self._free = free

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        self._free -= sum("ferry number" in text for text in texts)
        if self._free < 0 and any("ferry number" in text for text in texts):
            self.begun.set()
            assert self.go.wait(60)
        return super().embed_passages(texts)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with application(tmp_path_factory.mktemp("batches"), max_body_bytes=3000) as client:
        yield client


@pytest.fixture
def client(lasting: TestClient) -> TestClient:
    lasting.delete("/v1/collections/default")
    lasting.post("/v1/collections", json={"name": "default"})
    return lasting


def lines(*documents: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in documents)


def numbered(count: int, text: str = "The ferry number {} leaves at noon.") -> list[dict[str, str]]:
    return [{"source": f"{number}.txt", "text": text.format(number)} for number in range(count)]


def wait_for(client: TestClient, path: str, over: Callable[[Any], bool] | None = None) -> Any:
    """Ask for a job until it is over."""
    for _ in range(3000):
        job = client.get(path).json()
        if over(job) if over else job["state"] not in ("waiting", "running"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"the job did not end: {job}")


def sources(client: TestClient) -> list[str]:
    return [item["source"] for item in client.get("/v1/documents?limit=200").json()["items"]]


def test_good_lines_are_taken_and_bad_ones_are_named(client: TestClient) -> None:
    client.post("/v1/documents", json={"source": "b.txt", "text": "Old."})
    body = b"\n".join(
        [
            lines({"source": "a.txt", "text": "New.", "tags": ["x"], "date": "2024-01-31"}).strip(),
            b"",
            b"{not json}",
            lines({"source": "b.txt", "text": "Replaced."}).strip(),
            lines({"source": "c.txt", "text": " "}).strip(),
            lines({"source": "d.txt"}).strip(),
            lines({"source": "e.txt", "text": "x", "colour": "red"}).strip(),
            lines({"source": "f.txt", "text": "y" * 3001}).strip(),
            b"[1, 2]",
            b'{"text": "\xff"}',
            lines({"source": "g.txt", "text": "x", "collection": "other"}).strip(),
            lines({"source": "a.txt", "text": "New.", "tags": ["x"], "date": "2024-01-31"}).strip(),
            lines({"source": "a.txt", "text": "Newer."}).strip(),
        ]
    )
    response = client.post("/v1/documents:batch", content=body, headers=LINES)
    assert response.status_code == 200
    report = response.json()
    failures = {each["line"]: each["detail"] for each in report.pop("failures")}
    assert report == {"lines": 13, "added": 1, "replaced": 2, "unchanged": 1, "failed": 8}
    assert list(failures) == [3, 5, 6, 7, 8, 9, 10, 11]
    assert "cannot be parsed" in failures[3]
    assert failures[5] == "The document holds no text."
    assert failures[6].startswith("/text: ")
    assert failures[7].startswith("/colour: ")
    assert failures[8] == "The line has more than 3000 bytes."
    assert failures[11].startswith("/collection: ")
    assert sources(client) == ["b.txt", "a.txt"]
    texts = [
        client.get(f"/v1/documents/{item['id']}/text").text for item in client.get("/v1/documents").json()["items"]
    ]
    assert texts == ["Replaced.", "Newer."]


def test_the_same_lines_again_change_nothing(client: TestClient) -> None:
    body = lines(*numbered(150))
    assert client.post("/v1/documents:batch", content=body, headers=LINES).json()["added"] == 150
    before = client.get("/v1/collections/default").json()
    report = client.post("/v1/documents:batch", content=body, headers=LINES).json()
    assert (report["added"], report["replaced"], report["unchanged"]) == (0, 0, 150)
    assert client.get("/v1/collections/default").json() == before


def test_an_empty_batch_is_a_batch(client: TestClient) -> None:
    for body in (b"", b"\n\n \n"):
        report = client.post("/v1/documents:batch", content=body, headers=LINES).json()
        assert (report["added"], report["failed"]) == (0, 0)


def test_a_batch_of_too_many_lines_or_bytes_becomes_a_job(client: TestClient) -> None:
    documents = numbered(WAITED_LINES + 1)
    assert len(lines(*documents)) < WAITED_BYTES
    response = client.post("/v1/documents:batch", content=lines(*documents), headers=LINES)
    assert response.status_code == 202
    assert "preference-applied" not in response.headers
    job = wait_for(client, response.headers["location"])
    assert (job["kind"], job["collection"], job["state"], job["error"]) == ("batch", "default", "done", None)
    assert (job["total"], job["done"], job["added"], job["failed"]) == (WAITED_LINES + 1,) * 3 + (0,)
    long = [{"source": f"{number}.txt", "text": "x" * 2900} for number in range(WAITED_BYTES // 2900 + 1)]
    response = client.post("/v1/documents:batch", content=lines(*long), headers=LINES)
    assert response.status_code == 202
    assert wait_for(client, response.headers["location"])["replaced"] == len(long)


@pytest.mark.parametrize("prefer", ["respond-async", "wait=10, Respond-Async; x=1"])
def test_a_batch_becomes_a_job_where_that_is_preferred(client: TestClient, prefer: str) -> None:
    body = lines(*numbered(2), {"source": "bad", "text": ""})
    response = client.post("/v1/documents:batch", content=body, headers=LINES | {"Prefer": prefer})
    assert (response.status_code, response.headers["preference-applied"]) == (202, "respond-async")
    assert response.json()["state"] in ("waiting", "running")
    job = wait_for(client, response.headers["location"])
    assert (job["state"], job["done"], job["added"], job["failed"]) == ("done", 3, 2, 1)
    assert job["failures"] == [{"line": 3, "detail": "The document holds no text."}]


def test_jobs_are_listed_the_newest_first(client: TestClient) -> None:
    made = []
    for number in range(3):
        response = client.post("/v1/documents:batch", content=lines(*numbered(number + 1)), headers=ASYNC)
        made.append(wait_for(client, response.headers["location"])["id"])
    page = client.get("/v1/jobs?limit=2").json()
    rest = client.get("/v1/jobs", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [job["id"] for job in (*page["items"], *rest["items"])] == made[::-1]
    assert rest["next_cursor"] is None
    assert "failures" not in page["items"][0]
    problem(client.get("/v1/jobs/job-x"), 404, "unknown-job")


def test_a_batch_goes_into_the_collection_that_is_named(client: TestClient) -> None:
    client.post("/v1/collections", json={"name": "notes"})
    response = client.post("/v1/documents:batch?collection=notes", content=lines(*numbered(2)), headers=ASYNC)
    assert response.headers["location"].endswith("?collection=notes")
    assert wait_for(client, response.headers["location"])["added"] == 2
    assert client.get("/v1/collections/default").json()["documents"] == 0
    problem(client.get(response.headers["location"].partition("?")[0]), 404, "unknown-job")
    client.delete("/v1/collections/notes")
    problem(client.get(response.headers["location"]), 404, "unknown-collection")
    unknown = client.post("/v1/documents:batch?collection=notes", content=lines(*numbered(2)), headers=LINES)
    problem(unknown, 404, "unknown-collection")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_a_body_that_is_not_announced_as_lines_is_a_problem(client: TestClient, content_type: str) -> None:
    response = client.post("/v1/documents:batch", content=b"{}", headers={"Content-Type": content_type})
    assert "application/jsonl" in problem(response, 415, "unsupported-media-type")


def test_an_unknown_parameter_of_a_batch_is_no_matter_of_its_media_type(client: TestClient) -> None:
    problem(client.post("/v1/documents:batch?colection=x", content=b"", headers=LINES), 422, "invalid-request")


def test_a_batch_over_the_limit_is_refused_whether_or_not_its_length_is_known(tmp_path: Path) -> None:
    with application(tmp_path, max_batch_bytes=5000) as client:
        body = lines(*numbered(200))
        problem(client.post("/v1/documents:batch", content=body, headers=LINES), 413, "body-too-large")
        parts = (body[start : start + 999] for start in range(0, len(body), 999))
        problem(client.post("/v1/documents:batch", content=parts, headers=LINES), 413, "body-too-large")
        assert sources(client) == []
        assert list((tmp_path / ".spool").iterdir()) == []


def test_nothing_of_a_batch_is_left_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / ".spool").mkdir()
    (tmp_path / ".spool" / "left-over.jsonl").write_text("secret")
    with application(tmp_path) as client:
        assert not (tmp_path / ".spool" / "left-over.jsonl").exists()
        for headers in (LINES, ASYNC):
            response = client.post("/v1/documents:batch", content=lines(*numbered(3)), headers=headers)
            if response.status_code == 202:
                wait_for(client, response.headers["location"])
        assert list((tmp_path / ".spool").iterdir()) == []


def test_questions_and_changes_go_on_while_a_batch_is_worked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = threading.Event(), threading.Event()
    read = Spooled.read

    def read_slowly(spooled: Spooled, *, longest: int) -> Iterator[bytes | None]:
        for number, line in enumerate(read(spooled, longest=longest)):
            if number == 64:
                begun.set()
                assert go.wait(60)
            yield line

    monkeypatch.setattr(Spooled, "read", read_slowly)
    with application(tmp_path) as client:
        client.post("/v1/documents", json={"source": "before", "text": "The captain sleeps."})
        response = client.post("/v1/documents:batch", content=lines(*numbered(200)), headers=ASYNC)
        assert begun.wait(60)
        job = client.get(response.headers["location"]).json()
        assert (job["state"], job["done"]) == ("running", 64)
        found = client.post("/v1/search", json={"question": "captain"}).json()["passages"]
        assert found[0]["source"] == "before"
        assert client.post("/v1/documents", json={"source": "beside", "text": "The mate wakes."}).status_code == 201
        assert len(sources(client)) == 66
        go.set()
        assert wait_for(client, response.headers["location"])["added"] == 200


def test_a_service_that_stops_in_the_middle_says_how_far_the_job_came(tmp_path: Path) -> None:
    embedder = SlowEmbedder()
    with application(tmp_path, embedder=embedder) as client:
        first = client.post("/v1/documents:batch", content=lines(*numbered(400)), headers=ASYNC)
        second = client.post("/v1/documents:batch", content=lines(*numbered(1)), headers=ASYNC)
        assert embedder.begun.wait(60)
        threading.Timer(0.3, embedder.go.set).start()
    assert not (tmp_path / ".spool").exists()  # what waited there is not left lying about
    with application(tmp_path) as client:
        job = client.get(first.headers["location"]).json()
        assert job["state"] == "interrupted"
        assert "Send the same lines again" in job["error"]
        assert 0 < job["done"] < 400
        assert job["done"] == job["added"] == client.get("/v1/collections/default").json()["documents"]
        assert client.get(second.headers["location"]).json()["state"] == "interrupted"
        again = client.post("/v1/documents:batch", content=lines(*numbered(400)), headers=LINES).json()
        assert (again["added"], again["unchanged"]) == (400 - job["done"], job["done"])


def test_a_job_that_was_running_when_the_process_died_is_noted_at_the_next_start(tmp_path: Path) -> None:
    with Library(tmp_path, WordEmbedder()) as library:
        collection = library.create("default")
        job = collection.jobs.create("batch", 10)
    with application(tmp_path) as client:
        shown = client.get(f"/v1/jobs/{job.id}").json()
        assert (shown["state"], shown["done"], shown["total"]) == ("interrupted", 0, 10)


def test_a_job_over_a_collection_that_is_deleted_ends_with_it(tmp_path: Path) -> None:
    embedder = SlowEmbedder()
    with application(tmp_path, embedder=embedder) as client:
        response = client.post("/v1/documents:batch", content=lines(*numbered(200)), headers=ASYNC)
        assert embedder.begun.wait(60)
        assert client.delete("/v1/collections/default").status_code == 204
        embedder.go.set()
        problem(client.get(response.headers["location"]), 404, "unknown-collection")
        client.post("/v1/collections", json={"name": "default"})
        after = client.post("/v1/documents:batch", content=lines(*numbered(3)), headers=ASYNC)
        assert wait_for(client, after.headers["location"])["added"] == 3
        assert sources(client) == ["0.txt", "1.txt", "2.txt"]


def test_a_store_that_fails_fails_the_job_and_says_how_far_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Change.put

    def fails_late(change: Change, document: Any, *rest: Any) -> None:
        if document.source == "100.txt":
            raise sqlite3.OperationalError("database or disk is full")
        put(change, document, *rest)

    with application(tmp_path) as client:
        with monkeypatch.context() as patched:
            patched.setattr(Change, "put", fails_late)
            response = client.post("/v1/documents:batch", content=lines(*numbered(200)), headers=ASYNC)
            job = wait_for(client, response.headers["location"])
            waited = client.post("/v1/documents:batch", content=lines(*numbered(200)), headers=LINES)
        assert (job["state"], job["done"], job["added"]) == ("failed", 64, 64)
        assert "disk is full" in job["error"]
        assert "Send the same lines again" in job["error"]
        assert waited.status_code >= 500
        assert "64 of 200 lines are through" in waited.json()["detail"]
        again = client.post("/v1/documents:batch", content=lines(*numbered(200)), headers=LINES).json()
        assert (again["added"], again["unchanged"]) == (136, 64)


def test_only_so_many_batches_wait(tmp_path: Path) -> None:
    embedder = SlowEmbedder(free=0)
    with application(tmp_path, embedder=embedder) as client:
        statuses = [
            client.post("/v1/documents:batch", content=lines(*numbered(1)), headers=ASYNC).status_code
            for _ in range(18)
        ]
        assert statuses == [202] * 16 + [503] * 2
        embedder.go.set()


def test_what_one_note_says_is_in_the_transaction_that_it_is_about(tmp_path: Path) -> None:
    """A tally is never ahead of the documents, and never behind what the store holds."""
    seen: list[tuple[int, int]] = []
    with Library(tmp_path, WordEmbedder()) as library:
        collection = library.create("default")

        def note(tally: Any, change: Change | None) -> None:
            assert change is not None
            seen.append((tally.added, change.counts()[0]))

        batch = Batch(collection, longest=1000, note=note)
        assert batch.run(lines(each) for each in numbered(300))
        assert len(seen) > 3
        assert all(told == there for told, there in seen)
        assert batch.tally.done == 300


def test_lines_that_are_too_long_are_passed_over_without_being_held(tmp_path: Path) -> None:
    incoming = Spool(tmp_path / "spool").begin()
    for part in (b"short\n", b"x" * 10, b"y" * 10, b"\nexactly 10\n", b"more than 10\n", b"\n", b"last one"):
        incoming.write(part)
    spooled = incoming.end()
    assert (spooled.lines, spooled.size) == (6, 60)
    assert list(spooled.read(longest=10)) == [b"short\n", None, b"exactly 10\n", None, b"\n", b"last one"]
    spooled.discard()
    assert not spooled.path.exists()


def test_a_disk_without_room_for_the_lines_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    begin = Spool.begin

    def on_a_full_disk(spool: Spool) -> Incoming:
        incoming = begin(spool)
        incoming._file.close()
        return Incoming(incoming._path, Full())

    with application(tmp_path) as client:
        with monkeypatch.context() as patched:
            patched.setattr(Spool, "begin", on_a_full_disk)
            response = client.post("/v1/documents:batch", content=lines(*numbered(3)), headers=LINES)
        assert "no room" in problem(response, 507, "storage-full")
        assert list((tmp_path / ".spool").iterdir()) == []
        report = client.post("/v1/documents:batch", content=lines(*numbered(3)), headers=LINES).json()
        assert report["added"] == 3


def test_texts_of_a_batch_are_kept_to_the_byte(client: TestClient) -> None:
    text = "\ufeffe\u0301 👩‍👩‍👧 \u2028 \r\n \x85 tab\t end"
    client.post("/v1/documents:batch", content=lines({"source": "odd.txt", "text": text}), headers=LINES)
    (item,) = client.get("/v1/documents").json()["items"]
    assert client.get(f"/v1/documents/{item['id']}/text").content.decode() == canonical_text(text)
