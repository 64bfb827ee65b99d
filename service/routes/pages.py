"""The pages: static shells that hold no data of their own, and the page of the API."""

from importlib.resources import as_file, files
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)

WEB = Path(__file__).parents[1] / "web"

# Nothing from elsewhere, nothing inline, nothing framed: what a document says can never become part of the page.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
# Swagger UI writes style attributes.
_API_PAGE_POLICY = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
_API_PAGE_HEADERS = _HEADERS | {"Content-Security-Policy": _API_PAGE_POLICY}


@router.get("/")
async def home() -> RedirectResponse:
    """Lead whoever opens the service in a browser to what it can do."""
    return RedirectResponse("/docs")


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
    app.mount("/static", StaticFiles(directory=WEB), name="static")
    with as_file(files("fastapi_swagger") / "resources") as swagger:
        app.mount("/docs", StaticFiles(directory=swagger), name="api-page")
