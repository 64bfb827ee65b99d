"""Keys, hosts and origins: every guarded route against every kind of key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from word_embedder import WordEmbedder

from index.library import Library
from service.app import create_app
from service.auth import find_key, parse_keys
from service.settings import Settings

BASE = "http://127.0.0.1:8000"
ALL, READ, OTHER = "all-" + "a" * 20, "read-" + "b" * 20, "other-" + "c" * 20


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    data = tmp_path_factory.mktemp("keys")
    with Library(data, WordEmbedder()) as library:
        library.create("other")
    keys = f"ops:{ALL},web:{READ}:default:read,news:{OTHER}:other"
    settings = Settings.from_environment({"CITESPAN_API_KEYS": keys, "CITESPAN_DATA_DIR": str(data)})
    with TestClient(create_app(settings, embedder=WordEmbedder()), base_url=BASE) as started:
        yield started


def bearer(secret: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} if secret else {}


READS: list[tuple[str, str, Any]] = [
    ("POST", "/v1/ask", {"question": "who?"}),
    ("POST", "/v1/search", {"question": "who?"}),
    ("GET", "/v1/documents", None),
]
HIDDEN: list[tuple[str, str, Any]] = [
    ("GET", "/v1/documents/doc-x", None),
    ("GET", "/v1/documents/doc-x/text", None),
]
WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/v1/documents", {"text": "Something."}),
    ("DELETE", "/v1/documents/doc-x", None),
]
OPEN = ["/livez", "/readyz", "/documents/doc-x", "/static/document.js", "/docs", "/docs/swagger-ui.css"]


@pytest.mark.parametrize(("method", "path", "body"), READS + HIDDEN + WRITES)
@pytest.mark.parametrize("secret", [None, "wrong-" + "d" * 20, "", ALL[:-1], ALL + "x"])
def test_guarded_route_needs_a_valid_key(client: TestClient, method: str, path: str, body: Any, secret: str) -> None:
    response = client.request(method, path, json=body, headers=bearer(secret))
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["type"] == "urn:citespan:problem:unauthorized"


@pytest.mark.parametrize(("method", "path", "body"), READS)
@pytest.mark.parametrize(("secret", "status"), [(ALL, 200), (READ, 200), (OTHER, 403)])
def test_reading_needs_a_key_of_the_collection(
    client: TestClient, method: str, path: str, body: Any, secret: str, status: int
) -> None:
    assert client.request(method, path, json=body, headers=bearer(secret)).status_code == status


@pytest.mark.parametrize(("method", "path", "body"), HIDDEN)
@pytest.mark.parametrize(("secret", "status"), [(ALL, 404), (READ, 404), (OTHER, 403)])
def test_what_another_collection_holds_is_not_told(
    client: TestClient, method: str, path: str, body: Any, secret: str, status: int
) -> None:
    assert client.request(method, path, json=body, headers=bearer(secret)).status_code == status


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize(("secret", "allowed"), [(ALL, True), (READ, False), (OTHER, False)])
def test_writing_needs_a_key_that_writes(
    client: TestClient, method: str, path: str, body: Any, secret: str, allowed: bool
) -> None:
    status = client.request(method, path, json=body, headers=bearer(secret)).status_code
    assert (status != 403) == allowed


def test_key_opens_its_own_collection_only(client: TestClient) -> None:
    body = {"text": "News of the day.", "collection": "other"}
    assert client.post("/v1/documents", json=body, headers=bearer(OTHER)).status_code == 201
    question = {"question": "news of the day", "collection": "other"}
    assert client.post("/v1/search", json=question, headers=bearer(OTHER)).json()["passages"]
    assert client.post("/v1/search", json=question, headers=bearer(READ)).status_code == 403
    # What does not exist is forbidden just the same: a key does not learn the names of collections.
    missing = {"question": "news", "collection": "missing"}
    assert client.post("/v1/search", json=missing, headers=bearer(READ)).status_code == 403


@pytest.mark.parametrize("path", OPEN)
def test_health_and_shells_are_open(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_description_of_the_api_needs_a_key(client: TestClient) -> None:
    assert client.get("/openapi.json").status_code == 401
    assert client.get("/openapi.json", headers=bearer(READ)).status_code == 200


def test_metrics_need_a_key_of_all_collections(client: TestClient) -> None:
    statuses = [client.get("/metrics", headers=bearer(secret)).status_code for secret in (None, READ, OTHER, ALL)]
    assert statuses == [401, 403, 403, 200]


@pytest.mark.parametrize(
    "path", ["//v1/documents", "/V1/documents", "/v1%2Fdocuments", "/v1/./documents", "/v1/../v1/documents"]
)
def test_odd_spellings_of_a_path_do_not_go_round_the_guard(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (401, 404)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_scheme_is_not_case_sensitive(client: TestClient, scheme: str) -> None:
    assert client.get("/v1/documents", headers={"Authorization": f"{scheme} {ALL}"}).status_code == 200


@pytest.mark.parametrize("header", [f"Basic {ALL}", ALL, "Bearer", f"Bearer{ALL}"])
def test_other_schemes_are_refused(client: TestClient, header: str) -> None:
    assert client.get("/v1/documents", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::2]", ""])
@pytest.mark.parametrize("path", ["/livez", "/documents/doc-x", "/v1/documents"])
def test_foreign_host_is_refused_on_every_route(client: TestClient, host: str, path: str) -> None:
    response = client.get(path, headers={"Host": host} | bearer(ALL))
    assert response.status_code == 421
    assert response.json()["type"] == "urn:citespan:problem:host-not-allowed"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"])
def test_loopback_names_are_allowed(client: TestClient, host: str) -> None:
    assert client.get("/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "file://127.0.0.1:8000"])
def test_foreign_origin_is_refused(client: TestClient, origin: str) -> None:
    response = client.get("/livez", headers={"Origin": origin})
    assert response.status_code == 403
    assert response.json()["type"] == "urn:citespan:problem:origin-not-allowed"


def test_own_and_allowed_origins_pass_and_only_the_allowed_get_cors(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        allowed_origins=("https://chat.example",),
        public_url="https://qa.example",
        allowed_hosts=("x",),
    )
    with TestClient(create_app(settings, embedder=WordEmbedder()), base_url="https://qa.example") as client:
        own = client.get("/livez", headers={"Origin": "https://qa.example"})
        assert own.status_code == 200
        assert "access-control-allow-origin" not in own.headers
        allowed = client.get("/livez", headers={"Origin": "https://chat.example", "Host": "x"})
        assert allowed.headers["access-control-allow-origin"] == "https://chat.example"
        preflight = client.options(
            "/v1/ask",
            headers={
                "Origin": "https://chat.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        assert preflight.status_code == 200
        refused = client.post("/v1/ask", json={}, headers={"Origin": "https://chat.example"})
        assert refused.status_code == 422
        assert refused.headers["access-control-allow-origin"] == "https://chat.example"


def test_every_key_is_compared() -> None:
    keys = parse_keys(f"a:{ALL},b:{READ}")
    assert [key.name for key in keys if find_key(keys, ALL) is key] == ["a"]
    assert [key.name for key in keys if find_key(keys, READ) is key] == ["b"]
    assert find_key(keys, "") is None
