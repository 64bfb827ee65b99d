"""An engine over HTTP: the same replies as in process, and clear words where a service cannot be asked."""

from collections.abc import Iterator

import httpx2
import pytest
from fastapi.testclient import TestClient
from word_embedder import WordEmbedder

from eval.cases import Case
from eval.http_engine import HttpEngine
from eval.local_engine import LocalEngine, open_local
from eval.run import run_cases
from index.documents import make_document
from index.errors import EngineUnavailable, InvalidReply, QuestionFailed
from service.app import create_app
from service.http_client import HttpClient
from service.settings import Settings

TEXTS = {
    "ada.txt": "Ada Lovelace wrote the first program in 1843. It computed Bernoulli numbers. 🚀 Done.",
    "ferry.md": "# Fares\n\nA ticket for the ferry costs 12 euros.\r\nDogs travel free of charge.\n",
}
QUESTIONS = (
    "When was the first program written?",
    "How much is a ticket for the ferry?",
    "Which enzyme breaks down lactose?",
)
CASES = [Case(str(number), each, (), (), False, (), "dev") for number, each in enumerate(QUESTIONS)]
SECRET = "a-secret-of-some-length"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The whole application, with documents in two collections."""
    keys = {"CITESPAN_API_KEYS": f"tester:{SECRET}"}
    settings = Settings.from_environment(keys, data_dir=tmp_path_factory.mktemp("data"))
    application = create_app(settings, embedder=WordEmbedder())
    with TestClient(application, base_url="http://127.0.0.1:8000") as client:
        client.headers["Authorization"] = f"Bearer {SECRET}"
        application.state.context.engine.library.create("letters")
        for source, text in TEXTS.items():
            for collection in ("default", "letters"):
                sent = {"text": text, "source": source, "collection": collection}
                assert client.post("/v1/documents", json=sent).status_code == 201
        yield client


@pytest.fixture(scope="module")
def engine(app: TestClient) -> HttpEngine:
    return HttpEngine("http://127.0.0.1:8000", client=app)


@pytest.fixture(scope="module")
def local(app: TestClient) -> LocalEngine:
    """The same engine, asked in process."""
    context = app.app.state.context  # type: ignore[attr-defined]
    return LocalEngine(context.engine.library, context.engine.answerer)


def test_both_ways_give_the_same_run(engine: HttpEngine, local: LocalEngine) -> None:
    there, here = run_cases("few", CASES, engine, jobs=2), run_cases("few", CASES, local)
    assert there.fingerprints == here.fingerprints
    assert there.documents == here.documents
    for one, other in zip(there.records, here.records, strict=True):
        assert one.reply is not None
        assert other.reply is not None
        assert (one.verdict, one.held, one.gains) == (other.verdict, other.held, other.gains)
        for name in ("answer", "alternatives", "agreement", "passages", "fingerprint"):
            assert getattr(one.reply, name) == getattr(other.reply, name)
    assert {record.status for record in there.records} == {"answered", "abstained"}


def test_texts_are_the_canonical_ones(engine: HttpEngine) -> None:
    assert engine.text(CASES[0], "ferry.md") == TEXTS["ferry.md"].replace("\r\n", "\n")
    assert engine.text(CASES[0], "ada.txt") == TEXTS["ada.txt"]
    assert engine.text(CASES[0], "none.txt") is None


def test_a_case_is_asked_of_the_collection_that_it_names(engine: HttpEngine) -> None:
    case = Case("x", QUESTIONS[0], (), (), False, (), "dev", collection="letters")
    assert engine.collection(case) == "letters"
    assert engine.documents(case) == engine.documents(CASES[0])
    assert engine.ask(case).fingerprint == engine.ask(CASES[0]).fingerprint  # same documents, same engine
    with pytest.raises(EngineUnavailable, match="There is no collection 'diaries'"):
        engine.ask(Case("y", "Who?", (), (), False, (), "dev", collection="diaries"))


def test_a_question_that_cannot_be_asked_fails_alone(engine: HttpEngine, local: LocalEngine) -> None:
    long = Case("long", "who " * 300, (), (), False, (), "dev")
    for each in (engine, local):
        with pytest.raises(QuestionFailed):
            each.ask(long)
        assert [record.status for record in run_cases("few", [long, CASES[2]], each).records] == ["error", "abstained"]


def test_local_engine_asks_for_documents_of_a_collection_that_it_lacks() -> None:
    documents = {"default": [make_document(TEXTS["ada.txt"], source="ada.txt")]}
    case = Case("x", "Who?", (), (), False, (), "dev", collection="letters")
    with open_local(Settings(), documents) as engine, pytest.raises(EngineUnavailable, match="letters=FOLDER"):
        run_cases("few", [case], engine)


def _answering(*responses: httpx2.Response | Exception) -> tuple[HttpEngine, list[httpx2.Request]]:
    """Return an engine whose service says these things in turn, the last of them for ever, and what it was asked."""
    asked: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        response = responses[min(len(asked), len(responses)) - 1]
        if isinstance(response, Exception):
            raise response
        return response

    client = httpx2.Client(base_url="http://service", transport=httpx2.MockTransport(handle))
    return HttpEngine("http://service", client=client), asked


def _problem(status: int, slug: str = "some-problem", **headers: str) -> httpx2.Response:
    content = {"type": f"urn:citespan:problem:{slug}", "title": "No", "detail": "It says why."}
    return httpx2.Response(status, json=content, headers=headers)


GOOD: dict[str, object] = {
    "answer": None,
    "alternatives": [],
    "agreement": None,
    "passages": [],
    "fingerprint": "f",
    "timings_ms": {"total": 1},
}


@pytest.mark.parametrize(
    ("response", "complaint"),
    [
        (_problem(401), "give one with --key or CITESPAN_API_KEY: It says why"),
        (_problem(403), "forbids this"),
        (_problem(404), "does not know this address or collection"),
        (_problem(421), "CITESPAN_ALLOWED_HOSTS"),
        (httpx2.Response(405, text="no"), "does not take questions"),
        (httpx2.Response(200, text="<html>"), "does not answer as Citespan does"),
        (httpx2.Response(307, headers={"location": "https://service/"}), "sends to https://service/"),
        (httpx2.ConnectError("refused"), "start the service"),
        (httpx2.ReadTimeout("slow"), "does not answer"),
    ],
)
def test_a_service_that_cannot_be_asked_is_unavailable(response: httpx2.Response | Exception, complaint: str) -> None:
    engine, asked = _answering(response)
    with pytest.raises(EngineUnavailable, match=complaint):
        engine.ask(CASES[0])
    assert len(asked) == 1


@pytest.mark.parametrize("response", [_problem(422), _problem(500), httpx2.Response(502, text="no")])
def test_one_question_that_fails_is_no_dead_service(response: httpx2.Response) -> None:
    engine, asked = _answering(response)
    with pytest.raises(QuestionFailed, match=str(response.status_code)):
        engine.ask(CASES[0])
    assert len(asked) == 1


def test_another_program_at_the_address_is_told() -> None:
    with pytest.raises(InvalidReply):
        _answering(httpx2.Response(200, json={"hello": "world"}))[0].ask(CASES[0])
    with pytest.raises(EngineUnavailable, match="right address"):
        _answering(httpx2.Response(200, json={"hello": "world"}))[0].documents(CASES[0])


def test_a_busy_service_is_asked_again_after_as_long_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    busy = _problem(503, "overloaded", **{"Retry-After": "3"})
    limited = httpx2.Response(429, headers={"Retry-After": "600"})
    engine, asked = _answering(busy, limited, httpx2.Response(200, json=GOOD))
    assert engine.ask(CASES[0]).answer is None
    assert waited == [3, 30]
    assert len(asked) == 3
    with pytest.raises(EngineUnavailable, match="too busy"):
        _answering(busy)[0].ask(CASES[0])
    with pytest.raises(QuestionFailed, match="503"):
        _answering(_problem(503, "deadline-exceeded"))[0].ask(CASES[0])


def test_a_connection_that_was_closed_is_opened_again() -> None:
    engine, asked = _answering(httpx2.RemoteProtocolError("closed"), httpx2.Response(200, json=GOOD))
    assert engine.ask(CASES[0]).answer is None
    assert len(asked) == 2


def test_documents_are_read_page_by_page_and_their_texts_checked() -> None:
    def page(source: str, cursor: str | None) -> httpx2.Response:
        item = {"source": source, "id": f"id-{source}", "content_sha256": "0" * 64}
        return httpx2.Response(200, json={"items": [item], "next_cursor": cursor})

    engine, asked = _answering(page("a", "next"), page("b", None), httpx2.Response(200, text="changed"))
    assert engine.documents(CASES[0]) == {"a": "0" * 64, "b": "0" * 64}
    assert "cursor=next" in str(asked[1].url)
    with pytest.raises(EngineUnavailable, match="being changed"):
        engine.text(CASES[0], "a")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://service", "http://", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(EngineUnavailable, match="no address"):
        HttpEngine(url)


def test_a_key_is_sent_and_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    client = HttpClient("http://127.0.0.1:1", key="secret", timeout_s=1)
    assert client._client.headers["Authorization"] == "Bearer secret"
    assert not client._client.trust_env
    client.close()
