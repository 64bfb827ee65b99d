"""Embedders: texts to unit vectors. The protocol, and the choice of the engine that computes it."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from index.model_folder import DEFAULT_MODEL, find_model, known_identity

Matrix: TypeAlias = NDArray[np.float32]
Engine: TypeAlias = Literal["auto", "onnx", "torch"]

logger = logging.getLogger(__name__)


class Embedder(Protocol):
    """Turns texts into vectors whose inner product tells how close in meaning they are.

    Implementations are thread-safe.
    """

    @property
    def identity(self) -> str:
        """Model and weights. Vectors of the same identity may be compared, whatever engine computed them."""
        ...

    @property
    def engine(self) -> str:
        """What computes the vectors, with its version."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return a float32 matrix of shape (len(texts), dimension) with rows of length 1."""
        ...

    def embed_question(self, question: str) -> Matrix:
        """Return a float32 matrix of shape (1, dimension) with a row of length 1."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens of the model each text has, special tokens left out."""
        ...


def load_embedder(name: str = DEFAULT_MODEL, *, cache: Path, engine: Engine = "auto", threads: int = 0) -> Embedder:
    """Load the embedder that `name` means.

    "onnx" runs the model in ONNX Runtime: it starts in a fraction of PyTorch's time and answers a question in a third.
    The model is exported for it once, into `cache`. "torch" runs it in Sentence Transformers itself; "auto" does so
    only where the model cannot be exported. `threads` is the number of threads of one computation (0: all cores).

    Raises:
        ModelError: there is no such model, it is damaged, or (engine "onnx") it cannot be exported.
    """
    if engine != "torch":
        # Imported where needed: PyTorch and Sentence Transformers take seconds, and an exported model needs neither.
        from index.onnx_embedder import OnnxEmbedder, find_export

        export = find_export(cache, known_identity(name) or find_model(name).identity)
        if export is None:
            from index.onnx_export import export_model

            folder = find_model(name)
            logger.info("Preparing the embedder %s for ONNX Runtime (once).", folder.name)
            try:
                export = export_model(folder, cache)
            except ModelError as error:
                if engine == "onnx":
                    raise
                logger.warning("%s It runs in PyTorch instead.", error)
        if export is not None:
            return OnnxEmbedder(export, threads=threads)

    from index.torch_embedder import TorchEmbedder

    return TorchEmbedder(find_model(name), threads=threads)


def find_embedder(identity: str, *, cache: Path, threads: int = 0) -> Embedder | None:
    """Load the embedder that has this identity, or return None where it is not on this machine any more.

    It is looked for among the exported models, and then under the name that it was loaded by, if that still holds it.
    """
    from index.onnx_embedder import OnnxEmbedder, find_export

    try:
        if export := find_export(cache, identity):
            return OnnxEmbedder(export, threads=threads)
        folder = find_model(identity.rpartition("@")[0])
        return load_embedder(folder.name, cache=cache, threads=threads) if folder.identity == identity else None
    except ModelError as error:
        logger.warning("The embedder %s of an older index cannot be loaded: %s", identity, error)
        return None
