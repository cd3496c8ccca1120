"""Where the browser of the tests is."""

from __future__ import annotations

import os
from pathlib import Path

CHROMIUM = Path(os.environ.get("ASSISTANT_TEST_CHROMIUM", "/usr/bin/chromium"))
