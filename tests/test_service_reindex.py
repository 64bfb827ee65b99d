"""Indexing anew in a running service: noticed at the start, done beside what serves, told as a job."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from applications import application, problem
from fastapi.testclient import TestClient
from word_embedder import WordEmbedder

from index.embedder import Embedder, Matrix
from index.errors import StoreError
from index.staging import Staging

OTHERS = "others@test"


class WaitingEmbedder(WordEmbedder):
    """Embeds passages only when it is let go; questions at once."""

    def __init__(self) -> None:
        super().__init__(OTHERS)
        self.begun = threading.Event()
        self.go = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        self.begun.set()
        assert self.go.wait(60)
        return super().embed_passages(texts)

    def embed_question(self, question: str) -> Matrix:
        return super().embed_passages([question])


@contextmanager
def _found(embedder: Embedder | None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.engine.find_embedder", lambda *_, **__: embedder)
        yield


def fill(data: Path, count: int = 70) -> None:
    with application(data) as client:
        for number in range(count):
            body = {"source": f"{number:02}.txt", "text": f"The ferry number {number:02} leaves at midnight."}
            assert client.post("/v1/documents", json=body).status_code == 201


def job_of(client: TestClient) -> Any:
    return client.get("/v1/jobs").json()["items"][0]


def wait_until_current(client: TestClient) -> Any:
    for _ in range(3000):
        job = job_of(client)
        if job["state"] not in ("waiting", "running"):
            assert client.get("/v1/collections/default").json()["index"] == "current"
            return job
        time.sleep(0.02)
    raise AssertionError("the index did not become current")


def best(client: TestClient, question: str) -> str:
    return str(client.post("/v1/search", json={"question": question}).json()["passages"][0]["source"])


def test_the_old_index_serves_while_the_new_one_is_built(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path)
    embedder = WaitingEmbedder()
    with (
        caplog.at_level(logging.INFO, logger="service.jobs"),
        _found(WordEmbedder()),
        application(tmp_path, embedder=embedder, finds={"midnight": 9.0}) as client,
    ):
        assert client.get("/readyz").status_code == 200
        assert embedder.begun.wait(60)
        assert client.get("/v1/collections/default").json()["index"] == "outdated"
        assert (job_of(client)["kind"], job_of(client)["state"]) == ("reindex", "running")
        assert best(client, "ferry number 33") == "33.txt"
        answer = client.post("/v1/ask", json={"question": "When does the ferry leave?"}).json()["answer"]
        assert answer["text"] == "midnight"
        before = client.post("/v1/search", json={"question": "x"}).json()["fingerprint"]
        client.post("/v1/documents", json={"source": "new", "text": "The captain sleeps."})
        assert best(client, "captain") == "new"
        # It is under way already: the same job.
        assert client.post("/v1/jobs", json={"kind": "reindex"}).json()["id"] == job_of(client)["id"]
        embedder.go.set()
        job = wait_until_current(client)
        assert (job["state"], job["done"], job["total"], job["error"]) == ("done", 71, 71, None)
        assert client.post("/v1/search", json={"question": "x"}).json()["fingerprint"] != before
        assert best(client, "captain") == "new"
        again = client.post("/v1/jobs", json={"kind": "reindex"})
        assert again.status_code == 202
        assert again.json()["id"] != job["id"]
    told = [(record.getMessage(), getattr(record, "fields", {}).get("collection")) for record in caplog.records]
    assert ("job begun", "default") in told
    assert ("job over", "default") in told


def test_without_the_old_embedder_words_are_searched_and_documents_wait(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    embedder = WaitingEmbedder()
    with _found(None), application(tmp_path, embedder=embedder) as client:
        assert embedder.begun.wait(60)
        assert best(client, "ferry number 03") == "03.txt"
        response = client.post("/v1/documents", json={"text": "More."})
        assert "is not here any more" in problem(response, 503, "store-unavailable")
        assert response.headers["retry-after"]
        embedder.go.set()
        wait_until_current(client)
        assert client.post("/v1/documents", json={"text": "More."}).status_code == 201


def test_a_service_that_stops_goes_on_building_at_the_next_start(tmp_path: Path) -> None:
    fill(tmp_path)
    embedder = WaitingEmbedder()
    with _found(WordEmbedder()):
        with application(tmp_path, embedder=embedder) as client:
            assert embedder.begun.wait(60)
            first = job_of(client)["id"]
            threading.Timer(0.3, embedder.go.set).start()  # the step that it is in comes to its end
        with application(tmp_path, embedder=embedder) as client:
            shown = client.get(f"/v1/jobs/{first}").json()
            assert shown["state"] == "interrupted"
            assert "goes on from there" in shown["error"]
            job = wait_until_current(client)
            assert (job["state"], job["done"]) == ("done", 70)
            assert best(client, "ferry number 33") == "33.txt"


def test_a_build_that_fails_leaves_the_old_index_and_can_be_begun_again(tmp_path: Path) -> None:
    fill(tmp_path, 5)

    def fail(*_: object) -> None:
        raise StoreError("The disk is full.")

    with _found(WordEmbedder()), pytest.MonkeyPatch.context() as patched:
        patched.setattr(Staging, "put", fail)
        with application(tmp_path, embedder=WordEmbedder(OTHERS)) as client:
            for _ in range(3000):
                job = job_of(client)
                if job["state"] == "failed":
                    break
                time.sleep(0.02)
            assert "The disk is full" in job["error"]
            assert "POST /v1/jobs" in job["error"]
            assert client.get("/v1/collections/default").json()["index"] == "outdated"
            assert best(client, "ferry number 03") == "03.txt"
            patched.undo()
            with _found(WordEmbedder()):
                client.post("/v1/jobs", json={"kind": "reindex"})
                assert wait_until_current(client)["state"] == "done"


def test_jobs_of_another_kind_cannot_be_begun(tmp_path: Path) -> None:
    with application(tmp_path) as client:
        problem(client.post("/v1/jobs", json={"kind": "batch"}), 422, "invalid-request")
        problem(client.post("/v1/jobs", json={"kind": "reindex", "collection": "no"}), 404, "unknown-collection")


def test_deleting_a_collection_that_is_being_indexed_anew_ends_that(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    embedder = WaitingEmbedder()
    with _found(WordEmbedder()), application(tmp_path, embedder=embedder) as client:
        assert embedder.begun.wait(60)
        assert client.delete("/v1/collections/default").status_code == 204
        assert not (tmp_path / "default").exists()
        client.post("/v1/collections", json={"name": "default"})
        embedder.go.set()
        job = client.post("/v1/jobs", json={"kind": "reindex"}).json()
        for _ in range(3000):
            if client.get(f"/v1/jobs/{job['id']}").json()["state"] == "done":
                break
            time.sleep(0.02)
        assert client.get("/v1/collections/default").json()["index"] == "current"
