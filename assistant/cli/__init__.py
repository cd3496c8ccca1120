"""The terminal: ``assistant ingest``, ``ask``, ``chat``, ``papers``, ``doctor`` and the others.

`main` is the console script. This package turns arguments into calls of `Assistant` and results
into lines; it decides nothing about papers or answers. Results go to standard output, everything
else to standard error; exit codes are 0 (done), 1 (failed, one sentence says why), 2 (wrong
usage) and 130 (interrupted).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

DONE, FAILED, INTERRUPTED = 0, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (the process's own when not given) and returns its exit code."""
    try:
        code = _run(arguments)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except KeyboardInterrupt:
        code = _tell("Interrupted; the library is as it was.", INTERRUPTED)
    except OSError as error:  # of the flush; all others have been told
        code = _quietly(error)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    from assistant.cli.app import app  # noqa: PLC0415  (inside, so that Ctrl-C is caught)
    from assistant.cli.terminal import Interrupted, PipeClosed, prepare_streams  # noqa: PLC0415
    from assistant.errors import AssistantError  # noqa: PLC0415

    prepare_streams()
    try:
        app(arguments, prog_name="assistant")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE
    except Interrupted as interrupted:
        return _tell(str(interrupted), INTERRUPTED)
    except AssistantError as error:
        return _tell(str(error), FAILED)
    except PipeClosed:
        return _quietly(BrokenPipeError())
    except Exception as error:  # noqa: BLE001  the last one that can say it in a sentence
        return _defect(error)
    return DONE


def _tell(sentence: str, code: int) -> int:
    """One line on standard error, whatever the state of it."""
    from assistant.cli.terminal import clean, fitting  # noqa: PLC0415

    line = fitting(" ".join(clean(sentence).split()), sys.stderr)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    return code


def _defect(error: Exception) -> int:
    """One sentence on what should not have happened; the traceback only when it is wanted."""
    if os.environ.get("ASSISTANT_DEBUG"):
        import traceback  # noqa: PLC0415

        traceback.print_exception(error)
    what = " ".join(str(error).split())[:200]
    reason = f"{type(error).__name__}: {what}" if what else type(error).__name__
    return _tell(
        f"Something went wrong inside the program ({reason}): this is a defect, "
        "run again with ASSISTANT_DEBUG=1 for details.",
        FAILED,
    )


def _quietly(error: OSError) -> int:
    """The reader of our output went away (``| head``): that is its right, and no failure."""
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # what is still buffered must not complain when Python ends
            with contextlib.suppress(OSError, ValueError):
                os.dup2(silent, stream.fileno())
    os.close(silent)
    return DONE if isinstance(error, BrokenPipeError) else FAILED
