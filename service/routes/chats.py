"""Chats: what the routes for clients of OpenAI share."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from index.collection import Collection
from index.errors import UnknownCollection, UnknownModel
from index.library import DEFAULT_COLLECTION
from service.citations import span_url
from service.engine import Engine
from service.openai.chats import ChatMessage, ChatRequest, read_conversation
from service.openai.completions import Completion, Usage, as_events
from service.openai.housekeeping import reply_to
from service.openai.messages import Message, make_message
from service.openai.openwebui import events_of
from service.routes.asking import Question, ask_engine
from service.routes.deps import Context, opened_by

# The model of the default collection; that of any other is named after it.
MODEL = "citespan"

# Nothing on the way may keep a stream back, or keep it at all.
_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def models(request: Request, context: Context, engine: Engine) -> list[dict[str, Any]]:
    """Return a model for each collection that the request's key opens, that of the default one first."""
    names = [name for name in engine.library.names() if opened_by(request, name)]
    names.sort(key=lambda name: (name != DEFAULT_COLLECTION, name))
    return [_model(MODEL if name == DEFAULT_COLLECTION else f"{MODEL}/{name}", context) for name in names]


def describe_model(model: str, request: Request, context: Context, engine: Engine) -> dict[str, Any]:
    """Return the model of this name.

    Raises:
        UnknownModel: there is none, or the request's key does not open its collection.
    """
    open_model(model, request, engine)
    return _model(model, context)


def open_model(model: str, request: Request, engine: Engine) -> Collection:
    """Return the collection that a model stands for.

    Raises:
        UnknownModel: there is none, or the request's key does not open it; which of the two is not told.
    """
    name = DEFAULT_COLLECTION if model == MODEL else model.removeprefix(f"{MODEL}/")
    if (model == MODEL or name != model) and opened_by(request, name):
        try:
            return engine.library.collection(name)
        except UnknownCollection:
            pass
    raise UnknownModel(f"There is no model {model!r} for this key; GET /v1/models lists those that there are.")


async def answer_chat(
    body: ChatRequest, request: Request, context: Context, engine: Engine, *, for_open_webui: bool = False
) -> Response:
    """Return the completion of a chat, whole or as a stream.

    Nothing is sent before the answer is there, so that an error has its status. Open WebUI gets the sources as events.
    """
    completion = await complete(body.model, body.messages, request, context, engine, for_open_webui=for_open_webui)
    if not body.stream:
        return JSONResponse(completion.whole())
    events = as_events(completion.chunks(with_usage=body.wants_usage))
    return StreamingResponse(events, media_type="text/event-stream", headers=_STREAM_HEADERS)


async def complete(
    model: str,
    messages: Sequence[ChatMessage],
    request: Request,
    context: Context,
    engine: Engine,
    *,
    for_open_webui: bool = False,
) -> Completion:
    """Return what is said to a chat. The prompts of front ends themselves touch no index.

    Raises:
        UnknownModel: there is no such model for the request's key.
        InvalidQuestion: the chat ends in no question that can be asked.
        Overloaded: too many are waiting.
        DeadlineExceeded: it took too long.
        ClientDisconnect: nobody waits for the answer any more.
    """
    collection = open_model(model, request, engine)
    fingerprint = None
    reply = reply_to(messages)
    if reply is not None:
        message = Message(reply)
    else:
        chat = read_conversation(messages)
        asked = Question(chat.question, chat.history)
        response = await ask_engine(request, context, engine, collection, asked)
        fingerprint = response.fingerprint
        url_of = partial(span_url, base_url=context.settings.base_url, collection=collection.name)
        enough = engine.answerer.min_confidence
        message = make_message(response, min_confidence=enough, url_of=url_of, linked=not for_open_webui)
    count = engine.answerer.reader.count_tokens
    usage = await anyio.to_thread.run_sync(
        lambda: Usage(count([each.text for each in messages]), count([message.content]))
    )
    return Completion(model, message, usage, fingerprint, events_of(message.sources) if for_open_webui else None)


def _model(name: str, context: Context) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": context.started, "owned_by": "citespan"}
