"""Weights: the numbers of a published reader's network, as they were before it was quantised, as far as they were kept.

The network's file holds some of them as they were: vectors, and tables of words where these were int8 to begin with.
The file of weights beside it leaves those out. Without that file, all of them are made real numbers again.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import load_file

from service.reader.artifact import MODEL_FILE, WEIGHTS_FILE, Artifact

# The size of the vectors that one head of the attention compares.
_HEAD_SIZE = 32

Weights = dict[str, NDArray[np.float32]]


def published_weights(artifact: Artifact) -> Weights:
    """Return the weights of a published reader, by the names that they have in training.

    Raises:
        ModelError: the file of weights is not the one described.
    """
    weights = dequantised_weights(artifact.path / MODEL_FILE)
    if (artifact.path / WEIGHTS_FILE).exists():
        artifact.check(WEIGHTS_FILE)
        kept = load_file(artifact.path / WEIGHTS_FILE)
        weights |= {name: each.astype(np.float32) for name, each in kept.items()}
    return weights


def dequantised_weights(path: Path) -> Weights:
    """Return the weights of a reader's network in int8, made real numbers again, by the names they have in training."""
    graph = onnx.load(str(path)).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    made_by = {name: node for node in graph.node for name in node.output}
    # A product's weight has no name of its own; the bias that is added to it has.
    biases = {name: other for node in graph.node if node.op_type == "Add" for name, other in _either_way(node.input)}
    weights = {name: value.astype(np.float32) for name, value in values.items() if name.endswith((".weight", ".bias"))}
    for node in graph.node:
        if node.op_type not in ("MatMul", "Gemm", "Gather") or (weight := _stored(values, made_by, node)) is None:
            continue
        if node.op_type == "Gather":
            weights[node.input[0].removeprefix("dq_output_").removesuffix("_1")] = weight
            continue
        # What went in was scaled for the quantisation, by the inverse of what the weight was scaled by.
        smoothing = made_by[made_by[made_by[node.input[0]].input[0]].input[0]]
        scale = next(values[name] for name in smoothing.input if name in values).reshape(-1)
        bias = node.input[2] if node.op_type == "Gemm" else biases[node.output[0]]
        name = bias.removesuffix(".bias") + ".weight"
        weights[name] = weight * scale if node.op_type == "Gemm" else np.ascontiguousarray((weight * scale[:, None]).T)
    # The scale of the attention's scores was folded into the queries.
    scales = {name: np.float32(_HEAD_SIZE**0.5) for name in weights if ".self.query." in name}
    return {name: value * scales.get(name, np.float32(1)) for name, value in weights.items()}


def _either_way(inputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    first, second = inputs
    yield first, second
    yield second, first


def _stored(
    values: dict[str, NDArray[np.generic]], made_by: dict[str, onnx.NodeProto], node: onnx.NodeProto
) -> NDArray[np.float32] | None:
    """Return the weight that a node reads, or None where what it reads is computed."""
    maker = made_by.get(node.input[0 if node.op_type == "Gather" else 1])
    if maker is None or maker.op_type != "DequantizeLinear" or maker.input[0] not in values:
        return None
    quantised, scale, zero = (values[name].astype(np.float32) for name in maker.input)
    axis = next((each.i for each in maker.attribute if each.name == "axis"), 1)
    shape = [-1 if dimension == axis % quantised.ndim else 1 for dimension in range(quantised.ndim)]
    return (quantised - zero.reshape(shape)) * scale.reshape(shape)
