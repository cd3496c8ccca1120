"""Replies of language models kept on disk, so that a run can be repeated without a call.

One small JSON file a reply, named by the hash of address, model, messages and parameters;
written aside and moved, so that several processes may share a cache. What cannot be read is
taken as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import ConfigurationError
from assistant.files import read_sealed, write_sealed
from assistant.settings import Settings

__all__ = ["KeptReplies", "ReplyCache", "clear_replies", "kept_replies"]

_FOLDER = "replies"


@dataclass(frozen=True, slots=True)
class KeptReplies:
    """What is kept: where, how many replies, how many bytes."""

    folder: Path
    count: int
    size: int


def kept_replies(settings: Settings) -> KeptReplies:
    """Counts the kept replies."""
    folder = settings.cache.expanduser() / _FOLDER
    sizes = []
    for path in folder.glob("*/*.json"):
        with contextlib.suppress(OSError):  # cleared meanwhile, by another process
            sizes.append(path.stat().st_size)
    return KeptReplies(folder, len(sizes), sum(sizes))


def clear_replies(settings: Settings) -> int:
    """Removes every kept reply; returns how many there were.

    Raises:
        ConfigurationError: the folder cannot be removed.
    """
    kept = kept_replies(settings)
    try:
        shutil.rmtree(kept.folder)
    except FileNotFoundError:
        return kept.count
    except OSError as error:
        raise ConfigurationError(
            f"The kept replies in {kept.folder} cannot be removed: {error.strerror or error}.",
            "Grant access to that folder, or remove it by hand.",
        ) from None
    return kept.count


class ReplyCache:
    """The kept replies of the cache folder of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.cache.expanduser() / _FOLDER

    @staticmethod
    def key(
        base_url: str, model: str, messages: Sequence[Mapping[str, str]], parameters: object
    ) -> str:
        """Name of the reply to exactly this call; the key of the account is no part of it."""
        call = json.dumps([base_url, model, list(messages), parameters], sort_keys=True)
        return hashlib.sha256(call.encode("utf-8", "surrogatepass")).hexdigest()

    def get(self, key: str) -> tuple[str, str] | None:
        """(text, reason why it ended) of a kept reply."""
        try:
            kept = json.loads(read_sealed(self._path(key)))
            return str(kept["text"]), str(kept["finish"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, text: str, finish: str) -> None:
        """Keeps a reply; a disk that is full or read-only is no reason to lose an answer."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_sealed(path, json.dumps({"text": text, "finish": finish}))
        except OSError:
            return

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"
