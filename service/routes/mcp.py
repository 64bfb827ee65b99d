"""`/mcp`: the MCP server over Streamable HTTP, for those whose client reaches the service."""

from typing import Any

import anyio.to_thread
import httpx2
from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from service.mcp_tools import Service
from service.routes.deps import ContextDep

router = APIRouter(tags=["MCP"])

# What of a request goes on with what its tools ask: by whom, and of which host. The origin was looked at already.
_PASSED_ON = ("authorization", "host", "x-request-id")


@router.post("/mcp", summary="Talk to the MCP server", response_class=Response)
async def talk(request: Request, context: ContextDep) -> Response:
    """Answer one JSON-RPC message (Model Context Protocol, Streamable HTTP, stateless)."""
    return _Talk(request, context.settings.base_url)


class _Talk(Response):
    """The response that the SDK's own transport writes."""

    def __init__(self, request: Request, base_url: str) -> None:
        super().__init__()
        self._request = request
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the SDK answer; its tools ask this application, in this process, with the caller's key."""
        # The SDK takes long to load, and most services never need it.
        serve_request = await anyio.to_thread.run_sync(_load)
        headers = {name: value for name, value in self._request.headers.items() if name in _PASSED_ON}
        transport = httpx2.ASGITransport(self._request.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(
            transport=transport, base_url=str(self._request.base_url), headers=headers, timeout=None, trust_env=False
        ) as client:

            async def ask(method: str, path: str, **arguments: Any) -> httpx2.Response:
                return await client.request(method, path, **arguments)

            await serve_request(Service(ask, self._base_url), scope, receive, send)


def _load() -> Any:
    from service.mcp import serve_request

    return serve_request
