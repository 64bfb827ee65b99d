"""Weights to start from: the embedder's own, those of a cross-encoder that ranks passages, or a published reader's."""

import re
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import Tensor

from eval.weights import published_weights
from index.model_folder import DEFAULT_MODEL, find_model
from service.reader.artifact import Artifact
from training.model import SpanModel

# Where a quantised product stands in the graph, and which weight it multiplies with.
_PRODUCT = re.compile(r"^/(?P<weight>bert/.*|classifier)/MatMul_quant$|^/(?P<gemm>.*)/Gemm_MatMul_quant$")
_EMBEDDER_LAYERS = 6


def from_embedder() -> SpanModel:
    """Return a model with the encoder of the default embedder, all-MiniLM-L6-v2."""
    model = SpanModel(_EMBEDDER_LAYERS)
    weights = load_file(find_model(DEFAULT_MODEL).path / "model.safetensors")
    missing = model.encoder.load_state_dict(weights, strict=False)
    if unexpected := [each for each in missing.unexpected_keys if "position_ids" not in each]:
        raise ValueError(f"the embedder's weights hold what the encoder has not: {unexpected}")
    return model


def from_cross_encoder(path: Path) -> SpanModel:
    """Return a model with the layers of a cross-encoder that was quantised dynamically to int8.

    Its passage head begins as the cross-encoder's own judgement of relevance, shared out between start and end.
    """
    kept = {name.removeprefix("bert.").removeprefix("encoder."): each for name, each in dequantised(path).items()}
    model = SpanModel(1 + max(int(name.split(".")[1]) for name in kept if name.startswith("layer.")))
    kept = {f"encoder.{name}" if name.startswith("layer.") else name: each for name, each in kept.items()}
    classifier, bias = kept.pop("classifier.weight"), kept.pop("classifier.bias")
    model.encoder.load_state_dict(kept)
    with torch.no_grad():
        model.passage_head.weight.copy_(classifier.expand(2, -1) / 2)
        model.passage_head.bias.copy_(bias.expand(2) / 2)
    return model


def from_reader(artifact: Artifact) -> SpanModel:
    """Return a model with the weights of a published reader.

    Raises:
        ModelError: its file of weights is not the one described.
    """
    return SpanModel.of({name: torch.tensor(each) for name, each in published_weights(artifact).items()})


def dequantised(path: Path) -> dict[str, Tensor]:
    """Return the weights of a dynamically quantised BERT in ONNX, under the names that Transformers gives them."""
    graph = onnx.load(str(path)).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    weights: dict[str, Tensor] = {}
    for name, value in values.items():
        if value.dtype == np.float32 and not name.endswith("_scale"):
            weights[name] = torch.tensor(value)
        elif name.endswith(".weight_quantized"):
            weights[name.removesuffix("_quantized")] = _real(values, name.removesuffix("_quantized"))
    for node in graph.node:
        match = _PRODUCT.match(node.name) if node.op_type == "MatMulInteger" else None
        if match and match["weight"]:
            name = match["weight"].replace("/", ".") + ".weight"
            weights[name] = _real(values, node.input[1].removesuffix("_quantized")).T.contiguous()
    for name in ("bert.pooler.dense.weight", "classifier.weight"):
        weights[name] = weights[name].T.contiguous()
    return weights


def _real(values: dict[str, np.ndarray], name: str) -> Tensor:
    quantised, zero, scale = (values[f"{name}_{part}"] for part in ("quantized", "zero_point", "scale"))
    return torch.tensor((quantised.astype(np.float32) - zero.astype(np.float32)) * scale)
