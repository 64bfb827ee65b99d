"""Records: what weights were made from, each run once, by its name."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from service.reader.artifact import RECORD_FILE


def write_record(run: Path, content: Mapping[str, object], earlier: Iterable[Path] = ()) -> None:
    """Write what the run in the folder `run` was, and before it what the `earlier` runs were, which it goes on from.

    The record holds the run's name, and under "runs" every run by its name, the first one first.
    """
    runs: dict[str, object] = {}
    for each in earlier:
        runs |= json.loads((each / RECORD_FILE).read_text())["runs"]
    record = {"run": run.name, "runs": runs | {run.name: content}}
    (run / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n")
