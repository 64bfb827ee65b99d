"""From weights to the network that is served: exported, quantised, and where the weights begin."""

from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from tokenizers import Tokenizer

from service.reader.artifact import DEFAULT_READER, TOKENIZER_FILE
from service.reader.features import FeatureMaker
from service.reader.runtime import Integers, OnnxRuntime, OpenVinoRuntime, load_runtime
from training.calibration import Outcome, best_threshold, fit_logistic, fit_order, fit_ranking
from training.export import export
from training.model import SpanModel
from training.quantisation import quantise
from training.start import dequantised

MAKER = FeatureMaker(Tokenizer.from_file(str(DEFAULT_READER / TOKENIZER_FILE)))
TEXTS = ["Bob paid 42 euros for the lamp.", "Nobody else of the village had done so before.", "Ada wrote it in 1843."]


@pytest.fixture(scope="module")
def model() -> SpanModel:
    torch.manual_seed(0)
    return SpanModel(layers=1).eval()


@pytest.fixture(scope="module")
def single(model: SpanModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("single") / "model.onnx"
    export(model, path)
    return path


def _inputs(rows: int, tokens: int) -> tuple[Integers, Integers, Integers]:
    ids = np.random.default_rng(tokens).integers(1000, 20000, (rows, tokens))
    mask, types = np.ones_like(ids), np.zeros_like(ids)
    mask[0, tokens - 2 :] = 0
    types[:, tokens // 3 :] = 1
    return ids, mask, types


@pytest.mark.parametrize(("rows", "tokens"), [(1, 7), (3, 40)])
def test_the_graph_computes_what_the_model_does(model: SpanModel, single: Path, rows: int, tokens: int) -> None:
    inputs = _inputs(rows, tokens)
    with torch.no_grad():
        expected = model(*(torch.tensor(each) for each in inputs)).numpy()
    for runtime, error in ((OnnxRuntime(single, threads=1), 1e-4), (OpenVinoRuntime(single, threads=1), 0.02)):
        found = runtime.run(*inputs)  # OpenVINO computes in bfloat16 where it can
        assert np.abs(found - expected)[inputs[1] == 1].max() < error


def test_quantised_it_is_a_quarter_and_nearly_the_same(model: SpanModel, single: Path, tmp_path: Path) -> None:
    tokens = MAKER.tokens(["Who paid?", "", *TEXTS])
    features = [MAKER.features(tokens[0], tokens[1], each) for each in tokens[2:]]
    quantise(single, tmp_path / "int8.onnx", features)
    assert (tmp_path / "int8.onnx").stat().st_size < 0.3 * single.stat().st_size
    inputs = _inputs(1, 20)
    exact, reduced = (load_runtime(path, threads=1).run(*inputs) for path in (single, tmp_path / "int8.onnx"))
    assert np.corrcoef(exact.ravel(), reduced.ravel())[0, 1] > 0.95


def test_quantised_weights_come_back(tmp_path: Path) -> None:
    def quantised(name: str, value: np.ndarray, zero: int) -> list[onnx.TensorProto]:
        kind = TensorProto.UINT8 if zero else TensorProto.INT8
        return [
            helper.make_tensor(f"{name}_quantized", kind, value.shape, value.ravel().tolist()),
            helper.make_tensor(f"{name}_scale", TensorProto.FLOAT, (), [0.5]),
            helper.make_tensor(f"{name}_zero_point", kind, (), [zero]),
        ]

    weight = np.array([[1, 2], [3, 4], [5, -6]])
    parts = [
        *quantised("bert.embeddings.word_embeddings.weight", np.array([[7, 8]]), 6),
        *quantised("onnx::MatMul_1", weight, 0),
        *quantised("bert.pooler.dense.weight", weight, 0),
        *quantised("classifier.weight", weight, 0),
        helper.make_tensor("classifier.bias", TensorProto.FLOAT, (1,), [0.25]),
    ]
    name = "/bert/encoder/layer.0/attention/self/query/MatMul_quant"
    node = helper.make_node("MatMulInteger", ["x", "onnx::MatMul_1_quantized"], ["y"], name=name)
    onnx.save(helper.make_model(helper.make_graph([node], "g", [], [], initializer=parts)), str(tmp_path / "m.onnx"))
    weights = dequantised(tmp_path / "m.onnx")
    assert weights["bert.embeddings.word_embeddings.weight"].tolist() == [[0.5, 1.0]]
    assert weights["bert.encoder.layer.0.attention.self.query.weight"].tolist() == (weight.T / 2).tolist()
    assert weights["classifier.bias"].tolist() == [0.25]


def test_calibration_finds_the_odds() -> None:
    random = np.random.default_rng(0)
    signs = random.normal(size=(4000, 4))
    right = random.random(4000) < 1 / (1 + np.exp(-(2 * signs[:, 0] - 1)))
    fitted = fit_logistic([Outcome(tuple(row), bool(hit)) for row, hit in zip(signs, right, strict=True)])
    assert fitted.weights[0] == pytest.approx(2, abs=0.3)
    assert fitted.weights[1:] == pytest.approx((0, 0, 0), abs=0.2)
    assert fitted.intercept == pytest.approx(-1, abs=0.2)


def test_order_is_learnt_within_lists_and_odds_over_all() -> None:
    random = np.random.default_rng(0)
    lists = []
    for _ in range(1500):
        # What all of a list share says how likely anything of it is right, and not which.
        signs = random.normal(size=(5, 2)) + random.normal()
        odds = signs @ (2.0, 1.0)
        chosen = random.choice(5, p=np.exp(odds) / np.exp(odds).sum())
        answered = random.random() < 0.5
        lists.append([Outcome(tuple(row), bool(answered and number == chosen)) for number, row in enumerate(signs)])
    order, ranking = fit_order(lists), fit_ranking(lists)
    assert order.weights == pytest.approx((2, 1), abs=0.2)
    assert order.intercept == 0
    assert ranking.weights[0] / ranking.weights[1] == pytest.approx(order.weights[0] / order.weights[1], rel=0.01)
    likely = [1 / (1 + np.exp(-(np.dot(ranking.weights, each.signs) + ranking.intercept))) for x in lists for each in x]
    assert np.mean(likely) == pytest.approx(np.mean([each.is_right for x in lists for each in x]), abs=0.01)


def test_threshold_leaves_most_readings_right() -> None:
    confidences = np.array([0.95, 0.85, 0.65, 0.45, 0.25])
    right = np.array([True, True, False, True, False])
    fewer = np.array([True, True, False, False, False])
    answerable = np.array([True, True, False, True, False])
    # A thousand of each: one standard error is a few of them.
    many = partial(np.repeat, repeats=1000)
    # Down to .45, three are right and one silence is due; without it, two are, and two silences.
    assert best_threshold(many(confidences), many(right), many(answerable), np.ones(5000)) == pytest.approx(0.45)
    assert best_threshold(many(confidences), many(fewer), many(answerable), np.ones(5000)) == pytest.approx(0.85)
    # Where silence counts for more, the answer at .45 is not worth what is told in vain at .65.
    weights = np.array([1, 1, 3, 1, 1.0])
    assert best_threshold(many(confidences), many(right), many(answerable), many(weights)) == pytest.approx(0.85)
    # Five answers in vain more than the fewest are chance, 500 are not.
    confidences = np.repeat([0.95, 0.6, 0.3], [1000, 5, 500])
    right = np.arange(1505) < 900
    assert best_threshold(confidences, right, np.arange(1505) < 1000, np.ones(1505)) == pytest.approx(0.6)
