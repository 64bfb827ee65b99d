"""A keeper over HTTP: a running service, which holds the write lock (docs/http-api.md)."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from index.documents import Document
from index.errors import ServiceRefused
from index.filters import NO_FILTERS, Days, Filters
from index.indexer import Progress
from service.http_client import HttpClient, problem_in
from service.keeper import Outcome
from service.limits import BATCH_PATH
from service.schemas import BatchReport, Collection, CollectionList, DocumentList, JobDetails
from service.schemas import Document as Held

# A batch is answered when it is indexed, and waits for its turn before.
_TIMEOUT_S = 600.0
_POLL_S = 0.5
_PAGE = 200
_ACCEPTED = 202

M = TypeVar("M", bound=BaseModel)


class HttpKeeper:
    """The service at a URL. Close it after use."""

    def __init__(self, url: str, *, key: str | None = None, client: httpx2.Client | None = None) -> None:
        """Ask the service at `url`. `client` asks in the place of one that is made here.

        Raises:
            ServiceRefused: this is no URL of a service.
        """
        self._client = HttpClient(url, key=key, timeout_s=_TIMEOUT_S, client=client)
        self._url = self._client.url

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def documents(self, collection: str, filters: Filters = NO_FILTERS) -> Iterator[Held]:
        """Yield the documents that pass `filters`, in the order in which they first came.

        Raises:
            ServiceRefused: the service does not list them.
        """
        parameters: dict[str, Any] = {"collection": collection, "limit": _PAGE} | _as_parameters(filters)
        while True:
            page = self._read(DocumentList, self._send("GET", "/v1/documents", params=parameters))
            yield from page.items
            if page.next_cursor is None:
                return
            parameters["cursor"] = page.next_cursor

    def put(self, collection: str, documents: Sequence[Document]) -> Outcome:
        """Add or replace documents from different sources; those that have not changed are left alone.

        Raises:
            ServiceRefused: the service does not take them.
        """
        response = self._send(
            "POST",
            BATCH_PATH,
            params={"collection": collection},
            content="".join(f"{_as_line(document)}\n" for document in documents).encode(),
            headers={"Content-Type": "application/jsonl"},
        )
        report: BatchReport | JobDetails
        if response.status_code == _ACCEPTED:
            report = self._follow(response.headers["location"], lambda *_: None)
        else:
            report = self._read(BatchReport, response)
        failures = [(documents[each.line - 1].source, each.detail) for each in report.failures]
        return Outcome(report.added, report.replaced, report.unchanged, failures)

    def delete(self, collection: str, document_id: str) -> None:
        """Delete a document.

        Raises:
            ServiceRefused: the service does not, or there is none with this id.
        """
        self._send("DELETE", f"/v1/documents/{quote(document_id, safe='')}", params={"collection": collection})

    def collections(self) -> list[Collection]:
        """Return the collections that the key opens, by name.

        Raises:
            ServiceRefused: the service does not list them.
        """
        found: list[Collection] = []
        parameters: dict[str, Any] = {"limit": _PAGE}
        while True:
            page = self._read(CollectionList, self._send("GET", "/v1/collections", params=parameters))
            found += page.items
            if page.next_cursor is None:
                return found
            parameters["cursor"] = page.next_cursor

    def create(self, name: str) -> bool:
        """Create a collection, and return whether it is new.

        Raises:
            ServiceRefused: the service does not.
        """
        return self._send("POST", "/v1/collections", json={"name": name}).status_code == httpx2.codes.CREATED

    def delete_collection(self, name: str) -> None:
        """Delete a collection with all its documents.

        Raises:
            ServiceRefused: the service does not, or there is none of this name.
        """
        self._send("DELETE", f"/v1/collections/{quote(name, safe='')}")

    def reindex(self, name: str, progress: Progress) -> None:
        """Build a collection's index anew where the service's settings ask for another one, and wait for it.

        Raises:
            ServiceRefused: the service does not, or it fails.
        """
        response = self._send("POST", "/v1/jobs", json={"kind": "reindex", "collection": name})
        self._follow(response.headers["location"], progress)

    def _follow(self, path: str, progress: Progress) -> JobDetails:
        """Wait for a job's end, and return it.

        Raises:
            ServiceRefused: it did not end well.
        """
        while True:
            job = self._read(JobDetails, self._send("GET", path))
            if job.total:
                progress(job.done, job.total)
            if job.state == "done":
                return job
            if job.state in ("failed", "interrupted"):
                raise ServiceRefused(f"{self._url} did not finish ({job.done} of {job.total}): {job.error}")
            time.sleep(_POLL_S)

    def _send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        response = self._client.send(method, path, **arguments)
        if response.is_success:
            return response
        _, detail = problem_in(response)
        raise ServiceRefused(f"{self._url} answers {response.status_code}: {detail}")

    def _read(self, model: type[M], response: httpx2.Response) -> M:
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise ServiceRefused(
                f"{self._url} does not answer as this Citespan does; is this the right address?"
            ) from error


def _as_line(document: Document) -> str:
    fields: dict[str, Any] = {"source": document.source, "title": document.title, "text": document.text}
    more = {"metadata": dict(document.metadata), "tags": list(document.tags), "date": document.date}
    line = fields | {name: value for name, value in more.items() if value}
    if document.structure is not None:
        line["pages"] = list(document.structure.pages)
        line["headings"] = [
            {"start_char_index": each.start, "end_char_index": each.end, "level": each.level}
            for each in document.structure.headings
        ]
    return json.dumps(line)


def _as_parameters(filters: Filters) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        name: list(getattr(filters, name))
        for name in ("document_id", "source", "title", "tags")
        if getattr(filters, name) is not None
    }
    days: tuple[tuple[str, Days | None], ...] = (
        ("date", filters.date),
        ("created", filters.created_at),
        ("updated", filters.updated_at),
    )
    for name, each in days:
        bounds = {} if each is None else {f"{name}_from": each.first, f"{name}_to": each.last}
        parameters |= {key: value for key, value in bounds.items() if value is not None}
    return parameters
