"""The prompts: text files that a person can read and replace, checked when they are loaded.

A prompt is a file ``NAME.md`` in LlamaIndex's ``RichPromptTemplate`` syntax with a system and a
user part. It opens with a comment that says what it is for and what it gets. Files in the
folder of the setting ``prompts`` stand before those that come with the program.

What is put into a prompt is data: it is never read as a template, and `boundary` gives the
word that sets it off, which the data cannot know or hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import ConfigurationError

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage
    from llama_index.core.prompts import RichPromptTemplate

__all__ = ["PROMPTS", "Prompt", "Prompts", "boundary"]


@dataclass(frozen=True, slots=True)
class _Contract:
    """The variables that a prompt gets; those in ``needed`` it must use."""

    given: frozenset[str]
    needed: frozenset[str]


def _contract(needed: str, more: str = "") -> _Contract:
    return _Contract(frozenset((needed + " " + more).split()), frozenset(needed.split()))


PROMPTS = {
    "answer": _contract("question papers boundary", "history language"),
    "answer_short": _contract("question papers boundary", "history language"),
    "understand": _contract("question history boundary"),
    "converse": _contract("question history", "papers boundary language"),
    "sufficiency": _contract("question answer boundary", "titles searches"),
    "support": _contract("claims papers boundary", "question"),
    "review_plan": _contract("topic themes boundary", "language"),
    "review_section": _contract("topic theme papers boundary", "focus former shared language"),
    "review_repair": _contract("sentences papers boundary", "language"),
    "review_cells": _contract("columns papers boundary", "language"),
    "review_overview": _contract("topic sections boundary", "table language"),
    "mcp_answer": _contract("question"),
    "mcp_compare": _contract("first second"),
    "mcp_review": _contract("topic"),
}
"""Every prompt with its variables."""


class Prompt:
    """One prompt, checked: its syntax, its parts, its variables.

    Raises:
        ConfigurationError: it cannot be used; the message names the file and what is wrong.
    """

    def __init__(self, name: str, path: Path, contract: _Contract) -> None:
        from jinja2 import TemplateError  # noqa: PLC0415

        self.name, self.path = name, path
        try:
            text = path.read_text(encoding="utf-8")
            self._template = _template(text)
        except (OSError, ValueError) as error:
            raise self._unusable(f"cannot be read: {error}") from None
        except TemplateError as error:
            raise self._unusable(f"is no valid template: {error}") from None
        used = set(self._template.template_vars)
        if unknown := sorted(used - contract.given):
            known = ", ".join(sorted(contract.given))
            raise self._unusable(f"uses {unknown[0]!r}, which it does not get; it gets: {known}")
        if missing := sorted(contract.needed - used):
            raise self._unusable(f"does not use {missing[0]!r}, without which it cannot work")
        if "{% chat" not in text:
            raise self._unusable('has no {% chat role="..." %} part')

    def messages(self, **variables: object) -> list[ChatMessage]:
        """The chat messages for these variables."""
        values: dict[str, Any] = dict(variables)
        return self._template.format_messages(**values)

    def _unusable(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"The prompt {self.path} {why.rstrip('.')}.",
            "Correct it, or remove it from the folder of your prompts.",
        )


@lru_cache(maxsize=64)
def _template(text: str) -> RichPromptTemplate:
    """``text`` as a template, parsed once: that takes longer than reading its file again."""
    from llama_index.core.prompts import RichPromptTemplate  # noqa: PLC0415

    return RichPromptTemplate(text)


class Prompts:
    """All prompts; each is read and checked when the set is made.

    Args:
        own: a folder whose files replace those that come with the program.

    Raises:
        ConfigurationError: a prompt cannot be used, or the folder holds a file that is none.
    """

    def __init__(self, own: Path | None = None) -> None:
        self.own = own.expanduser() if own else None
        if self.own is not None:
            self._check_folder(self.own)
        self._prompts = {
            name: Prompt(name, self.path(name), contract) for name, contract in PROMPTS.items()
        }

    def __getitem__(self, name: str) -> Prompt:
        return self._prompts[name]

    def path(self, name: str) -> Path:
        """The file that a prompt is read from."""
        if self.own is not None and (self.own / f"{name}.md").is_file():
            return self.own / f"{name}.md"
        return self.folder / f"{name}.md"

    @cached_property
    def folder(self) -> Path:
        """The prompts that come with the program: in a wheel, or beside the package."""
        package = Path(__file__).parent
        for folder in (package / "prompts", package.parent / "prompts"):
            if (folder / "answer.md").is_file():
                return folder
        raise ConfigurationError(
            f"The prompts are missing from {package / 'prompts'}.", "Install the program again."
        )

    @staticmethod
    def _check_folder(folder: Path) -> None:
        if not folder.is_dir():
            raise ConfigurationError(
                f"The folder of prompts {folder} does not exist.",
                "Create it, or unset ASSISTANT_PROMPTS.",
            )
        strange = sorted(p.stem for p in folder.glob("*.md") if p.stem not in PROMPTS)
        if strange:
            raise ConfigurationError(
                f"The folder {folder} holds a prompt {strange[0]!r} that is not asked for.",
                f"Prompts are called: {', '.join(sorted(PROMPTS))}.",
            )


def boundary(texts: Iterable[str]) -> str:
    """A word that sets ``texts`` off: it hangs on all of them, and none of them holds it.

    The same texts get the same word, so that kept replies are found again.
    """
    pieces = list(texts)
    digest = hashlib.sha256("\x1f".join(pieces).encode("utf-8", "surrogatepass")).hexdigest()
    for start in range(0, len(digest) - 8, 8):
        word = f"#{digest[start : start + 8]}"
        if not any(word in piece for piece in pieces):
            return word
    return f"#{digest}"
