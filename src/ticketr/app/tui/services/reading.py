"""Reads a workspace for the app, a few files at a time in a thread, and sends the results."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, final

import trio

from ticketr import TicketrError, __version__
from ticketr.app.sync import (
    SeenTicket,
    State,
    Store,
    ThreadRunner,
    read_state,
    seen_ticket,
    visit_files,
)
from ticketr.app.tickets import Candidate
from ticketr.app.tui import messages
from ticketr.app.tui.messages import FilesRead, Message, Recalled
from ticketr.app.tui.rows import ListRow, rows_of_candidates
from ticketr.app.tui.services.files import NO_ROWS, WorkspaceReader, empty_state, recall
from ticketr.app.tui.tree import sort_ahead
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr.app.sync import LocalTicket


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


#: Files read in one visit to a thread, which takes some 30 milliseconds: on a busy machine each
#: visit waits for the thread, and each portion of rows is arranged and drawn.
FILES = 200


@final
class Reader:
    """Reads the files of a workspace; an error becomes a message and does not end the app.

    Args:
        name: The workspace's name.
        store: The workspace's files.
        in_thread: Runs a function that reads files in a thread.
        send: Takes the results.
        seen: What is known of the files.
        shown: Returns what the app shows of the workspace now. What was computed for its rows, as
            for a filter, is kept for those that are still the same; the rest is computed here.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        in_thread: ThreadRunner,
        send: Callable[[Message], None],
        seen: SeenFiles | None = None,
        shown: Callable[[], WorkspaceView | None] = lambda: None,
    ) -> None:
        self._name = name
        self._store = store
        self._in_thread = in_thread
        self._send = send
        # Results of a later reading must not be replaced by those of an earlier one.
        self._lock = trio.Lock()
        self._is_filled = False
        self._seen = SeenFiles(store) if seen is None else seen
        self._rows = NO_ROWS
        self._shown = shown

    async def read(self) -> None:
        """Read all files that have changed, and compare all with the last sync.

        Cancellation:
            Waits for the thread, which reads a few files at a time.
        """
        if self._lock.statistics().tasks_waiting:  # the waiting task will read the same files
            await trio.lowlevel.checkpoint()
            return
        async with self._lock:
            recalled = None
            if not self._is_filled:
                recalled = await self._in_thread(recall, self._name, self._store)
                if recalled is not None:
                    self._send(recalled)
                await self._in_thread(self._seen.load)
            try:
                await self._read_against(read_state(self._store), recalled)
            except TicketrError as error:
                await self._read_against(empty_state(), recalled)
                self._send(messages.Told(clean(str(error))))
            if not self._rows and not await self._in_thread(self._store.root.is_dir):
                words = clean(f"the folder {self._store.root} is gone")
                self._send(messages.WorkspaceFailed(self._name, words))

    async def _read_against(
        self, last_sync: AbstractContextManager[State], recalled: Recalled | None
    ) -> None:
        # Rows that are shown stay until all files are read, so that they do not flicker.
        show = _ignore if self._is_filled else self._send
        async with self._open_state(last_sync) as state:
            reader = await self._in_thread(
                WorkspaceReader, self._name, self._store, state, self._seen
            )
            await visit_files(
                self._store,
                self._in_thread,
                reader.take,
                show,
                skip=reader.skip,
                size=reader.size,
                most=FILES,
            )
            view = self._shown()
            if view is None and recalled is not None:
                view = WorkspaceView(self._name, filter=recalled.filter, sort=recalled.sort)
            before = view.rows if view is not None and view.rows else self._rows
            read = await self._in_thread(reader.all_files, before)
            if view is not None:
                await self._in_thread(_arrange, read, view)
        self._rows = read.rows
        self._send(read)
        self._is_filled = True
        await self._in_thread(read.rows.prepare)
        await self._in_thread(sort_ahead, read.rows)
        if self._seen.is_stale():
            await self._store_seen()

    async def _store_seen(self) -> None:
        text: list[str] = []
        portions = self._seen.portions()
        while portion := await self._in_thread(next, portions, ""):
            text.append(portion)
        await self._in_thread(self._seen.save, text)

    @asynccontextmanager
    async def _open_state(self, last_sync: AbstractContextManager[State]) -> AsyncGenerator[State]:
        stack = ExitStack()
        state = await self._in_thread(stack.enter_context, last_sync)
        try:
            yield state
        finally:
            with trio.CancelScope(shield=True):  # closing one file is quick
                await self._in_thread(stack.close)


def _arrange(files: FilesRead, view: WorkspaceView) -> None:
    """Arrange all rows as they are shown, so that it takes no time on Trio's thread."""
    shown = replace(view, rows=files.rows, edited=files.edited, conflicts=files.conflicts)
    _ = shown.visible


def _ignore(_: Message) -> None:
    pass
