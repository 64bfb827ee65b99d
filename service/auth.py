"""Keys, hosts and origins: who may ask what, checked before anything else of a request is read."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from index.library import COLLECTION_NAME_PATTERN
from service.problems import Problem

# Everything that holds or changes documents. The rest (health, static shells) is open and shows nothing of them.
GUARDED = re.compile(r"^/(?:v1|openwebui|mcp|metrics|openapi\.json)(?:/|$)")

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:]+))(?::\d*)?")
_KEY_PATTERN = re.compile(r"^[A-Za-z0-9_.-]+$")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key's name and rights. Only a hash of the secret is kept."""

    name: str
    secret_sha256: bytes
    collections: frozenset[str] | None
    """The collections that the key opens; None: all."""
    may_write: bool

    def opens(self, collection: str, *, write: bool) -> bool:
        """Whether the key allows to read, or to change, a collection."""
        return (self.collections is None or collection in self.collections) and (self.may_write or not write)


ANONYMOUS = ApiKey("anonymous", b"", None, may_write=True)


def parse_keys(text: str) -> tuple[ApiKey, ...]:
    """Parse `name:secret[:collections[:read|write]]`, comma-separated.

    Raises:
        ValueError: an entry has another form, a secret is shorter than 16 characters, a collection's name is none, or a
            name or secret stands twice.
    """
    keys = []
    for number, entry in enumerate((part for part in text.split(",") if part.strip()), start=1):
        name, *rest = entry.strip().split(":")
        if not 1 <= len(rest) <= 3 or not _KEY_PATTERN.match(name):
            raise ValueError(f"key {number} must look like name:secret[:collections[:read|write]]")
        secret, collections, right = rest[0], *(rest[1:] + ["*", "write"][len(rest) - 1 :])
        if len(secret) < 16:
            raise ValueError(f"the secret of key {name!r} must have at least 16 characters")
        if right not in ("read", "write"):
            raise ValueError(f"key {name!r} must end in read or write")
        opened = None if collections in ("", "*") else frozenset(collections.split("+"))
        if wrong := sorted(each for each in opened or () if not re.fullmatch(COLLECTION_NAME_PATTERN, each)):
            raise ValueError(f"key {name!r} names {wrong[0]!r}, which cannot be a collection")
        keys.append(ApiKey(name, hashlib.sha256(secret.encode()).digest(), opened, right == "write"))
    if len({key.name for key in keys}) != len(keys) or len({key.secret_sha256 for key in keys}) != len(keys):
        raise ValueError("two keys have the same name or the same secret")
    return tuple(keys)


def find_key(keys: Iterable[ApiKey], secret: str) -> ApiKey | None:
    """Return the key that has this secret. The time it takes does not tell how near a wrong one came."""
    digest = hashlib.sha256(secret.encode()).digest()
    found = None
    for key in keys:
        if hmac.compare_digest(key.secret_sha256, digest):
            found = key
    return found


class Guard:
    """ASGI middleware that turns away foreign hosts, foreign web pages and requests without a valid key.

    The key of a request is left in `scope["state"]["key"]`; what it opens is for the routes to ask.
    """

    def __init__(
        self, app: ASGIApp, *, keys: tuple[ApiKey, ...], hosts: frozenset[str], origins: frozenset[str]
    ) -> None:
        """Guard `app`. `hosts` are names without ports ("*": any), `origins` are whole ("https://chat.example")."""
        self._app = app
        self._keys = keys
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = self._host_problem(headers) or self._origin_problem(headers)
        preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        key: ApiKey | None = ANONYMOUS
        if problem is None and self._keys and GUARDED.match(scope["path"]) and not preflight:
            key = self._key(headers)
            if key is None:
                problem = Problem(
                    401,
                    "unauthorized",
                    "A valid API key is needed",
                    "Send a key of this service as the header 'Authorization: Bearer SECRET'.",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        if problem is not None:
            await problem.response(scope["path"])(scope, receive, send)
            return
        scope.setdefault("state", {})["key"] = key
        await self._app(scope, receive, send)

    def _host_problem(self, headers: Headers) -> Problem | None:
        host = _host_name(headers.get("host", ""))
        if "*" in self._hosts or host in self._hosts:
            return None
        return Problem(
            421,
            "host-not-allowed",
            "This service does not answer under that name",
            "Add the host name of the request to CITESPAN_ALLOWED_HOSTS, or set CITESPAN_PUBLIC_URL.",
        )

    def _origin_problem(self, headers: Headers) -> Problem | None:
        origin = headers.get("origin")
        host = headers.get("host", "")
        if origin is None or origin in self._origins or origin in (f"http://{host}", f"https://{host}"):
            return None
        return Problem(
            403,
            "origin-not-allowed",
            "Web pages of that origin may not call this service",
            "Add the page's origin to CITESPAN_ALLOWED_ORIGINS if it may.",
        )

    def _key(self, headers: Headers) -> ApiKey | None:
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        return find_key(self._keys, secret.strip()) if scheme.lower() == "bearer" else None


def _host_name(host: str) -> str:
    """Return a Host header's name without its port and without the brackets of an IPv6 address; "" if it is none."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else ""
