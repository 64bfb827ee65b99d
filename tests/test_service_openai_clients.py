"""OpenAI's own client for Python, against the whole application on a port."""

from collections.abc import Iterator

import openai
import pytest
from listening import SECRET, listening
from openai import OpenAI

FERRY = "The ferry to Hull 🚀 leaves at noon. A ticket costs 12 euros."
QUESTION = "When does the ferry leave?"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(tmp_path_factory.mktemp("openai"), {"ferry.txt": FERRY}, finds={"at noon": 20.0}) as base:
        yield base


@pytest.fixture(scope="module", params=["/v1", "/openwebui/v1"])
def any_base(url: str, request: pytest.FixtureRequest) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{url}{request.param}", api_key=SECRET) as made:
        yield made


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{url}/v1", api_key=SECRET) as made:
        yield made


def test_models(any_base: OpenAI) -> None:
    assert [model.id for model in any_base.models.list()] == ["citespan"]


def test_model_by_name(client: OpenAI) -> None:
    assert client.models.retrieve("citespan").owned_by == "citespan"
    assert client.models.retrieve("citespan/default").id == "citespan/default"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("citespan/none")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_chat(client: OpenAI) -> None:
    completion = client.chat.completions.create(
        model="citespan",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}],
        temperature=0,
        max_tokens=5,
    )
    message = completion.choices[0].message
    assert message.content is not None
    assert message.content.startswith("**at noon**")
    assert message.annotations is not None
    (annotation,) = message.annotations
    cited = annotation.url_citation
    assert message.content[cited.start_index : cited.end_index] == f"[[1]]({cited.url})"
    assert cited.title == "The ferry to Hull 🚀 leaves at noon."
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


def test_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="citespan",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    content = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    whole = client.chat.completions.create(model="citespan", messages=[{"role": "user", "content": QUESTION}])
    assert content == whole.choices[0].message.content
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].usage == whole.usage
    (annotated,) = [c for chunk in chunks for c in chunk.choices if getattr(c.delta, "annotations", None)]
    assert annotated.delta.model_extra is not None
    cited = annotated.delta.model_extra["annotations"][0]["url_citation"]
    assert content[cited["start_index"] : cited["end_index"]] == f"[[1]]({cited['url']})"


def test_stream_that_the_client_puts_together(client: OpenAI) -> None:
    with client.chat.completions.stream(model="citespan", messages=[{"role": "user", "content": QUESTION}]) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].finish_reason == "stop"
    assert (final.choices[0].message.content or "").startswith("**at noon**")


def test_responses(client: OpenAI) -> None:
    response = client.responses.create(model="citespan", input=QUESTION)
    assert response.output_text.startswith("**at noon**")
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.output_tokens > 0
    (message,) = response.output
    assert message.type == "message"
    (text,) = message.content
    assert text.type == "output_text"
    (annotation,) = text.annotations
    assert annotation.type == "url_citation"
    assert text.text[annotation.start_index : annotation.end_index] == f"[[1]]({annotation.url})"


def test_responses_are_not_streamed(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="citespan", input=QUESTION, stream=True)
    assert caught.value.param == "stream"


def test_errors(client: OpenAI, url: str) -> None:
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4'"):
        client.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": QUESTION}])
    with pytest.raises(openai.BadRequestError, match="at most 1000"):
        client.chat.completions.create(model="citespan", messages=[{"role": "user", "content": "x" * 1001}])
    with (
        OpenAI(base_url=f"{url}/v1", api_key="wrong") as stranger,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        stranger.models.list()
    assert caught.value.code == "invalid_api_key"


def test_error_in_a_stream_is_raised(client: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Iterator[dict[str, object]]:
        yield {"id": "chatcmpl-x", "object": "chat.completion.chunk", "created": 1, "model": "citespan", "choices": []}
        raise RuntimeError

    monkeypatch.setattr("service.openai.completions.Completion.chunks", broken)
    stream = client.chat.completions.create(
        model="citespan", messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    with pytest.raises(openai.APIError, match="fault of the service"):
        list(stream)


def test_open_webui_stream_holds_its_sources(url: str) -> None:
    # Open WebUI reads the lines by itself; the chunks are whole ones, so that a client of OpenAI survives them.
    with OpenAI(base_url=f"{url}/openwebui/v1", api_key=SECRET) as client:
        stream = client.chat.completions.create(
            model="citespan", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        chunks = list(stream)
    assert [chunk.choices for chunk in chunks if getattr(chunk, "event", None)] == [[]]
