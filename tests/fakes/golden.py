"""Golden files: what the app is to show, as text that people read.

After an intended change, ``TICKETR_GOLDEN=write`` writes the files again; read the diff.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from fakes.screens import plain


def framed(rows: Iterable[str]) -> str:
    """Return a screen as text: no styles, and a bar at the end of each row."""
    return "".join(f"{plain(row)}|\n" for row in rows)


def check_golden(path: Path, frames: Mapping[str, str]) -> None:
    """Compare frames with those in a file; write the file instead if the environment says so.

    Args:
        path: The file.
        frames: Each frame, by its name.
    """
    found = "\n".join(f"== {name}\n{text}" for name, text in frames.items())
    if os.environ.get("TICKETR_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
