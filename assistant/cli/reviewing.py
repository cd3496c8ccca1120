"""``assistant review``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from assistant.cli.opening import checked_output, open_assistant, read_text, write_file
from assistant.cli.terminal import Terminal
from assistant.errors import LibraryError, SourceError
from assistant.files import write_atomically
from assistant.review.model import Review, ReviewEstimate, ReviewProgress
from assistant.review.rendering import format_of, render, rendered
from assistant.review.rendering.markdown import verdict_line

__all__ = ["review", "write_output"]


def review(
    topic: str,
    *,
    library: str | None,
    papers: int,
    include: Sequence[str],
    exclude: Sequence[str],
    outputs: Sequence[Path],
    force: bool,
    style: str,
    since: Path | None,
    preview: bool,
    as_json: bool,
    model: Mapping[str, object] | None = None,
) -> None:
    """Writes a literature review, to files or to standard output.

    ``model``: as `open_assistant` takes it.

    Raises:
        AssistantError: what `Assistant.review` raises; a file cannot be written.
    """
    terminal = Terminal()
    # before the work
    forms = [(checked_output(path, force=force), format_of(path)) for path in outputs]
    old = Review.model_validate_json(_read(since)) if since else None
    text = read_text(topic, terminal)
    assistant = open_assistant(library, terminal, model)
    try:
        if preview or assistant.settings.llm:
            terminal.working("looking for papers…")
            estimate = assistant.preview_review(text, papers, include, exclude)
            terminal.note(_estimated(estimate))
            if preview:
                if as_json:
                    terminal.data(estimate.model_dump(mode="json") if estimate else None)
                return

        def tell(progress: ReviewProgress) -> None:
            terminal.working(_step(progress))

        made = assistant.review(text, papers, include, exclude, tell, since=old)
    finally:
        terminal.settle()
        assistant.close()
    for path, form in forms:
        write_output(path, rendered(made, form, style), force=force)
        terminal.note(f"Written to {path}.")
    if as_json:
        terminal.data(made.model_dump(mode="json"))
    elif not forms:
        terminal.document([render(made, "md")])
    else:
        terminal.note(_summary(made))


def write_output(path: Path, content: str | bytes, *, force: bool) -> None:
    """A whole file, of text or not.

    Raises:
        LibraryError: it cannot be written, or may not be.
    """
    if isinstance(content, str):
        write_file(path, [content], force=force)
        return
    try:
        write_atomically(checked_output(path, force=force), content)
    except OSError as error:
        raise LibraryError(
            f"{path} cannot be written ({error.strerror}).", "Name another file."
        ) from None


def _read(path: Path) -> str:
    """A review that was written as JSON.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        return path.expanduser().read_text("utf-8")
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read ({error}).", "Name a review's .json.") from None


def _estimated(estimate: ReviewEstimate | None) -> str:
    """What the language model will be asked for."""
    if estimate is None:
        return "No language model is set: the review takes no call and costs nothing."
    return str(estimate)


def _step(progress: ReviewProgress) -> str:
    parts = [f"{progress.step} ({progress.done} of {progress.total})"]
    if progress.tokens:
        parts.append(f"{progress.tokens:,} tokens")
    if progress.seconds_left is not None:
        parts.append(f"{progress.seconds_left:.0f} s left")
    return ", ".join(parts)


def _summary(made: Review) -> str:
    if made.status == "absent":
        return made.scope[0].text
    return f"{made.counts.used} papers, {len(made.themes)} themes. {verdict_line(made)}"
