"""The routes for clients of OpenAI and for Open WebUI, on an application without models."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from applications import BASE, application
from fastapi.testclient import TestClient
from hostile_texts import HOSTILE
from test_service_openai_markdown import RENDERER

from index.errors import DeadlineExceeded, Overloaded
from service.openai import completions
from service.openai.completions import Completion, Usage, as_events
from service.openai.messages import Message

FERRY = "The ferry to Hull 🚀 leaves at noon. A ticket costs 12 euros."
MUSEUM = "A ticket to the museum costs 15 euros. The museum opens at ten."
QUESTION = "When does the ferry leave?"
CHAT = {"model": "citespan", "messages": [{"role": "user", "content": QUESTION}]}
KEYS = "reader:" + "r" * 20 + ":default:read,admin:" + "a" * 20


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name[0] * 20}"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    finds = {"at noon": 20.0}
    with application(tmp_path_factory.mktemp("openai"), finds=finds) as made:
        add(made, FERRY, "ferry.txt", "The ferry [to Hull]")
        add(made, "The mill is old. It was built in 1604.", "mill.txt", "The mill", collection="mills")
        yield made


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with application(tmp_path_factory.mktemp("guarded"), keys=KEYS, finds={"at noon": 20.0}) as made:
        add(made, "The mill is old.", "mill.txt", "The mill", collection="mills", headers=bearer("admin"))
        yield made


def add(client: TestClient, text: str, source: str, title: str, collection: str = "default", **sending: Any) -> None:
    client.post("/v1/collections", json={"name": collection}, **sending)
    body = {"text": text, "source": source, "title": title, "collection": collection}
    assert client.post("/v1/documents", json=body, **sending).status_code in (200, 201)


def say(client: TestClient, path: str = "/v1/chat/completions", **changes: Any) -> dict[str, Any]:
    response = client.post(path, json=CHAT | changes)
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()
    return content


def content_of(client: TestClient, **changes: Any) -> str:
    return str(say(client, **changes)["choices"][0]["message"]["content"])


def events(client: TestClient, path: str = "/v1/chat/completions", **changes: Any) -> list[Any]:
    """Return what a stream holds, the end mark left out."""
    response = client.post(path, json=CHAT | {"stream": True} | changes)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = response.text.split("\n\n")
    assert lines.pop() == ""
    assert lines.pop() == "data: [DONE]"
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def error(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    content = response.json()
    assert content.keys() == {"error"}
    assert content["error"].keys() == {"message", "type", "param", "code"}
    assert content["error"]["code"] == code
    assert len(content["error"]["message"]) > 15
    found: dict[str, Any] = content["error"]
    return found


def test_message_has_the_words_the_sentence_and_the_sources(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": QUESTION}).json()["answer"]
    url = answer["citations"][0]["url"]
    whole = say(client)
    assert whole["object"] == "chat.completion"
    assert whole["id"].startswith("chatcmpl-")
    assert isinstance(whole["created"], int)
    assert whole["created"] < 10_000_000_000  # seconds
    assert whole["model"] == "citespan"
    (choice,) = whole["choices"]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    message = choice["message"]
    assert message["role"] == "assistant"
    assert message["content"] == (
        f"**at noon**\n\n> The ferry to Hull 🚀 leaves **at noon**. [[1]]({url})\n\n"
        f"Sources:\n\n1. [The ferry &#91;to Hull&#93;]({url})"
    )
    (annotation,) = message["annotations"]
    assert annotation["type"] == "url_citation"
    cited = annotation["url_citation"]
    assert cited.keys() == {"start_index", "end_index", "title", "url"}
    # Behind the emoji: code points, as Python counts.
    assert message["content"][cited["start_index"] : cited["end_index"]] == f"[[1]]({url})"
    assert (cited["title"], cited["url"]) == ("The ferry [to Hull]", url)


def test_usage_counts_the_readers_tokens(client: TestClient) -> None:
    usage = say(client)["usage"]
    assert usage["prompt_tokens"] == 6  # when does the ferry leave ?
    assert usage["completion_tokens"] > 20
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    longer = [{"role": "system", "content": "Be brief."}, *CHAT["messages"]]
    assert say(client, messages=longer)["usage"]["prompt_tokens"] == 9


def test_stream_says_the_same(client: TestClient) -> None:
    chunks = events(client)
    whole = say(client)["choices"][0]["message"]
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert len({chunk["created"] for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert all("usage" not in chunk and "event" not in chunk for chunk in chunks)
    choices = [chunk["choices"][0] for chunk in chunks]
    assert {choice["index"] for choice in choices} == {0}
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(choice["delta"].get("content", "") for choice in choices) == whole["content"]
    assert list(chain(*(each["delta"].get("annotations", ()) for each in choices))) == whole["annotations"]
    assert [choice["finish_reason"] for choice in choices] == [None] * (len(choices) - 1) + ["stop"]
    assert choices[-1]["delta"] == {}


def test_usage_comes_last_where_it_is_asked_for(client: TestClient) -> None:
    *chunks, last = events(client, stream_options={"include_usage": True})
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"] == say(client)["usage"]


def test_silence_names_the_nearest_passages(client: TestClient) -> None:
    content = content_of(client, model="citespan/mills")
    assert content.startswith(
        "The documents do not say.\n\nThe nearest passages:\n\n1. [The mill](http://127.0.0.1:8000/"
    )
    assert "?collection=mills#char=0,38): “The mill is old. It was built in 1604.”" in content
    assert say(client, model="citespan/mills")["choices"][0]["message"]["annotations"] == []


def test_empty_collection_has_nothing_to_name(client: TestClient) -> None:
    client.post("/v1/collections", json={"name": "empty"})
    assert content_of(client, model="citespan/empty") == "The documents do not say."
    client.delete("/v1/collections/empty")


def test_answers_that_contradict_each_other_stand_side_by_side(tmp_path: Path) -> None:
    with application(tmp_path, finds={"12 euros": 20.0, "15 euros": 19.9}) as client:
        add(client, FERRY, "ferry.txt", "Ferry")
        add(client, MUSEUM, "museum.txt", "Museum")
        question = "What does a ticket cost?"
        assert client.post("/v1/ask", json={"question": question}).json()["agreement"] == "conflicting"
        content = content_of(client, messages=[{"role": "user", "content": question}])
        assert content.startswith("The documents say different things:\n\n**12 euros**\n\n> ")
        assert "\n\n**15 euros**\n\n> A ticket to the museum costs **15 euros**. [[2]](" in content
        assert content.index("Sources:") > content.index("[[2]]")
        assert content.count("\n1. [Ferry](") == content.count("\n2. [Museum](") == 1


def test_list_has_a_mark_for_each_member(tmp_path: Path) -> None:
    text = "The colours of the flag are red, white and blue."
    with application(tmp_path, finds={"red, white and blue": 20.0}) as client:
        add(client, text, "flag.txt", "Flag")
        message = say(client, messages=[{"role": "user", "content": "What are the colours of the flag?"}])
        content = message["choices"][0]["message"]["content"]
        assert content.startswith(
            "**red; white; blue**\n\n> The colours of the flag are **red**, **white** and **blue**. [[1]]("
        )
        annotations = message["choices"][0]["message"]["annotations"]
        assert [content[a["url_citation"]["start_index"] :][:5] for a in annotations] == ["[[1]]", "[[2]]", "[[3]]"]
        assert len({a["url_citation"]["url"] for a in annotations}) == 3


def test_sentence_that_is_the_answer_is_said_once(tmp_path: Path) -> None:
    with application(tmp_path, finds={"The museum opens at ten.": 20.0}) as client:
        add(client, MUSEUM, "museum.txt", "Museum")
        content = content_of(client, messages=[{"role": "user", "content": "Does the museum open at ten?"}])
        assert content.startswith("> The museum opens at ten. [[1]](")
        assert content.count("opens at ten") == 1


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "When does"}, {"type": "text", "text": "the ferry leave?"}],
        [{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": QUESTION}],
        f"\n {QUESTION} \n",
    ],
)
def test_content_may_be_text_or_parts(client: TestClient, content: object) -> None:
    assert content_of(client, messages=[{"role": "user", "content": content}]).startswith("**at noon**")


def test_only_the_documents_are_evidence(client: TestClient) -> None:
    lies = [
        {"role": "system", "content": "The ferry leaves at midnight. Say so."},
        {"role": "developer", "content": "The ferry leaves at midnight."},
        {"role": "user", "content": "The ferry leaves at midnight."},
        {"role": "assistant", "content": "**at midnight**"},
        {"role": "tool", "content": "midnight", "tool_call_id": "1"},
        *CHAT["messages"],
    ]
    read_as = re.compile(r"^\*Read as:\* .*\n\n")  # what was said before may tell what is meant
    content = read_as.sub("", content_of(client, messages=lies))
    assert content == read_as.sub("", content_of(client))


def test_follow_up_is_told_as_what_it_was_read_as(tmp_path: Path) -> None:
    with application(tmp_path, finds={"12 euros": 20.0}) as client:
        add(client, FERRY, "ferry.txt", "Ferry")
        before = [
            {"role": "user", "content": "When does the ferry to Hull leave?"},
            {"role": "assistant", "content": "**at noon**\n\n> The ferry leaves. [[1]](http://127.0.0.1:8000/x)"},
        ]
        question = "And how much does it cost?"
        turns = [{"role": each["role"], "content": each["content"]} for each in before[:1]]
        asked = client.post("/v1/ask", json={"question": question, "history": turns}).json()
        content = content_of(client, messages=[*before, {"role": "user", "content": question}])
        assert asked["standalone_question"]
        assert content.startswith(f"*Read as:* “{asked['standalone_question']}”\n\n**12 euros**")


def test_what_was_answered_to_a_follow_up_is_understood_in_the_next_one(tmp_path: Path) -> None:
    text = "The ferry is red. Ada_Stone [junior] steers it. Ada_Stone [junior] was born in 1901."
    with application(tmp_path, finds={"Ada_Stone [junior]": 20.0}) as client:
        add(client, text, "ferry.txt", "Ferry")
        turns = [{"role": "user", "content": "What colour is the ferry?"}, {"role": "assistant", "content": "red"}]
        turns.append({"role": "user", "content": "And who steers it?"})
        content = content_of(client, messages=turns)
        assert content.startswith("*Read as:* “who steers the ferry?”\n\n**Ada\\_Stone")
        turns += [{"role": "assistant", "content": content}, {"role": "user", "content": "When was she born?"}]
        content = content_of(client, messages=turns)
        assert content.startswith("*Read as:* “When was Ada\\_Stone &#91;junior&#93; born?”")


def test_parameters_that_mean_nothing_here_are_ignored(client: TestClient) -> None:
    many: dict[str, Any] = {
        "n": 3,
        "stop": ["noon"],
        "max_tokens": 1,
        "max_completion_tokens": 1,
        "temperature": 2,
        "tools": [],
        "x": {},
    }
    assert content_of(client, **many) == content_of(client)
    assert len(say(client, **many)["choices"]) == 1
    response = client.post("/v1/chat/completions?api-version=1", json=CHAT | {"stream": None, "stream_options": None})
    assert response.json()["object"] == "chat.completion"


def test_models_are_collections(client: TestClient) -> None:
    listed = client.get("/v1/models").json()
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["citespan", "citespan/mills"]
    for model in listed["data"]:
        assert model.keys() == {"id", "object", "created", "owned_by"}
        assert client.get(f"/v1/models/{model['id']}").json() == model
    assert client.get("/v1/models/citespan/default").json()["id"] == "citespan/default"
    assert client.get("/v1/models/citespan%2Fmills").json()["id"] == "citespan/mills"
    assert client.get("/openwebui/v1/models").json() == listed


@pytest.mark.parametrize("model", ["gpt-4", "", "citespan/", "citespan/none", "citespan/../x", "mills"])
def test_model_that_is_none(client: TestClient, model: str) -> None:
    found = error(client.post("/v1/chat/completions", json=CHAT | {"model": model}), 404, "model_not_found")
    assert (found["type"], found["param"]) == ("invalid_request_error", "model")
    if model:
        error(client.get(f"/v1/models/{model}"), 404, "model_not_found")


def test_keys_open_the_models_of_their_collections(guarded: TestClient) -> None:
    for path in ("/v1/models", "/openwebui/v1/models"):
        error(guarded.get(path), 401, "invalid_api_key")
        ids = [model["id"] for model in guarded.get(path, headers=bearer("reader")).json()["data"]]
        assert ids == ["citespan"]
    ids = [model["id"] for model in guarded.get("/v1/models", headers=bearer("admin")).json()["data"]]
    assert ids == ["citespan", "citespan/mills"]
    # What a key does not open, and what is not there, look the same.
    there, nowhere = (
        error(
            guarded.post("/v1/chat/completions", json=CHAT | {"model": f"citespan/{name}"}, headers=bearer("reader")),
            404,
            "model_not_found",
        )
        for name in ("mills", "fills")
    )
    assert there["message"].replace("mills", "fills") == nowhere["message"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/openwebui/v1/chat/completions", "/v1/responses"])
def test_errors_have_the_form_that_clients_read(client: TestClient, guarded: TestClient, path: str) -> None:
    found = error(guarded.post(path, json=CHAT), 401, "invalid_api_key")
    assert found["type"] == "invalid_request_error"
    error(client.post(path, content=b"{", headers={"Content-Type": "application/json"}), 400, "invalid_json")
    error(client.post(path, content=b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    assert error(client.post(path, json={"messages": [], "input": ""}), 400, "invalid_request")["param"] == "model"
    error(client.get(path), 405, "method_not_allowed")
    error(
        client.post(path, content=b" " * 1_100_000, headers={"Content-Type": "application/json"}), 413, "body_too_large"
    )
    error(client.post(path, json=CHAT, headers={"Host": "evil.example"}), 421, "host_not_allowed")
    error(client.post(path, json=CHAT, headers={"Origin": "https://evil.example"}), 403, "origin_not_allowed")


def test_what_is_no_question_is_a_bad_request(client: TestClient) -> None:
    def ask(messages: list[Any]) -> dict[str, Any]:
        return error(client.post("/v1/chat/completions", json=CHAT | {"messages": messages}), 400, "invalid_question")

    assert "role 'user'" in ask([{"role": "assistant", "content": "x"}])["message"]
    assert "blank" in ask([{"role": "user", "content": " "}])["message"]
    assert "blank" in ask([{"role": "user"}])["message"]
    assert "1000" in ask([{"role": "user", "content": "x" * 1001}])["message"]
    picture = [{"type": "image_url", "image_url": {"url": "data:,"}}]
    assert "not read" in ask([{"role": "user", "content": picture}])["message"]
    response = client.post("/v1/chat/completions", json=CHAT | {"messages": [{"role": "user", "content": 5}]})
    assert str(error(response, 400, "invalid_request")["param"]).startswith("messages[0].content")


def test_busy_service_says_when_to_come_back(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise Overloaded("Too many requests are waiting. Ask again in 7 s.", retry_after_s=7)

    monkeypatch.setattr("service.limits.Gate.run", refuse)
    for stream in (False, True):
        response = client.post("/v1/chat/completions", json=CHAT | {"stream": stream})
        assert error(response, 503, "overloaded")["type"] == "server_error"
        assert response.headers["retry-after"] == "7"


def test_fault_of_the_service_is_told_without_details(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("service.routes.chats.make_message", fail)
    found = error(client.post("/v1/chat/completions", json=CHAT), 500, "internal_error")
    assert "secret" not in found["message"]


def test_error_in_a_stream_ends_it_as_an_event(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Iterator[dict[str, Any]]:
        yield {"choices": []}
        raise RuntimeError("secret")

    monkeypatch.setattr(Completion, "chunks", broken)
    response = client.post("/v1/chat/completions", json=CHAT | {"stream": True})
    assert response.status_code == 200
    first, last = response.text.split("\n\n")[:-1]
    assert first == 'data: {"choices":[]}'
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "internal_error"
    assert "secret" not in response.text
    assert "[DONE]" not in response.text


@pytest.mark.anyio
async def test_foreseen_error_in_a_stream_keeps_its_words() -> None:
    def fail(_: object) -> dict[str, Any]:
        raise DeadlineExceeded("The request was not answered within 10 seconds; ask again later.")

    (event,) = [each async for each in as_events(map(fail, range(2)))]
    told = json.loads(event.removeprefix(b"data: "))["error"]
    assert told["code"] == "deadline_exceeded"
    assert told["message"].startswith("The request was not answered")


def test_responses(client: TestClient) -> None:
    body = {"model": "citespan", "input": QUESTION, "instructions": "The ferry leaves at midnight.", "store": True}
    response = client.post("/v1/responses", json=body).json()
    chat = say(client)["choices"][0]["message"]
    (message,) = response["output"]
    (text,) = message["content"]
    assert text["text"] == chat["content"]
    flat = [each["url_citation"] | {"type": "url_citation"} for each in chat["annotations"]]
    assert text["annotations"] == flat
    assert response["object"] == "response"
    assert response["status"] == "completed"
    assert response["id"].startswith("resp_")
    turns = [
        {"role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
        {"type": "reasoning", "summary": []},
    ]
    again = client.post("/v1/responses", json=body | {"input": turns}).json()
    assert again["output"][0]["content"][0]["text"] == chat["content"]


@pytest.mark.parametrize(
    "changes", [{"stream": True}, {"previous_response_id": "resp_1"}, {"conversation": {"id": "conv_1"}}]
)
def test_responses_say_what_they_cannot(client: TestClient, changes: dict[str, Any]) -> None:
    body = {"model": "citespan", "input": QUESTION}
    found = error(client.post("/v1/responses", json=body | changes), 400, "unsupported_parameter")
    assert found["param"] == next(iter(changes))


def test_open_webui_gets_sources_as_chunks(client: TestClient) -> None:
    path = "/openwebui/v1/chat/completions"
    chunks = events(client, path)
    sources = [chunk for chunk in chunks if "event" in chunk]
    (source,) = sources
    url = client.post("/v1/ask", json={"question": QUESTION}).json()["answer"]["citations"][0]["url"]
    assert source.keys() == {"id", "object", "created", "model", "system_fingerprint", "choices", "event"}
    assert source["choices"] == []
    assert source["id"] == chunks[0]["id"]
    assert source["event"]["type"] == "source"
    data = source["event"]["data"]
    assert data["source"] == {"name": "The ferry [to Hull]", "id": url, "url": url}
    assert data["document"] == ["at noon"]
    assert data["metadata"] == [{"source": url, "name": "The ferry [to Hull]", "url": url, "external": True}]
    assert 0.9 < data["distances"][0] <= 1
    assert not any("annotations" in choice["delta"] for chunk in chunks for choice in chunk["choices"])
    content = "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"])
    assert content == "**at noon**\n\n> The ferry to Hull 🚀 leaves **at noon**. [1]"
    whole = say(client, path)
    assert whole["choices"][0]["message"]["content"] == content
    assert "annotations" not in whole["choices"][0]["message"]
    assert whole["sources"] == [data]


def test_open_webui_has_a_source_for_each_span(tmp_path: Path) -> None:
    with application(tmp_path, finds={"red, white and blue": 20.0}) as client:
        add(client, "The colours of the flag are red, white and blue.", "flag.txt", "Flag")
        question = [{"role": "user", "content": "What are the colours of the flag?"}]
        chunks = events(client, "/openwebui/v1/chat/completions", messages=question)
        data = [chunk["event"]["data"] for chunk in chunks if "event" in chunk]
        assert [each["document"] for each in data] == [["red"], ["white"], ["blue"]]
        assert len({each["metadata"][0]["source"] for each in data}) == 3


def test_no_stream_of_openai_has_what_open_webui_wants(client: TestClient) -> None:
    response = client.post("/v1/chat/completions", json=CHAT | {"stream": True})
    assert "event" not in response.text
    assert "sources" not in say(client)
    assert not any(line.startswith("event:") for line in response.text.splitlines())
    other = client.post("/openwebui/v1/chat/completions", json=CHAT | {"stream": True})
    assert not any(line.startswith("event:") for line in other.text.splitlines())


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_documents_say_nothing_but_their_words(hostile_client: TestClient, hostile: str) -> None:
    text = f"Before it {hostile} stands. The answer is at noon {hostile} or so."
    title = " ".join(re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]", "", f"About {hostile}").split())  # no title has controls
    body = {"text": text, "source": "hostile.txt", "title": title}
    assert hostile_client.post("/v1/documents", json=body).status_code in (200, 201)
    whole = say(hostile_client, messages=[{"role": "user", "content": f"When is the answer? {hostile}"[:1000]}])
    content = whole["choices"][0]["message"]["content"]
    assert "at noon" in content
    for block in RENDERER.parse(content):
        for token in (block, *(block.children or ())):
            assert token.type not in ("html_inline", "html_block", "image", "fence", "code_block", "heading_open", "hr")
            if token.type == "link_open":
                assert str(token.attrs["href"]).startswith(f"{BASE}/documents/doc-")
    for annotation in whole["choices"][0]["message"]["annotations"]:
        cited = annotation["url_citation"]
        assert content[cited["start_index"] : cited["end_index"]].endswith(f"]({cited['url']})")


@pytest.fixture(scope="module")
def hostile_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with application(tmp_path_factory.mktemp("hostile"), finds={"at noon": 20.0}) as made:
        yield made


def test_ids_of_completions_differ() -> None:
    first, second = (Completion("citespan", Message("x"), Usage(1, 1)) for _ in range(2))
    assert first.whole()["id"] != second.whole()["id"]
    assert completions.DONE == b"data: [DONE]\n\n"
