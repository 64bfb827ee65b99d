"""A client that goes away ends its question: at once while it waits, between two steps when it has begun."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from applications import application
from fastapi.testclient import TestClient

from index.collection import Collection
from service.limits import Gate

CHAT = {"model": "citespan", "messages": [{"role": "user", "content": "who?"}]}
ASKED = [("/v1/ask", {"question": "who?"}), ("/v1/chat/completions", CHAT), ("/v1/responses", CHAT | {"input": "who?"})]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with application(tmp_path, concurrency=1) as made:
        yield made


class Held:
    """Holds what retrieves passages until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.read = 0
        retrieve: Callable[..., Any] = Collection.retrieve

        def hold(*args: Any, **kwargs: Any) -> Any:
            self.begun.set()
            assert self.let_go.wait(30)
            return retrieve(*args, **kwargs)

        monkeypatch.setattr(Collection, "retrieve", hold)

    def count_readings(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        reader = client.app.state.context.engine.answerer.reader  # type: ignore[attr-defined]
        read = type(reader).read

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.read += 1
            return read(*args, **kwargs)

        monkeypatch.setattr(type(reader), "read", counted)


class Asking:
    """A request whose client can go away."""

    def __init__(self, client: TestClient, path: str, body: Any) -> None:
        self._app = client.app
        self.gone = anyio.Event()
        self.statuses: list[int] = []
        self._messages = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
        headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
        self._scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "http_version": "1.1",
            "scheme": "http",
            "asgi": {"version": "3.0"},
        }

    async def __call__(self) -> None:
        await self._app(self._scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if self._messages:
            return self._messages.pop()
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])


def gate_of(client: TestClient) -> Gate:
    gate: Gate = client.app.state.context.questions  # type: ignore[attr-defined]
    return gate


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_question_that_has_begun_ends_before_its_next_step(
    client: TestClient, path: str, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    held.count_readings(client, monkeypatch)

    async def scenario() -> None:
        asking = Asking(client, path, body)
        async with anyio.create_task_group() as group:
            group.start_soon(asking)
            await anyio.to_thread.run_sync(held.begun.wait)
            asking.gone.set()
            await anyio.wait_all_tasks_blocked()
            assert gate_of(client).admitted == 1  # it is retrieving
            held.let_go.set()
        assert gate_of(client).admitted == 0
        assert asking.statuses == [499]

    anyio.run(scenario)
    assert held.read == 0


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_question_that_waits_gives_its_place_back(
    client: TestClient, path: str, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)

    async def scenario() -> None:
        first, second = Asking(client, path, body), Asking(client, path, body)
        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.to_thread.run_sync(held.begun.wait)
            group.start_soon(second)
            await anyio.wait_all_tasks_blocked()
            assert gate_of(client).admitted == 2
            second.gone.set()
            await anyio.wait_all_tasks_blocked()
            assert gate_of(client).admitted == 1
            assert second.statuses == [499]
            held.let_go.set()
        assert first.statuses == [200]

    anyio.run(scenario)
