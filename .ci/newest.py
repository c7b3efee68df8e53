"""Print each installed package that is not in the lock: what a run of the newest may have failed on.

On GitHub the summary of the run has the table, too.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from importlib import metadata
from pathlib import Path

LOCK = Path(__file__).parent / "lock.txt"
_LOCKED = re.compile(r"^([\w.-]+)==([^ ;\\]+)", re.MULTILINE)
_OURS = {"ticketr", "jira-sandbox", "pip", "setuptools"}


def table(lock: str, installed: dict[str, str]) -> str:
    """Return a title, and a row for each package whose version a lock does not have.

    Args:
        lock: The text of the lock. It may have several versions of a package, by Python's version.
        installed: The versions by name.
    """
    locked = defaultdict(list)
    for name, version in _LOCKED.findall(lock):
        locked[_normal(name)].append(version)
    rows = [
        f"| {name} | {', '.join(locked[name]) or 'none'} | {version} |"
        for name, version in sorted((_normal(name), installed[name]) for name in installed)
        if name not in _OURS and version not in locked[name]
    ]
    title = f"{len(rows)} packages differ from the lock"
    return "\n".join([title, "", "| package | lock | here |", "|---|---|---|", *rows, ""])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    installed = {package.name: package.version for package in metadata.distributions()}
    text = table(LOCK.read_text("utf-8"), installed)
    print(f"Python {sys.version.split()[0]}: {text}")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"Python {sys.version.split()[0]}: {text}\n")
