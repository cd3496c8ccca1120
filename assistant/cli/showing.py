"""Answers as lines: the text with its verdicts, the sources with their quotes, the notes."""

from __future__ import annotations

import re

from assistant.cli.terminal import Part, Terminal
from assistant.results import Answer, Citation, Sentence, StatusEvent, Usage

__all__ = [
    "UNFINISHED",
    "dots",
    "marked",
    "remark",
    "show_answer",
    "show_notes",
    "show_sources",
    "show_step",
    "show_text",
    "told_usage",
    "without_error",
]

_NUMBERS = re.compile(r"\[\d+(?:\s*[,;–-]\s*\d+)*\]")
_AFTER = re.compile(r"(?:\s*\[\d+(?:\s*[,;–-]\s*\d+)*\])*[.!?]?")
_NEAREST = 3

_MARKS: dict[str, tuple[str, str]] = {
    "partial": ("partly supported", "yellow"),
    "unsupported": ("not supported", "red"),
}
UNFINISHED = ("not finished", "yellow")
_ENDS = re.compile(r"[.!?…。！？][\"'”’)\]\s]*\Z")
_CARDS = {"closest": "no direct answer", "absent": "not in this library"}


def show_step(terminal: Terminal, step: StatusEvent) -> None:
    """What is being done; a wait is told also where nobody looks, for it may be long."""
    if step.waiting and not terminal.rich_notes:
        terminal.note(f"{step.text[:1].upper()}{step.text[1:]}.")
    else:
        terminal.working(step.text)


def show_answer(terminal: Terminal, answer: Answer, *, unfinished: bool = False) -> None:
    """The whole answer, or what there is of it: text, sources, notes."""
    terminal.settle()
    show_text(terminal, answer, unfinished=unfinished)
    show_sources(terminal, answer)
    show_notes(terminal, answer, finished=not unfinished)


def show_text(terminal: Terminal, answer: Answer, *, unfinished: bool = False) -> None:
    """The text with its verdicts; in a frame where it is no direct answer."""
    framed = terminal.rich and not unfinished  # the frame says that it is no answer
    shown = answer.model_copy(update={"answer": answer.body}) if framed else answer
    text, unplaced = marked(shown)
    if unfinished:
        terminal.say(*text, f"{dots(answer.answer)} ", (f"({UNFINISHED[0]})", UNFINISHED[1]))
    elif answer.status in _CARDS:
        terminal.card(_CARDS[answer.status], *text)
    else:
        terminal.say(*text)
    for sentence in unplaced:
        terminal.say(*sentence)


def without_error(partial: Answer, message: str) -> Answer:
    """A partial answer whose notes do not say what the error says again.

    Its sources are those of what it says, not the closest ones.
    """
    notes = [note for note in partial.notes if note.partition(": ")[2] not in message]
    return partial.model_copy(update={"notes": notes, "status": "answered"})


def dots(text: str) -> str:
    """What stands for the rest of a sentence that broke off; nothing where none did."""
    return "" if _ENDS.search(text) or not text.strip() else "…"


def remark(sentence: Sentence) -> tuple[str, str] | None:
    """The verdict on a sentence with its reason, and its style; None where there is no doubt."""
    mark = _MARKS.get(sentence.support)
    if mark is None or not sentence.why:
        return mark
    return f"{mark[0]} — {sentence.why}", mark[1]


def marked(answer: Answer) -> tuple[list[Part], list[list[Part]]]:
    """The text with a mark behind each sentence that is not fully supported.

    Returns:
        the text in styled parts, and lines for the sentences that are not in the text word for
        word, so that no verdict is lost.
    """
    parts: list[Part] = []
    unplaced: list[list[Part]] = []
    done = 0
    for sentence in answer.sentences:
        start = answer.answer.find(sentence.text, done)
        end = start + len(sentence.text)
        mark = remark(sentence)
        if start >= 0:
            rest = _AFTER.match(answer.answer, end)
            end = rest.end() if rest else end
            if mark:
                parts += _numbered(answer.answer[done:end])
                parts.append((f" ({mark[0]})", mark[1]))
                done = end
        elif mark:
            unplaced.append([(f"{mark[0]}: ", mark[1]), f"“{sentence.text}”"])
    return [*parts, *_numbered(answer.answer[done:])], unplaced


def show_sources(terminal: Terminal, answer: Answer, *, quotes: bool = True) -> None:
    """The cited papers by number and title; where none is cited, the nearest ones.

    All of them or none: a list with holes looks as if a source were missing.
    """
    shown = answer.citations
    if not all(_stands_in(answer, citation) for citation in shown):
        terminal.say()
        terminal.say(("Closest papers:" if answer.status == "closest" else "Sources:", "bold"))
        for citation in shown:
            _show_citation(
                terminal,
                citation,
                quotes=quotes and citation.quote not in answer.answer,
                told=citation.title in answer.answer,
            )
    if answer.citations:
        return
    nearest = [p for p in answer.passages[:_NEAREST] if p.title not in answer.answer]
    if not answer.answered and nearest and answer.mode != "extractive":  # that names what is near
        terminal.say()
        terminal.say(("Nearest papers:", "bold"))
        for passage in nearest:
            terminal.say(f"- {passage.title}", *_link(passage.url), hang=2)


def show_notes(terminal: Terminal, answer: Answer, *, finished: bool = True) -> None:
    """What the answer says about itself, quietly and not on standard output."""
    notes = [*(_sureness(answer) if finished else []), *answer.notes]
    if answer.usage and answer.usage.prompt_tokens:
        notes.append(f"{answer.model}: {told_usage(answer.usage)}.")
    if notes and terminal.rich_notes:
        terminal.note("")
    for note in notes:
        terminal.note(note)


def _sureness(answer: Answer) -> list[str]:
    """How sure it is that the library answers; nothing where the records do."""
    if answer.form in {"talk", "about_library"}:
        return []
    said = "Answered; confidence" if answer.status == "answered" else "Confidence"
    return [f"{said} that the library answers: {answer.confidence:.0%}."]


def told_usage(usage: Usage) -> str:
    """Tokens, calls where there were several, and the cost where it is known."""
    about = "about " if usage.estimated else ""
    calls = f" in {usage.calls} calls" if usage.calls > 1 else ""
    told = f"{about}{usage.prompt_tokens:,} tokens in, {usage.completion_tokens:,} out{calls}"
    if usage.cost_usd is None:
        return told
    least = 0.0001
    cost = f"${usage.cost_usd:.4f}" if usage.cost_usd >= least else f"less than ${least}"
    return f"{told}, {cost}"


def _stands_in(answer: Answer, citation: Citation) -> bool:
    """Whether the answer itself says all that a line on ``citation`` would say."""
    told = citation.title in answer.answer and citation.quote in answer.answer
    return answer.mode == "extractive" and told and not citation.url


def _show_citation(
    terminal: Terminal, citation: Citation, *, quotes: bool, told: bool = False
) -> None:
    """``told``: the answer has named the paper, of which only the address is to be shown."""
    mark = _MARKS.get(citation.support)
    verdict: list[Part] = [(f" · {mark[0]}", mark[1])] if mark else []
    number = f"[{citation.number}] "
    link = _link(citation.url)
    named: list[Part] = [] if told and link else [" ", citation.title]
    terminal.say((number.rstrip(), "cyan"), *named, *link, *verdict, hang=len(number))
    if quotes and citation.quote:
        terminal.say((f"“{citation.quote}”", "dim"), indent=len(number))


def _link(url: str | None) -> list[Part]:
    return [(f" ({url})", "dim")] if url else []


def _numbered(text: str) -> list[Part]:
    """``text`` with its citation numbers in colour."""
    parts: list[Part] = []
    done = 0
    for found in _NUMBERS.finditer(text):
        parts += [text[done : found.start()], (found.group(), "cyan")]
        done = found.end()
    return [*parts, text[done:]]
