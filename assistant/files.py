"""Files: the one atomic write, and who may write where."""

from __future__ import annotations

import os
import threading
from pathlib import Path

__all__ = ["writable", "write_atomically"]


def writable(path: Path) -> bool:
    """Whether this process may write to the file or folder ``path``."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes ``content`` so that a reader sees the old content or the new, never a part.

    Raises:
        OSError: it cannot be written; the old content is kept.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with part.open("wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
