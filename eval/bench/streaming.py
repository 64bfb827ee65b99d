"""`python -m eval.bench.streaming`: how soon a chat hears the answer, against the same question through `/v1/ask`.

Each question about the seeds is asked in all ways in turn, of a service without other load, over one connection. What
is told are ratios of the same run: of the time to the first byte of the body, and of the time to its end.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import click
import httpx2
from rich.progress import Progress

from eval.bench.data import publish
from eval.bench.load import server
from eval.cases import SEEDS_SET, read_cases, select
from service.console import err
from service.settings import Settings

_CHAT = "/v1/chat/completions"
_OPEN_WEBUI = "/openwebui/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds from the request to the first byte of the response's body, and to its end."""

    first: float
    whole: float


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How many times each question is asked in each way.")
def main(rounds: int) -> None:
    """Measure streamed answers on the questions about the seeds (the dev half)."""
    questions = [case.question for case in select(read_cases(SEEDS_SET), "dev") if not case.history]
    with (
        server(Settings.from_environment().data_dir) as (base_url, _),
        httpx2.Client(base_url=base_url, timeout=60) as client,
    ):
        publish("streaming", measure(client, questions, rounds=rounds))


def measure(client: httpx2.Client, questions: Sequence[str], *, rounds: int) -> dict[str, Any]:
    """Ask every question `rounds` times in each way, and return medians in milliseconds and their ratios to ask's."""
    ways: dict[str, Callable[[str], Taken]] = {
        "ask": lambda question: _time(client, "/v1/ask", {"question": question}),
        "chat": lambda question: _time(client, _CHAT, _chat(question, stream=True)),
        "chat, whole": lambda question: _time(client, _CHAT, _chat(question, stream=False)),
        "Open WebUI": lambda question: _time(client, _OPEN_WEBUI, _chat(question, stream=True)),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in ways}
    for question in questions[:3]:  # the first ones warm up
        for ask in ways.values():
            ask(question)
    names = list(ways)
    with Progress(console=err) as progress:
        for number, question in enumerate(progress.track([*questions] * rounds, description="Asking")):
            shift = (number + number // len(questions)) % len(names)  # none always comes after the same other
            for name in names[shift:] + names[:shift]:
                taken[name].append(ways[name](question))
    first = {name: median(each.first for each in times) for name, times in taken.items()}
    whole = {name: median(each.whole for each in times) for name, times in taken.items()}
    result: dict[str, Any] = {"questions": len(questions), "rounds": rounds}
    for name in ways:
        result[f"{name}: first byte, ms"] = round(first[name], 2)
        result[f"{name}: whole, ms"] = round(whole[name], 2)
    for name in names[1:]:
        result[f"{name}: first byte, ratio"] = round(first[name] / first["ask"], 3)
        result[f"{name}: whole, ratio"] = round(whole[name] / whole["ask"], 3)
    return result


def _chat(question: str, *, stream: bool) -> dict[str, Any]:
    return {"model": "citespan", "stream": stream, "messages": [{"role": "user", "content": question}]}


def _time(client: httpx2.Client, path: str, body: dict[str, Any]) -> Taken:
    begin = time.perf_counter()
    first = None
    with client.stream("POST", path, json=body) as response:
        response.raise_for_status()
        for _ in response.iter_raw():
            first = first or time.perf_counter()
    end = time.perf_counter()
    return Taken(((first or end) - begin) * 1e3, (end - begin) * 1e3)


if __name__ == "__main__":
    main()
