"""The page: Gradio's `Blocks` around `Assistant`; events in, HTML out.

Conversations go by plain HTTP (`assistant.ui.routes`), keyed by the conversation; what is done
by Gradio's events (the library, reviews, settings, a paper at the side) is told whose it is by
the browser's cookie. No state of one visitor is reachable by another.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import ValidationError

from assistant.conversations import Mark
from assistant.errors import AssistantError
from assistant.ui import render
from assistant.ui.icons import icon
from assistant.ui.library_view import add_library_view
from assistant.ui.parts import fixed, html, message, sent, state_of
from assistant.ui.review_view import add_review_view
from assistant.ui.settings_view import add_settings_view
from assistant.ui.turns import Failure, LibraryName
from assistant.ui.visitors import Shelf, Visitor

__all__ = ["build_page", "head"]

_FOLDER = Path(__file__).parent
_SIMILAR = 5

_BRAND = f"""<div class="brand"><button type="button" class="icon" id="menu-button" data-act="rail"
aria-label="Conversations">{icon("menu")}</button>{icon("mark")}<span class="name">Abstract
Assistant</span></div>"""
_VIEWS = """<nav class="views" aria-label="Views">
<button type="button" data-act="view" data-view="chat">Chat</button>
<button type="button" data-act="view" data-view="review">Review</button>
<button type="button" data-act="view" data-view="screen">Screen</button>
<button type="button" data-act="view" data-view="library">Library</button>
<button type="button" data-act="view" data-view="settings">Settings</button></nav>"""
_RAIL = """<div class="rail-head"><h2>Conversations</h2>
<button type="button" class="button small" data-act="new">New</button></div>
<input type="search" id="rail-words" aria-label="Search conversations" placeholder="Search…"
maxlength="300"><ul></ul><p class="quiet" id="rail-note"></p>
<div class="rail-foot"><button type="button" class="link" data-act="export-all">Export all</button>
<button type="button" class="link" data-act="import">Import</button>
<button type="button" class="link" data-act="keys">Shortcuts</button></div>"""
_TITLE = '<h1 class="visually-hidden" id="talk-title">Conversation</h1>'
_OFFERED = ("year", "venue", "author", "source", "tag")
_PICKS = "".join(
    f'<div class="pick"><label>{name.capitalize()}<input name="{name}" list="scope-{name}s" '
    f'maxlength="200"{hint}></label><span class="picked"></span></div>'
    for name, hint in zip(_OFFERED, (' placeholder="2019, 2021–2023"', "", "", "", ""), strict=True)
)
"""Fields of which each takes several values: the script makes a chip of each."""
_COMPOSER = f"""<div class="editing">Your edit becomes a new version; the old one stays.
<button type="button" data-act="leave-editing">Leave it</button></div>
<details class="scope"><summary>Ask <b id="scope-text">all papers</b></summary>
<form class="scope-form composer-scope" data-form="scope"><label>Library<select name="library"><option value="">As set
</option><option value="own">Your library</option><option value="sample">Sample
library</option></select></label>{_PICKS}<button type="button" class="button small" data-act="all-papers">All papers
</button>{"".join(f'<datalist id="scope-{name}s"></datalist>' for name in _OFFERED)}</form></details>
<form class="composer" data-form="ask"><textarea rows="1" maxlength="20000"
aria-label="Your question" aria-describedby="composer-hint" placeholder="Ask about the papers…">
</textarea><button class="send" aria-label="Ask">{icon("send")}</button>
<button type="button" class="stop" data-act="stop" aria-label="Stop">{icon("stop")}</button></form>
<p id="composer-hint" class="composer-hint" role="status"></p>
<p id="progress-told" class="visually-hidden" role="status" aria-live="polite"></p>"""

_SCREEN = f"""<header class="page-head"><h1>Screening</h1><p>For a systematic review: include,
exclude or maybe, one paper after the other. What is likeliest to be included comes next, every
decision is kept at once in the library’s folder, and several people can decide.</p></header>
<div id="screen-body"></div><form class="seek" data-form="screen-start"><label>Question of the review<input name="topic"
maxlength="4000" placeholder="exercise training in cystic fibrosis"></label><label class="few">Papers
at most<input name="most" type="number" min="1" max="1000000" placeholder="all"></label>
<label class="whole">Criteria, one a line (can be changed later)<textarea name="criteria" rows="4"
maxlength="20000" placeholder="include: a randomised trial&#10;exclude: animals"></textarea></label>
<details class="whole"><summary>Only some papers</summary><div class="scope-form">{_PICKS}</div>
</details><button class="button first">Start screening</button><button type="button" class="link"
data-act="criteria-file">Load criteria from a file…</button></form><p id="screen-told" class="visually-hidden" role="status"
aria-live="polite"></p>"""


def head() -> str:
    """What stands in the head of the page: the theme, before Gradio's own styles."""
    theme = (_FOLDER / "theme.css").read_text(encoding="utf-8")
    return f"<meta name='color-scheme' content='light dark'><style>{theme}</style>"


def build_page(shelf: Shelf) -> gr.Blocks:
    """The page over the libraries of ``shelf``."""
    page: gr.Blocks
    with gr.Blocks(
        title="Abstract Assistant",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(1800, 3600),
    ) as page:
        with gr.Row(elem_id="bar"):
            fixed(_BRAND, "brand")
            fixed(_VIEWS, "views")
            state = html("state")
        with gr.Row(elem_id="chat-view"):
            fixed(_RAIL, "rail")
            with gr.Column(elem_id="talk"):
                # the script writes into both: a picture is put where its conversation is shown
                fixed(f'{_TITLE}<div class="turns"></div>', "thread")
                fixed('<div class="turns"></div>', "live")
                fixed(_COMPOSER, "composer")
        panel = html("panel")
        scripts = ("page.js", "screen.js", "map.js")
        bridge = gr.HTML(
            None,
            html_template="",
            js_on_load="\n".join((_FOLDER / name).read_text("utf-8") for name in scripts),
            elem_id="bridge",
        )

        def on(name: str, act: Callable[..., Any], outputs: list[Any], **how: Any) -> None:
            settings = {
                "show_progress": "hidden",
                "trigger_mode": "multiple",
                "api_visibility": "private",
                "concurrency_limit": 8,
                **how,
            }
            getattr(bridge, name)(_for_visitor(shelf, act), None, outputs, **settings)

        add_review_view(on, bridge)
        with gr.Column(elem_id="screen-view"):
            fixed(_SCREEN, "screen")  # the script writes into it
        add_library_view(on, shelf, state, bridge)
        add_settings_view(on, shelf, state)

        on("state", lambda here, _: state_of(here), [state])
        on("source", _panel, [panel], trigger_mode="always_last")
        on("sample", _sample, [state, bridge])
    return page


def _for_visitor(shelf: Shelf, act: Callable[..., Any]) -> Callable[..., Any]:
    """``act(visitor, what was sent)`` as a function that Gradio calls."""
    if inspect.isgeneratorfunction(act):

        def drawn(event: gr.EventData, request: gr.Request) -> Iterator[Any]:
            yield from act(shelf.visitor(request.request), sent(event))

        return drawn

    def done(event: gr.EventData, request: gr.Request) -> Any:
        return act(shelf.visitor(request.request), sent(event))

    return done


def _sample(here: Visitor, _: dict[str, Any]) -> tuple[Any, ...]:
    """Opens the sample library."""
    try:
        here.shelf.assistant("sample")
    except AssistantError as error:
        return gr.skip(), message(toast=str(here.failure(error)))
    here.library = "sample"
    return state_of(here), message(toast="The sample library is open", sample=True)


def _panel(here: Visitor, asked: dict[str, Any]) -> str:
    """The paper that was asked for, from the library that it was cited from."""
    library: LibraryName = "sample" if asked.get("library") == "sample" else "own"
    try:
        assistant = here.shelf.assistant(library)
        paper = assistant.library.paper(str(asked.get("paper", ""))[:400])
        similar = assistant.similar(paper.id, _SIMILAR)
    except AssistantError as error:
        return render.failure_panel(here.failure(error))
    except ValidationError:
        return render.failure_panel(Failure(what="This paper cannot be shown."))
    try:
        score = float(asked["score"]) if asked.get("score") else None
    except (TypeError, ValueError):
        score = None
    return render.source_panel(
        paper,
        number=str(asked.get("number") or "")[:4],
        quote=str(asked.get("quote") or "")[:4000],
        support=str(asked.get("support") or ""),
        score=score,
        why=str(asked.get("why") or "")[:400],
        related=bool(asked.get("related")),
        library=library,
        mark=here.shelf.store.marks(here.owner).get(paper.id, Mark(paper=paper.id)),
        similar=[(near.paper_id, near.title) for near in similar],
    )
