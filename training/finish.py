"""Finishing: from fitted weights to an artifact: exported, quantised, calibrated, described."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from tokenizers import Tokenizer

from eval.paragraphs import index_paragraphs, retrieve_all
from eval.reading import OpenReading, read_all, without_answer
from eval.squad import Corpus
from index.embedder import load_embedder
from index.model_folder import DEFAULT_MODEL, find_model
from service.reader.artifact import MODEL_FILE, RECORD_FILE, TOKENIZER_FILE, WEIGHTS_FILE, Artifact, file_hashes
from service.reader.confidence import Calibration
from service.reader.features import FeatureMaker, Features
from service.reader.runtime import load_runtime
from service.reader.span_reader import GROUP, SpanReader
from training.calibration import calibrate, outcome
from training.data import held_out
from training.export import export
from training.groups import Group
from training.model import SpanModel
from training.quantisation import SEQUENCES, quantise

NAME = "citespan-minilm"

# What is read for the calibration, and found for it: enough is left when the answers are taken away.
DEPTH = 10
_FOUND = 30

Say = Callable[[str], None]


def finish(
    run: Path, corpus: Corpus, groups: list[Group], work: Path, target: Path, version: str, say: Say
) -> Artifact:
    """Make the artifact in `target` from the run in the folder `run`; what was measured goes into its record."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(run / WEIGHTS_FILE, target / WEIGHTS_FILE)
    tokenizer = Tokenizer.from_file(str(find_model(DEFAULT_MODEL).path / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(target / TOKENIZER_FILE))

    say("Exporting")
    single = run / "single.onnx"
    export(SpanModel.load(run / WEIGHTS_FILE), single)
    say("Quantising")
    quantise(single, target / MODEL_FILE, _features(groups, FeatureMaker(tokenizer)))
    onnx.checker.check_model(str(target / MODEL_FILE))

    hashes = file_hashes(target, (MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE))
    uncalibrated = Calibration((1.0, 0.0, 0.0, 0.0), 0.0, 0.5, 1.0)
    artifact = Artifact(target, NAME, version, hashes, uncalibrated)
    reader = SpanReader(artifact, load_runtime(target / MODEL_FILE))
    say("Reading the questions kept out")
    with_answer, without = open_readings(reader, corpus, work)
    outcomes = [outcome(reader, each, answerable=True) for each in with_answer]
    outcomes += [outcome(reader, each, answerable=False) for each in without]
    calibration = calibrate([each for each in outcomes if each is not None])
    artifact = replace(artifact, calibration=calibration)
    reader = SpanReader(artifact, load_runtime(target / MODEL_FILE))
    sure = surest(reader, [*with_answer, *without])
    artifact = replace(artifact, calibration=replace(calibration, sure=sure))
    artifact.write()

    record: dict[str, Any] = json.loads((run / RECORD_FILE).read_text())
    record["calibration"] = {"questions": len(with_answer), "without_answer": len(without), "depth": DEPTH}
    (target / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n")
    return artifact


def open_readings(reader: SpanReader, corpus: Corpus, work: Path) -> tuple[list[OpenReading], list[OpenReading]]:
    """Return what is read for the questions kept out, asked of all paragraphs; then again without their answers."""
    questions = [each for each in held_out(corpus) if each.answers]
    cache = work / ".models"
    data_dir = index_paragraphs(corpus.paragraphs, work, load_embedder(cache=cache))
    texts = [each.text for each in questions]
    found = list(retrieve_all(data_dir, texts, depth=_FOUND, model=DEFAULT_MODEL, model_cache=cache))
    removed = [without_answer(corpus, question, hits) for question, hits in zip(questions, found, strict=True)]
    return (
        list(read_all(reader, questions, found, depth=DEPTH)),
        list(read_all(reader, questions, removed, depth=DEPTH)),
    )


def surest(reader: SpanReader, readings: list[OpenReading], changes: float = 0.01) -> float:
    """Return the least confidence after the first passages from which on reading the rest changes too few answers.

    `changes` is the share of the readings stopped at that confidence whose best answer the rest would have changed.
    """
    first = [each.at(GROUP).judged(reader) for each in readings]
    whole = [each.judged(reader) for each in readings]
    confidences: NDArray[np.float64] = np.array([each.confidence for each in first])
    changed = np.array([before.text != after.text for before, after in zip(first, whole, strict=True)])
    for threshold in np.arange(0.3, 1.0, 0.01):
        stopped = confidences >= threshold
        if stopped.any() and changed[stopped].mean() <= changes:
            return round(float(threshold), 2)
    return 1.0


def _features(groups: list[Group], maker: FeatureMaker) -> list[Features]:
    """Return sequences to learn the ranges of activations from: one for each of the first groups."""
    chosen = [(group.question, group.windows[-1]) for group in groups[:SEQUENCES]]
    questions = maker.tokens([question for question, _ in chosen])
    titles = maker.tokens([window.title for _, window in chosen])
    passages = maker.tokens([window.text for _, window in chosen])
    return [maker.features(*each) for each in zip(questions, titles, passages, strict=True)]
