"""Clients in JavaScript: the Vercel AI SDK, and the parsers of Markdown that front ends have.

They skip where Node.js or the packages are missing: `npm ci --prefix tests/clients` installs them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from hostile_texts import HOSTILE
from listening import SECRET, listening

from service.openai.markdown import escape

CLIENTS = ROOT / "tests" / "clients"
FERRY = "The ferry to Hull 🚀 leaves at noon. A ticket costs 12 euros."
QUESTION = "When does the ferry leave?"

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and (CLIENTS / "node_modules" / "ai").is_dir()),
    reason="no Node.js, or no packages in tests/clients; run `npm ci --prefix tests/clients`",
)


def node(script: str, *arguments: str, stdin: str = "", key: str = SECRET) -> Any:
    """Return the JSON that a script in tests/clients prints."""
    environment = {"PATH": os.environ["PATH"], "CITESPAN_API_KEY": key}
    command = ["node", "--no-warnings", str(CLIENTS / script), *arguments]
    done = subprocess.run(command, input=stdin, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(tmp_path_factory.mktemp("javascript"), {"ferry.txt": FERRY}, finds={"at noon": 20.0}) as base:
        yield base


@pytest.fixture(scope="module")
def said(url: str) -> Any:
    return node("chat.mjs", f"{url}/v1", "citespan", QUESTION)


def test_ai_sdk_gets_the_text_whole_and_streamed(said: Any) -> None:
    assert said["whole"]["text"].startswith("**at noon**\n\n> The ferry to Hull 🚀 leaves **at noon**. [[1]](http://")
    assert said["streamed"]["text"] == said["whole"]["text"]
    assert said["whole"]["finishReason"] == said["streamed"]["finishReason"] == "stop"
    assert "error" not in said["streamed"]["parts"]


def test_ai_sdk_gets_the_usage(said: Any) -> None:
    for way in ("whole", "streamed"):
        usage = said[way]["usage"]
        assert usage["inputTokens"] == 6
        assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def test_ai_sdk_is_told_what_is_wrong(url: str) -> None:
    told = node("chat.mjs", f"{url}/v1", "citespan/none", QUESTION)
    assert told["whole"]["status"] == told["streamed"]["status"] == 404
    assert "no model 'citespan/none'" in told["whole"]["error"]
    told = node("chat.mjs", f"{url}/v1", "citespan", QUESTION, key="wrong")
    assert told["whole"]["status"] == told["streamed"]["status"] == 401


def test_no_parser_finds_anything_in_hostile_text() -> None:
    texts = [markdown for text in HOSTILE for markdown in (escape(text), f"**x** {escape(text)}", f"> {escape(text)}")]
    for markdown, seen in zip(texts, node("markdown.mjs", stdin=json.dumps(texts)), strict=True):
        for parser in seen:
            assert parser == {"links": [], "html": []}, markdown


def test_parsers_see_our_own_links() -> None:
    ours = "http://127.0.0.1:8000/documents/doc-x#char=1,2"
    texts = [f"1. [{escape(text)}]({ours})" for text in HOSTILE]
    found = node("markdown.mjs", stdin=json.dumps(texts))
    for markdown, seen in zip(texts, found, strict=True):
        for parser in seen:
            assert parser == {"links": [ours], "html": []}, markdown


def test_lock_file_is_there() -> None:
    lock = json.loads(Path(CLIENTS / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((CLIENTS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert lock["packages"][""]["dependencies"] == wanted
