"""Starting the server: a free port, a line that says where it is, a browser, a clean end."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator

from assistant.errors import ConfigurationError
from assistant.server.security import check_host, is_loopback
from assistant.settings import Settings

__all__ = ["serve"]


def serve(
    settings: Settings, *, host: str, port: int, browser: bool, tell: Callable[[str], None]
) -> None:
    """Serves until it is interrupted.

    Args:
        port: 0 takes any that is free.
        browser: open the page in the person's browser.
        tell: is told, in a line, where the page is.

    Raises:
        ConfigurationError: the address cannot be listened on, or would be open to everybody.
    """
    check_host(host, settings.server)
    with _listening(host, port) as listener, _own_uploads():
        import uvicorn  # noqa: PLC0415

        from assistant.server.app import create_app  # noqa: PLC0415

        tell("opening…")
        app = create_app(settings, host=host)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        url = f"http://{shown}:{listener.getsockname()[1]}/"
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
        )
        server = uvicorn.Server(config)
        tell(f"{url}  (Ctrl-C ends it)")
        if not is_loopback(host):
            tell(f"others reach it at port {listener.getsockname()[1]} of this machine")
        if browser:
            threading.Timer(0.8, webbrowser.open, [url]).start()
        sys.setswitchinterval(0.001)  # the loop, which answers /health, soon has its turn again
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    """A socket that is bound before anything slow is loaded."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError):
        raise ConfigurationError(
            f"There is no address {host!r} here.", "Give another --host, or leave it out."
        ) from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)  # a crowd may come at once
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"{host}:{port} cannot be listened on: {(error.strerror or str(error)).lower()}.",
            "Give another --port (0 takes a free one).",
        ) from None
    return listener


@contextlib.contextmanager
def _own_uploads() -> Iterator[None]:
    """A folder for Gradio's uploads that goes with the process."""
    folder = tempfile.mkdtemp(prefix="assistant-uploads-")
    os.environ["GRADIO_TEMP_DIR"] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
