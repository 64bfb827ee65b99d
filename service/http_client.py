"""A client of a running service (docs/http-api.md): what commands use that go over HTTP."""

import time
from typing import Any
from urllib.parse import urlsplit

import httpx2

from index.errors import ServiceRefused

_TRIES = 8
_LONGEST_WAIT_S = 30.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

# Where the service asks for patience; with it comes for how long.
BUSY = (429, 503)


class HttpClient:
    """Sends requests to the service at a URL. Thread-safe; close it after use."""

    def __init__(
        self, url: str, *, key: str | None = None, timeout_s: float, client: httpx2.Client | None = None
    ) -> None:
        """Send to the service at `url`, with `key`. `client` sends in the place of one that is made here.

        Raises:
            ServiceRefused: this is no URL of a service.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServiceRefused(f"{url!r} is no address of a service; give one such as http://127.0.0.1:8000.")
        self.url = url.rstrip("/")
        self._client = client or httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=timeout_s,
            trust_env=parts.hostname not in _LOOPBACK,  # past any proxy that the environment may name
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Return the response to a request, whatever it is. Send only what does no harm when it comes twice.

        Where the service is busy, this waits for as long as it says and tries again, a few times.

        Raises:
            ServiceRefused: the service cannot be reached.
        """
        for tried in range(1, _TRIES + 1):
            try:
                response = self._client.request(method, path, **arguments)
            except httpx2.TransportError as error:
                if tried < _TRIES and not isinstance(error, httpx2.ConnectError | httpx2.TimeoutException):
                    continue  # a connection that the service closed while it was idle
                raise ServiceRefused(
                    f"{self.url} does not answer ({error or type(error).__name__}); start the service, or give its "
                    "address with --url."
                ) from error
            if response.status_code not in BUSY:
                break
            if tried < _TRIES:
                time.sleep(_wait_s(response))
        return response


def problem_in(response: httpx2.Response) -> tuple[str, str]:
    """Return kind and detail of the problem (RFC 9457) that a response holds, or what there is instead."""
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
