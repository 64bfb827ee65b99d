"""Settings: the only reader of the environment."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from index.embedder import Engine
from index.errors import SettingsError
from index.formats.limits import Limits
from index.model_folder import DEFAULT_MODEL
from service.auth import ApiKey, parse_keys
from service.reader.runtime import RuntimeName

PREFIX = "CITESPAN_"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 (to know it, not to bind it)


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _keys(value: Any) -> Any:
    return parse_keys(value) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Keys = Annotated[tuple[ApiKey, ...], BeforeValidator(_keys)]


class Settings(BaseModel):
    """Every setting, with its default. `data_dir` is the field of the variable `CITESPAN_DATA_DIR`, and so on.

    A variable with the prefix that is no setting is an error, not silently ignored: it is nearly always a typing error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    data_dir: Path = Field(Path("data"), description="Directory of all collections.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    public_url: str | None = Field(
        None, pattern=r"^https?://[^/]", description="Base of the links in citations; default: `http://HOST:PORT`."
    )
    api_keys: Keys = Field(
        (),
        repr=False,
        description="Keys as `name:secret[:collections[:read or write]]`, comma-separated; collections joined by `+`.",
    )
    allow_anonymous: bool = Field(False, description="Listen on other than loopback addresses without any key.")
    allowed_hosts: Names = Field(
        (), description="Host names that requests may be addressed to, besides loopback and the public URL; `*`: any."
    )
    allowed_origins: Names = Field(
        (), description="Origins of web pages that may call the API, such as `https://chat.example`."
    )
    embedder: str = Field(DEFAULT_MODEL, description="Sentence Transformers model: the default one, or a folder.")
    embedder_engine: Engine = Field(
        "auto", description="`onnx`, `torch`, or `auto`: ONNX Runtime where the model can be exported."
    )
    model_cache: Path | None = Field(
        None,
        description="Directory of exported and of compiled models; default: `.models` in the data directory.",
    )
    threads: int = Field(
        0, ge=0, description="Threads of one model computation; 0: as many as cores. A question is embedded by one."
    )
    reader: Path | None = Field(None, description="Folder of another reader than the one that comes with Citespan.")
    reader_runtime: RuntimeName = Field(
        "auto", description="`openvino`, `onnxruntime`, or `auto`: OpenVINO where it is installed."
    )
    read_depth: int = Field(10, ge=1, le=50, description="How many retrieved passages the reader reads at most.")
    min_confidence: float | None = Field(
        None, ge=0, le=1, description="Confidence below which Citespan abstains; default: the reader's own."
    )
    concurrency: int = Field(2, ge=1, description="Questions that are answered at the same time.")
    queue_size: int = Field(16, ge=0, description="Questions that may wait; what does not fit gets 503 at once.")
    deadline_s: float = Field(10.0, gt=0, description="Seconds that a question may take, waiting included.")
    max_body_bytes: int = Field(
        16_777_216, ge=1024, description="Largest body of a document; of any other request at most 256 KiB."
    )
    max_batch_bytes: int = Field(
        1_073_741_824, ge=1024, description="Largest body of a batch; each of its lines is limited as a document is."
    )
    max_file_bytes: int = Field(
        67_108_864, ge=1024, description="Largest file that is read, be it uploaded or in a folder."
    )
    max_file_characters: int = Field(5_000_000, ge=1000, description="Characters of text that a file may hold.")
    max_file_pages: int = Field(2000, ge=1, description="Pages that a PDF may have.")
    max_file_seconds: float = Field(
        4.0, gt=0, description="Seconds that reading a file may take, and one more for each MiB of it."
    )
    max_file_memory: int = Field(
        268_435_456, ge=33_554_432, description="Bytes of memory that the process which reads a file may take."
    )
    drain_s: float = Field(1.0, ge=0, description="Seconds from failing readiness to refusing connections at SIGTERM.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="`json`: one object a line; `text`: for people; `auto`: text on a terminal, else JSON."
    )
    log_questions: bool = Field(False, description="Write the text of questions to the log.")

    @model_validator(mode="after")
    def _check_exposure(self) -> Self:
        if not self.is_loopback and not self.api_keys and not self.allow_anonymous:
            raise ValueError(
                f"host {self.host} can be reached from other machines: set {PREFIX}API_KEYS, "
                f"or {PREFIX}ALLOW_ANONYMOUS=1 if everyone there may read and change everything"
            )
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # a name; any but this one may come to mean another machine
            return self.host == "localhost"

    @property
    def base_url(self) -> str:
        """Where the service is reached from outside, without a slash at the end."""
        host = "localhost" if self.host in ANY_ADDRESS else self.host
        host = f"[{host}]" if ":" in host else host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def model_cache_dir(self) -> Path:
        """Where exported models are kept."""
        return self.model_cache or self.data_dir / ".models"

    @property
    def file_limits(self) -> Limits:
        """What reading a file may take."""
        return Limits(
            bytes=self.max_file_bytes,
            seconds=self.max_file_seconds,
            memory=self.max_file_memory,
            pages=self.max_file_pages,
            characters=self.max_file_characters,
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Self:
        """Read the settings from variables, by default those of the process. `overrides` that are not None win.

        Raises:
            SettingsError: a variable is unknown, or its value cannot be taken.
        """
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX) and value != ""
        }
        values |= {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError("; ".join(_complaint(each) for each in error.errors(include_url=False))) from None


def _complaint(error: Any) -> str:
    # Never with the value: it may be a secret.
    if error["type"] == "extra_forbidden":
        name = str(error["loc"][0])
        near = get_close_matches(name, Settings.model_fields, n=1)
        hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
        return f"{PREFIX}{name.upper()} is no setting{hint}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{PREFIX}{str(error['loc'][0]).upper()}: {message}" if error["loc"] else message
