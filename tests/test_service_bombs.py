"""The bomb pack over HTTP: every file is refused, the service stays small, and questions are answered meanwhile."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from bombs import BOMBS
from listening import SECRET, listening

_MOST_GROWTH = 256 * 1024 * 1024
_STATM = Path("/proc/self/statm")


class Memory:
    """Watches how much memory this process takes, the service in it included. Where the system does not tell: 0."""

    def __init__(self) -> None:
        self.before = self.most = self._now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            self.most = max(self.most, self._now())

    def _now(self) -> int:
        return int(_STATM.read_text().split()[1]) * 4096 if _STATM.exists() else 0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(tmp_path_factory.mktemp("data"), {"mill.txt": "The mill at Åby was built in 1742."}) as address:
        yield address


def test_bombs_are_refused_while_questions_are_answered(url: str, tmp_path: Path) -> None:
    for name, make in BOMBS:
        (tmp_path / name).write_bytes(make())
    headers = {"Authorization": f"Bearer {SECRET}"}
    stop = threading.Event()

    def upload(name: str) -> httpx2.Response:
        with httpx2.Client(base_url=url, headers=headers, timeout=300) as client, (tmp_path / name).open("rb") as file:
            return client.post("/v1/documents", files={"file": (name, file)})

    def ask() -> list[int]:
        statuses = []
        with httpx2.Client(base_url=url, headers=headers, timeout=300) as client:
            while not stop.wait(0.2):
                question = {"question": "When was the mill at Åby built?"}
                statuses.append(client.post("/v1/ask", json=question).status_code)
        return statuses

    with Memory() as memory, ThreadPoolExecutor(3) as threads:
        asked = threads.submit(ask)
        try:
            refused = dict(
                zip([name for name, _ in BOMBS], threads.map(upload, [name for name, _ in BOMBS]), strict=True)
            )
        finally:
            stop.set()
    assert set(asked.result()) == {200}
    for name, response in refused.items():
        assert 400 <= response.status_code < 500, name
        assert response.headers["content-type"] == "application/problem+json"
        assert len(response.json()["detail"]) > 15
    assert memory.most - memory.before < _MOST_GROWTH
    with httpx2.Client(base_url=url, headers=headers) as client:
        assert [each["source"] for each in client.get("/v1/documents").json()["items"]] == ["mill.txt"]
