"""Artifacts and runtimes: what is loaded is what was published, and says so when it is not."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from service.reader.artifact import DEFAULT_READER, FORMAT, MODEL_FILE, TOKENIZER_FILE, load_artifact
from service.reader.runtime import Marks, OnnxRuntime, OpenVinoRuntime, load_runtime


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    target = tmp_path / "reader"
    shutil.copytree(DEFAULT_READER, target, ignore=shutil.ignore_patterns("weights.safetensors"))
    return target


def test_the_reader_that_comes_with_the_service_is_whole() -> None:
    artifact = load_artifact(DEFAULT_READER)
    assert artifact.path.name == f"{artifact.name}-{artifact.version}"
    for name in ("training.json", "README.md"):
        assert (DEFAULT_READER / name).stat().st_size > 0


def test_it_loads_from_another_folder_without_the_weights(copy: Path) -> None:
    assert load_artifact(copy).identity == load_artifact(DEFAULT_READER).identity


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_a_changed_file_is_refused(copy: Path, name: str) -> None:
    with (copy / name).open("r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ModelError, match=rf"{name} is not the file .* CITESPAN_READER"):
        load_artifact(copy)


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match=f"no readable {name}"):
        load_artifact(copy)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", json.dumps({"format": FORMAT}), json.dumps({"format": FORMAT, "calibration": {"x": 1}}), "\0"],
)
def test_a_description_that_is_none_is_refused(copy: Path, content: str) -> None:
    (copy / "reader.json").write_text(content)
    with pytest.raises(ModelError, match="does not describe a reader"):
        load_artifact(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"span": {"weights": [1.0], "intercept": 0.0}},
        {"order": {"weights": [1.0], "intercept": 0.0}},
        {"order": None},
        {"passage": {"weights": [1.0, 1.0], "intercept": 0.0}},
        {"span": {"weights": [1.0, 1.0, 1.0, "x"], "intercept": 0.0}},
        {"min_confidence": "x"},
        {"min_confidence": 1.5},
        {"sure": -1},
    ],
)
def test_a_calibration_that_is_none_is_refused(copy: Path, change: dict[str, object]) -> None:
    description = json.loads((copy / "reader.json").read_text())
    description["calibration"] |= change
    (copy / "reader.json").write_text(json.dumps(description))
    with pytest.raises(ModelError, match="does not describe a reader"):
        load_artifact(copy)


def test_another_format_is_refused(copy: Path) -> None:
    description = json.loads((copy / "reader.json").read_text())
    (copy / "reader.json").write_text(json.dumps(description | {"format": FORMAT + 1}))
    with pytest.raises(ModelError, match=f"format {FORMAT + 1}"):
        load_artifact(copy)


def test_a_folder_without_a_reader_is_no_reader(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no reader"):
        load_artifact(tmp_path)


def test_both_runtimes_compute_the_same() -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    random = np.random.default_rng(0)
    ids = random.integers(1000, 20000, (2, 40))
    mask, types = np.ones_like(ids), np.zeros_like(ids)
    types[:, 10:] = 1
    path = DEFAULT_READER / MODEL_FILE
    first, second = (made(path, threads=1).run(ids, mask, types) for made in (OpenVinoRuntime, OnnxRuntime))
    assert first.shape == second.shape
    assert first.shape[:2] == ids.shape
    assert np.abs(first - second).mean() < 0.5


def test_padding_changes_nothing() -> None:
    runtime = load_runtime(DEFAULT_READER / MODEL_FILE, threads=1)
    ids = np.random.default_rng(1).integers(1000, 20000, (1, 30))
    types = np.zeros_like(ids)
    alone = runtime.run(ids, np.ones_like(ids), types)
    padded = [np.pad(each, ((0, 0), (0, 20))) for each in (ids, np.ones_like(ids), types)]
    together = runtime.run(padded[0], padded[1], padded[2])[:, :30]
    # On average: rounded to bfloat16, single marks differ. Read as a part of the passage, padding changes them by .06.
    assert np.abs(alone - together).mean() < 0.02


def test_without_openvino_it_runs_in_onnx_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert load_runtime(DEFAULT_READER / MODEL_FILE).name.startswith("onnxruntime ")
    with pytest.raises(ModelError, match="pip install openvino"):
        load_runtime(DEFAULT_READER / MODEL_FILE, runtime="openvino")


def _marks(cache: Path, *, threads: int = 1) -> Marks:
    ids = np.random.default_rng(1).integers(1000, 20000, (1, 30))
    return OpenVinoRuntime(DEFAULT_READER / MODEL_FILE, threads=threads, cache=cache).run(
        ids, np.ones_like(ids), np.zeros_like(ids)
    )


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_compiled_network_is_kept_and_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    first = _marks(tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(openvino.Core, "read_model", lambda *_: pytest.fail("compiled again"))
        assert np.array_equal(_marks(tmp_path / "cache"), first)
    _marks(tmp_path / "cache", threads=2)
    (other,) = (tmp_path / "cache").iterdir()
    assert other.name != kept.name, "other settings, another compiled network; the old one is not kept for ever"


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_damaged_compiled_network_is_never_used(tmp_path: Path, caplog: pytest.LogCaptureFixture, place: int) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    first = _marks(tmp_path)
    (kept,) = tmp_path.iterdir()
    _flip(kept, place)
    assert np.array_equal(_marks(tmp_path), first)
    assert "is damaged" in caplog.text
    caplog.clear()
    assert np.array_equal(_marks(tmp_path), first)
    assert not caplog.records, "the one compiled anew has taken its place"


def test_a_compiled_network_that_openvino_does_not_take_back_is_compiled_anew(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    first = _marks(tmp_path)
    (kept,) = tmp_path.iterdir()
    content = b"of another make"
    kept.write_bytes(hashlib.sha256(content).digest() + content)
    assert np.array_equal(_marks(tmp_path), first)
    assert kept.stat().st_size > len(content) + 1000, "the one compiled anew has taken its place"


def test_where_nothing_can_be_kept_the_network_is_compiled_at_each_start(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    (tmp_path / "file").write_bytes(b"")
    assert _marks(tmp_path / "file").shape[:2] == (1, 30)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_network_that_is_none_is_told(tmp_path: Path, runtime: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(ModelError, match="cannot load"):
        load_runtime(path, runtime=runtime)  # type: ignore[arg-type]
