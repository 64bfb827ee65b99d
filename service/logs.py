"""Logs: one line an event, as JSON for machines or text for people. They hold no text of questions or documents."""

import json
import logging
import sys
import time
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import Metrics
from service.problems import INTERNAL

REQUEST_ID_HEADER = "X-Request-ID"

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

logger = logging.getLogger(__name__)
access = logging.getLogger("citespan.access")

# What a machine asks every few seconds is worth a line only when something is wrong.
_PROBES = ("/livez", "/readyz", "/metrics")
_WORTH_A_LINE = 400
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: time, level, logger, message, the request's id, and the record's `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        content = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if identifier := request_id.get():
            content["request_id"] = identifier
        content |= getattr(record, "fields", {})
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A record as a line for people, with its `fields` at the end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = dict(getattr(record, "fields", {}))
        if identifier := request_id.get():
            fields["request_id"] = identifier
        # Quoted and escaped: what a user wrote must not begin a line or colour a terminal.
        return " ".join([super().format(record), *(f"{name}={json.dumps(value)}" for name, value in fields.items())])


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send the logs of this process to `stream`, standard error by default; `form` as in the settings."""
    stream = stream or sys.stderr
    if form == "auto":
        form = "text" if stream.isatty() else "json"
    handler = logging.StreamHandler(stream)
    text = TextFormatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    handler.setFormatter(JsonFormatter() if form == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class RequestLog:
    """ASGI middleware that gives every request an id, and an answer whatever happens; logs, counts and times it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = _acceptable(Headers(scope=scope).get(REQUEST_ID_HEADER)) or uuid.uuid4().hex
        token = request_id.set(identifier)
        begin = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = identifier
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("unexpected error")
            if status:  # too late for another answer: let the server break the connection off
                raise
            await INTERNAL.response(scope["path"])(scope, receive, send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - begin)
            request_id.reset(token)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        # The pattern, not the path: a path may hold what a user chose, and would make a series each.
        route = getattr(scope.get("route"), "path", "none")
        # So is a method, which may be any word.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1e3, 1)}
        if key := scope.get("state", {}).get("key"):
            fields["key"] = key.name
        level = logging.DEBUG if route in _PROBES and status < _WORTH_A_LINE else logging.INFO
        access.log(level, "request", extra={"fields": fields})


def _acceptable(identifier: str | None) -> str | None:
    """Return a caller's own request id where it is short and printable, so that it cannot forge a line of a log."""
    fits = identifier is not None and 0 < len(identifier) <= 128 and identifier.isascii() and identifier.isprintable()
    return identifier if fits else None
