"""Reading: files, folders and standard input in, papers out, one at a time.

    for result in read(["page.txt", "folder", "-"]):
        ...  # a Paper, or a Rejection that says which record was left out, where and why

`SourceReader` is the same with the share of bytes that has been read; `FORMATS` are the formats.
"""

from __future__ import annotations

from assistant.reading.formats import FORMATS, Format, detect
from assistant.reading.sources import SourceReader, read

__all__ = ["FORMATS", "Format", "SourceReader", "detect", "read"]
