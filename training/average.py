"""Averages: the mean of the weights of several runs, each gone on from the one before.

What a later pass taught is kept, and less is forgotten of what came before it: weights along the way between two runs
do as well as both (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from service.reader.artifact import WEIGHTS_FILE
from training.model import SpanModel
from training.record import write_record


def average(runs: Sequence[Path], target: Path) -> None:
    """Write the mean of the weights of the runs in the folders `runs`, and a record of them, to the folder `target`.

    Raises:
        FileNotFoundError: a run has no weights yet.
    """
    models = [SpanModel.load(run / WEIGHTS_FILE) for run in runs]
    states = [model.state_dict() for model in models]
    mean = {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]}
    models[0].load_state_dict(mean)
    target.mkdir(parents=True, exist_ok=True)
    models[0].save(target / WEIGHTS_FILE)
    write_record(target, {"mean_of": [run.name for run in runs]}, runs)
