"""Every error that this package raises on purpose, in one place.

    AssistantError
    ├── ConfigurationError      a setting, a prompt or a configuration file cannot be used
    ├── QuestionError           the question (or topic) cannot be asked: empty, no word in it
    ├── SourceError             a file, folder or stream of papers cannot be read
    ├── WeightsError            the weights of the embedded model are missing or damaged
    ├── LibraryError            the library cannot be opened or written
    │   ├── LibraryNotFound     there is no library (or no paper in it) at this place
    │   ├── LibraryLocked       another process writes and did not finish in time
    │   ├── LibraryMismatch     it was filled by another embedding model or chunking
    │   ├── ConversationNotFound no such conversation or review is kept in it, or it was deleted
    │   ├── ScreeningNotFound   no such screening is kept in it
    │   ├── DecisionStands      another window or program decided on this paper meanwhile
    │   ├── PaperNotFound       no paper of the library has this id or title
    │   └── WatchError          a watch is not known, or cannot be made
    └── EndpointError           an OpenAI-compatible endpoint did not do what was asked
        ├── KeyRefused          the key is wrong, or may not do this
        ├── ModelUnknown        the endpoint has no such model
        ├── EndpointUnreachable nobody answers at the address
        ├── EndpointSlow        it took the request and then was silent for too long
        ├── EndpointFailed      it says that something is wrong on its side, or with the request
        ├── RateLimited         too many requests; it may pass
        ├── QuotaExhausted      the account has no money or allowance left; it does not pass
        ├── ContextTooLong      the prompt does not fit into the model's context window
        ├── ContentFiltered     the provider's filter stopped the reply
        ├── ReplyEmpty          a reply without a word
        ├── ReplyCut            the reply broke off in the middle
        ├── ReplyMalformed      what came is no reply in the OpenAI format
        ├── CostCapReached      the next call would cross the cap that a person set
        └── Cancelled           the one who asked has gone; nothing is wrong

Each carries one sentence that says what happened and one that says what to do; the front ends
print ``str(error)`` and nothing else. Anything that is not an `AssistantError` is a defect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from assistant.results import Answer, Usage


class AssistantError(Exception):
    """Base of all errors of this package: what happened, and what to do about it.

    Args:
        what: one sentence, what happened, with the name of the thing that it happened to.
        do: one sentence, what mends it (may be empty when ``what`` says it already).
    """

    public: ClassVar[str | None] = "The server cannot do this now; its terminal says why."
    """What is told on other machines: the message may name paths, addresses and keys of this one.

    None: the message itself.
    """

    def __init__(self, what: str, do: str = "") -> None:
        self.what = what.strip()
        self.do = do.strip()
        super().__init__(" ".join(part for part in (self.what, self.do) if part))

    def worded(self, *, here: bool) -> str:
        """The message; not ``here``: as somebody on another machine is told."""
        return str(self) if here or self.public is None else self.public


class ConfigurationError(AssistantError):
    """A setting, a prompt file or a configuration file cannot be used."""


class QuestionError(AssistantError):
    """The question or topic cannot be asked."""

    public = None


class SourceError(AssistantError):
    """A source of papers cannot be read at all (single bad records are reported instead)."""

    public = None


class WeightsError(AssistantError):
    """The embedded model's weights are missing, damaged or not to be had."""


class LibraryError(AssistantError):
    """The library cannot be opened, read or written."""


class LibraryNotFound(LibraryError):
    """There is no library here, or it holds no paper yet."""

    public = "There is no library here yet, or no paper in it."


class LibraryLocked(LibraryError):
    """Another process is writing to the library and did not finish in time."""

    public = "The library is being written to; try again in a moment."


class LibraryMismatch(LibraryError):
    """The library was filled by another embedding model, or chunked in another way."""


class ConversationNotFound(LibraryError):
    """No such conversation, question or review is kept in the library's folder."""


class ScreeningNotFound(LibraryError):
    """No screening of this name is kept in the library's folder."""

    public = None


class DecisionStands(LibraryError):
    """The reviewer decided on this paper meanwhile, in another window or program."""

    public = None


class PaperNotFound(LibraryError):
    """No paper of the library has this id or title."""

    public = None


class WatchError(LibraryError):
    """A watch is not known, or cannot be made."""


class EndpointError(AssistantError):
    """A configured OpenAI-compatible endpoint did not do what was asked of it.

    ``partial`` is what there is of the answer, and ``usage`` what has been spent on it, when
    either is known.
    """

    public = "The language model could not answer; the server's terminal says why."
    partial: Answer | None = None
    usage: Usage | None = None


class KeyRefused(EndpointError):
    """The key is wrong, or may not do this."""


class ModelUnknown(EndpointError):
    """The endpoint has no such model."""


class EndpointUnreachable(EndpointError):
    """Nobody answers at the address."""


class EndpointSlow(EndpointError):
    """The endpoint took the request and then was silent for too long."""

    public = "The language model was silent for too long; try again later."


class EndpointFailed(EndpointError):
    """The endpoint says that something is wrong, on its side or with the request."""


class RateLimited(EndpointError):
    """Too many requests; it passes."""

    public = "The language model is asked too often right now; try again in a moment."


class QuotaExhausted(EndpointError):
    """The account has no money or allowance left; waiting does not help."""


class ContextTooLong(EndpointError):
    """The prompt does not fit into the model's context window."""

    public = "This is too long for the language model; ask something shorter."


class ContentFiltered(EndpointError):
    """The provider's filter stopped the reply."""


class ReplyEmpty(EndpointError):
    """The model replied without a word."""


class ReplyCut(EndpointError):
    """The reply broke off in the middle."""


class ReplyMalformed(EndpointError):
    """What came is no reply in the OpenAI format."""


class CostCapReached(EndpointError):
    """The next call would cross the cap that a person set for a question."""

    public = "The next step would cost more than is allowed here."


class Cancelled(EndpointError):
    """The one who asked has gone; the request was stopped at the provider."""
