"""Where a library is: a folder, a Chroma server, or Chroma Cloud, by one setting.

ASSISTANT_STORE=./folder | http://host:8000 | chroma-cloud:TENANT/DATABASE[@https://host:port]

The last is Chroma Cloud or, with an address, distributed Chroma of one's own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from assistant.errors import ConfigurationError
from assistant.files import writable

if TYPE_CHECKING:
    from filelock import ReadWriteLock

__all__ = ["StoreAddress"]

_CLOUD = "chroma-cloud:"
_CLOUD_HOST = "api.trychroma.com"


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where the collections of a library are, and the folder of its local files.

    ``folder`` holds the library itself, or, of one that is elsewhere, what is kept here of it.
    """

    kind: Literal["folder", "server", "cloud", "given"]
    folder: Path
    host: str = ""
    port: int = 8000
    ssl: bool = False
    tenant: str = ""
    database: str = ""

    @classmethod
    def parse(cls, store: str | None, library: Path, cache: Path) -> StoreAddress:
        """The address that the setting ``store`` names; the folder ``library`` if it is not set.

        Args:
            store: as in the environment.
            library: folder of the library; its name tells libraries on one server apart.
            cache: where copies of what is on a server are kept.

        Raises:
            ConfigurationError: it is none of the three forms.
        """
        if not store:
            return cls("folder", library.expanduser())
        mirror = hashlib.sha256(f"{store.rstrip('/')}\n{library.name}".encode()).hexdigest()[:16]
        local = cache.expanduser() / "mirrors" / mirror
        if store.startswith(_CLOUD):
            named, _, url = store.removeprefix(_CLOUD).partition("@")
            tenant, slash, database = named.partition("/")
            if not (tenant and slash and database):
                raise ConfigurationError(
                    f"The store {store!r} names no tenant and database.",
                    "Write chroma-cloud:TENANT/DATABASE.",
                )
            host = _host(url, store) if url else (_CLOUD_HOST, 443, True)
            return cls("cloud", local, *host, tenant=tenant, database=database)
        if "://" in store:
            return cls("server", local, *_host(store, store))
        return cls("folder", Path(store).expanduser())

    @classmethod
    def given(cls, name: str, cache: Path) -> StoreAddress:
        """Of a collection that somebody else has opened; ``name`` tells it from all others."""
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        return cls("given", cache.expanduser() / "mirrors" / digest)

    @property
    def chroma(self) -> Path:
        """Folder of the embedded database."""
        return self.folder / "chroma"

    def guard(self) -> ReadWriteLock | None:
        """The lock of the embedded database, of this holder's own; None where none is needed."""
        if self.kind != "folder" or not writable(self.folder):
            return None
        from filelock import ReadWriteLock  # noqa: PLC0415

        return ReadWriteLock(self.folder / "chroma.lock", is_singleton=False)

    def __str__(self) -> str:
        if self.kind == "folder":
            return str(self.folder)
        if self.kind == "given":
            return "the given collection"
        url = f"http{'s' if self.ssl else ''}://{self.host}:{self.port}"
        if self.kind == "cloud":
            own = "" if self.host == _CLOUD_HOST else f"@{url}"
            return f"{_CLOUD}{self.tenant}/{self.database}{own}"
        return url


def _host(url: str, store: str) -> tuple[str, int, bool]:
    """Host, port, and whether it is encrypted."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise ConfigurationError(
            f"The store {store!r} is no address of a Chroma server.",
            "Write http://HOST:PORT or https://HOST:PORT.",
        )
    ssl = parts.scheme == "https"
    return parts.hostname, port or (443 if ssl else 8000), ssl
