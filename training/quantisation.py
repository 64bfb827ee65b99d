"""Quantisation: the exported network in int8, by NNCF on real passages, the embeddings too."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx

from service.reader.features import Features
from service.reader.runtime import INPUT_NAMES, Integers

# So many sequences are shown to NNCF to learn the ranges of the activations.
SEQUENCES = 300


def quantise(source: Path, target: Path, features: Sequence[Features]) -> None:
    """Write the network in `source` to `target`, its layers and embeddings in int8.

    Weights are symmetric, one scale a channel; activations have one range each, learned from `features`. The products
    inside the attention stay as they are: they have no weights, in int8 they are no faster, and they lose precision.
    """
    os.environ["NNCF_CI"] = "1"  # read when NNCF is imported: it reports nothing to anybody then
    import nncf

    shown = list(_inputs(features[:SEQUENCES]))
    network = onnx.load(str(source))
    weights = {each.name for each in network.graph.initializer}
    attention = [
        node.name for node in network.graph.node if node.op_type == "MatMul" and not weights.intersection(node.input)
    ]
    quantised = nncf.quantize(
        network,
        nncf.Dataset(shown),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(shown),
        fast_bias_correction=True,
        ignored_scope=nncf.IgnoredScope(names=attention),
    )
    onnx.save(quantised, str(target))


def _inputs(features: Iterable[Features]) -> Iterable[dict[str, Integers]]:
    for each in features:
        ids = np.array([each.ids], dtype=np.int64)
        types = np.array([each.type_ids()], dtype=np.int64)
        yield dict(zip(INPUT_NAMES, (ids, np.ones_like(ids), types), strict=True))
