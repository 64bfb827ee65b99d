"""An engine over HTTP: a running service, asked as any client asks it (docs/http-api.md)."""

import hashlib
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from eval.cases import Case
from eval.engines import DEFAULT_COLLECTION, RANKING_DEPTH
from eval.replies import Reply, reply_of
from index.errors import EngineUnavailable, QuestionFailed
from service import KEY_VARIABLE

# A service gives up after ten seconds of its own accord, unless it is told otherwise.
_TIMEOUT_S = 60.0
_TRIES = 6
_LONGEST_WAIT_S = 10.0
_PAGE = 200
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

# Refusals that no other question would escape.
_REFUSALS = {
    400: "is refused as malformed",
    401: f"asks for another key; give one with --key or {KEY_VARIABLE}",
    403: "forbids this with the key that was given",
    404: "does not know this address or collection",
    405: "does not take questions at this address",
    421: "does not answer to this host name; add it to its CITESPAN_ALLOWED_HOSTS",
}
_TOO_MANY, _BUSY = 429, 503
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
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EngineUnavailable(f"{url!r} is no address of a service; give one such as http://127.0.0.1:8000.")
        self._url = url.rstrip("/")
        self._default = collection
        self._client = client or httpx2.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=_TIMEOUT_S,
            trust_env=parts.hostname not in _LOOPBACK,  # past any proxy that the environment may name
        )
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
        body = {"question": case.question, "top_k": RANKING_DEPTH, "collection": self.collection(case)}
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
        for tried in range(1, _TRIES + 1):
            try:
                response = self._client.request(method, path, **arguments)
            except httpx2.TransportError as error:
                if tried < _TRIES and not isinstance(error, httpx2.ConnectError | httpx2.TimeoutException):
                    continue  # a connection that the service closed while it was idle
                raise EngineUnavailable(
                    f"{self._url} does not answer ({error or type(error).__name__}); start the service, or give its "
                    "address with --url."
                ) from error
            if response.is_success:
                return response
            if response.status_code not in (_TOO_MANY, _BUSY) or tried == _TRIES:
                break
            time.sleep(_wait_s(response))
        raise self._complaint(response)

    def _json(self, response: httpx2.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self._stranger() from error

    def _stranger(self) -> EngineUnavailable:
        return EngineUnavailable(f"{self._url} does not answer as Citespan does; is this the right address?")

    def _complaint(self, response: httpx2.Response) -> EngineUnavailable | QuestionFailed:
        kind, detail = _problem(response)
        status = response.status_code
        if status in _REFUSALS:
            return EngineUnavailable(f"{self._url} {_REFUSALS[status]}: {detail}")
        if status in (_TOO_MANY, _BUSY) and not kind.endswith(_DEADLINE):
            return EngineUnavailable(f"{self._url} is too busy, tried {_TRIES} times: {detail}")
        if response.is_redirect:
            return EngineUnavailable(f"{self._url} sends to {response.headers.get('location')}; give that with --url.")
        return QuestionFailed(f"{status}: {detail}")


def _problem(response: httpx2.Response) -> tuple[str, str]:
    """Return kind and detail of a problem (RFC 9457), or what there is instead."""
    try:
        content = response.json()
        return str(content["type"]), str(content["detail"])
    except (ValueError, LookupError, TypeError):
        return "", response.reason_phrase or f"HTTP status {response.status_code}"


def _wait_s(response: httpx2.Response) -> float:
    try:
        seconds = float(response.headers.get("retry-after", "1"))
    except ValueError:  # a date, which no service of ours sends
        seconds = 1.0
    return min(max(seconds, 0.0), _LONGEST_WAIT_S)
