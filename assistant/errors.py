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
    │   └── PaperNotFound       no paper of the library has this id or title
    └── EndpointError           an OpenAI-compatible endpoint did not do what was asked

Each carries one sentence that says what happened and one that says what to do; the front ends
print ``str(error)`` and nothing else. Anything that is not an `AssistantError` is a defect.
"""

from __future__ import annotations


class AssistantError(Exception):
    """Base of all errors of this package: what happened, and what to do about it.

    Args:
        what: one sentence, what happened, with the name of the thing that it happened to.
        do: one sentence, what mends it (may be empty when ``what`` says it already).
    """

    def __init__(self, what: str, do: str = "") -> None:
        self.what = what.strip()
        self.do = do.strip()
        super().__init__(" ".join(part for part in (self.what, self.do) if part))


class ConfigurationError(AssistantError):
    """A setting, a prompt file or a configuration file cannot be used."""


class QuestionError(AssistantError):
    """The question or topic cannot be asked."""


class SourceError(AssistantError):
    """A source of papers cannot be read at all (single bad records are reported instead)."""


class WeightsError(AssistantError):
    """The embedded model's weights are missing, damaged or not to be had."""


class LibraryError(AssistantError):
    """The library cannot be opened, read or written."""


class LibraryNotFound(LibraryError):
    """There is no library here, or it holds no paper yet."""


class LibraryLocked(LibraryError):
    """Another process is writing to the library and did not finish in time."""


class LibraryMismatch(LibraryError):
    """The library was filled by another embedding model, or chunked in another way."""


class PaperNotFound(LibraryError):
    """No paper of the library has this id or title."""


class EndpointError(AssistantError):
    """A configured OpenAI-compatible endpoint did not do what was asked of it."""
