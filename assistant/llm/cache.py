"""Replies of language models kept on disk, so that a run can be repeated without a call.

One small JSON file a reply, named by the hash of address, model, messages and parameters;
written aside and moved, so that several processes may share a cache. What cannot be read is
taken as not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from assistant.settings import Settings

__all__ = ["ReplyCache", "clear_replies"]

_FOLDER = "replies"


def clear_replies(settings: Settings) -> int:
    """Removes every kept reply; returns how many there were."""
    folder = settings.cache.expanduser() / _FOLDER
    count = sum(1 for _ in folder.glob("*/*.json"))
    shutil.rmtree(folder, ignore_errors=True)
    return count


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
            kept = json.loads(self._path(key).read_text("utf-8"))
            return str(kept["text"]), str(kept["finish"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, text: str, finish: str) -> None:
        """Keeps a reply; a disk that is full or read-only is no reason to lose an answer."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as out:
                json.dump({"text": text, "finish": finish}, out)
            Path(name).replace(path)
        except OSError:
            return

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"
