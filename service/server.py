"""The server: uvicorn with an orderly end. Readiness fails first, requests in flight finish, then it exits."""

import logging
import signal
import time
from types import FrameType

import uvicorn

from service import logs
from service.app import create_app
from service.routes.deps import Context
from service.settings import Settings

# Longer than clients and load balancers keep a connection that rests (httpx 5 s, nginx 60 s): whoever closes it first
# must be the one who would send the next request, or that request is lost.
_KEEP_ALIVE_S = 75
# An upload in flight may still be embedding; it is worth a minute.
_GRACE_S = 60


class Server(uvicorn.Server):
    """A uvicorn server that lets load balancers see that it is stopping before it stops.

    On the first SIGTERM `/readyz` begins to fail, and connections are accepted for `drain_s` more seconds; SIGINT and
    any second signal stop at once.
    """

    def __init__(self, config: uvicorn.Config, context: Context, *, drain_s: float) -> None:
        super().__init__(config)
        self._context = context
        self._drain_s = drain_s
        self._exit_at: float | None = None

    def handle_exit(self, sig: int, _: FrameType | None) -> None:
        """Begin to stop, or stop at once."""
        if self._context.draining or sig != signal.SIGTERM:
            self.force_exit = self.should_exit
            self.should_exit = True
        else:
            self._exit_at = time.monotonic() + self._drain_s
        self._context.draining = True

    async def on_tick(self, counter: int) -> bool:
        """Run ten times a second; return whether to leave the main loop."""
        if self._exit_at is not None and time.monotonic() >= self._exit_at:
            self.should_exit = True
        return await super().on_tick(counter)


def serve(settings: Settings) -> int:
    """Serve until a signal comes, and return the exit code: 0 after an orderly end."""
    logs.configure(settings.log_level, settings.log_format)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="on",
    )
    # A failed start is told in one line by what failed; uvicorn would add its traceback.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not record.getMessage().startswith("Traceback"))
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = Server(config, app.state.context, drain_s=settings.drain_s)
    server.run()
    return 0 if server.started else 1
