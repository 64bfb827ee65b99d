"""`/openwebui/v1`: the same chats for Open WebUI, which shows each cited span as a source that can be opened."""

from typing import Any

from fastapi import APIRouter, Request, Response

from service.openai.chats import ChatRequest
from service.routes import chats
from service.routes.deps import ContextDep, EngineDep

router = APIRouter(prefix="/openwebui/v1", tags=["Open WebUI"])


@router.get("/models", summary="List the collections as models, for Open WebUI")
def list_models(request: Request, context: ContextDep, engine: EngineDep) -> dict[str, Any]:
    """Return the models of the collections that the key opens."""
    return {"object": "list", "data": chats.models(request, context, engine)}


@router.post("/chat/completions", summary="Answer the last question of a chat, for Open WebUI", response_class=Response)
async def chat(body: ChatRequest, request: Request, context: ContextDep, engine: EngineDep) -> Response:
    """Answer in the documents' words, as Markdown; sources are chunks of their own, with an `event`."""
    return await chats.answer_chat(body, request, context, engine, for_open_webui=True)
