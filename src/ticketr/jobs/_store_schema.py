"""The tables of a store's file, and how an older file gets them.

Of a job that has ended, what is in ``job`` is dropped. A link says that a job starts after another;
it is deleted when that one no longer keeps it from starting.
"""

from __future__ import annotations

from typing import Final

JOBS: Final = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    codec TEXT NOT NULL,
    job BLOB,
    key BLOB,
    options TEXT NOT NULL,
    submitted_at REAL NOT NULL,
    start_by REAL,
    kills INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'pending',
    priority INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    uncounted INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL DEFAULT 0,
    started_at REAL,
    total_ends_at REAL,
    finished_at REAL,
    cancel_cause TEXT,
    error TEXT,
    result BLOB
)
"""
LINKS: Final = """
CREATE TABLE links (
    job INTEGER NOT NULL,
    predecessor INTEGER NOT NULL,
    any_end INTEGER NOT NULL,
    PRIMARY KEY (job, predecessor)
) WITHOUT ROWID
"""
REPEATS: Final = """
CREATE TABLE repeats (
    id TEXT PRIMARY KEY,
    codec TEXT NOT NULL,
    job BLOB NOT NULL,
    key BLOB,
    options TEXT NOT NULL,
    priority INTEGER NOT NULL,
    every TEXT NOT NULL,
    first_at REAL NOT NULL,
    due_at REAL NOT NULL,
    is_due_used INTEGER NOT NULL,
    is_paused INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    missed INTEGER NOT NULL
)
"""
TABLES: Final = frozenset({"jobs", "links", "repeats"})
MIGRATIONS: Final[list[tuple[str, ...]]] = [
    (
        JOBS,
        "CREATE INDEX ended_jobs ON jobs (finished_at) WHERE finished_at IS NOT NULL",
        LINKS,
        "CREATE INDEX links_by_predecessor ON links (predecessor)",
        REPEATS,
    ),
]
"""The statements from each schema version to the next; a new file has version 0."""
