"""Problems: every error of the HTTP edge as problem+json (RFC 9457), in words that say what to do.

Under the base URLs that clients of OpenAI use, the same problems have the form that those clients read.
"""

import logging
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from index import errors

MAX_COMPLAINTS = 20
CLIENT_GONE = 499
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:citespan:problem:"
# Where clients of OpenAI ask.
OPENAI_PATHS = re.compile(r"^/(?:v1/(?:models|chat|responses)|openwebui)(?:/|$)")

# Slugs that OpenAI has another name for; programs look for these.
_OPENAI_CODES = {"unauthorized": "invalid_api_key", "unknown-model": "model_not_found"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `slug` names its kind; together with `TYPE_PREFIX` it is the `type` that programs may rely on."""

    status: int
    slug: str
    title: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """The problem as JSON shows it."""
        content = {"type": TYPE_PREFIX + self.slug, "title": self.title, "status": self.status, "detail": self.detail}
        return content | self.more

    def response(self, path: str) -> JSONResponse:
        """Return the problem as a response to a request to `path`, in the form that its clients read."""
        if OPENAI_PATHS.match(path):
            return JSONResponse(self.openai_error(), self.openai_status, self.headers)
        return JSONResponse(self.content, self.status, self.headers, media_type=MEDIA_TYPE)

    @property
    def openai_status(self) -> int:
        """The status that OpenAI gives such an error: what cannot be taken is a bad request."""
        return 400 if self.status == HTTPStatus.UNPROCESSABLE_ENTITY else self.status

    def openai_error(self) -> dict[str, Any]:
        """Return the problem as OpenAI's error object; a stream that has begun sends it as an event."""
        pointers = [each["pointer"] for each in self.more.get("errors", ())]
        return {
            "error": {
                "message": self.detail,
                "type": "invalid_request_error" if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error",
                "param": (_parameter(pointers[0]) if pointers else self.more.get("parameter")) or None,
                "code": _OPENAI_CODES.get(self.slug, self.slug.replace("-", "_")),
            }
        }


# The most special class that an error is of decides: status, slug and title.
KINDS: dict[type[errors.CitespanError], tuple[int, str, str]] = {
    errors.UnsupportedFormat: (415, "unsupported-format", "Files of this kind are not read"),
    errors.EncryptedFile: (422, "encrypted-file", "The file is encrypted"),
    errors.ScannedFile: (422, "scanned-file", "The file holds pictures and no text"),
    errors.EmptyFile: (422, "empty-file", "The file holds no text"),
    errors.DamagedFile: (422, "damaged-file", "The file is damaged"),
    errors.FileOverLimit: (422, "file-over-limit", "Reading the file takes more than it may"),
    errors.InvalidDocument: (422, "invalid-document", "The document cannot be taken"),
    errors.InvalidQuestion: (422, "invalid-question", "The question cannot be asked"),
    errors.InvalidCollectionName: (422, "invalid-collection-name", "The collection's name cannot be taken"),
    errors.UnknownDocument: (404, "unknown-document", "There is no such document"),
    errors.UnknownCollection: (404, "unknown-collection", "There is no such collection"),
    errors.UnknownJob: (404, "unknown-job", "There is no such job"),
    errors.UnknownModel: (404, "unknown-model", "There is no such model"),
    errors.UnsupportedParameter: (422, "unsupported-parameter", "That is not possible here"),
    errors.Forbidden: (403, "forbidden", "The key does not allow this"),
    errors.NotReady: (503, "not-ready", "The service is not ready"),
    errors.Overloaded: (503, "overloaded", "Too many requests are waiting"),
    errors.DeadlineExceeded: (503, "deadline-exceeded", "The request took too long"),
    errors.StoreFull: (507, "storage-full", "There is no room on the disk"),
    errors.StoreReadOnly: (503, "store-read-only", "The store cannot be written to"),
    errors.StoreDamaged: (503, "store-damaged", "The store is damaged"),
    errors.StoreError: (503, "store-unavailable", "The store cannot be used now"),
    errors.CitespanError: (500, "internal-error", "The service failed"),
}


def problem_of(error: errors.CitespanError) -> Problem:
    """Return what the HTTP edge says of an error."""
    kind = next(each for each in type(error).__mro__ if each in KINDS)
    status, slug, title = KINDS[kind]
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return INTERNAL
    headers = {}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE):
        headers["Retry-After"] = str(error.retry_after_s if isinstance(error, errors.Overloaded) else 5)
    # Clients of OpenAI are told which of their parameters is meant.
    more = (
        {"parameter": error.parameter} if isinstance(error, errors.UnknownModel | errors.UnsupportedParameter) else {}
    )
    return Problem(status, slug, title, str(error), headers, more)


def install(app: FastAPI) -> None:
    """Let every error that is foreseen be answered as a problem; `service.logs.RequestLog` answers the others."""

    @app.exception_handler(errors.CitespanError)
    async def _citespan_error(request: Request, error: errors.CitespanError) -> JSONResponse:
        problem = problem_of(error)
        if problem is INTERNAL:
            raise error
        if isinstance(error, errors.StoreError):
            logger.error("%s", error)
        return problem.response(request.url.path)

    @app.exception_handler(ClientDisconnect)
    async def _gone(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_GONE)  # for the log: nobody reads it

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return _validation_problem(request, error).response(request.url.path)

    @app.exception_handler(HTTPException)
    async def _http_error(request: Request, error: HTTPException) -> JSONResponse:
        return _http_problem(request, error).response(request.url.path)


INTERNAL = Problem(
    500,
    "internal-error",
    "The service failed",
    "This is a fault of the service; its log tells more under the request's id.",
)


NOT_JSON = "Send JSON, with the header 'Content-Type: application/json'."


def body_too_large(limit: int) -> Problem:
    """Return the problem of a body of more than `limit` bytes."""
    detail = (
        f"This request's body may have {limit} bytes; send less at once, or raise CITESPAN_MAX_BODY_BYTES "
        "(of a batch: CITESPAN_MAX_BATCH_BYTES; of a file: CITESPAN_MAX_FILE_BYTES)."
    )
    return Problem(413, "body-too-large", "The body is too large", detail)


def invalid_body(error: ValidationError) -> RequestValidationError:
    """Return what FastAPI would have raised of a body that it had checked itself."""
    details = error.errors(include_url=False, include_input=False)
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in details])


def _validation_problem(request: Request, error: RequestValidationError) -> Problem:
    details = error.errors()
    if details and details[0]["type"] == "media_type":
        return Problem(415, "unsupported-media-type", "The body is not announced as JSON", details[0]["msg"])
    content_type = request.headers.get("content-type", "")
    if details and details[0]["type"] == "form_invalid":
        detail = f"The body cannot be parsed as multipart/form-data: {details[0]['msg']}."
        return Problem(400, "invalid-form", "The body is no form", detail)
    of_body = any(each["loc"][:1] == ("body",) for each in details)
    if of_body and request.method == "POST" and not is_json(content_type) and not is_form(content_type):
        return Problem(415, "unsupported-media-type", "The body is not announced as JSON", NOT_JSON)
    if details and details[0]["type"] == "json_invalid":
        reason = details[0].get("ctx", {}).get("error", "")
        return Problem(400, "invalid-json", "The body is not JSON", f"The body cannot be parsed: {reason}.")
    # Without the input: it may be long, and it is the caller's own.
    complaints = [
        {"pointer": _pointer(each["loc"]), "detail": _sentence(each["msg"])} for each in details[:MAX_COMPLAINTS]
    ]
    first = complaints[0] if complaints else {"pointer": "", "detail": "The request is not valid."}
    return Problem(
        422,
        "invalid-request",
        "The request is not valid",
        f"{first['pointer'] or 'body'}: {first['detail']}",
        more={"errors": complaints},
    )


def _http_problem(request: Request, error: HTTPException) -> Problem:
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return Problem(404, "not-found", "There is nothing here", f"No resource has the path {request.url.path}.")
        case 405:
            detail = f"{request.method} is not possible here; allowed: {headers.get('Allow', 'see the API page')}."
            return Problem(405, "method-not-allowed", "The method is not allowed", detail, headers)
        case 413:
            return body_too_large(int(error.detail))
        case 400:
            return Problem(400, "invalid-json", "The body is not JSON", "The body cannot be parsed as JSON.")
        case status:
            title = HTTPStatus(status).phrase
            return Problem(status, title.lower().replace(" ", "-"), title, _sentence(str(error.detail)), headers)


def is_json_lines(content_type: str) -> bool:
    """Whether a Content-Type header announces JSON lines."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in ("application/jsonl", "application/x-ndjson", "application/ndjson", "application/x-jsonlines")


def is_form(content_type: str) -> bool:
    """Whether a Content-Type header announces a form that may hold a file (RFC 7578)."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header announces JSON."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _pointer(location: tuple[int | str, ...]) -> str:
    """Return a JSON pointer into the body (RFC 6901), or `?name` for a query parameter."""
    kind, *rest = location
    if kind == "query":
        return "?" + ".".join(map(str, rest))
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in rest)


def _parameter(pointer: str) -> str:
    """Return what OpenAI would call a place in the body: `/messages/0/content` is `messages[0].content`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in parts).removeprefix(".")


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "!")) else ".")
