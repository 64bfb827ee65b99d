"""The embedder in ONNX Runtime: a Sentence Transformers model, pooling and all, as one exported graph."""

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from index.batching import batches
from index.embedder import Matrix
from index.errors import ModelError

EXPORT_VERSION = 2
INPUT_NAMES = ("input_ids", "attention_mask")
OUTPUT_NAME = "unit_vector"

_MODEL_FILE = "model.onnx"
_QUESTION_FILE = "question.onnx"
_TOKENIZER_FILE = "tokenizer.json"
_DESCRIPTION_FILE = "export.json"

# A batch holds at most so many tokens, padding included: enough to keep two cores busy, little enough to stay small.
_BATCH_TOKENS = 4096
# Padding is computed like any token: a text much longer than the first of its batch begins another one.
_LARGEST_PADDING = 1.25


@dataclass(frozen=True, slots=True)
class ExportDescription:
    """What `export.json` says of the files beside it. Hashes are hexadecimal SHA-256.

    `question_sha256` is that of the int8 form for questions; None where that strays too far, and is not there.
    """

    version: int
    identity: str
    model_sha256: str
    question_sha256: str | None
    tokenizer_sha256: str
    dimension: int
    max_tokens: int
    question_prompt: str
    passage_prompt: str


@dataclass(frozen=True, slots=True)
class Export:
    """An exported model: its folder, described and checked."""

    path: Path
    description: ExportDescription

    @property
    def model_file(self) -> Path:
        """The graph with its weights."""
        return self.path / _MODEL_FILE

    @property
    def question_file(self) -> Path:
        """The graph with its weights in int8, for questions."""
        return self.path / _QUESTION_FILE

    @property
    def tokenizer_file(self) -> Path:
        """The tokenizer, in the format of the `tokenizers` library."""
        return self.path / _TOKENIZER_FILE

    def write_description(self) -> None:
        """Write `export.json`."""
        (self.path / _DESCRIPTION_FILE).write_text(json.dumps(asdict(self.description), indent=2) + "\n")


def export_path(cache: Path, identity: str) -> Path:
    """Return where the export of the model that has this identity belongs."""
    return cache / f"{identity}-v{EXPORT_VERSION}"


def find_export(cache: Path, identity: str) -> Export | None:
    """Return the export of the model that has this identity; None where there is none, or a damaged or half one."""
    path = export_path(cache, identity)
    try:
        export = Export(path, ExportDescription(**json.loads((path / _DESCRIPTION_FILE).read_text())))
        whole = (
            export.description.version == EXPORT_VERSION
            and export.description.identity == identity
            and export.description.model_sha256 == file_sha256(export.model_file)
            and export.description.tokenizer_sha256 == file_sha256(export.tokenizer_file)
            and (
                export.description.question_sha256 is None
                or export.description.question_sha256 == file_sha256(export.question_file)
            )
        )
    except (OSError, ValueError, TypeError):
        return None
    return export if whole else None


def file_sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class OnnxEmbedder:
    """An `Embedder` that runs an export in ONNX Runtime on the CPU.

    Passages, which are embedded once, in single precision; questions, for which somebody waits, in int8 if the export
    has that form. The form for passages is loaded with the first of them: a server that only answers never needs it.
    """

    def __init__(self, export: Export, *, threads: int = 0) -> None:
        """Load the export.

        Raises:
            ModelError: ONNX Runtime cannot load it.
        """
        self._export = export
        self._description = export.description
        self._threads = threads
        self._loading = threading.Lock()
        self._passage_session: onnxruntime.InferenceSession | None = None
        in_int8 = export.description.question_sha256 is not None
        with _told_of(export):
            question_file = export.question_file if in_int8 else export.model_file
            # Two threads take longer over the few tokens of a question than one.
            self._question_session = open_session(question_file, threads=1 if in_int8 else threads)
            self._counter = Tokenizer.from_file(str(export.tokenizer_file))
            self._tokenizer = Tokenizer.from_file(str(export.tokenizer_file))
        self._counter.no_truncation()
        self._counter.no_padding()
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(export.description.max_tokens)

    @property
    def identity(self) -> str:
        """Model and weights."""
        return self._description.identity

    @property
    def engine(self) -> str:
        """ONNX Runtime and its version, and what is computed in less than single precision."""
        reduced = "" if self._description.question_sha256 is None else ", questions in int8"
        return f"onnxruntime {onnxruntime.__version__}{reduced}"

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._description.dimension

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return a float32 matrix of shape (len(texts), dimension) with rows of length 1.

        Raises:
            ModelError: the form for passages cannot be loaded.
        """
        prompted = [self._description.passage_prompt + text for text in texts]
        return self._embed(prompted, self._loaded_for_passages())

    def embed_question(self, question: str) -> Matrix:
        """Return a float32 matrix of shape (1, dimension) with a row of length 1."""
        return self._embed([self._description.question_prompt + question], self._question_session)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, special tokens left out."""
        return [len(encoding.ids) for encoding in self._counter.encode_batch(list(texts), add_special_tokens=False)]

    def _loaded_for_passages(self) -> onnxruntime.InferenceSession:
        """Return the session for passages. Questions never wait for it to be loaded."""
        if self._description.question_sha256 is None:
            return self._question_session
        with self._loading, _told_of(self._export):
            if self._passage_session is None:
                self._passage_session = open_session(self._export.model_file, threads=self._threads)
            return self._passage_session

    def _embed(self, texts: list[str], session: onnxruntime.InferenceSession) -> Matrix:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        token_ids = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        lengths = [len(each) for each in token_ids]
        for batch in batches(lengths, most_tokens=_BATCH_TOKENS, largest_padding=_LARGEST_PADDING):
            longest = len(token_ids[batch[-1]])
            ids = np.zeros((len(batch), longest), dtype=np.int64)
            mask = np.zeros((len(batch), longest), dtype=np.int64)
            for row, index in enumerate(batch):
                ids[row, : len(token_ids[index])] = token_ids[index]
                mask[row, : len(token_ids[index])] = 1
            vectors[batch] = session.run([OUTPUT_NAME], dict(zip(INPUT_NAMES, (ids, mask), strict=True)))[0]
        return vectors


@contextmanager
def _told_of(export: Export) -> Iterator[None]:
    """Say of anything that goes wrong which export it is and what to do."""
    try:
        yield
    except Exception as error:
        raise ModelError(f"The exported model in {export.path} cannot be loaded ({error}); delete it.") from error


def open_session(path: Path, *, threads: int = 0) -> onnxruntime.InferenceSession:
    """Open a graph in ONNX Runtime on the CPU; `threads` bounds one computation (0: all cores)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A thread that spins between two questions takes a core from everything else on a small machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
