"""The recipes of docs/front-ends.md: their code is run as it stands there, with the address and key of the tests."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest
import yaml
from conftest import ROOT
from listening import SECRET, listening
from markdown_it import MarkdownIt
from mcp import Client
from mcp.client.stdio import StdioServerParameters

PAGE = ROOT / "docs" / "front-ends.md"
PLACE = "http://127.0.0.1:8000"
LOAN = "In 2019, the governments of Mongolia and France signed a loan for 42 fire trucks."
QUESTION = "How many fire trucks did the 2019 loan secure?"
NODE_MODULES = ROOT / "tests" / "clients" / "node_modules"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(tmp_path_factory.mktemp("recipes"), {"loan.txt": LOAN}, finds={"42": 20.0}) as base:
        yield base


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def recipe(heading: str, language: str, url: str) -> str:
    """Return the only code in this language under a heading, with the address of the tests."""
    tokens = MarkdownIt("commonmark").parse(PAGE.read_text(encoding="utf-8"))
    under = ""
    found = []
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            under = token.content
        if token.type == "fence" and token.info == language and under == heading:
            found.append(token.content)
    (code,) = found
    return code.replace(PLACE, url)


def run(*command: str, cwd: Path | None = None) -> str:
    environment = {"PATH": os.environ["PATH"], "CITESPAN_API_KEY": SECRET}
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl; install the package curl")
def test_curl(url: str) -> None:
    said = run("sh", "-c", recipe("curl", "sh", url))
    assert said.startswith('data: {"id":"chatcmpl-')
    assert "**42**" in said
    assert said.endswith("data: [DONE]\n\n")


def test_openai_for_python(url: str) -> None:
    said = run(sys.executable, "-c", recipe("OpenAI for Python", "python", url))
    assert said.startswith("**42**\n")
    assert said.splitlines()[-1].startswith(f"[[1]]({PLACE}/documents/doc-")
    assert said.rstrip().endswith(") In 2019, the governments of Mongolia and France signed a loan for 42 fire…")


@pytest.mark.skipif(
    not (shutil.which("node") and (NODE_MODULES / "ai").is_dir()),
    reason="no Node.js, or no packages in tests/clients; run `npm ci --prefix tests/clients`",
)
def test_vercel_ai_sdk(url: str) -> None:
    script = NODE_MODULES / "recipe.mjs"  # from where the packages are found
    script.write_text(recipe("Vercel AI SDK", "js", url), encoding="utf-8")
    assert run("node", "--no-warnings", str(script)).startswith("**42**\n")


def test_open_webui(url: str) -> None:
    # What Open WebUI does first and then; that it shows the sources was seen by hand.
    lines = recipe("Open WebUI", "sh", url).splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    assert settings.keys() == {"OPENAI_API_BASE_URL", "OPENAI_API_KEY"}
    with httpx2.Client(
        base_url=settings["OPENAI_API_BASE_URL"],
        headers={"Authorization": f"Bearer {settings['OPENAI_API_KEY'].replace('SECRET', SECRET)}"},
        trust_env=False,
    ) as client:
        (model,) = client.get("/models").json()["data"]
        body = {"model": model["id"], "messages": [{"role": "user", "content": QUESTION}], "stream": True}
        said = client.post("/chat/completions", json=body).text
    assert '"event":{"type":"source"' in said
    assert "[1]" in said


def test_librechat(url: str) -> None:
    (endpoint,) = yaml.safe_load(recipe("LibreChat", "yaml", url))["endpoints"]["custom"]
    assert endpoint["apiKey"] == "${CITESPAN_API_KEY}"
    with httpx2.Client(
        base_url=endpoint["baseURL"], headers={"Authorization": f"Bearer {SECRET}"}, trust_env=False
    ) as client:
        assert [model["id"] for model in client.get("/models").json()["data"]] == endpoint["models"]["default"]
        prompt = "Provide a concise, 5-word-or-less title for the conversation, using title case conventions."
        chat = [{"role": "user", "content": f"{prompt}\n\nConversation:\nUser: {QUESTION}\nAI: **42**"}]
        body = {"model": endpoint["titleModel"], "messages": chat}
        title = client.post("/chat/completions", json=body).json()["choices"][0]["message"]["content"]
    assert title == QUESTION.rstrip("?")


@pytest.mark.anyio
async def test_mcp(url: str) -> None:
    (server,) = json.loads(recipe("MCP", "json", url))["mcpServers"].values()
    assert server["command"] == "citespan"
    assert server["env"] == {"CITESPAN_API_KEY": "SECRET"}
    started = StdioServerParameters(
        command=sys.executable, args=["-m", "service.cli", *server["args"]], env={"CITESPAN_API_KEY": SECRET}, cwd=ROOT
    )
    async with Client(started) as client:
        result = await client.call_tool("ask", {"question": QUESTION})
    assert result.structured_content is not None
    assert result.structured_content["answer"]["text"] == "42"
