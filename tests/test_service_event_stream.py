"""Answers as an event stream: what was found, then the answer, over HTTP; and what ends the work."""

import json
import threading
import time
from asyncio import CancelledError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio import from_thread
from applications import application, problem
from fastapi.testclient import TestClient
from listening import SECRET, listening
from scripted import scripted_reader

from index.errors import DeadlineExceeded, Overloaded
from service.answering import Answerer
from service.event_stream import EventStream, Tell

TEXT = "🚀 The ferry to Hull leaves at noon. Dogs travel free of charge.\n\nA ticket costs 12 euros."
QUESTION = {"question": "When does the ferry leave?"}
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with application(tmp_path_factory.mktemp("events"), finds={"noon": 20.0}) as opened:
        assert opened.post("/v1/documents", json={"text": TEXT, "source": "ferry.txt"}).status_code == 201
        yield opened


def events(response: Any) -> list[tuple[str, Any]]:
    """Return the events of a stream as pairs of name and content."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = []
    for block in response.text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_passages_come_first_and_then_the_plain_response(client: TestClient) -> None:
    plain = client.post("/v1/ask", json=QUESTION | {"top_k": 1}).json()
    (first, found), (second, answered) = events(client.post("/v1/ask", json=QUESTION | {"top_k": 1}, headers=EVENTS))
    assert (first, second) == ("retrieved", "answered")
    assert found == client.post("/v1/search", json=QUESTION | {"top_k": 1}).json() | {
        "fingerprint": plain["fingerprint"]
    }
    assert answered["answer"]["text"] == "noon"
    its_own = {"id": "", "timings_ms": {}}
    assert answered | its_own == plain | its_own
    assert answered["timings_ms"].keys() == plain["timings_ms"].keys()


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json, Text/Event-Stream;q=0.9"])
def test_whoever_accepts_events_gets_them(client: TestClient, accept: str) -> None:
    assert len(events(client.post("/v1/ask", json=QUESTION, headers={"Accept": accept}))) == 2


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*"])
def test_others_get_the_plain_response(client: TestClient, accept: str) -> None:
    response = client.post("/v1/ask", json=QUESTION, headers={"Accept": accept})
    assert response.headers["content-type"] == "application/json"


def test_abstention_is_an_answer(client: TestClient) -> None:
    body = QUESTION | {"min_confidence": 1.0}
    (_, _), (name, answered) = events(client.post("/v1/ask", json=body, headers=EVENTS))
    assert (name, answered["answerable"], answered["answer"]) == ("answered", False, None)
    assert answered["passages"]


def test_errors_before_the_first_event_are_plain_problems(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(body: dict[str, str]) -> Any:
        return client.post("/v1/ask", json=body, headers=EVENTS)

    problem(ask({"question": " "}), 422, "invalid-request")
    problem(ask(QUESTION | {"collection": "none"}), 404, "unknown-collection")

    def refuse(*_: Any, **__: Any) -> None:
        raise Overloaded("Too many requests are waiting. Ask again in 3 s.", retry_after_s=3)

    monkeypatch.setattr(Answerer, "ask", refuse)
    refused = ask(QUESTION)
    problem(refused, 503, "overloaded")
    assert refused.headers["retry-after"] == "3"


def test_an_error_after_it_is_an_event(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for error, slug in (
        (DeadlineExceeded("Too late, ask again."), "deadline-exceeded"),
        (KeyError(), "internal-error"),
    ):

        def fail(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        monkeypatch.setattr("service.answering.compose", fail)
        (_, _), (name, told) = events(client.post("/v1/ask", json=QUESTION, headers=EVENTS))
        assert name == "error"
        assert told["type"] == f"urn:citespan:problem:{slug}"
        assert told["detail"]


def test_a_key_is_needed_where_one_is_needed(tmp_path: Path) -> None:
    with application(tmp_path, keys=f"me:{SECRET}") as guarded:
        problem(guarded.post("/v1/ask", json=QUESTION, headers=EVENTS), 401, "unauthorized")


def test_the_passages_are_sent_before_the_reading_ends_and_leaving_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = scripted_reader({"noon": 20.0})
    reading, left, composed = threading.Event(), threading.Event(), threading.Event()

    def until_nobody_waits() -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                from_thread.check_cancelled()
            except CancelledError:
                left.set()
                return
            time.sleep(0.01)

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(reader, name)

        def read(self, *arguments: Any, **options: Any) -> Any:
            reading.set()
            until_nobody_waits()
            return reader.read(*arguments, **options)

    monkeypatch.setattr("service.engine.load_reader", lambda _: Slow())
    monkeypatch.setattr("service.answering.compose", lambda *_, **__: composed.set())
    with (
        listening(tmp_path, {"ferry.txt": TEXT}) as url,
        httpx2.Client(base_url=url, headers=EVENTS | {"Authorization": f"Bearer {SECRET}"}) as http,
    ):
        with http.stream("POST", "/v1/ask", json=QUESTION) as response:
            lines = response.iter_lines()  # held: the response is closed with it
            assert next(lines) == "event: retrieved"
            assert reading.wait(30)
            assert "citespan_questions_admitted 1.0" in http.get("/metrics").text
        assert left.wait(30)
        while "citespan_questions_admitted 0.0" not in http.get("/metrics").text:
            time.sleep(0.02)
        assert not composed.is_set()
        assert http.get("/readyz").json() == {"status": "ready"}


def test_events_wait_for_a_slow_client_and_the_work_does_not() -> None:
    finished = anyio.Event()
    sent: list[Any] = []

    async def work(tell: Tell) -> None:
        tell("first", "1")
        tell("second", "2")
        finished.set()

    async def send(message: Any) -> None:
        await finished.wait()
        sent.append(message)

    async def receive() -> Any:
        await anyio.sleep_forever()

    anyio.run(EventStream(work), {"type": "http"}, receive, send)
    bodies = b"".join(message.get("body", b"") for message in sent)
    assert bodies == b"event: first\ndata: 1\n\nevent: second\ndata: 2\n\n"
    assert sent[-1]["more_body"] is False
