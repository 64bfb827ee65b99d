"""Runtimes: what computes the network. OpenVINO where it installs, ONNX Runtime elsewhere; both read the same file."""

import logging
import os
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from service.reader.compiled import compiled

INPUT_NAMES = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT_NAME = "marks"

Integers: TypeAlias = NDArray[np.int64]
Marks: TypeAlias = NDArray[np.float32]
RuntimeName: TypeAlias = Literal["auto", "openvino", "onnxruntime"]

logger = logging.getLogger(__name__)


class Runtime(Protocol):
    """Computes the network. Implementations are thread-safe."""

    @property
    def name(self) -> str:
        """What computes, with its version."""
        ...

    def run(self, input_ids: Integers, attention_mask: Integers, token_type_ids: Integers) -> Marks:
        """Return marks of shape (batch, tokens, number of marks) for three inputs of shape (batch, tokens)."""
        ...


def load_runtime(path: Path, *, runtime: RuntimeName = "auto", threads: int = 0, cache: Path | None = None) -> Runtime:
    """Load a network. "auto" takes OpenVINO if it is installed; `threads` bounds one computation (0: all cores).

    What OpenVINO compiles is kept in the folder `cache`, if there is one, for the next time.

    Raises:
        ModelError: the runtime is not installed, or cannot load the network.
    """
    if runtime != "onnxruntime":
        try:
            return OpenVinoRuntime(path, threads=threads, cache=cache)
        except ImportError as error:
            if runtime == "openvino":
                raise ModelError("OpenVINO is not installed; `pip install openvino`, or choose onnxruntime.") from error
            logger.info("OpenVINO is not installed; the reader runs in ONNX Runtime.")
    return OnnxRuntime(path, threads=threads)


class OpenVinoRuntime:
    """A `Runtime` in OpenVINO, on the CPU."""

    def __init__(self, path: Path, *, threads: int = 0, cache: Path | None = None) -> None:
        """Load and compile a network, or take it from `cache` as it was compiled before.

        Raises:
            ImportError: OpenVINO is not installed.
            ModelError: it cannot load the network.
        """
        openvino = _import_openvino()
        core = openvino.Core()
        settings: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads or _cores(),
        }
        # What is not int8 is computed in bfloat16 where the processor can, which takes half the time.
        precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        settings["INFERENCE_PRECISION_HINT"] = precision
        try:
            model = compiled(openvino, core, path, settings, cache)
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot load {path} ({error}).") from error
        # One computation at a time uses all threads it may; two at once would only be in each other's way.
        self._computing = threading.Lock()
        self._request = model.create_infer_request()
        self._name = f"openvino {str(openvino.get_version()).split('-')[0]} {precision}"

    @property
    def name(self) -> str:
        """OpenVINO, its version, and the precision of what is not int8."""
        return self._name

    def run(self, input_ids: Integers, attention_mask: Integers, token_type_ids: Integers) -> Marks:
        """Return marks of shape (batch, tokens, number of marks) for three inputs of shape (batch, tokens)."""
        inputs = dict(zip(INPUT_NAMES, (input_ids, attention_mask, token_type_ids), strict=True))
        with self._computing:
            marks: Marks = np.array(self._request.infer(inputs)[0])  # its own memory is written anew by the next
        return marks


def _import_openvino() -> Any:
    """Import OpenVINO without its conversion tools, which would bring a telemetry package along."""
    tools = "openvino.tools.ovc"
    if "openvino" in sys.modules:
        return import_module("openvino")
    sys.modules[tools] = None  # type: ignore[assignment]  # importing it fails, as OpenVINO expects it may
    try:
        return import_module("openvino")
    finally:
        del sys.modules[tools]


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class OnnxRuntime:
    """A `Runtime` in ONNX Runtime, on the CPU."""

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        """Load a network.

        Raises:
            ModelError: ONNX Runtime cannot load it.
        """
        import onnxruntime

        from index.onnx_embedder import open_session

        try:
            self._session = open_session(path, threads=threads)
        except Exception as error:
            raise ModelError(f"ONNX Runtime cannot load {path} ({error}).") from error
        self._version = onnxruntime.__version__

    @property
    def name(self) -> str:
        """ONNX Runtime and its version."""
        return f"onnxruntime {self._version}"

    def run(self, input_ids: Integers, attention_mask: Integers, token_type_ids: Integers) -> Marks:
        """Return marks of shape (batch, tokens, number of marks) for three inputs of shape (batch, tokens)."""
        inputs = dict(zip(INPUT_NAMES, (input_ids, attention_mask, token_type_ids), strict=True))
        marks: Marks = self._session.run([OUTPUT_NAME], inputs)[0]
        return marks
