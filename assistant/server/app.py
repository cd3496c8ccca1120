"""The one FastAPI app: ``/v1``, ``/api``, ``/mcp``, ``/health``, and the page at ``/``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from mcp.server.transport_security import TransportSecuritySettings
from starlette.staticfiles import StaticFiles

from assistant.server.api import api_router
from assistant.server.chat import chat_router
from assistant.server.failing import install
from assistant.server.security import Guard, is_loopback
from assistant.server.tools import make_tools
from assistant.settings import Settings
from assistant.ui.visitors import Shelf

__all__ = ["create_app"]

_UI = Path(__file__).parent.parent / "ui"


def create_app(settings: Settings, *, host: str = "127.0.0.1", page: bool = True) -> FastAPI:
    """The app over the library of ``settings``.

    Args:
        host: the address that it will be served on; what is allowed depends on it.
        page: mount the chat page too (Gradio takes seconds to load).
    """
    shelf = Shelf(settings, trusted=is_loopback(host))
    assistant = shelf.assistant("own")
    tools = make_tools(assistant)
    mcp = tools.streamable_http_app(
        stateless_http=True,
        json_response=True,
        # the guard below has looked at Host and Origin already
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with tools.session_manager.run():
            yield
        shelf.close()

    app = FastAPI(
        title="Abstract Assistant",
        version=version("abstract-assistant"),
        description="Questions over a library of paper abstracts; every sentence cites papers.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # both fetch their scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    install(app)
    most = settings.server.max_files
    app.include_router(api_router(assistant, max_files=most, writable=not shelf.own_is_sample))
    app.include_router(chat_router(assistant))
    app.router.routes.extend(mcp.routes)

    @app.get("/health")
    def health() -> dict[str, str]:
        """That the server is up; says nothing else, for it is open to all."""
        return {"status": "ok"}

    if page:
        app.mount("/fonts", StaticFiles(directory=_UI / "fonts"))
        app.mount("/katex", StaticFiles(directory=_UI / "katex"))
        _mount_page(app, shelf)
    app.add_middleware(Guard, host=host, settings=settings.server)
    return app


def _mount_page(app: FastAPI, shelf: Shelf) -> None:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Gradio reads it while it is imported
    import gradio  # noqa: PLC0415

    from assistant.ui.page import build_page, head  # noqa: PLC0415
    from assistant.ui.routes import install as install_routes  # noqa: PLC0415

    install_routes(app, shelf)
    page = build_page(shelf)
    page.has_launched = True  # only then does Gradio check the paths that visitors send
    gradio.mount_gradio_app(
        app,
        page,
        "/",
        footer_links=[],
        run_history=False,  # it would keep what is typed, keys among it, in the browser
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        max_file_size=shelf.settings.server.max_upload,
        theme=gradio.themes.Base(font=["system-ui"], font_mono=["monospace"]),
        head=head(),
        favicon_path=_UI / "icon.svg",
    )
