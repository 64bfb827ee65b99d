"""The pages in a real browser. They skip where there is no Chromium."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from browsing import CHROMIUM, NO_CHROMIUM, chromium, harm, served, watched
from playwright.sync_api import Browser, Page
from word_embedder import WordEmbedder

from service.app import create_app
from service.settings import Settings

SECRET = "browser-" + "k" * 20
HOSTILE = "🚀🚀 <script>document.title = 'owned'</script> 👩‍👩‍👧 <img src=x onerror=alert(1)>\nThe cited words. After."

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=NO_CHROMIUM)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module", params=["", f"me:{SECRET}"], ids=["without keys", "with keys"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, bool]]:
    """Serve an application from a thread and give its URL and whether it needs a key."""
    settings = Settings.from_environment(
        {"CITESPAN_API_KEYS": request.param}, data_dir=tmp_path_factory.mktemp("pages")
    )
    with served(create_app(settings, embedder=WordEmbedder())) as url:
        yield url, bool(request.param)


@pytest.fixture
def page(browser: Browser, service: tuple[str, bool]) -> Iterator[Page]:
    with watched(browser, service[0]) as opened:
        yield opened


def _add(page: Page, text: str) -> Any:
    """Add a document over the API and return its receipt."""
    response = page.request.post(
        "/v1/documents",
        data=json.dumps({"text": text, "source": "<b>hostile</b>.txt", "title": "<i>Title</i>"}),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"},
    )
    assert response.ok
    return response.json()


def _give_key(page: Page, service: tuple[str, bool]) -> None:
    if service[1]:
        page.get_by_label("This service needs a key").fill(SECRET)
        page.get_by_role("button", name="Open").click()


def test_document_page_marks_the_cited_words(page: Page, service: tuple[str, bool]) -> None:
    receipt = _add(page, HOSTILE)
    start = HOSTILE.index("The cited words")
    page.goto(f"/documents/{receipt['id']}#char={start},{start + 15}")
    _give_key(page, service)
    mark = page.locator("mark")
    mark.wait_for()
    assert mark.text_content() == "The cited words"
    assert page.locator("#text").text_content() == HOSTILE
    assert page.locator("#title").text_content() == "<i>Title</i>"
    assert page.title().startswith("<i>Title</i>")
    assert page.locator("#text script, #text img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_axe_finds_nothing_serious_on_the_document_page(
    page: Page, service: tuple[str, bool], scheme: Literal["light", "dark"], width: int
) -> None:
    receipt = _add(page, HOSTILE)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"/documents/{receipt['id']}#char=3,9")
    if service[1]:
        page.get_by_label("This service needs a key").wait_for()
        assert harm(page) == []
    _give_key(page, service)
    page.locator("mark").wait_for()
    assert harm(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_document_page_tells_that_there_is_none(page: Page, service: tuple[str, bool]) -> None:
    page.goto("/documents/doc-none")
    _give_key(page, service)
    page.get_by_text("There is no document 'doc-none'").wait_for()


def test_page_of_the_api_works_without_the_network(page: Page, service: tuple[str, bool]) -> None:
    page.goto("/docs")
    _give_key(page, service)
    page.get_by_text("/v1/ask", exact=True).first.wait_for()


def test_document_page_marks_the_words_that_a_text_directive_follows(page: Page, service: tuple[str, bool]) -> None:
    receipt = _add(page, HOSTILE)
    start = HOSTILE.index("The cited words")
    page.goto(f"/documents/{receipt['id']}#char={start},{start + 15}#:~:text=The,words")  # as Open WebUI asks
    _give_key(page, service)
    page.locator("mark").wait_for()
    assert page.locator("mark").text_content() == "The cited words"
