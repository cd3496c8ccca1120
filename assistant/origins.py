"""Where the value of a setting comes from, in words: the environment, the file, the default."""

from __future__ import annotations

import os
import tomllib

from assistant.settings import config_file

__all__ = ["origin"]

_NAMES = {"openai_api_key": "OPENAI_API_KEY", "openai_base_url": "OPENAI_BASE_URL"}


def origin(*path: str) -> str:
    """Where ``settings.<path>`` was read from: ``origin("retrieval", "top_k")``."""
    name = _NAMES.get(path[0], "ASSISTANT_" + "__".join(path).upper())
    if any(known.upper() == name for known in os.environ):
        return f"environment: {name}"
    file = config_file()
    try:
        values: object = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "default"
    for part in path:
        if not isinstance(values, dict) or part not in values:
            return "default"
        values = values[part]
    return f"file: {file}"
