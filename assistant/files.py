"""Files: the one atomic write, the seal that shows damage, and who may write where."""

from __future__ import annotations

import os
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = [
    "forget",
    "missing",
    "read_sealed",
    "remember",
    "replacing",
    "writable",
    "write_atomically",
    "write_sealed",
]

_KEPT = "kept"
"""A file that lists its neighbours that have been written once: a lost one is not a new one."""

_SEAL = re.compile(rb',?\s*"seal": "([0-9a-f]{8})"\s*\}\s*$')


def writable(path: Path) -> bool:
    """Whether this process may write to the file or folder ``path``."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


@contextmanager
def replacing(path: Path, *, over: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to that takes the place of ``path`` at the end, whole, or not at all.

    It has the permissions of the file that it replaces, else those of any new one.

    Args:
        path: a reader sees its old content or the new, never a part.
        over: else a file that is there by the end stays.

    Raises:
        FileExistsError: not ``over``, and there is one.
        OSError: it cannot be written; the old content is kept.
    """
    part = path.with_name(f"{path.name[:100]}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if over:
            with suppress(FileNotFoundError):
                part.chmod(path.stat().st_mode & 0o777)
            part.replace(path)
        else:
            _place_new(part, path)
    finally:
        part.unlink(missing_ok=True)


def _place_new(part: Path, path: Path) -> None:
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        part.replace(path)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes ``content`` as `replacing` does.

    Raises:
        OSError: it cannot be written; the old content is kept.
    """
    with replacing(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def missing(folder: Path) -> list[Path]:
    """What was written in ``folder``, is wanted, and is gone or empty now."""
    try:
        names = (folder / _KEPT).read_text("utf-8").split("\n")
    except (OSError, ValueError):
        return []
    found = [folder / name for name in dict.fromkeys(names) if name and Path(name).name == name]
    return [path for path in found if not path.exists() or not path.stat().st_size]


def remember(path: Path) -> None:
    """Notes that there is such a file: `missing` tells when it is gone.

    Raises:
        OSError: it cannot be written.
    """
    kept = path.with_name(_KEPT)
    if not kept.exists() or path.name not in kept.read_text("utf-8", "replace").split("\n"):
        with kept.open("a", encoding="utf-8") as file:
            file.write(f"{path.name}\n")


def forget(path: Path) -> None:
    """Takes back `remember`."""
    kept = path.with_name(_KEPT)
    if kept.exists():
        names = kept.read_text("utf-8", "replace").split("\n")
        write_atomically(kept, "\n".join(name for name in names if name != path.name))


def write_sealed(path: Path, text: str, *, remembered: bool = False) -> None:
    """Writes a JSON object atomically, with a last field "seal": the CRC-32 of what is before it.

    Args:
        remembered: see `remember`; for what cannot be made again.

    Raises:
        OSError: it cannot be written; the old content is kept.
    """
    body = text.rstrip().removesuffix("}").rstrip()
    comma = "" if body == "{" else ","
    write_atomically(path, f'{body}{comma}\n "seal": "{zlib.crc32(body.encode()):08x}"\n}}\n')
    if remembered:
        remember(path)


def read_sealed(path: Path) -> bytes:
    """What `write_sealed` wrote; a file without a seal is read as it is.

    Who edits such a file by hand takes the line of the seal out.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds other bytes than were written, or is gone though it is remembered.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if path in missing(path.parent):
            raise ValueError("it is gone") from None
        raise
    seal = _SEAL.search(data)
    if seal is not None and zlib.crc32(data[: seal.start()]) != int(seal[1], 16):
        raise ValueError("it is damaged: not what was written")
    return data
