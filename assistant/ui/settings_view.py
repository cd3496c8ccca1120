"""The Settings view: what a visitor may choose for themselves, and where everything comes from."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr
from pydantic import SecretStr

from assistant.errors import AssistantError, EndpointError
from assistant.origins import origin
from assistant.settings import Settings
from assistant.ui import render
from assistant.ui.parts import Listener, fixed, html, state_of
from assistant.ui.turns import Failure, LibraryName
from assistant.ui.visitors import Choices, Shelf, Visitor

__all__ = ["add_settings_view", "origins_table"]

_HEAD = """<header class="page-head"><h1>Settings</h1><p>These hold for you, in this browser, until
the program is closed; a reload keeps them. To set something for good, use the environment or the
configuration file; the table below says what is set where.</p></header>"""
_LOGOUT = '<p><a class="link" href="logout">Log out</a></p>'
_OWN, _SAMPLE = "Your library", "Sample library"
_EXTRACT, _WRITE = "Sentences of the abstracts", "A language model"
_EFFORTS = ["quick", "normal", "deep"]


def add_settings_view(on: Listener, shelf: Shelf, state: gr.HTML) -> None:
    """Puts the view on the page; to be called within the `Blocks`."""
    settings = shelf.settings
    generation = settings.generation
    with gr.Column(elem_id="settings-view"):
        # a login can be ended where one is asked for
        ends = not shelf.trusted and bool(settings.server.password or settings.server.users)
        fixed(_HEAD + (_LOGOUT if ends else ""), "settings-head")
        library = gr.Radio(
            [_SAMPLE] if shelf.own_is_sample else [_OWN, _SAMPLE],
            value=_SAMPLE if shelf.own_is_sample else _OWN,
            label="Library",
            elem_classes="field",
        )
        papers = gr.Slider(
            1,
            30,
            value=min(30, settings.retrieval.top_k),
            step=1,
            label="Papers that are read for an answer",
            elem_classes="field",
        )
        mode = gr.Radio(
            [_EXTRACT, _WRITE],
            value=_WRITE if settings.llm else _EXTRACT,
            label="Answers are made of",
            elem_classes="field",
        )
        with gr.Column(visible=bool(settings.llm), elem_id="endpoint") as endpoint:
            base_url = gr.Textbox(
                value="",
                label="Endpoint",
                info="The address of any OpenAI-compatible server; empty: as the table says.",
                placeholder=(shelf.trusted and settings.openai_base_url) or "as the table says",
                interactive=shelf.trusted,
                elem_classes="field",
                max_length=500,
            )
            model = gr.Textbox(
                value="",
                label="Model",
                placeholder=settings.llm or "its name at the endpoint",
                elem_classes="field",
                max_length=200,
            )
            key = gr.Textbox(
                value="",
                label="Key",
                info="Stays in this session on the server's memory; shown and stored nowhere.",
                placeholder="as the table says",
                type="password",
                elem_classes="field",
                elem_id="key",
                max_length=500,
            )
            effort = gr.Radio(
                _EFFORTS,
                value=generation.effort,
                label="Effort",
                elem_classes="field",
                info="quick: one call; normal; deep: searches again for what is missing",
            )
            language = gr.Textbox(
                value=generation.language,
                label="Language of the answer",
                elem_classes="field",
                max_length=80,
            )
        with gr.Row(elem_classes="row-buttons"):
            use = gr.Button("Use these", variant="primary", elem_id="use")
            test = gr.Button("Test connection", elem_id="test", visible=bool(settings.llm))
            reset = gr.Button("Back to the defaults", elem_id="reset")
        connection = html("connection")
        origins = html("origins")

    fields = [library, papers, mode, base_url, model, key, effort, language]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def apply(request: gr.Request, *values: Any) -> tuple[Any, ...]:
        here = shelf.visitor(request.request)
        told = _apply(here, values)
        told = told or '<p class="quiet" role="status">In use from your next question on.</p>'
        return told, origins_table(here), state_of(here), _emptied(here)

    def try_it(request: gr.Request, *values: Any) -> tuple[Any, ...]:
        return _tried(shelf.visitor(request.request), values), gr.update()

    def back(request: gr.Request) -> tuple[Any, ...]:
        here = shelf.visitor(request.request)
        here.choose(Choices())
        here.library = "sample" if shelf.own_is_sample else "own"
        return "", origins_table(here), state_of(here), *_as_chosen(here)

    def shown(here: Visitor, _: dict[str, Any]) -> tuple[Any, ...]:
        return origins_table(here), *_as_chosen(here)

    def switched(value: str) -> tuple[Any, Any]:
        return gr.update(visible=value == _WRITE), gr.update(visible=value == _WRITE)

    mode.change(switched, mode, [endpoint, test], **quiet)
    use.click(apply, fields, [connection, origins, state, key], **quiet)
    test.click(try_it, fields, [connection, key], **quiet)
    reset.click(back, None, [connection, origins, state, *fields], **quiet)
    on("settings", shown, [origins, *fields])


def _as_chosen(here: Visitor) -> tuple[Any, ...]:
    """The values of the fields as they hold for the visitor, also after a reload."""
    settings, chosen = here.shelf.settings, here.choices
    writes = (settings.llm or chosen.llm) and not chosen.extractive
    return (
        _SAMPLE if here.library == "sample" else _OWN,
        chosen.top_k or min(30, settings.retrieval.top_k),
        _WRITE if writes else _EXTRACT,
        chosen.base_url or "",
        chosen.llm or "",
        _emptied(here),
        chosen.effort or settings.generation.effort,
        chosen.language or settings.generation.language,
    )


def _emptied(here: Visitor) -> Any:
    """The field of the key never keeps what was typed into it."""
    held = here.choices.api_key is not None
    return gr.update(value="", placeholder="yours is set" if held else "as the table says")


def _chosen(here: Visitor, values: tuple[Any, ...]) -> Choices | str:
    """The choices that the fields say, or what is wrong with them, as HTML."""
    _, papers, mode, base_url, model, key, effort, language = values
    settings, old = here.shelf.settings, here.choices
    base_url, model, key = (str(v or "").strip() for v in (base_url, model, key))
    if base_url and not base_url.lower().startswith(("http://", "https://")):
        what, do = "The endpoint is no web address.", "It begins with http:// or https://."
        return _problem(Failure(what=what, do=do))
    if mode == _WRITE and not (model or settings.llm):
        return _problem(Failure(what="Which model?", do="Give its name at the endpoint."))
    if base_url and not here.shelf.trusted:
        return _problem(Failure(what="Only the server's own endpoint can be used from here."))
    secret = SecretStr(key) if key else (old.api_key if base_url == (old.base_url or "") else None)
    generation = settings.generation
    top_k = int(papers) if int(papers) != settings.retrieval.top_k else None
    if mode != _WRITE:
        return Choices(top_k=top_k, extractive=settings.llm is not None)
    return Choices(
        llm=model or None,
        base_url=base_url or None,
        api_key=secret,
        effort=effort if effort in _EFFORTS and effort != generation.effort else None,
        top_k=top_k,
        language=language if language and language != generation.language else None,
    )


def _apply(here: Visitor, values: tuple[Any, ...]) -> str:
    """Takes the choices; what is wrong with them, as HTML."""
    chosen = _chosen(here, values)
    if isinstance(chosen, str):
        return chosen
    library: LibraryName = "sample" if values[0] == _SAMPLE else "own"
    try:
        here.shelf.assistant(library)
    except AssistantError as error:
        return _problem(here.failure(error))
    here.choose(chosen)
    here.library = library
    return ""


def _tried(here: Visitor, values: tuple[Any, ...]) -> str:
    """Whether the endpoint of the fields answers; takes nothing of them."""
    chosen = _chosen(here, values)
    if isinstance(chosen, str):
        return chosen
    try:
        return _tested(here, here.settings(choices=chosen))
    except AssistantError as error:
        return _problem(here.failure(error))


def _problem(failure: Failure) -> str:
    return render.refusal(failure, "This cannot be used")


def _tested(here: Visitor, settings: Settings) -> str:
    from assistant.endpoint import probe  # noqa: PLC0415

    if not settings.llm:
        return '<p class="quiet">Answers are made without a language model: nothing to test.</p>'
    result = probe(settings)
    if not result.ok:
        failure = here.failure(EndpointError(result.error))
        return render.refusal(failure, "The connection does not work")
    speed = (
        ""
        if result.first_token_ms is None
        else f", first word after {result.first_token_ms:.0f} ms"
    )
    where = f" at {escape(result.endpoint)}" if here.shelf.trusted else ""
    window = f", window of {result.context_window:,} tokens" if result.context_window else ""
    return (
        '<section class="card" role="status"><p><b>The connection works.</b> '
        f"{escape(result.model)}{where}{speed}{window}.</p></section>"
    )


def origins_table(here: Visitor) -> str:
    """Every setting of the view with its value, and where the value comes from."""
    try:
        settings = here.settings()
    except AssistantError as error:
        return render.empty(here.failure(error).what)
    chosen = here.choices
    mine = "you, in this browser"
    their_endpoint = bool(chosen.base_url and here.shelf.trusted)

    def where(by_visitor: object, *path: str) -> str:
        return mine if by_visitor else _origin(here.shelf.settings, *path)

    own = where(False, "library")
    writes = bool(settings.llm)
    rows = [
        ("Library", str(settings.library), "a sample" if here.library == "sample" else own),
        ("Papers read", str(settings.retrieval.top_k), where(chosen.top_k, "retrieval", "top_k")),
        (
            "Model",
            settings.llm or "none: sentences of the abstracts",
            where(chosen.llm or chosen.extractive, "llm"),
        ),
        (
            "Endpoint",
            settings.openai_base_url or "OpenAI's own",
            where(their_endpoint, "openai_base_url"),
        ),
        (
            "Key",
            "set" if settings.openai_api_key else "none",
            where(their_endpoint or chosen.api_key, "openai_api_key"),
        ),
        ("Effort", settings.generation.effort, where(chosen.effort, "generation", "effort")),
        (
            "Language",
            settings.generation.language,
            where(chosen.language, "generation", "language"),
        ),
        (
            "Embedding",
            settings.embedding.model or settings.embedding.provider,
            where(False, "embedding", "model" if settings.embedding.model else "provider"),
        ),
    ]
    if not writes:  # without a model these are used by nothing
        rows = [row for row in rows if row[0] not in ("Endpoint", "Key", "Effort", "Language")]
    if not here.shelf.trusted:  # neither addresses nor paths of the server
        of_server = {"Library": "on the server", "Endpoint": "the server's"}
        rows = [
            (name, of_server.get(name, value), where if where == mine else "the server")
            for name, value, where in rows
        ]
    cells = "".join(
        f"<tr><th scope='row'>{name}</th><td>{escape(value)}</td><td>{escape(where)}</td></tr>"
        for name, value, where in rows
    )
    return (
        '<section class="section"><h2>What is set where</h2><table class="origins"><thead><tr>'
        "<th>Setting</th><th>Value</th><th>Comes from</th></tr></thead>"
        f"<tbody>{cells}</tbody></table></section>"
    )


def _origin(process: Settings, *path: str) -> str:
    """Where a value of the process comes from; what neither file nor variable says was given."""
    now, without = process, Settings.load()
    for name in path:
        now, without = getattr(now, name), getattr(without, name)
    return origin(*path) if now == without else "command line, or the program that started it"
