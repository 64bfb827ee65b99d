"""Export a Sentence Transformers model, with its pooling and normalisation, as one ONNX graph."""

import logging
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
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
)
from index.torch_embedder import TorchEmbedder

_PROBES = (
    "How many fire trucks did the loan secure?",
    "A short text.",
    "The delegation, which arrived on 5 March 2025, spoke with the president of the society about relief work. " * 12,
)
_LOWEST_COSINE = 0.9999


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
        path = export_path(cache, folder)
        shutil.rmtree(path, ignore_errors=True)
        scratch.chmod(0o755)
        scratch.replace(path)
        return Export(path, export.description)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"The model {folder.name} cannot be exported to ONNX ({type(error).__name__}).") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


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
            tokenizer_sha256=file_sha256(tokenizer_file),
            dimension=original.dimension,
            max_tokens=original.max_tokens,
            question_prompt=original.question_prompt,
            passage_prompt=original.passage_prompt,
        ),
    )
    export.write_description()
    return export


def _compare(original: TorchEmbedder, exported: OnnxEmbedder) -> None:
    cosines = np.sum(original.embed_passages(_PROBES) * exported.embed_passages(_PROBES), axis=1)
    if cosines.min() < _LOWEST_COSINE:
        raise ModelError(
            f"The exported form of {original.identity} computes other vectors (lowest cosine {cosines.min():.5f})."
        )
