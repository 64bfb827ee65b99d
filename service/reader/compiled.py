"""Compiled networks, kept on disk: OpenVINO reads one back in a third of the time that compiling takes."""

import hashlib
import logging
import os
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_SUFFIX = ".compiled"
_PROCESSOR = Path("/proc/cpuinfo")
# The lines of the above that say what the processor is; others, such as its clock, change all the time.
_PROCESSOR_LINES = ("vendor_id", "model name", "cpu family", "model", "stepping", "flags", "Features", "CPU part")


def compiled(openvino: Any, core: Any, network: Path, settings: Mapping[str, object], cache: Path | None) -> Any:
    """Return the network compiled for this processor: as kept in `cache`, or compiled now and kept there.

    A kept one serves the same network, settings, OpenVINO and processor only, and is read after its SHA-256, which
    stands before it, was checked. What cannot be kept is compiled at each start.

    Raises:
        RuntimeError: OpenVINO cannot load the network.
    """
    if cache is None:
        return core.compile_model(core.read_model(network), "CPU", settings)
    path = cache / f"{network.parent.name}-{_key(openvino, core, network, settings)}{_SUFFIX}"
    if (kept := _read(path)) is not None:
        try:
            return core.import_model(kept, "CPU", settings)
        except RuntimeError as error:
            logger.warning("OpenVINO does not take back the network in %s (%s); it is compiled anew.", path, error)
    model = core.compile_model(core.read_model(network), "CPU", settings)
    _keep(model.export_model().getvalue(), path)
    return model


def _key(openvino: Any, core: Any, network: Path, settings: Mapping[str, object]) -> str:
    digest = hashlib.sha256(network.read_bytes())
    of_core = [core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
    digest.update(repr([openvino.get_version(), sorted(settings.items()), of_core, _processor()]).encode())
    return digest.hexdigest()[:16]


def _processor() -> list[str]:
    """Return what tells this processor from others that OpenVINO would compile for differently."""
    try:
        first, _, _ = _PROCESSOR.read_text().partition("\n\n")
    except OSError:
        return [platform.machine(), platform.processor()]
    return [line for line in first.splitlines() if line.split(":")[0].strip() in _PROCESSOR_LINES]


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest_size = hashlib.sha256().digest_size
    if hashlib.sha256(memoryview(content)[digest_size:]).digest() != content[:digest_size]:
        logger.warning("The compiled network in %s is damaged; it is compiled anew.", path)
        return None
    return content[digest_size:]


def _keep(content: bytes, path: Path) -> None:
    """Write a compiled network in the place of all others: one processor is served by one of them at a time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=".compiled-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(content).digest())
                file.write(content)
            for old in path.parent.glob(f"*{_SUFFIX}"):
                old.unlink(missing_ok=True)
            Path(scratch).replace(path)
        except OSError:
            Path(scratch).unlink(missing_ok=True)
            raise
    except OSError as error:
        logger.info("No compiled network can be kept in %s (%s).", path.parent, error.strerror)
