"""Nothing leaves the machine: no library may report what it does, or write where nobody asked it to."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import MODEL_CACHE, ROOT, SEEDS

from index.embedder import Embedder

# Runs a command with every look-up and every connection to another machine noted, and refused.
WATCHED = """
import socket, sys
def refuse(*arguments, **_):
    print("NETWORK", arguments, file=sys.stderr)
    raise OSError("no network in this test")
socket.getaddrinfo = socket.create_connection = refuse
sys.argv = ["citespan", *sys.argv[1:]]
from service.cli import main
main()
"""


def test_building_and_asking_write_only_into_the_data_directory(embedder: Embedder, tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "HF_", "ORT_", "CITESPAN_"))
    }
    environment |= {"HOME": str(home), "CITESPAN_DATA_DIR": str(data), "CITESPAN_MODEL_CACHE": str(MODEL_CACHE)}
    for arguments in (["build", str(SEEDS)], ["ask", "Who is Thorsten Frei?"], ["doctor"]):
        done = subprocess.run(
            [sys.executable, "-c", WATCHED, *arguments],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "NETWORK" not in done.stderr
    assert list(home.rglob("*")) == []


def test_the_watch_itself_notices(tmp_path: Path) -> None:
    code = WATCHED.partition("sys.argv")[0] + "socket.getaddrinfo('localhost', 80)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "NETWORK" in done.stderr
