"""The Settings view: what a visitor may choose for themselves, and where everything comes from."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr
from pydantic import SecretStr

from assistant.errors import AssistantError
from assistant.origins import origin
from assistant.settings import Settings
from assistant.ui import render
from assistant.ui.parts import fixed, html, state_of
from assistant.ui.turns import Failure
from assistant.ui.visitors import Choices, Shelf, Visitor

__all__ = ["add_settings_view", "origins_table"]

_HEAD = """<header class="page-head"><h1>Settings</h1><p>These hold for you, in this window, until
you close it. To set something for good, use the environment or the configuration file; the table
below says what is set where.</p></header>"""
_OWN, _SAMPLE = "Your library", "Sample library"
_EXTRACT, _WRITE = "Sentences of the abstracts", "A language model"
_EFFORTS = ["quick", "normal", "deep"]


def add_settings_view(shelf: Shelf, visitor: gr.State, state: gr.HTML) -> gr.HTML:
    """Puts the view on the page; to be called within the `Blocks`. Returns the table of origins."""
    settings = shelf.settings
    generation = settings.generation
    with gr.Column(elem_id="settings-view"):
        fixed(_HEAD, "settings-head")
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
                placeholder=settings.openai_base_url or "OpenAI's own",
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

    def apply(here: Visitor | None, *values: Any) -> tuple[Any, ...]:
        here = here or Visitor(shelf)
        problem = _apply(here, values)
        told = problem or '<p class="quiet" role="status">In use from your next question on.</p>'
        held = here.choices.api_key is not None
        return here, told, origins_table(here), state_of(here), _emptied(held)

    def try_it(here: Visitor | None, *values: Any) -> tuple[Any, ...]:
        here = here or Visitor(shelf)
        problem = _apply(here, values)
        told = problem or _tested(here.settings())
        held = here.choices.api_key is not None
        return here, told, origins_table(here), state_of(here), _emptied(held)

    def back(here: Visitor | None) -> tuple[Any, ...]:
        here = here or Visitor(shelf)
        here.choose(Choices())
        here.library = "sample" if shelf.own_is_sample else "own"
        return (
            here,
            "",
            origins_table(here),
            state_of(here),
            _emptied(held=False),
            _SAMPLE if shelf.own_is_sample else _OWN,
            min(30, settings.retrieval.top_k),
            _WRITE if settings.llm else _EXTRACT,
            "",
            "",
            generation.effort,
            generation.language,
        )

    def switched(value: str) -> tuple[Any, Any]:
        return gr.update(visible=value == _WRITE), gr.update(visible=value == _WRITE)

    out = [visitor, connection, origins, state, key]
    mode.change(switched, mode, [endpoint, test], **quiet)
    use.click(apply, [visitor, *fields], out, **quiet)
    test.click(try_it, [visitor, *fields], out, **quiet)
    reset.click(
        back, visitor, [*out, library, papers, mode, base_url, model, effort, language], **quiet
    )
    return origins


def _emptied(held: bool) -> Any:
    """The field of the key never keeps what was typed into it."""
    return gr.update(value="", placeholder="yours is set" if held else "as the table says")


def _apply(here: Visitor, values: tuple[Any, ...]) -> str:
    """Takes the choices; what is wrong with them, as HTML."""
    library, papers, mode, base_url, model, key, effort, language = values
    settings, old = here.shelf.settings, here.choices
    base_url, model, key = (str(v or "").strip() for v in (base_url, model, key))
    if base_url and not base_url.lower().startswith(("http://", "https://")):
        return _problem("The endpoint is no web address.", "It begins with http:// or https://.")
    if mode == _WRITE and not (model or settings.llm):
        return _problem("Which model?", "Give its name at the endpoint.")
    if base_url and not here.shelf.trusted:
        return _problem("Only the server's own endpoint can be used from here.", "")
    secret = SecretStr(key) if key else (old.api_key if base_url == (old.base_url or "") else None)
    generation = settings.generation
    here.choose(
        Choices(
            llm=model or None,
            base_url=base_url or None,
            api_key=secret,
            effort=effort if effort in _EFFORTS and effort != generation.effort else None,
            top_k=int(papers) if int(papers) != settings.retrieval.top_k else None,
            language=language if language and language != generation.language else None,
            extractive=mode == _EXTRACT and settings.llm is not None,
        )
        if mode == _WRITE
        else Choices(
            top_k=int(papers) if int(papers) != settings.retrieval.top_k else None,
            extractive=settings.llm is not None,
        )
    )
    here.library = "sample" if library == _SAMPLE else "own"
    try:
        here.shelf.assistant(here.library)
    except AssistantError as error:
        return _problem(error.what, error.do)
    return ""


def _problem(what: str, do: str) -> str:
    return render.refusal(Failure(what=what, do=do), "This cannot be used")


def _tested(settings: Settings) -> str:
    from assistant.endpoint import probe  # noqa: PLC0415

    if not settings.llm:
        return '<p class="quiet">Answers are made without a language model: nothing to test.</p>'
    result = probe(settings)
    if not result.ok:
        return render.refusal(Failure(what=result.error), "The connection does not work")
    speed = (
        ""
        if result.first_token_ms is None
        else f", first word after {result.first_token_ms:.0f} ms"
    )
    window = f", window of {result.context_window:,} tokens" if result.context_window else ""
    return (
        '<section class="card" role="status"><p><b>The connection works.</b> '
        f"{escape(result.model)} at {escape(result.endpoint)}{speed}{window}.</p></section>"
    )


def origins_table(here: Visitor) -> str:
    """Every setting of the view with its value, and where the value comes from."""
    try:
        settings = here.settings()
    except AssistantError as error:
        return render.empty(error.what)
    chosen, process = here.choices, here.shelf.settings
    mine = "you, in this window"
    key = settings.openai_api_key
    rows = [
        (
            "Library",
            str(settings.library),
            "the program's own" if here.library == "sample" else origin("library"),
        ),
        (
            "Papers read",
            str(settings.retrieval.top_k),
            mine if chosen.top_k else origin("retrieval", "top_k"),
        ),
        (
            "Model",
            settings.llm or "none: extraction",
            mine if chosen.llm or chosen.extractive else origin("llm"),
        ),
        (
            "Endpoint",
            settings.openai_base_url or "OpenAI's own",
            mine if chosen.base_url else origin("openai_base_url"),
        ),
        ("Key", "set" if key else "none", mine if chosen.api_key else origin("openai_api_key")),
        (
            "Effort",
            settings.generation.effort,
            mine if chosen.effort else origin("generation", "effort"),
        ),
        (
            "Language",
            settings.generation.language,
            mine if chosen.language else origin("generation", "language"),
        ),
        (
            "Embedding",
            process.embedding.model or process.embedding.provider,
            origin("embedding", "provider"),
        ),
    ]
    if not here.shelf.trusted:
        rows[0] = ("Library", "on the server", "")
    cells = "".join(
        f"<tr><th scope='row'>{name}</th><td>{escape(value)}</td><td>{escape(where)}</td></tr>"
        for name, value, where in rows
    )
    return (
        '<section class="section"><h2>What is set where</h2><table class="origins"><thead><tr>'
        "<th>Setting</th><th>Value</th><th>Comes from</th></tr></thead>"
        f"<tbody>{cells}</tbody></table></section>"
    )
