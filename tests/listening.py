"""The whole application, listening on a port of this machine."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from scripted import scripted_reader
from word_embedder import WordEmbedder

from index.documents import make_document
from service.app import create_app
from service.settings import Settings

SECRET = "a-secret-of-some-length"


@contextmanager
def listening(data_dir: Path, texts: Mapping[str, str], *, finds: Mapping[str, float] | None = None) -> Iterator[str]:
    """Serve these texts, by source, with a model-free embedder to who has the key `SECRET`; yield the address.

    With `finds`, the reader is model-free, too, and finds these words, each with its score.
    """
    settings = Settings.from_environment({"CITESPAN_API_KEYS": f"tester:{SECRET}"}, data_dir=data_dir)
    app = create_app(settings, embedder=WordEmbedder())
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run)
    try:
        with pytest.MonkeyPatch.context() as patched:
            if finds is not None:
                patched.setattr("service.engine.load_reader", lambda _: scripted_reader(finds))
            thread.start()
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.05)
        collection = app.state.context.engine.library.collection("default")
        for source, text in texts.items():
            collection.put(make_document(text, source=source))
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
