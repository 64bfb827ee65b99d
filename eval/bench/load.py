"""Load: many clients at once against a real server, against one client alone in the same run."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx2

from service.settings import PREFIX

_START_S = 120
_KIB = 1024
_DUE = ("200", "503 with Retry-After")


@dataclass(slots=True)
class _Tally:
    """What the clients saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    wrong: int = 0


def measure_load(data_dir: Path, questions: Sequence[str], *, clients: int = 64, seconds: float = 20) -> dict[str, Any]:
    """Let one client, then `clients` at once, ask for `seconds` each, and return what came of it.

    `wrong` counts answers that differ from the first one to the same question. The memory of the server is its resident
    set in MiB, before the load, at half of it and after it.
    """
    with server(data_dir) as (base_url, process):
        return asyncio.run(_measure(base_url, process.pid, list(questions), clients, seconds))


def faults(load: dict[str, Any]) -> list[str]:
    """Return what must not come of a load: a wrong answer, or an error other than a polite refusal."""
    statuses = Counter(load["statuses"]) + Counter(load["statuses_alone"])
    found = [f"{count} times {status}" for status, count in statuses.items() if status not in _DUE]
    return [*found, f"{load['wrong']} wrong answers"] if load["wrong"] else found


async def _measure(base_url: str, pid: int, questions: list[str], clients: int, seconds: float) -> dict[str, Any]:
    async with httpx2.AsyncClient(
        base_url=base_url, timeout=60, limits=httpx2.Limits(max_connections=clients)
    ) as client:
        expected = {question: await _ask(client, question, _Tally()) for question in questions}
        alone = await _load(client, questions, expected, 1, min(seconds, 10))
        before = _resident_mib(pid)
        half = await _load(client, questions, expected, clients, seconds / 2)
        middle = _resident_mib(pid)
        rest = await _load(client, questions, expected, clients, seconds / 2)
        after = _resident_mib(pid)
    together = _Tally(half.statuses + rest.statuses, half.milliseconds + rest.milliseconds, half.wrong + rest.wrong)
    alone_rate = len(alone.milliseconds) / min(seconds, 10)
    rate = len(together.milliseconds) / seconds
    return {
        "clients": clients,
        "seconds": seconds,
        "statuses": dict(together.statuses),
        "statuses_alone": dict(alone.statuses),
        "wrong": together.wrong + alone.wrong,
        "answers_per_s": round(rate, 1),
        "answers_per_s_alone": round(alone_rate, 1),
        "throughput_ratio": round(rate / alone_rate, 2),
        "p50_ms": round(quantiles(together.milliseconds, n=100)[49], 1),
        "p99_ms": round(quantiles(together.milliseconds, n=100)[98], 1),
        "p50_ms_alone": round(quantiles(alone.milliseconds, n=100)[49], 1),
        "memory_mib": [before, middle, after],
    }


async def _load(
    client: httpx2.AsyncClient, questions: list[str], expected: dict[str, object], clients: int, seconds: float
) -> _Tally:
    tally = _Tally()
    end = time.monotonic() + seconds

    async def run(number: int) -> None:
        turn = number
        while time.monotonic() < end:
            question = questions[turn % len(questions)]
            turn += 1
            try:
                answer = await _ask(client, question, tally)
            except httpx2.TransportError as error:
                tally.statuses[type(error).__name__] += 1
                await asyncio.sleep(1.0)
            else:
                tally.wrong += answer is not None and answer != expected[question]

    await asyncio.gather(*(run(number) for number in range(clients)))
    return tally


async def _ask(client: httpx2.AsyncClient, question: str, tally: _Tally) -> object:
    """Return what was answered, or None where the server was too busy; a client that is told to wait does."""
    begin = time.perf_counter()
    response = await client.post("/v1/ask", json={"question": question})
    if response.status_code == httpx2.codes.OK:
        tally.statuses["200"] += 1
        tally.milliseconds.append((time.perf_counter() - begin) * 1e3)
        content = response.json()
        return (content["answer"], content["alternatives"], content["passages"], content["fingerprint"])
    retry_after = response.headers.get("retry-after")
    tally.statuses[f"{response.status_code}{' with Retry-After' if retry_after else ''}"] += 1
    await asyncio.sleep(min(float(retry_after or 1), 1.0))
    return None


@contextmanager
def server(data_dir: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run `citespan serve` on a free port of the loopback address until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        f"{PREFIX}DATA_DIR": str(data_dir),
        f"{PREFIX}PORT": str(port),
        f"{PREFIX}LOG_LEVEL": "error",
    }
    process = subprocess.Popen([sys.executable, "-m", "service.cli", "serve"], env=environment)
    try:
        base_url = f"http://127.0.0.1:{port}"
        _wait_until_ready(base_url, process)
        yield base_url, process
    finally:
        process.terminate()
        process.wait(timeout=_START_S)


def _wait_until_ready(base_url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx2.get(f"{base_url}/readyz").status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the server did not become ready; its own message says why")


def _resident_mib(pid: int) -> float | None:
    """Return a process's resident set in MiB, or None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return round(int(line.split()[1]) / _KIB, 1)
