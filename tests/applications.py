"""Applications for tests, in this process, without models."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from scripted import scripted_reader
from word_embedder import WordEmbedder

from index.embedder import Embedder
from service.app import create_app
from service.settings import Settings

BASE = "http://127.0.0.1:8000"


@contextmanager
def application(
    data_dir: Path,
    *,
    embedder: Embedder | None = None,
    keys: str = "",
    finds: Mapping[str, float] | None = None,
    **settings: Any,
) -> Iterator[TestClient]:
    """Start an application and yield its client. Its reader finds the words of `finds`, each with its score."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.engine.load_reader", lambda _: scripted_reader(finds or {}))
        made = Settings.from_environment({"CITESPAN_API_KEYS": keys}, data_dir=data_dir, **settings)
        app = create_app(made, embedder=embedder or WordEmbedder())
        with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
            yield client


def problem(response: Any, status: int, slug: str) -> str:
    """Check that a response is a problem of this kind and return what it tells a person."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["type"] == f"urn:citespan:problem:{slug}"
    assert len(content["detail"]) > 15
    return str(content["detail"])
