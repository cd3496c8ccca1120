"""Small parts that the views share: HTML elements, messages to the script, the state line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import gradio as gr

from assistant.errors import AssistantError
from assistant.ui import render
from assistant.ui.visitors import Visitor

__all__ = ["Listener", "count_of", "fixed", "html", "message", "sent", "state_of"]


class Listener(Protocol):
    """Lets ``act(visitor, what was sent)`` answer what the page's script sends under a name."""

    def __call__(self, name: str, act: Callable[..., Any], outputs: list[Any], **how: Any) -> None:
        """Lets ``act`` answer ``name``; ``how``: as Gradio's listeners take it."""


def html(name: str) -> gr.HTML:
    """HTML that functions write."""
    return gr.HTML("", elem_id=name, js_on_load=None, apply_default_css=False)


def fixed(text: str, name: str) -> gr.HTML:
    """HTML that never changes (the script writes into some of it)."""
    return gr.HTML(None, html_template=text, elem_id=name, js_on_load=None, apply_default_css=False)


def message(**parts: Any) -> dict[str, Any]:
    """A message to the page's script; no two are alike, so that each is noticed."""
    return {"n": time.monotonic_ns(), **parts}


def sent(event: gr.EventData) -> dict[str, Any]:
    """What the page's script sent; anybody may send anything."""
    data = getattr(event, "_data", None)
    return data if isinstance(data, dict) else {}


def count_of(here: Visitor) -> int:
    """How many papers the visitor's library holds."""
    try:
        return len(here.shelf.assistant(here.library).library)
    except AssistantError:
        return 0


def state_of(here: Visitor) -> str:
    """The state line of a visitor."""
    try:
        model = here.settings().llm
    except AssistantError:
        model = None
    return render.state_line(here.library, count_of(here), model or "Extractive")
