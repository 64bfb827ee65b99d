"""An MCP server (Model Context Protocol): its tools over stdin and stdout, or over one HTTP request.

This module loads the SDK, which takes as long as the rest of the service does; import it where it is used.
"""

import json
import logging
from typing import Any

import anyio.to_thread
import httpx2
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ToolDescription
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from index.errors import ServiceRefused
from service import VERSION
from service.http_client import HttpClient
from service.mcp_tools import TOOLS, Service

# Longer than a service takes to refuse.
_TIMEOUT_S = 60.0
_INSTRUCTIONS = (
    "Answers come from the documents alone, word for word, or not at all. Use `ask` for questions, `search` and "
    "`fetch` to read. Cite the `url` of what you use."
)

# It tells of every request that it begins and ends one.
logging.getLogger("mcp").setLevel(logging.WARNING)


def make_server(service: Service) -> Server[Any]:
    """Return a server whose tools ask `service`."""

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=_DESCRIPTIONS)

    async def call_tool(_: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        tool = next((each for each in TOOLS if each.name == params.name), None)
        if tool is None:
            return _failed(f"There is no tool {params.name!r}; there are {', '.join(each.name for each in TOOLS)}.")
        try:
            result = await tool.run(service, tool.takes.model_validate(params.arguments or {}))
        except ValidationError as error:
            complaints = error.errors(include_url=False, include_input=False)
            return _failed("; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in complaints))
        except ServiceRefused as error:
            return _failed(str(error))
        text = TextContent(type="text", text=json.dumps(result, ensure_ascii=False))
        return CallToolResult(content=[text], structured_content=result)

    return Server(
        "citespan",
        version=VERSION,
        title="Citespan",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def serve_stdio(url: str, key: str | None) -> None:
    """Serve on stdin and stdout until stdin ends; the tools ask the running service at `url`.

    Raises:
        ServiceRefused: `url` is no URL of a service.
    """
    client = HttpClient(url, key=key, timeout_s=_TIMEOUT_S)

    async def send(method: str, path: str, **arguments: Any) -> httpx2.Response:
        return await anyio.to_thread.run_sync(lambda: client.send(method, path, **arguments))

    server = make_server(Service(send, client.url))
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
    finally:
        client.close()


async def serve_request(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request of the Streamable HTTP transport. Nothing is kept from one request to the next."""
    manager = StreamableHTTPSessionManager(make_server(service), json_response=True, stateless=True)
    async with manager.run():
        await manager.handle_request(scope, receive, send)


def _failed(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=message)], is_error=True)


_DESCRIPTIONS = [
    ToolDescription(
        name=each.name,
        title=each.title,
        description=each.description,
        input_schema=each.takes.model_json_schema(),
        output_schema=each.returns.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )
    for each in TOOLS
]
