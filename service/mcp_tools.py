"""The tools of the MCP server: `search` and `fetch` in the form that ChatGPT asks for, and `ask`.

Each is a client of the HTTP API, so that keys, limits and deadlines hold as they do for everybody.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, cast

import httpx2
from pydantic import BaseModel, ConfigDict, Field

from index.errors import ServiceRefused
from index.library import COLLECTION_NAME_PATTERN, DEFAULT_COLLECTION
from service.citations import page_url, span_url
from service.http_client import problem_in
from service.question import MAX_QUESTION_LENGTH
from service.schemas import MAX_TOP_K, AskResponse

Question = Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_LENGTH, pattern=r"\S")]
Collection = Annotated[str, Field(pattern=COLLECTION_NAME_PATTERN, description="Which set of documents to look in.")]


class Send(Protocol):
    """Sends a request to the HTTP API and returns the response, whatever it is.

    Raises:
        ServiceRefused: the service cannot be reached.
    """

    async def __call__(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Send it."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """The HTTP API, and the base of the addresses at which people open its documents."""

    send: Send
    base_url: str

    async def json(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """Return what a request is answered with.

        Raises:
            ServiceRefused: the service cannot be reached, or refuses; the message is its own.
        """
        response = await self.send(method, path, **arguments)
        return cast("dict[str, Any]", _accepted(response).json())

    async def text(self, path: str, **arguments: Any) -> str:
        """Return the text at a path.

        Raises:
            ServiceRefused: the service cannot be reached, or refuses; the message is its own.
        """
        return _accepted(await self.send("GET", path, **arguments)).text


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchArguments(_Arguments):
    """What to search for."""

    query: Question
    collection: Collection = DEFAULT_COLLECTION


class FetchArguments(_Arguments):
    """What to fetch."""

    id: str = Field(min_length=1, description="The id of a search result.")


class AskArguments(_Arguments):
    """What to answer."""

    question: Question
    collection: Collection = DEFAULT_COLLECTION


class Result(BaseModel):
    """A document near the query; `url` opens it at the nearest passage."""

    id: str
    title: str
    url: str


class SearchResults(BaseModel):
    """The documents nearest to the query, the nearest first."""

    results: list[Result]


class Fetched(BaseModel):
    """A whole document."""

    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: what it takes, what it returns, and how."""

    name: str
    title: str
    description: str
    takes: type[BaseModel]
    returns: type[BaseModel]
    run: Callable[[Service, Any], Awaitable[dict[str, Any]]]


async def search(service: Service, arguments: SearchArguments) -> dict[str, Any]:
    """Return `SearchResults`: each document once, however many of its passages are near."""
    body = {"question": arguments.query, "collection": arguments.collection, "top_k": MAX_TOP_K}
    found: dict[str, Result] = {}
    for passage in (await service.json("POST", "/v1/search", json=body))["passages"]:
        document_id, start, end = (passage[name] for name in ("document_id", "start_char_index", "end_char_index"))
        url = span_url(document_id, start, end, base_url=service.base_url, collection=arguments.collection)
        name = _joined(arguments.collection, document_id)
        found.setdefault(name, Result(id=name, title=passage["document_title"] or passage["source"], url=url))
    return SearchResults(results=list(found.values())).model_dump()


async def fetch(service: Service, arguments: FetchArguments) -> dict[str, Any]:
    """Return `Fetched`."""
    collection, document_id = _parted(arguments.id)
    path, query = f"/v1/documents/{document_id}", {"collection": collection}
    document = await service.json("GET", path, params=query)
    names = ("source", "date", "tags", "content_sha256")
    return Fetched(
        id=arguments.id,
        title=document["title"] or document["source"],
        text=await service.text(f"{path}/text", params=query),
        url=page_url(document["id"], base_url=service.base_url, collection=collection),
        metadata=document["metadata"] | {name: document[name] for name in names} | query,
    ).model_dump()


async def ask(service: Service, arguments: AskArguments) -> dict[str, Any]:
    """Return what `POST /v1/ask` does."""
    return await service.json("POST", "/v1/ask", json=arguments.model_dump())


TOOLS = (
    Tool(
        "search",
        "Search the documents",
        "Find the documents nearest to a query. Fetch one by its id to read it.",
        SearchArguments,
        SearchResults,
        search,
    ),
    Tool("fetch", "Fetch a document", "Return the whole text of a document.", FetchArguments, Fetched, fetch),
    Tool(
        "ask",
        "Ask the documents",
        "Answer a question in the documents' own words. Every answer is verbatim and cited with character offsets; "
        "where the documents do not say, `answerable` is false and the nearest passages are shown.",
        AskArguments,
        AskResponse,
        ask,
    ),
)


def _joined(collection: str, document_id: str) -> str:
    return document_id if collection == DEFAULT_COLLECTION else f"{collection}/{document_id}"


def _parted(name: str) -> tuple[str, str]:
    collection, slash, document_id = name.rpartition("/")
    return (collection, document_id) if slash else (DEFAULT_COLLECTION, name)


def _accepted(response: httpx2.Response) -> httpx2.Response:
    if response.is_success:
        return response
    raise ServiceRefused(problem_in(response)[1])
