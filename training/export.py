"""Export: the model as one ONNX graph of int64 inputs (batch, tokens) and float32 marks (batch, tokens, marks)."""

import copy
import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from service.reader.runtime import INPUT_NAMES, OUTPUT_NAME
from training.model import SpanModel


def export(model: SpanModel, path: Path) -> None:
    """Write `model` to `path` in single precision."""
    model = copy.deepcopy(model).cpu().float().eval()
    model.fold_scaling()
    example = tuple(torch.ones(2, 8, dtype=torch.int64) for _ in INPUT_NAMES)
    axes: dict[int, Any] = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of operators that no text model has
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        torch.onnx.export(
            model,
            example,
            str(path),
            input_names=list(INPUT_NAMES),
            output_names=[OUTPUT_NAME],
            dynamic_shapes=dict.fromkeys(INPUT_NAMES, axes),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
