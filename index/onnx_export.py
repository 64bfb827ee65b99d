"""Export a Sentence Transformers model, with its pooling and normalisation, as one ONNX graph."""

import logging
import shutil
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from sentence_transformers import SentenceTransformer

from index.errors import ModelError
from index.model_folder import ModelFolder
from index.onnx_embedder import (
    EXPORT_VERSION,
    INPUT_NAMES,
    OUTPUT_NAME,
    Export,
    ExportDescription,
    OnnxEmbedder,
    export_path,
    file_sha256,
    find_export,
)
from index.torch_embedder import TorchEmbedder

logger = logging.getLogger(__name__)

_PROBES = (
    "How many fire trucks did the loan secure?",
    "A short text.",
    "The delegation, which arrived on 5 March 2025, spoke with the president of the society about relief work. " * 12,
)
_QUESTIONS = (
    "How many fire trucks did the loan secure?",
    "Who is the president?",
    "mongolia donation japan earthquake 2011 amount",
    "In what year did the delegation that spoke with the president of the society about relief work arrive, and why?",
)
_LOWEST_COSINE = 0.9999
# Of a question in int8 to the same question in single precision.
_LOWEST_QUESTION_COSINE = 0.99


class _UnitVectors(torch.nn.Module):
    """The whole pipeline as one module of two tensors: token ids and mask, both (batch, tokens), to unit vectors."""

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of shape (batch, dimension)."""
        pooled = self.model({"input_ids": input_ids, "attention_mask": attention_mask})["sentence_embedding"]
        return torch.nn.functional.normalize(pooled, p=2, dim=1)


def export_model(folder: ModelFolder, cache: Path) -> Export:
    """Export a model into `cache` and compare its vectors with the original's.

    The folder appears whole or not at all.

    Raises:
        ModelError: the model cannot be exported, or the export does not compute what the original does.
    """
    original = TorchEmbedder(folder)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=cache))
    except OSError as error:
        raise ModelError(f"No exported model can be kept in {cache}: {error.strerror}.") from error
    try:
        export = _write(original, folder, scratch)
        _compare(original, OnnxEmbedder(export))
        export = _with_questions(export, original)
        scratch.chmod(0o755)
        return _put(Export(scratch, export.description), export_path(cache, folder.identity))
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"The model {folder.name} cannot be exported to ONNX ({type(error).__name__}).") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _put(export: Export, path: Path) -> Export:
    """Move an export to where it belongs, unless another process has put one there meanwhile; return the one there."""
    shutil.rmtree(path, ignore_errors=True)
    try:
        export.path.replace(path)
    except OSError:
        found = find_export(path.parent, export.description.identity)
        if found is None:
            raise
        return found
    return Export(path, export.description)


def _write(original: TorchEmbedder, folder: ModelFolder, path: Path) -> Export:
    model = original.model
    model_file, tokenizer_file = path / "model.onnx", path / "tokenizer.json"
    model.tokenizer.backend_tokenizer.save(str(tokenizer_file))

    example = model.tokenizer(["one text", "another"], padding=True, return_tensors="pt")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of operators that no text model has
    axes: dict[int, Any] = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        torch.onnx.export(
            _UnitVectors(model).eval(),
            tuple(example[name] for name in INPUT_NAMES),
            str(model_file),
            input_names=list(INPUT_NAMES),
            output_names=[OUTPUT_NAME],
            dynamic_shapes=dict.fromkeys(INPUT_NAMES, axes),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    export = Export(
        path,
        ExportDescription(
            version=EXPORT_VERSION,
            identity=folder.identity,
            model_sha256=file_sha256(model_file),
            question_sha256=None,
            tokenizer_sha256=file_sha256(tokenizer_file),
            dimension=original.dimension,
            max_tokens=original.max_tokens,
            question_prompt=original.question_prompt,
            passage_prompt=original.passage_prompt,
        ),
    )
    export.write_description()
    return export


def _with_questions(export: Export, original: TorchEmbedder) -> Export:
    """Write the form for questions beside the graph: products in int8, a scale a channel; activations as they come.

    Products that narrow (the second of each feed-forward block) stay as they are: in int8 they cost the most precision.
    The form is left out where its vectors stray from the original's.
    """
    graph = onnx.load(str(export.model_file)).graph
    weights = {each.name: each.dims for each in graph.initializer}
    narrowing = [
        node.name
        for node in graph.node
        if node.op_type == "MatMul" and (shape := weights.get(node.input[1])) and shape[0] > shape[-1]
    ]
    root = logging.getLogger()
    root.addFilter(_is_no_hint)
    try:
        quantize_dynamic(
            export.model_file,
            export.question_file,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=narrowing,
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
    finally:
        root.removeFilter(_is_no_hint)
    reduced = Export(export.path, replace(export.description, question_sha256=file_sha256(export.question_file)))
    embedder = OnnxEmbedder(reduced)
    cosines = [float((original.embed_question(each) @ embedder.embed_question(each).T)[0, 0]) for each in _QUESTIONS]
    if min(cosines) < _LOWEST_QUESTION_COSINE:
        logger.info("Questions stay in single precision: in int8 their cosine falls to %.3f.", min(cosines))
        export.question_file.unlink()
        return export
    reduced.write_description()
    return reduced


def _is_no_hint(record: logging.LogRecord) -> bool:
    """Whether a message is not the quantiser's hint to prepare the graph, which has been done."""
    return "pre-processing" not in record.getMessage()


def _compare(original: TorchEmbedder, exported: OnnxEmbedder) -> None:
    cosines = np.sum(original.embed_passages(_PROBES) * exported.embed_passages(_PROBES), axis=1)
    if cosines.min() < _LOWEST_COSINE:
        raise ModelError(
            f"The exported form of {original.identity} computes other vectors (lowest cosine {cosines.min():.5f})."
        )
