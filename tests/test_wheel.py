"""The wheel that `make wheel` builds: everything that the application needs is inside."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

ROOMS = ("index", "service", "eval", "training")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of a copy of the source, so that nothing is left in it."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ROOMS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "out"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--wheel-dir", str(built)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    (path,) = built.glob("citespan-*.whl")
    return zipfile.ZipFile(path)


def _files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(ROOT)) for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }


def test_web_files_weights_and_questions_are_inside(wheel: zipfile.ZipFile) -> None:
    expected = _files(ROOT / "service" / "web") | _files(ROOT / "service" / "reader" / "artifacts")
    expected |= _files(ROOT / "eval" / "data") | _files(ROOT / "eval" / "web")
    expected = {each for each in expected if not each.endswith(".safetensors")}  # what the weights were made of
    assert any(each.endswith("model.onnx") for each in expected)
    assert expected <= set(wheel.namelist())
    for name in expected:
        assert wheel.read(name) == (ROOT / name).read_bytes()


def test_every_module_is_inside_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    modules = {each for room in ROOMS for each in _files(ROOT / room) if each.endswith(".py")}
    assert modules <= set(wheel.namelist())
    others = {name.split("/")[0] for name in wheel.namelist()} - set(ROOMS)
    assert len(others) == 1
    assert others.pop().endswith(".dist-info")


def test_commands_and_the_pytest_plugin_are_announced(wheel: zipfile.ZipFile) -> None:
    (name,) = [each for each in wheel.namelist() if each.endswith("entry_points.txt")]
    announced = wheel.read(name).decode()
    assert "[pytest11]\ncitespan = eval.pytest_plugin" in announced
    assert "citespan-eval = eval.cli:main" in announced
