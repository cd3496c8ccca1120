"""The one FastAPI app: ``/v1``, ``/api``, ``/mcp``, ``/health``, and the page at ``/``."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from assistant.server.api import api_router
from assistant.server.chat import chat_router
from assistant.server.failing import Teller, install
from assistant.server.line import Line
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
    here = is_loopback(host)
    shelf = Shelf(settings, trusted=here)
    assistant, tell = shelf.assistant("own"), Teller(here=here)
    tools = make_tools(assistant, tell)
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
        description=(
            "Questions over a library of paper abstracts; every sentence cites papers.\n\n"
            "Where a token is set: `Authorization: Bearer …`, also as the API key of an OpenAI "
            "client, whose base URL is `/v1`. MCP (streamable HTTP) is at `/mcp`. A 503 says in "
            "`Retry-After` when to come back."
        ),
        openapi_url="/api/openapi.json",
        docs_url=None,  # both fetch their scripts from elsewhere; ours stands below
        redoc_url=None,
        lifespan=lifespan,
    )
    install(app, tell)
    most = settings.server.max_files
    app.include_router(
        api_router(assistant, tell, max_files=most, writable=not shelf.own_is_sample)
    )
    app.include_router(chat_router(assistant, tell))
    app.router.routes.extend(mcp.routes)
    _add_description(app)

    @app.get("/health", tags=["library"])
    async def health() -> dict[str, str]:
        """That the server is up; says nothing else, for it is open to all."""
        return {"status": "ok"}  # in the loop itself: no thread has to be free for it

    if page:
        app.mount("/fonts", StaticFiles(directory=_UI / "fonts"))
        app.mount("/katex", StaticFiles(directory=_UI / "katex"))
        _mount_page(app, shelf)
    server = settings.server
    at_once = server.most(written=bool(settings.llm))
    app.add_middleware(Line, at_once=at_once, waiting=server.waiting)
    app.add_middleware(Guard, host=host, settings=server)
    return app


def _add_description(app: FastAPI) -> None:
    """``/docs``: the API to read and to try, with scripts of this server's own."""
    scripts = Path(str(files("fastapi_offline"))) / "static"
    app.mount("/docs-files", StaticFiles(directory=scripts))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/api/openapi.json",
            title="Abstract Assistant: the API",
            swagger_js_url="/docs-files/swagger-ui-bundle.js",
            swagger_css_url="/docs-files/swagger-ui.css",
            swagger_favicon_url="/docs-files/favicon.png",
            swagger_ui_parameters={"validatorUrl": None, "defaultModelsExpandDepth": 0},
        )


def _mount_page(app: FastAPI, shelf: Shelf) -> None:
    # read while Gradio and what it brings along are imported
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import gradio  # noqa: PLC0415

    from assistant.ui.page import build_page, head  # noqa: PLC0415
    from assistant.ui.routes import install as install_routes  # noqa: PLC0415

    install_routes(app, shelf)

    def mount() -> None:
        page = build_page(shelf)
        page.queue(max_size=shelf.settings.server.waiting)  # beyond, a visitor is told so at once
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

    _in_a_loop(mount)


def _in_a_loop(work: Callable[[], None]) -> None:
    """Calls ``work`` where an event loop runs: else Gradio makes one a lock, and closes none."""

    async def called() -> None:
        work()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(called())
    else:
        work()
