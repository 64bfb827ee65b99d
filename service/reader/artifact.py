"""Artifacts: the folder that holds a trained reader, described, and checked by hash before anything of it is used.

reader.json          name, version, hashes of the other files, calibration, thresholds
model.onnx           the network in int8
tokenizer.json       its tokenizer, in the format of the `tokenizers` library
weights.safetensors  the weights that it was quantised from, in half precision, but for those that the network holds
                     as they were; training and benchmarks read them, the service does not, and a wheel has none
training.json        what the weights were made from: hashes of the data, settings, figures
README.md            the model card
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from index.errors import ModelError
from service.reader.confidence import Calibration

ARTIFACTS = Path(__file__).with_name("artifacts")
DEFAULT_READER = ARTIFACTS / "citespan-minilm-7"

FORMAT = 4
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
WEIGHTS_FILE = "weights.safetensors"
RECORD_FILE = "training.json"

_DESCRIPTION_FILE = "reader.json"
_NEEDED = (MODEL_FILE, TOKENIZER_FILE)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A reader's folder. `sha256` holds the hexadecimal SHA-256 of its files, by name."""

    path: Path
    name: str
    version: str
    sha256: dict[str, str]
    calibration: Calibration

    @property
    def identity(self) -> str:
        """Name, version and the beginning of a hash of everything that decides what is read."""
        decisive = [{name: self.sha256[name] for name in _NEEDED}, asdict(self.calibration)]
        digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{self.version}@{digest[:16]}"

    def check(self, name: str) -> None:
        """Check one of the files against its hash.

        Raises:
            ModelError: the file is missing, or not the one described.
        """
        try:
            actual = file_hashes(self.path, [name])[name]
        except OSError as error:
            raise ModelError(f"The reader in {self.path} has no readable {name} ({error.strerror}).") from error
        if actual != self.sha256.get(name):
            raise ModelError(
                f"{self.path / name} is not the file that was published with this reader (SHA-256 {actual[:16]}…): "
                "it is damaged or was changed. Install Citespan again, or choose another CITESPAN_READER."
            )

    def write(self) -> None:
        """Write `reader.json`."""
        content = {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "sha256": self.sha256,
            "calibration": asdict(self.calibration),
        }
        (self.path / _DESCRIPTION_FILE).write_text(json.dumps(content, indent=2) + "\n")


def load_artifact(path: Path) -> Artifact:
    """Read a reader's folder and check the files that the service uses against their hashes.

    Raises:
        ModelError: there is no such folder, it is of another format, or a file is missing or not the one described.
    """
    description = path / _DESCRIPTION_FILE
    try:
        content = json.loads(description.read_text())
        if content["format"] != FORMAT:
            raise ModelError(
                f"{description} is of format {content['format']}, and this version reads format {FORMAT}; "
                "install the version of Citespan that made it, or choose another CITESPAN_READER."
            )
        calibration = Calibration.of(content["calibration"])
        artifact = Artifact(path, content["name"], content["version"], dict(content["sha256"]), calibration)
    except FileNotFoundError as error:
        raise ModelError(f"{path} is no reader: it has no {_DESCRIPTION_FILE}. Check CITESPAN_READER.") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{description} does not describe a reader ({type(error).__name__}: {error}).") from error
    for name in _NEEDED:
        artifact.check(name)
    return artifact


def file_hashes(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the hexadecimal SHA-256 of files of a folder, by name."""
    hashes = {}
    for name in names:
        with (path / name).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
