"""The page to ask on, in a real browser, against a service whose reader finds what it is told to find."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browsing import CHROMIUM, NO_CHROMIUM, chromium, harm, served, watched
from fastapi import FastAPI
from hostile import HOSTILE
from playwright.sync_api import Browser, FilePayload, FloatRect, Locator, Page, Route, expect
from scripted import scripted_reader
from word_embedder import WordEmbedder

from service.app import create_app
from service.routes.pages import WEB
from service.settings import Settings

_LISTED = 20  # documents that the list shows at once
SECRET = "browser-" + "k" * 20
FERRY = (
    "# Timetable\n\nSummer is short here.\n\n## Summer 🚀🚀\n\n"
    "👩‍👩‍👧 From May on, the ferry to Hull leaves at noon. 🐕 Dogs travel free of charge.\n\n"
    + "A line that only makes the text longer. 🌊\n\n"
    * 200
)
GUIDE = "# Guide\n\n## Getting here\n\nThe ferry to Hull leaves at half past twelve. Be there early.\n"
GARDEN = "# Roses\n\nRoses want sun and good soil. Water them in the morning.\n"
TEXTS = {
    "ferry": {"ferry.md": FERRY},
    "quarrel": {"ferry.md": FERRY, "guide.md": GUIDE},
    "garden": {"garden.md": GARDEN},
}
FINDS = {"at noon": 12.0, "half past twelve": 11.5, "cited words": 12.0}
QUESTION = "When does the ferry to Hull leave?"
PHONE = {"viewport": {"width": 360, "height": 740}}

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=NO_CHROMIUM)


class PausedReader:
    """A reader that can be held up."""

    def __init__(self) -> None:
        self._reader = scripted_reader(FINDS)
        self.goes_on = threading.Event()
        self.goes_on.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def read(self, *arguments: Any, **options: Any) -> Any:
        assert self.goes_on.wait(60)
        return self._reader.read(*arguments, **options)


READER = PausedReader()


def application(data_dir: Path, keys: str = "") -> FastAPI:
    settings = Settings.from_environment({"CITESPAN_API_KEYS": keys}, data_dir=data_dir, concurrency=4)
    return create_app(settings, embedder=WordEmbedder())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.engine.load_reader", lambda _: READER)
        with served(application(tmp_path_factory.mktemp("chat"))) as address:
            yield address


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Open]:
    """Return a function that opens the page, with a collection's documents in the service."""
    opened = []

    def open_it(collection: str = "ferry", path: str = "", **options: Any) -> Page:
        watching = watched(browser, url, **options)
        page = watching.__enter__()
        opened.append(watching)
        add(page, collection)
        page.goto(path or f"/#collection={collection}")
        expect(page.locator("#collection")).to_have_value(collection)
        return page

    yield open_it
    for each in opened:
        each.__exit__(None, None, None)


def call(page: Page, method: str, path: str, body: Any = None) -> Any:
    """Call the service beside the page."""
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    response = page.request.fetch(path, method=method, data=None if body is None else json.dumps(body), headers=headers)
    assert response.ok, response.text()
    return response.json() if response.status != 204 else None


def add(page: Page, collection: str) -> None:
    """Put a collection's documents into the service, and nothing else."""
    call(page, "POST", "/v1/collections", {"name": collection})
    call(page, "DELETE", f"/v1/collections/{collection}")
    call(page, "POST", "/v1/collections", {"name": collection})
    for source, text in TEXTS.get(collection, {}).items():
        call(page, "POST", "/v1/documents", {"source": source, "text": text, "collection": collection})


def ask(page: Page, question: str = QUESTION) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".turn h2").last).to_have_text(question)
    page.locator(".turn").last.locator(".answer, .problem").wait_for()


def box_of(locator: Locator) -> FloatRect:
    box = locator.bounding_box()
    assert box is not None
    return box


def send(page: Page, name: str, content: bytes) -> None:
    """Choose a file to add."""
    page.locator("#files").set_input_files(FilePayload(name=name, mimeType="application/octet-stream", buffer=content))


def test_asks_sees_where_it_is_looked_for_and_then_the_answer(open_page: Open) -> None:
    page = open_page()
    READER.goes_on.clear()
    try:
        page.get_by_label("Your question").fill(QUESTION)
        page.keyboard.press("Enter")
        expect(page.locator(".waiting")).to_contain_text("Reading 5 passages of")
        expect(page.locator(".waiting li")).to_have_text(["Timetable"])
        expect(page.locator("#status")).to_contain_text("Reading 5 passages of Timetable")
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
    finally:
        READER.goes_on.set()
    expect(page.locator(".answer > .headline")).to_have_text("at noon")
    expect(page.locator(".waiting")).to_have_count(0)
    expect(page.locator("#status")).to_have_text("Answer: at noon. From Timetable.")
    expect(page.locator("blockquote").first).to_contain_text("the ferry to Hull leaves at noon.")
    assert page.get_by_label("Your question").input_value() == ""


def test_a_citation_opens_its_document_at_the_words(open_page: Open) -> None:
    page = open_page()
    answer = call(page, "POST", "/v1/ask", {"question": QUESTION, "collection": "ferry"})["answer"]
    (citation,) = answer["citations"]
    ask(page)
    page.locator(".answer > .citations .cited").click()
    mark = page.locator("#reader mark")
    expect(mark).to_have_text(citation["cited_text"])
    expect(mark).to_be_in_viewport()
    assert page.locator("#reader-text").text_content() == FERRY
    assert page.locator(".sentence").text_content() == citation["sentence"]["text"]
    expect(page.locator("#reader-title")).to_have_text("Timetable")
    expect(page.locator("#reader-place")).to_have_text("ferry.md · Summer 🚀🚀")
    expect(page.locator("#reader-title")).to_be_focused()
    turn = box_of(page.locator(".turn"))
    assert turn["x"] + turn["width"] <= box_of(page.locator("#reader"))["x"]

    page.get_by_role("link", name="Open alone").evaluate("each => each.removeAttribute('target')")
    page.get_by_role("link", name="Open alone").click()
    expect(page.locator("mark")).to_have_text(citation["cited_text"])
    expect(page.locator("mark")).to_be_in_viewport()


def test_the_page_of_a_citation_is_shown_where_there_is_one(open_page: Open) -> None:
    page = open_page("garden")
    paged = {"source": "ferry.pdf", "title": "Ferry", "text": FERRY, "pages": [0, 10, 20], "collection": "garden"}
    call(page, "POST", "/v1/documents", paged)
    ask(page)
    expect(page.locator(".answer > .citations .source")).to_have_text("Ferry · p. 3")
    page.locator(".answer > .citations .title").click()
    expect(page.locator("#reader-place")).to_have_text("ferry.pdf · p. 3")


def test_a_link_restores_question_and_citation_and_is_sent_nowhere(open_page: Open, browser: Browser, url: str) -> None:
    page = open_page()
    ask(page)
    page.locator(".answer > .citations .cited").click()
    page.locator("#reader mark").wait_for()
    link = page.url
    assert "#q=When+does" in link
    with watched(browser, url) as other:
        asked: list[str] = []
        other.on("request", lambda request: asked.append(request.url))
        other.goto(link)
        expect(other.locator(".turn h2")).to_have_text(QUESTION)
        expect(other.locator(".answer > .headline")).to_have_text("at noon")
        expect(other.locator("#reader mark")).to_have_text("at noon")
        expect(other.locator("#collection")).to_have_value("ferry")
        assert asked
        assert not [each for each in asked if "When" in each or "q=" in each]
        other.get_by_role("button", name="Close the document").click()
        expect(other.locator("#reader")).to_be_hidden()
        assert "char=" not in other.url
        assert "#q=When+does" in other.url


def test_what_changed_since_is_not_marked(open_page: Open) -> None:
    page = open_page()
    ask(page)
    changed = {"source": "ferry.md", "text": "# Timetable\n\nThe ferry is no more.", "collection": "ferry"}
    call(page, "POST", "/v1/documents", changed)
    page.locator(".answer > .citations .cited").click()
    expect(page.locator("#reader-message")).to_contain_text("This document has changed")
    expect(page.locator("#reader mark")).to_have_count(0)
    expect(page.locator("#reader-text")).to_contain_text("The ferry is no more.")


def test_documents_that_disagree_stand_side_by_side(open_page: Open) -> None:
    page = open_page("quarrel")
    ask(page)
    expect(page.locator(".dispute")).to_have_text("The documents disagree.")
    # Which of them the reader is surer of is not the page's concern.
    expect(page.locator(".sides .headline")).to_have_count(2)
    assert sorted(page.locator(".sides .headline").all_inner_texts()) == ["at noon", "half past twelve"]
    first, second = (box_of(page.locator(".sides > *").nth(at)) for at in (0, 1))
    assert first["y"] == second["y"]
    assert first["x"] + first["width"] < second["x"]
    second_text = page.locator(".sides .headline").nth(1).inner_text()
    page.locator(".sides > *").nth(1).locator(".cited").click()
    expect(page.locator("#reader mark")).to_have_text(second_text)


def test_silence_comes_with_the_nearest_passages(open_page: Open) -> None:
    page = open_page("garden")
    ask(page, "Who won the chess tournament?")
    expect(page.locator(".silence")).to_have_text("The documents do not say.")
    expect(page.locator("#status")).to_contain_text("The documents do not say.")
    expect(page.locator(".answer > .headline")).to_have_count(0)
    expect(page.locator(".passages")).to_contain_text("Roses want sun and good soil.")
    page.locator(".passages .title").first.click()
    expect(page.locator("#reader mark")).to_contain_text("Roses want sun and good soil.")


def test_follow_ups_are_sent_with_what_was_said_before(open_page: Open) -> None:
    page = open_page()
    sent: list[Any] = []
    page.on("request", lambda each: sent.append(each.post_data_json) if each.url.endswith("/v1/ask") else None)
    ask(page)
    ask(page, "And dogs?")
    assert "history" not in sent[0]
    assert sent[1]["history"] == [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "at noon"},
    ]
    expect(page.locator(".turn")).to_have_count(2)


def test_the_question_that_was_read_is_shown_where_it_differs(open_page: Open) -> None:
    page = open_page()

    def reworded(route: Route) -> None:
        response = route.fetch()
        told = response.text().replace(
            '"standalone_question":null', '"standalone_question":"When do <b>dogs</b> travel?"'
        )
        route.fulfill(response=response, body=told)

    page.route("**/v1/ask", reworded)
    ask(page)
    expect(page.locator(".read-as")).to_have_text("Read as: When do <b>dogs</b> travel?")


def test_files_are_uploaded_shown_asked_and_deleted(open_page: Open) -> None:
    page = open_page("garden")
    page.get_by_role("button", name="Documents", exact=True).click()
    expect(page.locator("#documents .title")).to_have_text(["Roses"])
    send(page, "ferry <b>.md", FERRY.encode())
    expect(page.locator("#uploads li")).to_contain_text("Added")
    expect(page.locator("#documents .title")).to_have_text(["Roses", "Timetable"])
    expect(page.locator("#documents")).to_contain_text("ferry <b>.md")
    ask(page)
    expect(page.locator(".answer > .headline")).to_have_text("at noon")

    page.get_by_role("button", name="Documents", exact=True).click()
    page.get_by_role("button", name="Delete Timetable").click()
    expect(page.locator("dialog")).to_contain_text("Delete “Timetable”?")
    page.keyboard.press("Escape")
    expect(page.locator("#documents .title")).to_have_text(["Roses", "Timetable"])
    page.get_by_role("button", name="Delete Timetable").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#documents .title")).to_have_text(["Roses"])
    assert len(call(page, "GET", "/v1/documents?collection=garden")["items"]) == 1
    ask(page)
    expect(page.locator(".silence")).to_be_visible()


def test_files_can_be_dropped_anywhere_and_say_what_is_wrong_with_them(open_page: Open) -> None:
    page = open_page("garden")
    drop = """(kind) => {
        const data = new DataTransfer();
        data.items.add(new File(["The ferry leaves at noon."], "ferry.txt"));
        data.items.add(new File([""], "nothing.txt"));
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, "dragover")
    expect(page.locator("#landing")).to_have_text("Drop to add to garden")
    page.evaluate(drop, "drop")
    expect(page.locator("#landing")).to_be_hidden()
    expect(page.locator("#uploads li").nth(0)).to_contain_text("Added")
    expect(page.locator("#uploads li").nth(1).locator(".bad")).not_to_be_empty()
    expect(page.locator("#documents .title")).to_have_count(2)


def test_a_table_becomes_a_document_for_each_row(open_page: Open) -> None:
    page = open_page("garden")
    page.get_by_role("button", name="Documents", exact=True).click()
    table = "name,text\nOak,The oak grows slowly.\nBirch,The birch grows fast.\n"
    send(page, "trees.csv", table.encode())
    expect(page.locator("#uploads li")).to_contain_text("2 added")
    expect(page.locator("#documents .title")).to_have_count(3)


def test_a_long_upload_is_followed_to_its_end(open_page: Open) -> None:
    page = open_page("garden")
    states = iter(["waiting", "running", "done"])

    def told(route: Route) -> None:
        state = next(states)
        job = {"id": "job-1", "state": state, "total": 600, "done": 300, "added": 599, "failed": 1, "error": None}
        failures = [{"line": 7, "detail": "The document holds no text."}]
        route.fulfill(status=202 if state == "waiting" else 200, json=job | {"failures": failures})

    page.route(re.compile(r"/v1/jobs/job-1|/v1/documents$"), told)
    page.get_by_role("button", name="Documents", exact=True).click()
    send(page, "many.jsonl", b"{}")
    expect(page.locator("#uploads li")).to_contain_text("599 added, 1 failed · The document holds no text.")
    assert next(states, None) is None


def test_documents_come_in_pages(open_page: Open) -> None:
    page = open_page("many")
    lines = [json.dumps({"source": f"{number:02}.txt", "text": f"Note {number}."}) for number in range(25)]
    headers = {"Content-Type": "application/jsonl"}
    assert page.request.post("/v1/documents:batch?collection=many", data="\n".join(lines), headers=headers).ok
    page.get_by_role("button", name="Documents", exact=True).click()
    expect(page.locator("#documents .title")).to_have_count(20)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#documents .title")).to_have_count(25)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    page.locator("#documents .title").last.click()
    expect(page.locator("#reader-text")).to_have_text("Note 24.")
    page.go_back()
    expect(page.locator("#documents .title").first).to_be_visible()


def test_who_types_while_the_page_loads_goes_on_typing(open_page: Open) -> None:
    page = open_page("garden")
    page.get_by_role("button", name="Documents", exact=True).click()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/documents?*", hold)
    with page.expect_request("**/v1/documents?*"):
        page.reload()
    page.get_by_label("Your question").fill("What do roses want?")
    expect(page.locator("#library")).to_be_hidden()
    held.pop().continue_()
    expect(page.locator("#library")).to_be_visible()
    expect(page.get_by_label("Your question")).to_be_focused()


def test_collections_are_created_chosen_and_deleted(open_page: Open) -> None:
    page = open_page("garden")
    add(page, "quarrel")
    page.get_by_role("button", name="Documents", exact=True).click()
    page.get_by_label("New collection").fill("fresh-one")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("#collection")).to_have_value("fresh-one")
    expect(page.locator("#documents")).to_have_text("No documents yet.")
    expect(page.locator("#empty")).to_be_visible()
    page.get_by_role("button", name="Delete the collection fresh-one").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#collections")).not_to_contain_text("fresh-one")
    names = [each["name"] for each in call(page, "GET", "/v1/collections")["items"]]
    assert "fresh-one" not in names
    assert "garden" in names
    page.reload()
    page.locator("#collection").select_option("garden")
    ask(page, "What do roses want?")
    expect(page.locator(".passages")).to_contain_text("Roses want sun")


def test_examples_are_offered_where_their_documents_are(open_page: Open, url: str) -> None:
    page = open_page("garden")
    expect(page.locator("#examples")).to_be_hidden()
    call(page, "POST", "/v1/collections", {"name": "default"})
    source = "000_1309baff04d3ecd8.txt"
    receipt = call(page, "POST", "/v1/documents", {"source": source, "text": "The 2019 loan."})
    page.goto(f"{url}/?")
    expect(page.locator("#examples button")).to_have_count(1)
    page.locator("#examples button").click()
    expect(page.locator(".turn h2")).to_have_text("How many fire trucks did the 2019 loan secure?")
    call(page, "DELETE", f"/v1/documents/{receipt['id']}")


def test_keyboard_alone_does_everything(open_page: Open) -> None:
    page = open_page()
    press = page.keyboard.press
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type(QUESTION)
    press("Shift+Enter")
    page.keyboard.type("Say it.")
    assert page.get_by_label("Your question").input_value() == f"{QUESTION}\nSay it."
    press("Enter")
    page.locator(".answer").wait_for()
    for _ in range(12):
        press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.cited')"):
            break
    press("Enter")
    expect(page.locator("#reader mark")).to_have_text("at noon")
    expect(page.locator("#reader-title")).to_be_focused()
    press("Escape")
    expect(page.locator("#reader")).to_be_hidden()
    expect(page.locator(".answer > .citations .cited")).to_be_focused()
    press("/")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("a/b")
    assert page.get_by_label("Your question").input_value() == "a/b"
    page.locator("#open-library").focus()
    press("Enter")
    expect(page.locator("#library-title")).to_be_focused()
    page.get_by_role("button", name="Delete Timetable").focus()
    press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    press("Escape")
    press("Escape")
    expect(page.locator("#library")).to_be_hidden()
    expect(page.locator("#open-library")).to_be_focused()


def test_a_phone_shows_documents_as_sheets_that_back_closes(open_page: Open) -> None:
    page = open_page("quarrel", **PHONE)
    ask(page)
    expect(page.locator("html")).to_have_js_property("scrollWidth", 360)
    first, second = (box_of(page.locator(".sides > *").nth(at)) for at in (0, 1))
    assert first["y"] + first["height"] < second["y"]
    page.locator(".cited").first.click()
    expect(page.locator("#reader mark")).to_be_in_viewport()
    page.locator("#reader").evaluate("each => Promise.all(each.getAnimations().map((one) => one.finished))")
    assert box_of(page.locator("#reader")) == {"x": 0, "y": 0, "width": 360, "height": 740}
    expect(page.locator("#conversation")).to_have_js_property("inert", True)
    expect(page.locator("html")).to_have_js_property("scrollWidth", 360)
    page.go_back()
    expect(page.locator("#reader")).to_be_hidden()
    expect(page.locator("#conversation")).to_have_js_property("inert", False)
    page.get_by_role("button", name="Documents", exact=True).click()
    page.locator("#documents .title").first.wait_for()
    expect(page.locator("html")).to_have_js_property("scrollWidth", 360)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["wide", "phone"])
def test_nothing_serious_keeps_anybody_out(open_page: Open, scheme: str, device: Any) -> None:
    page = open_page("quarrel", color_scheme=scheme, **device)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) == (scheme == "dark")
    assert harm(page) == []
    ask(page)
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true; }")
    assert harm(page) == []
    page.locator(".cited").first.click()
    page.locator("#reader mark").wait_for()
    assert harm(page) == []
    page.get_by_role("button", name="Close the document").click()
    page.get_by_role("button", name="Documents", exact=True).click()
    page.locator("#documents .title").first.wait_for()
    assert harm(page) == []
    page.get_by_role("button", name="Delete Timetable").click()
    assert harm(page) == []


def test_nothing_moves_for_those_who_want_it_still(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    ask(page)
    page.locator(".answer > .citations .cited").click()
    page.locator("#reader mark").wait_for()
    assert page.evaluate("document.getAnimations().length") == 0


def test_quotes_are_copied_with_their_source(open_page: Open) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    (citation,) = call(page, "POST", "/v1/ask", {"question": QUESTION, "collection": "ferry"})["answer"]["citations"]
    ask(page)
    page.get_by_role("button", name="Copy quote").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    quoted = f"“{citation['sentence']['text']}”\n— Timetable, Summer 🚀🚀 (ferry.md)\n{citation['url']}"
    assert page.evaluate("navigator.clipboard.readText()") == quoted
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(2)
    assert page.evaluate("navigator.clipboard.readText()").endswith(
        f"&document={citation['document_id']}&char={citation['start_char_index']},{citation['end_char_index']}"
    )


def test_a_question_can_be_stopped_and_asked_again(open_page: Open) -> None:
    page = open_page()
    READER.goes_on.clear()
    try:
        page.get_by_label("Your question").fill(QUESTION)
        page.keyboard.press("Enter")
        page.locator(".waiting li").wait_for()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".turn")).to_have_count(0)
        expect(page.get_by_label("Your question")).to_have_value(QUESTION)
    finally:
        READER.goes_on.set()
    page.route("**/v1/ask", lambda route: route.abort())
    ask(page)
    expect(page.locator(".problem")).to_contain_text("The service cannot be reached.")
    page.unroute("**/v1/ask")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".answer > .headline")).to_have_text("at noon")
    expect(page.locator(".turn")).to_have_count(1)


def test_it_works_with_a_key(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.engine.load_reader", lambda _: READER)
    with served(application(tmp_path, f"me:{SECRET}")) as url, watched(browser, url) as page:
        add(page, "ferry")
        page.goto("/#collection=ferry")
        expect(page.get_by_label("This service needs a key")).to_be_focused()
        expect(page.locator("#ask")).to_be_hidden()
        assert harm(page) == []
        page.keyboard.type("not the key")
        page.keyboard.press("Enter")
        expect(page.locator("#key-message")).to_have_text("That key does not open this service.")
        page.get_by_label("This service needs a key").fill(SECRET)
        page.get_by_role("button", name="Open").click()
        ask(page)
        page.locator(".answer > .citations .cited").click()
        expect(page.locator("#reader mark")).to_have_text("at noon")
        page.get_by_role("button", name="Close the document").click()
        page.get_by_role("button", name="Documents", exact=True).click()
        send(page, "a.txt", b"Dogs pay.")
        expect(page.locator("#uploads li")).to_contain_text("Added")


def test_hostile_words_are_words(open_page: Open, browser: Browser, url: str) -> None:
    assert len(set(HOSTILE)) >= 100
    page = open_page("hostile")
    page.add_init_script("window.owned = () => { window.isOwned = true; };")
    lines = [
        json.dumps(
            {"source": f"{number} {words}"[:1024], "title": words, "text": f"{words}\nThe cited words: {words}\n"}
        )
        for number, words in enumerate(HOSTILE)
    ]
    headers = {"Content-Type": "application/jsonl"}
    report = page.request.post("/v1/documents:batch?collection=hostile", data="\n".join(lines), headers=headers)
    assert report.json()["added"] == len(HOSTILE), report.text()
    page.reload()
    own = page.evaluate(
        "document.querySelectorAll('script, link, style, svg, img, iframe, object, embed, base').length"
    )

    for first in range(20):
        question = "who? " + " ".join(HOSTILE[first::20]) + "?"
        ask(page, question)
        assert page.locator(".turn h2").last.text_content() == question
    for details in page.locator("details").all()[:20]:
        details.evaluate("each => { each.open = true; }")
    page.get_by_role("button", name="Documents", exact=True).click()
    shown: set[str] = set()
    while True:
        page.locator("#documents .title").nth(len(shown)).wait_for()
        shown.update(page.locator("#documents .title").all_text_contents())
        more = page.get_by_role("button", name="Show more")
        if not more.is_visible():
            break
        more.click()
    assert shown == set(HOSTILE)
    titles = page.locator("#documents .title")
    paths = [str(each.get_attribute("href")) for each in titles.all()]
    for number in range(0, _LISTED, 3):
        titles.nth(number).click()
        expect(page.locator("#reader-text")).to_contain_text("The cited words")
        page.locator("#reader-title").hover()
        page.go_back()
        titles.nth(number).wait_for()

    assert page.evaluate("window.isOwned") is None
    foreign = "script, link, style, svg, img, iframe, object, embed, base"
    assert page.evaluate(f"document.querySelectorAll('{foreign}').length") == own
    attributes = "[...document.querySelectorAll('*')].flatMap((each) => [...each.attributes]).map((each) => each.name)"
    assert not [name for name in page.evaluate(attributes) if name.startswith("on")]
    links = "[...document.querySelectorAll('a')].map((each) => each.href)"
    assert all(link.startswith(f"{url}/") for link in page.evaluate(links))
    for path in paths[::7]:
        page.goto(path)
        expect(page.locator("#text")).to_contain_text("The cited words")
        assert page.evaluate("window.isOwned") is None


def test_hostile_links_open_nothing(browser: Browser, url: str) -> None:
    nothing = re.compile("There is no document|No resource has the path")
    with watched(browser, url) as page:
        page.add_init_script("window.owned = () => { window.isOwned = true; };")
        for words in HOSTILE[::7]:
            page.goto("/livez")  # another fragment alone would load nothing
            page.goto(f"/#document={words}&char=0,5")
            expect(page.locator("#reader-message")).to_contain_text(nothing)
            page.goto(f"/documents/{quote(words.replace('/', '').strip('.'), safe='')}#char=0,5")
            expect(page.locator("#message")).to_contain_text(nothing)
            assert page.evaluate("window.isOwned") is None


def test_policy_allows_nothing_inline_and_nothing_from_elsewhere(open_page: Open) -> None:
    page = open_page()
    for path in ("/", "/documents/doc-x"):
        policy = page.request.get(path).headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
    with pytest.raises(Exception, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
    assert page.request.get("/static/chat.js").headers["cache-control"] == "no-cache"


def test_pages_are_small_and_take_texts_as_text() -> None:
    files = [path for path in WEB.iterdir() if path.suffix in (".js", ".css") and path.name != "api.js"]
    assert sum(path.stat().st_size for path in files) < 70_000
    for path in files:
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", code)
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", code)
