"""Finishing: from fitted weights to an artifact: exported, quantised, calibrated, described."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from tokenizers import Tokenizer

from eval.metrics import auroc, coverage_at, expected_calibration_error
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
from training.calibration import RIGHT_F1, calibrate, outcome
from training.data import held_out
from training.export import export
from training.mining import Found
from training.model import SpanModel
from training.quantisation import SEQUENCES, quantise

NAME = "citespan-minilm"

# What is read for the calibration, and how much more: some of it is taken away with the answers.
DEPTH = 10
_SPARE = 3

Say = Callable[[str], None]


def finish(
    run: Path, corpus: Corpus, found: Sequence[Sequence[Found]], work: Path, target: Path, version: str, say: Say
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
    quantise(single, target / MODEL_FILE, _features(corpus, found, FeatureMaker(tokenizer)))
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
    record["held_out"] = held_out_figures(reader, with_answer, without)
    (target / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n")
    return artifact


def open_readings(reader: SpanReader, corpus: Corpus, work: Path) -> tuple[list[OpenReading], list[OpenReading]]:
    """Return what is read for the questions kept out, asked of all paragraphs; then again without their answers."""
    questions = [each for each in held_out(corpus) if each.answers]
    cache = work / ".models"
    data_dir = index_paragraphs(corpus.paragraphs, work, load_embedder(cache=cache))
    texts = [each.text for each in questions]
    found = retrieve_all(data_dir, texts, depth=DEPTH + _SPARE, model=DEFAULT_MODEL, model_cache=cache)
    read = list(read_all(reader, questions, found, depth=DEPTH + _SPARE))
    return [each.at(DEPTH) for each in read], [without_answer(corpus, each).at(DEPTH) for each in read]


def held_out_figures(reader: SpanReader, there: list[OpenReading], gone: list[OpenReading]) -> dict[str, Any]:
    """Return what the finished reader makes of the questions kept out; the calibration was fitted on these."""
    with_answer, without = ([each.judged(reader) for each in readings] for readings in (there, gone))
    everything = [*with_answer, *without]
    right = [each.f1 >= RIGHT_F1 for each in everything]
    return {
        "questions": len(there),
        "depth": DEPTH,
        "retrieved": round(fmean(each.is_found() for each in there), 4),
        "ranked_first": round(fmean(each.is_first() for each in there), 4),
        "f1": round(fmean(each.f1 for each in with_answer), 4),
        "auroc": round(auroc([each.confidence for each in with_answer], [each.confidence for each in without]), 4),
        "coverage_at_90": round(
            coverage_at([each.confidence for each in with_answer], right[: len(with_answer)], 0.9), 4
        ),
        "calibration_error": round(expected_calibration_error([each.confidence for each in everything], right), 4),
    }


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


def _features(corpus: Corpus, found: Sequence[Sequence[Found]], maker: FeatureMaker) -> list[Features]:
    """Return sequences to learn the ranges of activations from: questions over passages that were found for them."""
    step = max(1, len(corpus.questions) // SEQUENCES)
    sequences = []
    for number, (question, passages) in enumerate(zip(corpus.questions[::step], found[::step], strict=True)):
        chosen = passages[number % len(passages)]
        paragraph = corpus.paragraphs[chosen.paragraph]
        texts = (question.text, paragraph.title, paragraph.text[chosen.start : chosen.end])
        sequences.append(maker.features(*maker.tokens(texts)))
    return sequences
