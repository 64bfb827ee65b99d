"""The embedder in Sentence Transformers itself, on PyTorch: any model it can load, at the price of a slow start."""

import warnings
from collections.abc import Sequence

import numpy as np
import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from index.embedder import Matrix
from index.errors import ModelError
from index.model_folder import ModelFolder

_LARGEST_INPUT = 512


class TorchEmbedder:
    """An `Embedder` that runs a model in Sentence Transformers on the CPU."""

    def __init__(self, folder: ModelFolder, *, threads: int = 0) -> None:
        """Load the model.

        Raises:
            ModelError: Sentence Transformers cannot load the folder.
        """
        transformers_logging.disable_progress_bar()
        if threads:
            torch.set_num_threads(threads)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self.model = SentenceTransformer(str(folder.path), device="cpu", local_files_only=True).eval()
        except Exception as error:
            raise ModelError(f"The model in {folder.path} cannot be loaded: {error}") from error
        self.identity = folder.identity
        self.engine = f"sentence-transformers {sentence_transformers.__version__}, torch {torch.__version__}"
        self.dimension = int(self.embed_passages(["one"]).shape[1])

    @property
    def max_tokens(self) -> int:
        """The longest input in tokens, special tokens counted."""
        return min(self.model.max_seq_length or _LARGEST_INPUT, _LARGEST_INPUT)

    @property
    def question_prompt(self) -> str:
        """What the model wants in front of a question."""
        return str(self.model.prompts.get("query", ""))

    @property
    def passage_prompt(self) -> str:
        """What the model wants in front of a passage."""
        names = ("document", "passage", "corpus")
        return next((str(self.model.prompts[name]) for name in names if name in self.model.prompts), "")

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return a float32 matrix of shape (len(texts), dimension) with rows of length 1."""
        return self._embed([self.passage_prompt + text for text in texts])

    def embed_question(self, question: str) -> Matrix:
        """Return a float32 matrix of shape (1, dimension) with a row of length 1."""
        return self._embed([self.question_prompt + question])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, special tokens left out."""
        if not texts:
            return []
        encoded = self.model.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def _embed(self, texts: list[str]) -> Matrix:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        # An empty prompt, or Sentence Transformers would put the model's default one in front a second time.
        vectors = self.model.encode(texts, prompt="", normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)
