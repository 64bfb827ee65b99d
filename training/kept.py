"""What takes long to find out, found out once and kept as JSON."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def kept(work: Path, name: str, key: object, find: Callable[[], Any]) -> Any:
    """Return what `find` returned the first time for this `key`; a file in `work`, called after `name`, keeps it.

    `key` and what is found are anything that JSON can say. A run that is cut short leaves nothing behind.
    """
    path = work / f"{name}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}.json"
    if not path.exists():
        scratch = path.with_suffix(".tmp")
        scratch.write_text(json.dumps(find()))
        scratch.replace(path)
    return json.loads(path.read_text())
