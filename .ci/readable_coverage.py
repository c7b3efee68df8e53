"""Delete the coverage files that cannot be read, which killed processes leave behind.

``coverage combine`` warns of each of them. A process that is killed as it writes leaves an empty
file, a database without tables or rows, or SQLite's own journal beside one.
"""

# ruff: noqa: INP001 - no package

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

TABLES = ("coverage_schema", "meta", "file", "context", "line_bits", "arc", "tracer")


def is_whole(path: Path) -> bool:
    """Return whether a file is a database with all tables of coverage."""
    try:
        with closing(sqlite3.connect(path)) as database:
            for table in TABLES:
                database.execute(f"select count(*) from {table}")  # noqa: S608 - our own names
            versions = database.execute("select version from coverage_schema").fetchall()
            return len(versions) == 1
    except sqlite3.Error:
        return False


def main() -> None:
    """Delete what is broken in the current folder."""
    for path in sorted(Path().glob(".coverage.*")):
        # Reading a database takes back what its journal holds, and deletes the journal.
        if path.exists() and not is_whole(path):
            path.unlink()


if __name__ == "__main__":
    main()
