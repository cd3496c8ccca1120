"""A review as a document: Markdown (with numbers or keys), HTML, LaTeX, Word, PDF, notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assistant.errors import ConfigurationError
from assistant.review.model import Review

__all__ = ["BINARY", "FORMATS", "format_of", "render", "rendered"]


def _lazily(module: str, name: str) -> Callable[[Review], str]:
    """The renderer ``name`` of a module of this folder, imported when it is first used."""

    def made(review: Review) -> str:
        from importlib import import_module  # noqa: PLC0415

        return str(getattr(import_module(f"{__name__}.{module}"), name)(review))

    return made


def _json(review: Review) -> str:
    return review.model_dump_json(indent=1) + "\n"


FORMATS: dict[str, Callable[[Review], str]] = {
    "md": _lazily("markdown", "markdown"),
    "keys.md": _lazily("markdown", "keyed"),
    "html": _lazily("html", "html"),
    "tex": _lazily("documents", "latex"),
    "bib": _lazily("exports", "bibtex"),
    "ris": _lazily("exports", "ris"),
    "csl.json": _lazily("exports", "csl"),
    "csv": _lazily("exports", "table_csv"),
    "json": _json,
}
"""Extension of a file → its renderer."""
BINARY = ("docx", "pdf", "zip")
"""Extensions of files that are no text."""
_ALIASES = {"markdown": "md", "htm": "html", "bibtex": "bib"}


def format_of(path: Path) -> str:
    """The format that the name of a file asks for.

    Raises:
        ConfigurationError: there is no such format.
    """
    name = path.name.lower()
    for form in ("csl.json", "keys.md"):
        if name.endswith(f".{form}"):
            return form
    suffix = path.suffix.lower().lstrip(".")
    form = _ALIASES.get(suffix, suffix)
    if form not in FORMATS and form not in BINARY:
        known = ", ".join(f".{f}" for f in (*FORMATS, *BINARY))
        raise ConfigurationError(f"A review cannot be written as {path.name!r}.", f"Use {known}.")
    return form


def render(review: Review, form: str = "md") -> str:
    """``review`` in one of the `FORMATS`."""
    return FORMATS[_ALIASES.get(form, form)](review)


def rendered(review: Review, form: str, style: str = "apa") -> str | bytes:
    """`render`, and the formats that are no text; ``style`` is a CSL style for references.

    Raises:
        ConfigurationError: there is no such style, or no browser that prints.
    """
    if form == "docx":
        from assistant.review.rendering.documents import docx  # noqa: PLC0415

        return docx(review, style)
    if form in BINARY:
        from assistant.review.rendering import bundles  # noqa: PLC0415

        return bundles.pdf(review) if form == "pdf" else bundles.notes(review)
    return render(review, form)
