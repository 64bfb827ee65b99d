"""The pages: static shells that hold no data of their own, and the page of the API."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)

WEB = Path(__file__).parents[1] / "web"

# Nothing from elsewhere, nothing inline, nothing framed: what a document says can never become part of the page.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Nor can a script of ours make markup of a text, even by mistake (Trusted Types, where the browser knows them).
_NO_MARKUP = "; require-trusted-types-for 'script'; trusted-types 'none'"
_HEADERS = {
    "Content-Security-Policy": _POLICY + _NO_MARKUP,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
# Swagger UI writes style attributes.
_API_PAGE_POLICY = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
_API_PAGE_HEADERS = _HEADERS | {"Content-Security-Policy": _API_PAGE_POLICY}


class _Static(StaticFiles):
    """Files that a browser asks for again before it uses them, so that those of two versions never meet on a page."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """Return a file."""
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


@router.get("/")
def chat_page() -> FileResponse:
    """Show the page to ask on; it fetches everything itself, with a key where one is needed."""
    return FileResponse(WEB / "chat.html", headers=_HEADERS)


@router.get("/docs")
def api_page() -> FileResponse:
    """Show the API, to read and to try."""
    return FileResponse(WEB / "api.html", headers=_API_PAGE_HEADERS)


@router.get("/documents/{document_id}")
def document_page() -> FileResponse:
    """Show a document with the cited words marked; the page fetches the text itself, with a key where one is needed."""
    return FileResponse(WEB / "document.html", headers=_HEADERS)


def mount_static(app: FastAPI) -> None:
    """Serve the files that the pages load."""
    app.mount("/static", _Static(directory=WEB), name="static")
    with as_file(files("fastapi_swagger") / "resources") as swagger:
        app.mount("/docs", StaticFiles(directory=swagger), name="api-page")
