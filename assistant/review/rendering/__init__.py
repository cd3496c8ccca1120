"""A review as a document: Markdown, HTML, JSON; its references and its table on their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assistant.errors import ConfigurationError
from assistant.review.model import Review

__all__ = ["FORMATS", "format_of", "render"]


def _markdown(review: Review) -> str:
    from assistant.review.rendering.markdown import markdown  # noqa: PLC0415

    return markdown(review)


def _html(review: Review) -> str:
    from assistant.review.rendering.html import html  # noqa: PLC0415

    return html(review)


def _bibtex(review: Review) -> str:
    from assistant.review.rendering.exports import bibtex  # noqa: PLC0415

    return bibtex(review)


def _ris(review: Review) -> str:
    from assistant.review.rendering.exports import ris  # noqa: PLC0415

    return ris(review)


def _csl(review: Review) -> str:
    from assistant.review.rendering.exports import csl  # noqa: PLC0415

    return csl(review)


def _csv(review: Review) -> str:
    from assistant.review.rendering.exports import table_csv  # noqa: PLC0415

    return table_csv(review)


def _json(review: Review) -> str:
    return review.model_dump_json(indent=1) + "\n"


FORMATS: dict[str, Callable[[Review], str]] = {
    "md": _markdown,
    "html": _html,
    "bib": _bibtex,
    "ris": _ris,
    "csl.json": _csl,
    "csv": _csv,
    "json": _json,
}
"""Extension of a file → its renderer."""
_ALIASES = {"markdown": "md", "htm": "html", "bibtex": "bib"}


def format_of(path: Path) -> str:
    """The format that the name of a file asks for.

    Raises:
        ConfigurationError: there is no such format.
    """
    suffix = path.suffix.lower().lstrip(".")
    if path.name.lower().endswith(".csl.json"):
        suffix = "csl.json"
    name = _ALIASES.get(suffix, suffix)
    if name not in FORMATS:
        known = ", ".join(f".{f}" for f in FORMATS)
        raise ConfigurationError(f"A review cannot be written as {path.name!r}.", f"Use {known}.")
    return name


def render(review: Review, form: str = "md") -> str:
    """``review`` in one of the `FORMATS`."""
    return FORMATS[_ALIASES.get(form, form)](review)
