"""What the list knows of the files of a workspace, so that only changed files are read again.

A file counts as unchanged as long as its size, its inode and its times are the same. The system sets
the time of the change itself, also for a program that sets the other time back. Jobs and plans of
what is sent read every file, and use nothing from here.

A list of many files is stored in ticketr's own folder, for the next start.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ticketr import TicketrError, __version__
from ticketr.app.sync import SeenTicket, seen_ticket
from ticketr.app.tickets import Candidate
from ticketr.app.tui.rows import ListRow, rows_of_candidates

if TYPE_CHECKING:
    from ticketr.app.sync import LocalTicket, Store

#: The file, in ticketr's own folder.
FILE = "list.jsonl"
#: A list of fewer files is read in no time, and not stored.
LEAST_STORED = 500
#: The file is written again once this share of its lines is out of date.
STALE_SHARE = 0.05
#: The most bytes of the file that are read.
LARGEST = 1 << 28
#: Nanoseconds for which a file counts as changing: a second change may have the same time.
CHANGING = 3_000_000_000
#: Files in one portion of lines.
PORTION = 400
_NO_FLAGS = frozenset[str]()
_DRAFT = frozenset(("draft",))


class Stamp(NamedTuple):
    """Numbers that differ once a file has changed.

    Attributes:
        inode: The number of the file.
        size: Its size, in bytes.
        modified: When its content was changed, in nanoseconds.
        changed: When its content or its attributes were changed.
    """

    inode: int
    size: int
    modified: int
    changed: int


@dataclass(frozen=True, slots=True)
class SeenFile:
    """What was found in a file.

    Attributes:
        stamp: Numbers that differ once the file has changed.
        tickets: Its tickets, as far as the comparison with the last sync needs them.
        rows: The rows of each ticket.
    """

    stamp: Stamp
    tickets: tuple[SeenTicket, ...]
    rows: tuple[tuple[ListRow, ...], ...]


@final
class SeenFiles:
    """What was found in the files of a workspace.

    Args:
        store: The workspace.
        clock: Returns the time of the wall clock, in nanoseconds.
    """

    def __init__(self, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._clock = clock
        self._files: dict[str, SeenFile] = {}
        self._lines: dict[str, str] = {}  # as stored, of files that were not looked up yet
        self._changes = 0  # since the file was read or written

    def __len__(self) -> int:
        return len(self._files) + len(self._lines)

    def stamp(self, name: str) -> Stamp | None:
        """Return the stamp of a file; None if it may be changing, or is not a file."""
        try:
            file_stat = os.stat(self._store.path_of(name))  # noqa: PTH116 - thousands of files
        except OSError:
            return None
        newest = max(file_stat.st_ctime_ns, file_stat.st_mtime_ns)
        if not stat.S_ISREG(file_stat.st_mode) or newest > self._clock() - CHANGING:
            return None
        return Stamp(
            file_stat.st_ino, file_stat.st_size, file_stat.st_mtime_ns, file_stat.st_ctime_ns
        )

    def find(self, name: str, stamp: Stamp | None) -> SeenFile | None:
        """Return what was found in a file; None if it has changed since, or was not read."""
        line = self._lines.pop(name, None)
        if line is not None and stamp is not None:
            with suppress(AttributeError, LookupError, RecursionError, TypeError, ValueError):
                self._files[name] = _from_json(name, stamp, json.loads(line))
        file = self._files.get(name)
        return file if file is not None and file.stamp == stamp else None

    def put(
        self,
        name: str,
        stamp: Stamp | None,
        tickets: Sequence[LocalTicket],
        rows: tuple[tuple[ListRow, ...], ...],
    ) -> None:
        """Store what was found in a file, or remove what is known of it.

        Args:
            name: The file, relative to the workspace.
            stamp: Its stamp, taken before it was read; None to read it again the next time.
            tickets: Its tickets.
            rows: The rows of each ticket.
        """
        before = self._files.pop(name, None)
        seen = [ticket for local in tickets if (ticket := seen_ticket(local)) is not None]
        if stamp is not None and len(seen) == len(tickets):
            self._files[name] = SeenFile(stamp, tuple(seen), rows)
        if before != self._files.get(name):
            self._changes += 1

    def keep(self, names: Collection[str]) -> None:
        """Remove all files but these."""
        for gone in [name for name in (*self._files, *self._lines) if name not in names]:
            self._files.pop(gone, None)
            self._lines.pop(gone, None)
            self._changes += 1

    def load(self) -> None:
        """Read the stored list; ignore one of another version, and one that is damaged."""
        text = ""
        with suppress(OSError, TicketrError, UnicodeDecodeError):
            if self._store.own.is_dir():
                descriptor = self._store.folder.open_file(FILE, os.O_RDONLY)
                with os.fdopen(descriptor, encoding="ascii") as file:
                    text = file.read(LARGEST)
        heading, _, rest = text.partition("\n")
        if heading == _heading():
            pairs = (line.partition("\t") for line in rest.splitlines())
            with suppress(ValueError, RecursionError):
                self._lines = {str(json.loads(name)): line for name, _, line in pairs}

    def is_stale(self) -> bool:
        """Return whether the list should be stored again."""
        least = max(1.0, STALE_SHARE * len(self))
        return len(self) >= LEAST_STORED and self._changes >= least

    def portions(self) -> Iterator[str]:
        """Yield the text of the list to store, in portions."""
        yield f"{_heading()}\n"
        names = list(self._files)
        for begin in range(0, len(names), PORTION):
            some = names[begin : begin + PORTION]
            yield "".join([_line_of_file(name, self._files[name]) for name in some])

    def save(self, portions: Sequence[str]) -> None:
        """Store the text of the list; a folder that cannot be written is left as it is."""
        self._changes = 0
        with suppress(OSError, TicketrError):
            self._store.folder.check()
            if self._store.state_path.exists():  # else nothing is to be made in the folder
                self._store.folder.replace(FILE, "".join(portions))


@cache
def _heading() -> str:
    """Return the first line of the file: the code that has made the others, by version and time."""
    code = Path(__file__).parents[2]
    made_by = (*code.glob("tickets/*.py"), code / "tui" / "rows.py", Path(__file__))
    newest = max(path.stat().st_mtime_ns for path in made_by)
    return f"ticketr {__version__} {newest}"


def _line_of_file(name: str, seen: SeenFile) -> str:
    tickets = [
        (ticket.keys, ticket.digest, [*map(_row_to_json, rows)])
        for ticket, rows in zip(seen.tickets, seen.rows, strict=True)
    ]
    return f"{json.dumps(name)}\t{json.dumps((seen.stamp, tickets))}\n"


def _row_to_json(row: ListRow) -> tuple[object, ...]:
    issue = row.candidate
    return row.line, issue.key, issue.title, dict(issue.fields), issue.text


def _from_json(name: str, stamp: Stamp, stored: Any) -> SeenFile:
    """Return what is stored of a file; a ValueError says that it has changed since."""
    if tuple(stored[0]) != stamp:
        raise ValueError(name)
    return SeenFile(
        stamp,
        tuple([SeenTicket(tuple(keys), digest) for keys, digest, _ in stored[1]]),
        tuple(
            [
                rows_of_candidates(map(_candidate_from_json, issues), name)
                for *_, issues in stored[1]
            ]
        ),
    )


def _candidate_from_json(stored: Any) -> tuple[Candidate, int]:
    line, key, title, fields, text = stored
    return Candidate(key, title, fields, text, _NO_FLAGS if key else _DRAFT), line
