"""Weights to start from: the embedder's own, those of a cross-encoder that ranks passages, or a published reader's."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import Tensor

from index.model_folder import DEFAULT_MODEL, find_model
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


def from_reader(path: Path) -> SpanModel:
    """Return a model with the weights of a published reader's int8 network, made real numbers again.

    For going on from a version whose weights before quantisation were not kept.
    """
    graph = onnx.load(str(path)).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    made_by = {name: node for node in graph.node for name in node.output}
    # A product's weight has no name of its own; the bias that is added to it has.
    biases = {name: other for node in graph.node if node.op_type == "Add" for name, other in _either_way(node.input)}
    weights = {name: torch.tensor(value) for name, value in values.items() if name.endswith((".weight", ".bias"))}
    for node in graph.node:
        if node.op_type not in ("MatMul", "Gemm", "Gather") or (weight := _stored(values, made_by, node)) is None:
            continue
        if node.op_type == "Gather":
            weights[node.input[0].removeprefix("dq_output_").removesuffix("_1")] = weight
            continue
        # What went in was scaled for the quantisation, by the inverse of what the weight was scaled by.
        smoothing = made_by[made_by[made_by[node.input[0]].input[0]].input[0]]
        scale = torch.tensor(next(values[name] for name in smoothing.input if name in values)).reshape(-1)
        bias = node.input[2] if node.op_type == "Gemm" else biases[node.output[0]]
        name = bias.removesuffix(".bias") + ".weight"
        weights[name] = weight * scale if node.op_type == "Gemm" else (weight * scale[:, None]).T.contiguous()
    layers = 1 + max(int(name.split(".")[3]) for name in weights if name.startswith("encoder.encoder.layer."))
    model = SpanModel(layers)
    for number, layer in enumerate(model.encoder.encoder.layer):
        for part in ("weight", "bias"):  # see `SpanModel.fold_scaling`
            weights[f"encoder.encoder.layer.{number}.attention.self.query.{part}"] /= layer.attention.self.scaling
    model.load_state_dict(weights)
    return model


def _either_way(inputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    first, second = inputs
    yield first, second
    yield second, first


def _stored(values: dict[str, np.ndarray], made_by: dict[str, onnx.NodeProto], node: onnx.NodeProto) -> Tensor | None:
    """Return the weight that a node reads, or None where what it reads is computed."""
    maker = made_by.get(node.input[0 if node.op_type == "Gather" else 1])
    if maker is None or maker.op_type != "DequantizeLinear" or maker.input[0] not in values:
        return None
    quantised, scale, zero = (values[name].astype(np.float32) for name in maker.input)
    axis = next((each.i for each in maker.attribute if each.name == "axis"), 1)
    shape = [-1 if dimension == axis % quantised.ndim else 1 for dimension in range(quantised.ndim)]
    return torch.tensor((quantised - zero.reshape(shape)) * scale.reshape(shape))


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
