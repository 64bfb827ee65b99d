"""An engine over HTTP: a running service, asked as any client asks it (docs/http-api.md)."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

import httpx2

from eval.cases import Case
from eval.engines import DEFAULT_COLLECTION, RANKING_DEPTH
from eval.replies import Reply, reply_of
from index.errors import EngineUnavailable, QuestionFailed, ServiceRefused
from service import KEY_VARIABLE
from service.http_client import BUSY, HttpClient, problem_in

# A service gives up after ten seconds of its own accord, unless it is told otherwise.
_TIMEOUT_S = 60.0
_PAGE = 200

# Refusals that no other question would escape.
_REFUSALS = {
    400: "is refused as malformed",
    401: f"asks for another key; give one with --key or {KEY_VARIABLE}",
    403: "forbids this with the key that was given",
    404: "does not know this address or collection",
    405: "does not take questions at this address",
    421: "does not answer to this host name; add it to its CITESPAN_ALLOWED_HOSTS",
}
_DEADLINE = "deadline-exceeded"


class HttpEngine:
    """Asks the service at a URL. Thread-safe; close it after use."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        collection: str = DEFAULT_COLLECTION,
        client: httpx2.Client | None = None,
    ) -> None:
        """Ask `collection` where a case names none. `client` asks in the place of one that is made here.

        Raises:
            EngineUnavailable: this is no URL of a service.
        """
        try:
            self._client = HttpClient(url, key=key, timeout_s=_TIMEOUT_S, client=client)
        except ServiceRefused as error:
            raise EngineUnavailable(str(error)) from error
        self._url = self._client.url
        self._default = collection
        self._listing = threading.Lock()
        self._documents: dict[str, dict[str, tuple[str, str]]] = {}
        self._texts: dict[tuple[str, str], str] = {}

    def __enter__(self) -> "HttpEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, case: Case) -> Reply:
        """Return what the service answers. Where it is busy, wait for as long as it says and ask again."""
        body: dict[str, Any] = {
            "question": case.question,
            "top_k": RANKING_DEPTH,
            "collection": self.collection(case),
        }
        if case.history:
            body["history"] = [asdict(turn) for turn in case.history]
        return reply_of(self._json(self._send("POST", "/v1/ask", json=body)))

    def documents(self, case: Case) -> Mapping[str, str]:
        """Return the hashes of the documents of the case's collection, by source."""
        return {source: sha256 for source, (_, sha256) in self._listed(self.collection(case)).items()}

    def text(self, case: Case, source: str) -> str | None:
        """Return the canonical text of a document, None where there is none.

        Raises:
            EngineUnavailable: the text is not the one that was listed.
        """
        collection = self.collection(case)
        known = self._listed(collection).get(source)
        if known is None:
            return None
        if (collection, source) not in self._texts:
            document_id, sha256 = known
            path = f"/v1/documents/{quote(document_id, safe='')}/text"
            data = self._send("GET", path, params={"collection": collection}).content
            if hashlib.sha256(data).hexdigest() != sha256:
                raise EngineUnavailable(
                    f"The text of {source!r} is not the one that {self._url} lists; its documents are being changed. "
                    "Run again when they are not."
                )
            self._texts[collection, source] = data.decode()
        return self._texts[collection, source]

    def collection(self, case: Case) -> str:
        """Return the collection that the case names, or the one that was chosen for those that name none."""
        return case.collection or self._default

    def description(self) -> dict[str, str]:
        """Return the address and the collection; the fingerprint says the rest."""
        return {"engine": self._url, "collection": self._default}

    def _listed(self, collection: str) -> dict[str, tuple[str, str]]:
        """Return (id, hash) of all documents of a collection, by source."""
        with self._listing:
            if collection not in self._documents:
                found: dict[str, tuple[str, str]] = {}
                parameters: dict[str, str | int] = {"collection": collection, "limit": _PAGE}
                while True:
                    page = self._json(self._send("GET", "/v1/documents", params=parameters))
                    try:
                        found |= {each["source"]: (each["id"], each["content_sha256"]) for each in page["items"]}
                        cursor = page["next_cursor"]
                    except (LookupError, TypeError) as error:
                        raise self._stranger() from error
                    if cursor is None:
                        break
                    parameters["cursor"] = cursor
                self._documents[collection] = found
            return self._documents[collection]

    def _send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        try:
            response = self._client.send(method, path, **arguments)
        except ServiceRefused as error:
            raise EngineUnavailable(str(error)) from error
        if response.is_success:
            return response
        raise self._complaint(response)

    def _json(self, response: httpx2.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self._stranger() from error

    def _stranger(self) -> EngineUnavailable:
        return EngineUnavailable(f"{self._url} does not answer as Citespan does; is this the right address?")

    def _complaint(self, response: httpx2.Response) -> EngineUnavailable | QuestionFailed:
        kind, detail = problem_in(response)
        status = response.status_code
        if status in _REFUSALS:
            return EngineUnavailable(f"{self._url} {_REFUSALS[status]}: {detail}")
        if status in BUSY and not kind.endswith(_DEADLINE):
            return EngineUnavailable(f"{self._url} is too busy: {detail}")
        if response.is_redirect:
            return EngineUnavailable(f"{self._url} sends to {response.headers.get('location')}; give that with --url.")
        return QuestionFailed(f"{status}: {detail}")
