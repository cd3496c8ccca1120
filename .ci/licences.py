"""The licence of everything that is installed; exit code 1 where one is stronger than the LGPL.

    python .ci/licences.py

Reads what each distribution says of itself: the SPDX expression, else the classifiers, else the
licence field, else the first line of its licence file. One that says nothing is a failure, too:
somebody has to look.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

_OURS = "abstract-assistant"
_STRONG = re.compile(
    r"(?<!L)(?<!Lesser )(?<!Library )\b(?:A?GPL|GNU (?:Affero )?General Public|SSPL|Server Side"
    r"|BUSL|Business Source|Elastic License|Commons Clause|CC-BY-(?:NC|ND)|EUPL|OSL)"
    r"|Proprietary|Non-?commercial",
    re.IGNORECASE,
)


def licence(distribution: Distribution) -> str:
    """What the distribution says of its licence; empty where it says nothing."""
    metadata = distribution.metadata
    classifiers = [
        line.rpartition("::")[2].strip()
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License ::") and line.count("::") > 1
    ]
    said = (metadata.get("License") or "").strip().partition("\n")[0]
    told = metadata.get("License-Expression") or "; ".join(classifiers) or said[:80]
    return told or _title(distribution)


def _title(distribution: Distribution) -> str:
    """The first line of the licence's text; empty where there is none."""
    names = set(distribution.metadata.get_all("License-File") or [])
    for file in distribution.files or []:
        if names and file.name in {Path(name).name for name in names}:
            return str(file.read_text()).strip().partition("\n")[0][:80]
    return ""


def strong(text: str) -> bool:
    """Whether no alternative of the licence is as free as the LGPL."""
    return all(_STRONG.search(choice) for choice in re.split(r"\bOR\b", text))


def main() -> int:
    """Prints a line a distribution, then what is wrong."""
    found = {d.metadata["Name"]: licence(d) for d in distributions()}
    found.pop(_OURS, None)
    for name in sorted(found, key=str.lower):
        print(f"{name:45} {found[name] or '?'}")
    wrong = {name: text for name, text in found.items() if not text or strong(text)}
    for name, text in wrong.items():
        print(f"not to be used: {name} ({text or 'says no licence'})", file=sys.stderr)
    print(f"{len(found)} distributions, {len(wrong)} not to be used", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
