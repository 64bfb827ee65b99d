"""The MCP server, asked by the official client: over HTTP, and over stdin and stdout."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import ROOT
from listening import SECRET, listening
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

pytestmark = pytest.mark.anyio

FERRY = "The ferry to Hull 🚀 leaves at noon. A ticket costs 12 euros."
TITLE = "The ferry to Hull 🚀 leaves at noon."
MUSEUM = "The museum opens at ten."
QUESTION = "When does the ferry leave?"
BEARER = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    texts = {"ferry.txt": FERRY, "museum.txt": MUSEUM}
    with listening(tmp_path_factory.mktemp("mcp"), texts, finds={"at noon": 20.0}) as base:
        yield base


@asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=BEARER, trust_env=False) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(url: str) -> AsyncIterator[Client]:
    arguments = ["-m", "service.cli", "mcp", "--url", url]
    started = StdioServerParameters(command=sys.executable, args=arguments, env={"CITESPAN_API_KEY": SECRET}, cwd=ROOT)
    async with Client(started) as client:
        yield client


TRANSPORTS = pytest.mark.parametrize("transport", [over_http, over_stdio], ids=["http", "stdio"])


def told(result: Any) -> dict[str, Any]:
    """Return the JSON of the only item of a result, which is its structured content, too."""
    assert isinstance(result, CallToolResult)
    assert not result.is_error, result
    (item,) = result.content
    assert isinstance(item, TextContent)
    content: dict[str, Any] = json.loads(item.text)
    assert content == result.structured_content
    return content


def failure(result: Any) -> str:
    assert isinstance(result, CallToolResult)
    assert result.is_error
    (item,) = result.content
    assert isinstance(item, TextContent)
    return item.text


@TRANSPORTS
async def test_search_fetch_and_ask(url: str, transport: Any) -> None:
    async with transport(url) as client:
        assert client.server_info.name == "citespan"
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["search", "fetch", "ask"]
        assert all(tool.annotations.read_only_hint and tool.output_schema for tool in tools.values())
        assert tools["search"].input_schema["required"] == ["query"]
        assert tools["fetch"].input_schema["required"] == ["id"]

        found = told(await client.call_tool("search", {"query": QUESTION}))
        assert found.keys() == {"results"}
        assert {result["title"] for result in found["results"]} == {TITLE, MUSEUM}
        for result in found["results"]:
            assert result.keys() == {"id", "title", "url"}
            assert result["url"].partition("#char=")[1]
        first = found["results"][0]
        assert first["title"] == TITLE

        document = told(await client.call_tool("fetch", {"id": first["id"]}))
        assert document.keys() == {"id", "title", "text", "url", "metadata"}
        assert (document["id"], document["title"], document["text"]) == (first["id"], TITLE, FERRY)
        assert document["url"] == first["url"].partition("#")[0]
        assert document["metadata"]["source"] == "ferry.txt"

        answered = told(await client.call_tool("ask", {"question": QUESTION}))
        assert answered["answerable"]
        assert answered["answer"]["text"] == "at noon"
        start, end = (answered["answer"]["citations"][0][name] for name in ("start_char_index", "end_char_index"))
        assert document["text"][start:end] == "at noon"


@TRANSPORTS
async def test_failures_say_what_to_do(url: str, transport: Any) -> None:
    async with transport(url) as client:
        assert "doc-none" in failure(await client.call_tool("fetch", {"id": "doc-none"}))
        assert "nowhere" in failure(await client.call_tool("fetch", {"id": "nowhere/doc-x"}))
        assert "nowhere" in failure(await client.call_tool("ask", {"question": "x?", "collection": "nowhere"}))
        assert failure(await client.call_tool("ask", {"question": " "})).startswith("question: ")
        assert "query: Field required" in failure(await client.call_tool("search", {}))
        assert "limit: Extra inputs" in failure(await client.call_tool("search", {"query": "x", "limit": 3}))
        assert "search, fetch, ask" in failure(await client.call_tool("delete", {}))


async def test_document_of_another_collection(url: str) -> None:
    async with httpx2.AsyncClient(base_url=url, headers=BEARER, trust_env=False) as http:
        await http.post("/v1/collections", json={"name": "mills"})
        await http.post("/v1/documents", json={"text": "An old mill.", "source": "mill.txt", "collection": "mills"})
    async with over_http(url) as client:
        (result,) = told(await client.call_tool("search", {"query": "mill", "collection": "mills"}))["results"]
        assert result["id"].startswith("mills/doc-")
        assert "?collection=mills#char=0,12" in result["url"]
        document = told(await client.call_tool("fetch", {"id": result["id"]}))
        assert document["text"] == "An old mill."
        assert document["metadata"]["collection"] == "mills"


def post(url: str, **headers: str) -> httpx2.Response:
    accept = {"Accept": "application/json, text/event-stream"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    return httpx2.post(f"{url}/mcp", json=body, headers=accept | headers, trust_env=False)


def test_keys_hosts_and_origins_are_checked(url: str) -> None:
    assert post(url, **BEARER).status_code == 200
    refused = post(url)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert post(url, Authorization="Bearer wrong").status_code == 401
    assert post(url, **BEARER, Origin="https://evil.example").status_code == 403
    assert post(url, **BEARER, Origin=url).status_code == 200
    assert post(url, **BEARER, Host="evil.example").status_code == 421


def test_there_are_no_sessions(url: str) -> None:
    assert "mcp-session-id" not in post(url, **BEARER).headers
    for method in ("GET", "DELETE"):
        response = httpx2.request(method, f"{url}/mcp", headers=BEARER, trust_env=False)
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"


def test_wrong_key_and_absent_service_are_told(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "service.cli", "mcp", "--url", "nowhere"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "is no address of a service" in result.stderr
    assert result.stdout == ""
