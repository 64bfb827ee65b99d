"""`/v1/models`, `/v1/chat/completions`, `/v1/responses`: as clients of OpenAI expect them, and nothing more."""

from typing import Any

from fastapi import APIRouter, Request, Response

from index.errors import UnsupportedParameter
from service.openai.chats import ChatRequest, ResponsesRequest
from service.routes import chats
from service.routes.deps import ContextDep, EngineDep

router = APIRouter(prefix="/v1", tags=["OpenAI"])


@router.get("/models", summary="List the collections as models")
def list_models(request: Request, context: ContextDep, engine: EngineDep) -> dict[str, Any]:
    """Return the models of the collections that the key opens."""
    return {"object": "list", "data": chats.models(request, context, engine)}


@router.get("/models/{model:path}", summary="Describe a model")
def get_model(model: str, request: Request, context: ContextDep, engine: EngineDep) -> dict[str, Any]:
    """Return the model of a collection."""
    return chats.describe_model(model, request, context, engine)


@router.post("/chat/completions", summary="Answer the last question of a chat", response_class=Response)
async def chat(body: ChatRequest, request: Request, context: ContextDep, engine: EngineDep) -> Response:
    """Answer in the documents' words, as Markdown with annotations; whole, or as server-sent events."""
    return await chats.answer_chat(body, request, context, engine)


@router.post("/responses", summary="Answer the last question of a chat (Responses API)")
async def respond(body: ResponsesRequest, request: Request, context: ContextDep, engine: EngineDep) -> dict[str, Any]:
    """Answer in the documents' words, as Markdown with annotations."""
    if body.stream:
        raise UnsupportedParameter(
            "Responses are not streamed here; leave `stream` out, or use chat completions.", "stream"
        )
    for name in ("previous_response_id", "conversation"):
        if getattr(body, name) is not None:
            raise UnsupportedParameter("Nothing of a conversation is kept here; send earlier turns in `input`.", name)
    completion = await chats.complete(body.model, body.messages, request, context, engine)
    return completion.response()
