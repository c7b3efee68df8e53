"""The table of figures."""

from __future__ import annotations


def show(*rows: str) -> None:
    """Print rows of the table at once, since the next ones may take minutes."""
    for row in rows:
        print(row, flush=True)
