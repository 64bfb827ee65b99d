"""What the benchmarks of reader and retrieval share: the questions, the paragraphs, the table, the file."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.table import Table

from eval.metrics import bootstrap
from eval.squad import Corpus, Question, load_squad
from service.console import err, out

MEASURED = "new_wiki.json"
ALL_FILES = (MEASURED, "squad_dev_v1.1.json", "reddit.json", "amazon_reviews.json")
# Where benchmarks keep what takes long to compute, and write what they found.
OUTPUT = Path("eval/out")

folder_argument = click.argument(
    "data", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("../shared/data")
)


def sample(questions: Sequence[Question], size: int, seed: int = 0) -> list[Question]:
    """Return `size` questions drawn without replacement, in their order; all with FULL=1 in the environment."""
    if os.environ.get("FULL") == "1" or size >= len(questions):
        return list(questions)
    chosen = np.random.default_rng(seed).choice(len(questions), size, replace=False)
    return [questions[each] for each in sorted(chosen)]


def load_measured(data: Path) -> tuple[Corpus, list[Question]]:
    """Return all paragraphs of the four sets as one corpus, and the questions of new_wiki about them.

    Raises:
        FileNotFoundError: a file is missing; the message says where the data is to be had.
    """
    corpus = load_squad(*(data / name for name in ALL_FILES))
    wanted = {each.id for each in load_squad(data / MEASURED).questions}
    return corpus, [each for each in corpus.questions if each.id in wanted]


def with_interval(values: Sequence[float]) -> dict[str, float]:
    """Return the mean of values with its 95 % interval, rounded to four digits."""
    low, high = bootstrap(values)
    return {"value": round(float(np.mean(values)), 4), "low": round(low, 4), "high": round(high, 4)}


def publish(name: str, result: dict[str, Any]) -> None:
    """Print a result as a table and write it to `eval/out/<name>.json`."""
    table = Table("figure", "value", "95 % interval", title=name)
    for figure, value in result.items():
        if isinstance(value, dict) and "low" in value:
            table.add_row(figure, f"{value['value']:.3f}", f"{value['low']:.3f} to {value['high']:.3f}")
        else:
            table.add_row(figure, str(value), "")
    out.print(table)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    path = OUTPUT / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    err.print(f"written to {path}")
