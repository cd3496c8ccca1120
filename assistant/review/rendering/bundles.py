"""A review as files of another kind: printed as PDF, and as a folder of notes."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from assistant.errors import ConfigurationError
from assistant.escaping import markdown as escaped
from assistant.escaping import web_address
from assistant.review.model import Reference, Review
from assistant.review.rendering import render
from assistant.review.rendering.markdown import markdown

__all__ = ["notes", "pdf"]

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
_SECONDS = 120


def pdf(review: Review) -> bytes:
    """The HTML page, printed by the Chromium or Chrome of this machine.

    Raises:
        ConfigurationError: there is none, or it fails.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise ConfigurationError(
            "A PDF is printed by Chromium or Chrome, and none is installed here.",
            "Install one, or write the review as .html and print that from your browser.",
        )
    with tempfile.TemporaryDirectory() as folder:
        page, made = Path(folder, "review.html"), Path(folder, "review.pdf")
        page.write_text(render(review, "html"), "utf-8")
        command = [
            browser, "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={folder}/profile", "--no-pdf-header-footer",
            f"--print-to-pdf={made}", page.as_uri(),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # Chromium refuses otherwise
            command.insert(1, "--no-sandbox")
        try:
            subprocess.run(  # noqa: S603  of our own page, which runs no script
                command, capture_output=True, timeout=_SECONDS, check=False
            )
            return made.read_bytes()
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigurationError(
                f"{browser} did not print the review ({type(error).__name__}).",
                "Write it as .html and print that from your browser.",
            ) from None


def notes(review: Review) -> bytes:
    """A zip file for a folder of notes (Obsidian) and a reference manager (Zotero).

    ``review.md`` links to a note a cited paper, ``papers/KEY.md``, with what is known of it at
    its top; ``references.bib`` and ``references.ris`` are read in as a collection.
    """
    keys = {r.number: r.key or f"paper{r.number}" for r in review.references}
    body = markdown(review, lambda number: f"[[{keys[number]}]]")
    files = {
        "review.md": body,
        "references.bib": render(review, "bib"),
        "references.ris": render(review, "ris"),
        **{f"papers/{keys[r.number]}.md": _note(review, r, keys) for r in review.references},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def _note(review: Review, reference: Reference, keys: dict[int, str]) -> str:
    """One paper: its record as front matter, its abstract, and what the review takes from it."""
    paper = reference.paper
    known = {
        "title": paper.label,
        "authors": list(paper.authors),
        "year": paper.year,
        "venue": paper.venue,
        "doi": paper.doi,
        "arxiv": paper.arxiv_id,
        "url": web_address(paper.link),
        "citekey": keys[reference.number],
        "tags": [tag.replace(" ", "-") for tag in paper.tags],
        "theme": reference.theme,
    }
    # JSON is YAML
    head = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in known.items()
            if value]  # fmt: skip
    quotes = dict.fromkeys(
        quote.text for sentence in review.sentences for quote in sentence.quotes
        if quote.number == reference.number
    )  # fmt: skip
    lines = ["---", *head, "---", "", f"# {escaped(paper.label)}", "", escaped(paper.abstract)]
    if quotes:
        lines += ["", "## In [[review]]", "", *(f"> {escaped(quote)}\n" for quote in quotes)]
    return "\n".join(lines).rstrip() + "\n"
