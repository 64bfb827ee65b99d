"""The real server as a process: start, lock, orderly end, durable acknowledgements."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import MODEL_CACHE, ROOT, SEEDS

from eval.bench.load import faults, measure_load
from eval.cases import SEEDS_SET, read_cases
from index.embedder import Embedder

START_S = 120


def citespan(*arguments: str, data: Path, **variables: str) -> tuple[list[str], dict[str, str]]:
    """Return a command of ours and its environment."""
    environment = os.environ | {"CITESPAN_DATA_DIR": str(data), "CITESPAN_MODEL_CACHE": str(MODEL_CACHE)} | variables
    return [sys.executable, "-m", "service.cli", *arguments], environment


def run(*arguments: str, data: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    command, environment = citespan(*arguments, data=data, **variables)
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False
    )


@pytest.fixture(scope="module")
def built(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the seeds, built by the command line; the model is exported before."""
    data = tmp_path_factory.mktemp("server")
    result = run("build", str(SEEDS), data=data)
    assert result.returncode == 0, result.stderr
    assert "4 added" in result.stdout
    return data


class Server:
    """A running server and where to reach it."""

    def __init__(self, data: Path, **variables: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command, environment = citespan("serve", "--port", str(self.port), data=data, **variables)
        self.process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)

    def wait_until_ready(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            try:
                if httpx2.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        pytest.fail("the server did not become ready")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def server(built: Path) -> Iterator[Server]:
    started = Server(built, CITESPAN_DRAIN_S="1")
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.stop()


def test_question_of_the_readme_is_answered_from_the_right_place(server: Server) -> None:
    body = {"question": "How many fire trucks did the 2019 loan secure?"}
    answer = httpx2.post(f"{server.url}/v1/ask", json=body).json()["answer"]
    (citation,) = answer["citations"]
    assert citation["source"] == "000_1309baff04d3ecd8.txt"
    assert citation["cited_text"] in ("42", "42 specialized fire trucks")
    assert "42 specialized fire trucks" in citation["sentence"]["text"]
    text = httpx2.get(f"{server.url}/v1/documents/{citation['document_id']}/text").text
    assert text[citation["start_char_index"] : citation["end_char_index"]] == citation["cited_text"]
    assert text == (SEEDS / citation["source"]).read_text(encoding="utf-8")
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    assert json.dumps(answer["text"]) in shown
    assert f'"start_char_index": {citation["start_char_index"]}' in shown
    confidence = re.search(r'"confidence": ([0-9.]+)', shown)
    assert confidence is not None
    assert float(confidence[1]) == pytest.approx(answer["confidence"], abs=0.01)


def test_a_connection_that_rested_longer_than_clients_keep_one_still_serves(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for rest in (0, 6):
        time.sleep(rest)
        connection.request("GET", "/livez")
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        assert not response.will_close
    connection.close()


def test_other_processes_may_read_but_not_write(server: Server, built: Path) -> None:
    asked = run("ask", "How many fire trucks did the 2019 loan secure?", data=built)
    assert asked.returncode == 0
    assert "42 specialized fire trucks" in asked.stdout
    for command in (("build", str(SEEDS)), ("serve", "--port", "0")):
        refused = run(*command, data=built)
        assert refused.returncode != 0
        assert "Another process is writing" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_many_clients_at_once_get_right_answers_or_polite_refusals(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITESPAN_MODEL_CACHE", str(MODEL_CACHE))
    questions = [case.question for case in read_cases(SEEDS_SET)[::8]]
    load = measure_load(built, questions, clients=64, seconds=4)
    assert faults(load) == []
    assert load["statuses"]["200"] > 0
    before, _, after = load["memory_mib"]
    assert after < before + 150


def test_sigterm_fails_readiness_first_and_finishes_what_is_in_flight(server: Server, built: Path) -> None:
    long_text = " ".join(f"Sentence number {n} tells of the river, the bridge and the old mill." for n in range(1500))
    responses: list[httpx2.Response] = []

    def upload() -> None:
        body = {"text": long_text, "source": "long.txt"}
        responses.append(httpx2.post(f"{server.url}/v1/documents", json=body, timeout=120))

    uploading = threading.Thread(target=upload)
    uploading.start()
    time.sleep(0.5)
    assert not responses, "the upload must still be in flight"
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert httpx2.get(f"{server.url}/readyz").status_code == 503
    assert httpx2.get(f"{server.url}/livez").status_code == 200
    uploading.join()
    assert responses[0].status_code == 201
    assert server.process.wait(timeout=60) == 0
    found = run("ask", "What does sentence number 1234 tell of?", "--json", data=built)
    assert "long.txt" in found.stdout


def test_killed_server_keeps_what_it_acknowledged(built: Path) -> None:
    server = Server(built)
    try:
        server.wait_until_ready()
        body = {"text": "The lighthouse of Kullen was lit in 1561.", "source": "kullen.txt"}
        assert httpx2.post(f"{server.url}/v1/documents", json=body).status_code == 201
        server.process.kill()
        server.process.wait()
    finally:
        server.stop()
    found = run("ask", "When was the lighthouse of Kullen lit?", data=built)
    assert "1561" in found.stdout


def test_killed_server_says_how_far_a_batch_came_and_takes_the_same_lines_again(tmp_path: Path) -> None:
    count = 1500
    texts = [f"The lamp number {number} burns." for number in range(count)]
    body = "".join(f"{json.dumps({'source': f'{number}.txt', 'text': text})}\n" for number, text in enumerate(texts))
    headers = {"Content-Type": "application/jsonl"}

    def await_job(server: Server, path: str, done: int) -> Any:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            job = httpx2.get(f"{server.url}{path}").json()
            if job["done"] >= done:
                return job
            time.sleep(0.02)
        pytest.fail(f"the job did not get that far: {job}")

    server = Server(tmp_path)
    try:
        server.wait_until_ready()
        sent = httpx2.post(f"{server.url}/v1/documents:batch", content=body, headers=headers, timeout=60)
        assert sent.status_code == 202
        path = sent.headers["location"]
        seen = await_job(server, path, 64)
        server.process.kill()
        server.process.wait()
    finally:
        server.stop()
    server = Server(tmp_path)
    try:
        server.wait_until_ready()
        job = httpx2.get(f"{server.url}{path}").json()
        assert job["state"] == "interrupted"
        assert seen["done"] <= job["done"] == job["added"] < count
        assert httpx2.get(f"{server.url}/v1/collections/default").json()["documents"] == job["done"]
        assert list((tmp_path / ".spool").glob("*")) == []
        again = httpx2.post(f"{server.url}/v1/documents:batch", content=body, headers=headers, timeout=60)
        finished = await_job(server, again.headers["location"], count)
        assert (finished["added"], finished["unchanged"]) == (count - job["done"], job["done"])
        assert httpx2.get(f"{server.url}/v1/collections/default").json()["documents"] == count
    finally:
        server.stop()


def test_reachable_address_without_keys_is_refused_in_one_line(tmp_path: Path) -> None:
    refused = run("serve", "--host", "0.0.0.0", data=tmp_path)
    assert refused.returncode == 2
    assert "CITESPAN_API_KEYS" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_damaged_store_is_told_in_one_line(tmp_path: Path, embedder: Embedder) -> None:
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "store.sqlite").write_bytes(b"not a database, but long enough to be read as one" * 100)
    refused = run("serve", "--port", "0", data=tmp_path)
    assert refused.returncode != 0
    assert "not a healthy store" in refused.stderr
    assert "Traceback" not in refused.stderr
