"""Named libraries: a list of names in the user's data folder, each with the place it stands for.

``--library NAME`` takes a name of the list before a folder of that name; ``use`` says which one
is meant where none is named.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from platformdirs import user_data_path
from pydantic import BaseModel

from assistant.errors import ConfigurationError, LibraryError, LibraryNotFound
from assistant.files import read_sealed, write_sealed
from assistant.settings import APP, Settings

__all__ = ["Libraries", "Place"]

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")


class Place(BaseModel):
    """Where a named library is: a folder, and the store where that is not the folder itself."""

    library: Path
    store: str | None = None

    def __str__(self) -> str:
        return self.store or str(self.library)


class _Listed(BaseModel):
    used: str | None = None
    places: dict[str, Place] = {}


class Libraries:
    """The list in ``folder`` (the user's data folder if not given)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_data_path(APP)
        self._file = self.folder / "libraries.json"

    def _read(self) -> _Listed:
        try:
            return _Listed.model_validate_json(read_sealed(self._file))
        except FileNotFoundError:
            return _Listed()
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The list of libraries {self._file} cannot be read: {str(error).splitlines()[0]}.",
                "Mend or remove it; the libraries themselves are not touched.",
            ) from None

    def _write(self, listed: _Listed) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(listed.model_dump(mode="json"), indent=2) + "\n"
        try:
            write_sealed(self._file, text)
        except OSError as error:
            raise LibraryError(
                f"{self._file} cannot be written: {error.strerror or error}.",
                "Grant access to the folder.",
            ) from None

    @property
    def places(self) -> dict[str, Place]:
        """Name → place, in the order in which they were made."""
        return self._read().places

    @property
    def used(self) -> str | None:
        """The name that is meant where none is given."""
        return self._read().used

    def place(self, name: str) -> Place | None:
        """The place of ``name``; None where it is on no list."""
        return self._read().places.get(name)

    def create(self, name: str, at: str | None = None) -> Place:
        """Puts ``name`` on the list; papers come with ``ingest --library NAME``.

        Args:
            name: letters, digits, "-", "_" and ".".
            at: a folder, or a store as ASSISTANT_STORE takes it; a folder beside the others if
                not given.

        Raises:
            ConfigurationError: the name cannot be used, or is taken.
        """
        if not _NAME.fullmatch(name) or name == "sample":
            raise ConfigurationError(
                f"{name!r} cannot be the name of a library.",
                "Use letters, digits, '-', '_' and '.'; 'sample' is taken.",
            )
        listed = self._read()
        if name in listed.places:
            raise ConfigurationError(
                f"There is a library {name!r} already, at {listed.places[name]}.",
                "Choose another name.",
            )
        folder = self.folder / "libraries" / name
        if at is None:
            place = Place(library=folder)
        elif "://" in at or at.startswith("chroma-cloud:"):
            place = Place(library=Path(name), store=at)
        else:
            place = Place(library=Path(at).expanduser().absolute())
        listed.places[name] = place
        self._write(listed)
        return place

    def delete(self, name: str) -> Place:
        """Takes ``name`` off the list and removes its folder, where it lies among ours.

        Raises:
            LibraryNotFound: it is on no list.
            LibraryError: the folder cannot be removed.
        """
        listed = self._read()
        place = self._known(listed, name)
        ours = place.store is None and place.library.parent == self.folder / "libraries"
        try:
            if ours and place.library.exists():
                shutil.rmtree(place.library)
        except OSError as error:
            raise LibraryError(
                f"{place.library} cannot be removed: {error.strerror or error}.",
                "Grant access to the folder.",
            ) from None
        del listed.places[name]
        listed.used = None if listed.used == name else listed.used
        self._write(listed)
        return place

    def use(self, name: str | None) -> None:
        """Makes ``name`` the one that is meant where none is given; None: the usual one again.

        Raises:
            LibraryNotFound: it is on no list.
        """
        listed = self._read()
        if name is not None:
            self._known(listed, name)
        self._write(listed.model_copy(update={"used": name}))

    def settings(self, name: str, **others: object) -> Settings:
        """The settings with the library ``name``.

        Raises:
            LibraryNotFound: it is on no list.
        """
        place = self._known(self._read(), name)
        return Settings.load(library=place.library, store=place.store or "", **others)

    def _known(self, listed: _Listed, name: str) -> Place:
        if name not in listed.places:
            known = ", ".join(sorted(listed.places)) or "none yet"
            raise LibraryNotFound(
                f"There is no library called {name!r}; there are: {known}.",
                f"Make it with 'assistant library create {name}'.",
            )
        return listed.places[name]
