"""The authorisation matrix: every route against every kind of key. A route that is not in it fails the tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from applications import application
from fastapi.testclient import TestClient

from index.documents import document_id
from service.app import create_app
from service.auth import parse_keys
from service.settings import Settings

DOCUMENT = document_id("a.txt")
LINE = b'{"source": "b.txt", "text": "More."}\n'
CHAT = {"model": "citespan", "messages": [{"role": "user", "content": "who?"}]}
LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}

# Name of the key, its rights after the secret, and what it may do with the collection `default`.
KEYS = {
    "reader": ":default:read",
    "writer": ":default:write",
    "other": ":other:write",
    "both": ":default+other:read",
    "all-reader": ":*:read",
    "admin": "",
}
SECRETS = {name: f"{name}-{'s' * 20}" for name in KEYS}
READ, WRITE, EVERYTHING = (
    {"reader", "writer", "both", "all-reader", "admin"},
    {"writer", "admin"},
    {"all-reader", "admin"},
)
ANY_KEY = set(KEYS)


@dataclass(frozen=True)
class Route:
    """A request to a route about the collection `default`, who may make it (None: everybody), and what comes of it."""

    method: str
    path: str
    may: set[str] | None
    status: int
    json: Any = None
    content: bytes | None = None
    at: str = ""
    refusal: int = 403
    """What others get: models of collections that a key does not open do not exist for it."""

    @property
    def target(self) -> str:
        return self.at or self.path


ROUTES = [
    Route("POST", "/v1/ask", READ, 200, {"question": "who?"}),
    Route("POST", "/v1/search", READ, 200, {"question": "who?"}),
    Route("GET", "/v1/documents", READ, 200),
    Route("GET", "/v1/documents/{document_id}", READ, 200, at=f"/v1/documents/{DOCUMENT}"),
    Route("GET", "/v1/documents/{document_id}/text", READ, 200, at=f"/v1/documents/{DOCUMENT}/text"),
    Route("GET", "/v1/documents/{document_id}", READ, 404, at="/v1/documents/doc-x"),
    Route("GET", "/v1/collections", ANY_KEY, 200),
    Route("GET", "/v1/collections/{name}", READ, 200, at="/v1/collections/default"),
    Route("GET", "/v1/jobs", READ, 200),
    Route("GET", "/v1/jobs/{job_id}", READ, 404, at="/v1/jobs/job-x"),
    Route("POST", "/v1/documents", WRITE, 201, {"source": "b.txt", "text": "More."}),
    Route("POST", "/v1/documents:batch", WRITE, 200, content=LINE),
    Route("DELETE", "/v1/documents/{document_id}", WRITE, 204, at=f"/v1/documents/{DOCUMENT}"),
    Route("POST", "/v1/collections", WRITE, 201, {"name": "default"}),
    Route("DELETE", "/v1/collections/{name}", WRITE, 204, at="/v1/collections/default"),
    Route("POST", "/v1/jobs", WRITE, 202, {"kind": "reindex"}),
    Route("GET", "/v1/models", ANY_KEY, 200),
    Route("GET", "/v1/models/{model}", READ, 200, at="/v1/models/citespan", refusal=404),
    Route("POST", "/v1/chat/completions", READ, 200, CHAT, refusal=404),
    Route("POST", "/v1/responses", READ, 200, {"model": "citespan", "input": "who?"}, refusal=404),
    Route("GET", "/openwebui/v1/models", ANY_KEY, 200),
    Route("POST", "/openwebui/v1/chat/completions", READ, 200, CHAT, refusal=404),
    Route("POST", "/mcp", ANY_KEY, 200, LIST_TOOLS),
    Route("GET", "/metrics", EVERYTHING, 200),
    Route("GET", "/openapi.json", ANY_KEY, 200),
    Route("GET", "/livez", None, 200),
    Route("GET", "/readyz", None, 200),
    Route("GET", "/", None, 200),
    Route("GET", "/docs", None, 200),
    Route("GET", "/documents/{document_id}", None, 200, at=f"/documents/{DOCUMENT}"),
]

# Routes that name another collection: what the key may do with `default` does not help.
ELSEWHERE = [
    Route("POST", "/v1/ask", set(), 403, {"question": "who?", "collection": "third"}),
    Route("POST", "/v1/search", set(), 403, {"question": "who?", "collection": "third"}),
    Route("GET", "/v1/documents", set(), 403, at="/v1/documents?collection=third"),
    Route("GET", "/v1/documents/{document_id}", set(), 403, at=f"/v1/documents/{DOCUMENT}?collection=third"),
    Route("GET", "/v1/documents/{document_id}/text", set(), 403, at=f"/v1/documents/{DOCUMENT}/text?collection=third"),
    Route("GET", "/v1/collections/{name}", set(), 403, at="/v1/collections/third"),
    Route("GET", "/v1/jobs", set(), 403, at="/v1/jobs?collection=third"),
    Route("GET", "/v1/jobs/{job_id}", set(), 403, at="/v1/jobs/job-x?collection=third"),
    Route("GET", "/v1/models/{model}", set(), 404, at="/v1/models/citespan/third", refusal=404),
    Route("POST", "/v1/chat/completions", set(), 404, CHAT | {"model": "citespan/third"}, refusal=404),
    Route("POST", "/v1/responses", set(), 404, {"model": "citespan/third", "input": "who?"}, refusal=404),
    Route("POST", "/openwebui/v1/chat/completions", set(), 404, CHAT | {"model": "citespan/third"}, refusal=404),
    Route("POST", "/v1/documents", set(), 403, {"text": "More.", "collection": "third"}),
    Route("POST", "/v1/documents:batch", set(), 403, content=LINE, at="/v1/documents:batch?collection=third"),
    Route("DELETE", "/v1/documents/{document_id}", set(), 403, at=f"/v1/documents/{DOCUMENT}?collection=third"),
    Route("POST", "/v1/collections", set(), 403, {"name": "third"}),
    Route("DELETE", "/v1/collections/{name}", set(), 403, at="/v1/collections/third"),
    Route("POST", "/v1/jobs", set(), 403, {"kind": "reindex", "collection": "third"}),
]


def bearer(secret: str | None) -> dict[str, str]:
    return {} if secret is None else {"Authorization": f"Bearer {secret}"}


def send(client: TestClient, route: Route, secret: str | None) -> Any:
    headers = bearer(secret) | ({"Content-Type": "application/jsonl"} if route.content else {})
    if route.path == "/mcp":
        headers["Accept"] = "application/json, text/event-stream"
    return client.request(
        route.method, route.target, json=route.json, content=route.content, headers=headers, follow_redirects=False
    )


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    keys = ",".join(f"{name}:{SECRETS[name]}{rights}" for name, rights in KEYS.items())
    with application(tmp_path_factory.mktemp("matrix"), keys=keys) as client:
        yield client


@pytest.fixture
def client(lasting: TestClient) -> TestClient:
    """Three collections, each with a document from the same source; `default` is fresh."""
    admin = bearer(SECRETS["admin"])
    lasting.delete("/v1/collections/default", headers=admin)
    for name in ("default", "other", "third"):
        lasting.post("/v1/collections", json={"name": name}, headers=admin)
        body = {"source": "a.txt", "text": f"Text of {name}.", "collection": name}
        assert lasting.post("/v1/documents", json=body, headers=admin).status_code in (200, 201)
    return lasting


def ids(route: Route) -> str:
    return f"{route.method} {route.target}"


def test_every_route_is_in_the_matrix() -> None:
    app = create_app(Settings())
    described = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    pages = {("GET", "/"), ("GET", "/docs"), ("GET", "/documents/{document_id}"), ("GET", "/openapi.json")}
    assert {(route.method, route.path) for route in ROUTES} == described | pages
    bound = {(route.method, route.path) for route in ROUTES if route.may in (READ, WRITE)}
    assert {(route.method, route.path) for route in ELSEWHERE} == bound


@pytest.mark.parametrize("route", ROUTES, ids=ids)
def test_without_a_valid_key_nothing_that_is_guarded_opens(client: TestClient, route: Route) -> None:
    before = client.get("/v1/documents", headers=bearer(SECRETS["admin"])).json()
    for secret in (None, "", "wrong-" + "d" * 20, SECRETS["admin"][:-1], SECRETS["admin"] + "x"):
        response = send(client, route, secret)
        assert response.status_code == (route.status if route.may is None else 401)
    assert client.get("/v1/documents", headers=bearer(SECRETS["admin"])).json() == before


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("route", ROUTES, ids=ids)
def test_a_key_does_what_it_may_and_nothing_else(client: TestClient, route: Route, name: str) -> None:
    admin = bearer(SECRETS["admin"])
    if route.path == "/v1/collections" and route.method == "POST":
        client.delete("/v1/collections/default", headers=admin)
    before = client.get("/v1/collections", headers=admin).json()
    response = send(client, route, SECRETS[name])
    allowed = route.may is None or name in route.may
    assert response.status_code == (route.status if allowed else route.refusal)
    if not allowed:
        if route.refusal == 403:
            assert response.json()["type"] == "urn:citespan:problem:forbidden"
        else:
            assert response.json()["error"]["code"] == "model_not_found"
        assert client.get("/v1/collections", headers=admin).json() == before


@pytest.mark.parametrize("name", ["reader", "writer", "other", "both"])
@pytest.mark.parametrize("route", ELSEWHERE, ids=ids)
def test_a_key_of_some_collections_opens_no_other_one(client: TestClient, route: Route, name: str) -> None:
    admin = bearer(SECRETS["admin"])
    before = client.get("/v1/collections/third", headers=admin).json()
    response = send(client, route, SECRETS[name])
    assert response.status_code == route.refusal
    assert "Text of third" not in response.text
    assert client.get("/v1/collections/third", headers=admin).json() == before


@pytest.mark.parametrize("route", ELSEWHERE, ids=ids)
def test_whether_a_collection_exists_is_not_told(client: TestClient, route: Route) -> None:
    there = send(client, route, SECRETS["writer"])
    client.delete("/v1/collections/third", headers=bearer(SECRETS["admin"]))
    gone = send(client, route, SECRETS["writer"])
    assert (there.status_code, there.json()) == (gone.status_code, gone.json())


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("reader", ["default"]),
        ("other", ["other"]),
        ("both", ["default", "other"]),
        ("all-reader", ["default", "other", "third"]),
        ("admin", ["default", "other", "third"]),
    ],
)
def test_only_what_a_key_opens_is_listed(client: TestClient, name: str, listed: list[str]) -> None:
    for limit in (1, 50):
        seen: list[str] = []
        cursor = None
        while True:
            parameters = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            page = client.get("/v1/collections", params=parameters, headers=bearer(SECRETS[name])).json()
            seen += [item["name"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == listed


def test_a_key_may_make_the_collection_that_it_is_bound_to(client: TestClient) -> None:
    client.delete("/v1/collections/other", headers=bearer(SECRETS["admin"]))
    made = client.post("/v1/collections", json={"name": "other"}, headers=bearer(SECRETS["other"]))
    assert made.status_code == 201
    refused = client.post("/v1/collections", json={"name": "another"}, headers=bearer(SECRETS["other"]))
    assert refused.status_code == 403


@pytest.mark.parametrize("collections", ["Notes", "a b", "notes+", "../x", ".spool"])
def test_a_key_of_what_cannot_be_a_collection_is_refused(collections: str) -> None:
    with pytest.raises(ValueError, match="cannot be a collection"):
        parse_keys(f"name:{'s' * 20}:{collections}")
