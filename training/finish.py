"""Finishing: from fitted weights to an artifact: exported, quantised, calibrated, described."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import onnx
import torch
from tokenizers import Tokenizer

from eval.bench.reader import gold_paragraph
from eval.metrics import auroc, coverage_at, expected_calibration_error
from eval.squad import Corpus, held_out
from eval.weights import dequantised_weights
from index.embedder import load_embedder
from index.model_folder import DEFAULT_MODEL, find_model
from service.reader.artifact import MODEL_FILE, RECORD_FILE, TOKENIZER_FILE, WEIGHTS_FILE, Artifact, file_hashes
from service.reader.features import FeatureMaker, Features
from service.reader.runtime import OnnxRuntime, load_runtime
from service.reader.span_reader import SpanReader
from training.calibration import UNCALIBRATED, calibrated
from training.export import export
from training.mining import Found
from training.model import SpanModel
from training.quantisation import SEQUENCES, quantise
from training.readings import DEPTH, Readings, open_readings, told_readings

NAME = "citespan-minilm"

Say = Callable[[str], None]


def finish(
    run: Path,
    corpus: Corpus,
    found: Sequence[Sequence[Found]],
    stories: Corpus,
    work: Path,
    target: Path,
    version: str,
    say: Say,
) -> Artifact:
    """Make the artifact in `target` from the run in the folder `run`; what was measured goes into its record.

    It is calibrated and measured on what of `corpus` and of `stories` is kept out; `found` was mined for the questions
    of `corpus`.
    """
    target.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(find_model(DEFAULT_MODEL).path / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(target / TOKENIZER_FILE))

    say("Exporting")
    single = run / "single.onnx"
    fitted = SpanModel.load(run / WEIGHTS_FILE)
    export(fitted, single)
    say("Quantising")
    quantise(single, target / MODEL_FILE, _features(corpus, found, FeatureMaker(tokenizer)))
    onnx.checker.check_model(str(target / MODEL_FILE))
    fitted.save(target / WEIGHTS_FILE, but=_held_alike(fitted, target / MODEL_FILE))

    hashes = file_hashes(target, (MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE))
    record: dict[str, Any] = json.loads((run / RECORD_FILE).read_text())
    made = Artifact(target, NAME, version, hashes, UNCALIBRATED)
    artifact, record = _calibrate(made, record, corpus, stories, work, say)
    say("Measuring what the quantisation costs")
    _write_record(artifact, record | {"paragraph_given": paragraph_given(artifact, single, corpus, work)})
    return artifact


def calibrate_again(
    published: Artifact, corpus: Corpus, stories: Corpus, work: Path, target: Path, version: str, say: Say
) -> Artifact:
    """Make an artifact in `target` of a published one, calibrated on what is retrieved now, and measured anew.

    For changes of how passages are cut and found: what is found decides what the reader's scores mean.
    """
    shutil.copytree(published.path, target)
    record: dict[str, Any] = json.loads((target / RECORD_FILE).read_text())
    made = replace(published, path=target, version=version)
    artifact, record = _calibrate(made, record, corpus, stories, work, say)
    _write_record(artifact, record)
    return artifact


def _calibrate(
    artifact: Artifact, record: dict[str, Any], corpus: Corpus, stories: Corpus, work: Path, say: Say
) -> tuple[Artifact, dict[str, Any]]:
    """Calibrate an artifact, write its description, and add the figures of what is kept out to its record."""
    say("Reading the questions kept out")
    reader = SpanReader(artifact, load_runtime(artifact.path / MODEL_FILE))
    articles, told = open_readings(reader, corpus, work), told_readings(reader, stories, work)
    say("Calibrating")
    reader = calibrated(reader, articles, told)
    reader.artifact.write()
    figures = {"held_out": held_out_figures(reader, articles), "held_out_stories": told_figures(reader, told)}
    return reader.artifact, record | figures


def _held_alike(model: SpanModel, network: Path) -> list[str]:
    """Return the names of those weights that the quantised network holds as they are, in the precision of the file."""
    held = {name: torch.tensor(each) for name, each in dequantised_weights(network).items()}
    return [name for name, each in model.state_dict().items() if torch.equal(each.half(), held[name].half())]


def _write_record(artifact: Artifact, record: dict[str, Any]) -> None:
    (artifact.path / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n")


def paragraph_given(artifact: Artifact, single: Path, corpus: Corpus, work: Path) -> dict[str, Any]:
    """Return how well the questions kept out are read in their paragraphs, in single precision and in int8.

    `single` is the network before it was quantised.
    """
    embedder = load_embedder(cache=work / ".models")
    questions = [each for each in held_out(corpus) if each.answers]
    runtimes = {"single": OnnxRuntime(single), "int8": load_runtime(artifact.path / MODEL_FILE)}
    return {
        name: gold_paragraph(SpanReader(artifact, runtime), embedder, corpus, questions)
        for name, runtime in runtimes.items()
    }


def held_out_figures(reader: SpanReader, readings: Readings) -> dict[str, Any]:
    """Return what the finished reader makes of the questions kept out; the calibration was fitted on these."""
    present, removed, adversarial = (
        [each.judged(reader) for each in chosen]
        for chosen in (readings.present, readings.removed, readings.adversarial)
    )
    sure, unsure, misled = ([each.confidence for each in judged] for judged in (present, removed, adversarial))
    right = [each.is_right for each in present]
    figures = {
        "retrieved": fmean(each.is_found() for each in readings.present),
        "ranked_first": fmean(each.is_first(reader) for each in readings.present),
        "f1": fmean(each.f1 for each in present),
        "auroc": auroc(sure, unsure),
        "auroc_adversarial": auroc(sure, misled),
        "coverage_at_90": coverage_at(sure, right, 0.9),
        "calibration_error": expected_calibration_error([*sure, *unsure], [*right, *(False for _ in removed)]),
    }
    return {"questions": len(present), "depth": DEPTH} | {name: round(each, 4) for name, each in figures.items()}


def told_figures(reader: SpanReader, readings: Readings) -> dict[str, Any]:
    """Return what the finished reader makes of questions about a document of their own that are kept out.

    The order of its spans was fitted on these, its confidence was not.
    """
    present, adversarial = (
        [each.judged(reader) for each in chosen] for chosen in (readings.present, readings.adversarial)
    )
    figures = {
        "f1": fmean(each.f1 for each in present),
        "auroc_adversarial": auroc([each.confidence for each in present], [each.confidence for each in adversarial]),
    }
    return {"questions": len(present), "depth": DEPTH} | {name: round(each, 4) for name, each in figures.items()}


def _features(corpus: Corpus, found: Sequence[Sequence[Found]], maker: FeatureMaker) -> list[Features]:
    """Return sequences to learn the ranges of activations from: questions over passages that were found for them."""
    shown = [
        (question, passages)
        for question, passages in zip(corpus.questions, found, strict=True)
        if not corpus.paragraphs[question.paragraph].held_out
    ]
    sequences = []
    for number, (question, passages) in enumerate(shown[:: max(1, len(shown) // SEQUENCES)]):
        chosen = passages[number % len(passages)]
        paragraph = corpus.paragraphs[chosen.paragraph]
        texts = (question.text, paragraph.title, paragraph.text[chosen.start : chosen.end])
        sequences.append(maker.features(*maker.tokens(texts)))
    return sequences
