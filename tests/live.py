"""The web server in a thread of this process, on a free port of loopback."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType

import uvicorn

from assistant.server.app import create_app
from assistant.settings import Settings


class Live:
    """A context manager; ``url`` is where it is, without a slash at the end."""

    def __init__(self, settings: Settings, *, page: bool = False, host: str = "127.0.0.1") -> None:
        self.settings = settings
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        app = create_app(settings, host=host, page=page)
        config = uvicorn.Config(
            app, log_level="error", server_header=False, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )

    def __enter__(self) -> Live:
        self._thread.start()
        end = time.monotonic() + 20
        while not self._server.started and time.monotonic() < end:
            time.sleep(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(15)
        self._listener.close()
