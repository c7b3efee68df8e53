"""Reads tickets for the screen, and keeps what was read. Synchronous parts are for a thread."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, final

from ticketr import TicketrError, __version__
from ticketr.app import sync
from ticketr.app.config import SavedListView, read_saved_list_view, store_list_view
from ticketr.app.tickets import (
    SORT_NAMES,
    FilterableIssue,
    InvalidFilter,
    Ticket,
    UserAndFieldNames,
    parse_filter,
)
from ticketr.app.tui import messages
from ticketr.app.tui.messages import FilesRead, SomeTicketRowsRead
from ticketr.app.tui.panels.detail import detail_lines
from ticketr.app.tui.rows import (
    ListRow,
    Rows,
    RowSortKey,
    first_row_order,
    key_order_of,
    row_of_broken,
    rows_of,
    rows_of_candidates,
)
from ticketr.app.tui.services.context import CallFailed, Services
from ticketr.app.tui.services.workspaces import error_with_relative_paths
from ticketr.app.tui.sheet import EditedPart, IssueSheet, sheet_of
from ticketr.text import clean

#: The file, in ticketr's own folder.
LIST_CACHE_FILE = "list.jsonl"
#: A list of fewer files is read in no time, and not stored.
MIN_STORED_FILES = 500
#: The file is written again once this share of its lines is out of date.
REWRITE_AT_STALE_SHARE = 0.05
#: The most bytes of the file that are read.
CACHE_READ_STOPS_AT_BYTES = 1 << 28
#: Nanoseconds for which a file counts as changing: a second change may have the same time.
RACY_NANOSECONDS = 3_000_000_000
#: Files in one portion of lines.
FILES_PER_STORED_PORTION = 400
_NO_FLAGS = frozenset[str]()
_FLAGS_OF_DRAFT = frozenset(("draft",))


async def read_files(services: Services, name: str) -> None:
    """Read all files of a workspace."""
    await services.readers[name].read_and_compare()


async def read_detail(
    services: Services, name: str, path: str, row_key_order: RowSortKey, cells: int
) -> messages.DetailRead:
    """Read an issue from its file, and wrap its lines.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        path: The issue's file, relative to the workspace.
        row_key_order: The `ListRow.key_order` of its row.
        cells: The width of the panel that will show it.
    """
    store = services.workspaces[name].store

    def read() -> messages.DetailRead:
        sheet = read_issue_sheet(store, path, row_key_order)
        lines = () if sheet is None else detail_lines(sheet, cells)
        is_gone = not os.path.lexists(store.root / path)
        return messages.DetailRead(name, row_key_order, sheet, cells, lines, is_gone)

    return await services.in_thread(read)


async def remember_list_view(services: Services, name: str, memory: SavedListView) -> None:
    """Store how the list of a workspace is shown.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        memory: How it is shown.

    Raises:
        CallFailed: It cannot be stored.
    """
    folder = services.workspaces[name].store.folder
    try:
        await services.in_thread(store_list_view, folder, memory)
    except (OSError, TicketrError) as error:
        cause = getattr(error, "strerror", None) or error
        raise CallFailed(f"cannot remember the filter: {cause}") from error


def read_view_options(name: str, store: sync.Store) -> messages.SavedListViewRead | None:
    """Return how the list of a workspace was shown last; None if nothing is known.

    Synchronous, for a worker thread. A file that makes no sense is ignored.

    Args:
        name: The workspace's name.
        store: Its files.
    """
    memory = read_saved_list_view(store.folder)
    if memory == SavedListView():
        return None
    try:
        names = UserAndFieldNames()
        if "@" in memory.filter_text:
            with sync.read_state(store) as state:
                names = UserAndFieldNames(state.site_record.user_name())
        wanted = parse_filter(memory.filter_text, names)
    except (InvalidFilter, TicketrError):  # another version remembered it, or there is no state
        wanted = parse_filter("")
    sort = memory.sort_name if memory.sort_name in SORT_NAMES else SORT_NAMES[0]
    return messages.SavedListViewRead(name, wanted, sort, memory.hidden_columns)


NO_ROWS = Rows()


@final
class ReadAndComparePass:
    """Reads every file once, unless it is unchanged, and compares it with the last sync.

    Args:
        name: The workspace's name.
        store: The workspace's files.
        state: The last sync.
        seen: What earlier readings have found; it is brought up to date.

    Raises:
        StateFailed: The state cannot be read.
    """

    def __init__(self, name: str, store: sync.Store, state: sync.State, seen: FileCache) -> None:
        self._name = name
        self._store = store
        self._state = state
        self._seen = seen
        self._stamps: dict[str, FileStamp | None] = {}
        self._survey = sync.LocalSurvey(sync.base_text_by_key(state))
        self._updated = {issue.key: issue.updated for issue in state.known_issues_by_id().values()}
        self._tickets: list[tuple[ListRow, ...]] = []
        self._broken: list[ListRow] = []

    def reuse_if_unchanged(self, name: str) -> bool:
        """Take a file that is known and unchanged.

        Returns:
            Whether it was taken; else it has to be read.
        """
        stamp = self._stamps[name] = self._seen.read_stamp_if_settled(name)
        known = self._seen.find(name, stamp)
        if known is None or not self._survey.add_unchanged(name, known.tickets):
            return False
        updated = self._updated.get
        self._tickets += [
            tuple([row.with_updated(updated(row.key, "")) for row in rows])
            for rows in known.rows_of_each_ticket
        ]
        return True

    def file_size(self, name: str) -> int:
        """Return the size of a file that was not skipped, in bytes."""
        stamp = self._stamps[name]
        return self._store.size_of(name) if stamp is None else stamp.size

    def read_batch(self, names: Iterable[str]) -> SomeTicketRowsRead:
        """Read some more files.

        Returns:
            The tickets in them.

        Raises:
            StateFailed: The state cannot be read.
        """
        tickets: list[tuple[ListRow, ...]] = []
        begin = len(self._survey.local_changes)
        for name in names:
            scanned = self._survey.scan_file(self._store, self._state, name)
            error = self._survey.broken.get(name)
            rows = tuple([rows_of(local.ticket, name, self._updated) for local in scanned])
            tickets += rows
            if error is not None:
                words = error_with_relative_paths(self._store, error)
                shown = row_of_broken(name, words, has_ticket_rows=bool(rows))
                self._broken.append(shown)
            stamp = None if error is not None else self._stamps[name]
            self._seen.put(name, stamp, scanned, rows)
        self._tickets += tickets
        return SomeTicketRowsRead(self._name, tuple(tickets), self._edited_keys(begin))

    def combine_files_read(self, before: Rows = NO_ROWS) -> FilesRead:
        """Return the content of all files, after the last of them was read.

        Args:
            before: The rows of an earlier reading; they are returned if nothing has changed, with
                all that was computed from them.

        Raises:
            StateFailed: The state cannot be read.
        """
        self._seen.keep_only(self._stamps.keys())
        conflicts = {conflict.key: conflict.clashes for conflict in self._state.conflicts.all()}
        # Each ticket once.
        tickets = {first_row_order(rows[0].key_order): rows for rows in self._tickets}
        rows = Rows.from_unsorted(chain(chain.from_iterable(tickets.values()), self._broken))
        # What was computed from equal rows is not computed again.
        if rows.all_rows == before.all_rows:
            rows = before
        broken = tuple(row.title_or_error for row in self._broken)
        pulled = self._state.site_record.last_complete_pull_end()
        age = None if pulled is None else max(0.0, time.time() - pulled)
        fields = frozenset(chain.from_iterable({tuple(row.candidate.fields) for row in rows}))
        record = self._state.site_record
        columns = record.ids_of_fields_in_files().keys() if fields else ()
        names = UserAndFieldNames(record.user_name(), fields.union(columns))
        return FilesRead(
            *(self._name, rows, self._edited_keys(), conflicts, broken, age, names),
            templates=_read_templates(self._store),
        )

    def _edited_keys(self, first_change: int = 0) -> frozenset[str]:
        return frozenset(
            key
            for local_change in self._survey.local_changes[first_change:]
            for key in local_change.edits
        )


def _read_templates(store: sync.Store) -> dict[str, sync.Template | str]:
    """Return the templates of a workspace, or why one cannot be read, by their names."""
    templates: dict[str, sync.Template | str] = {}
    with suppress(OSError):
        for name, path in sync.find_template_files(store.root).items():
            try:
                templates[name] = sync.read_template(path)
            except TicketrError as error:
                templates[name] = clean(error_with_relative_paths(store, error))
    return templates


def read_issue_sheet(store: sync.Store, path: str, row_key_order: RowSortKey) -> IssueSheet | None:
    """Return an issue as its file holds it; None if the file no longer holds it.

    Args:
        store: The workspace's files.
        path: The file, relative to the workspace.
        row_key_order: The `ListRow.key_order` of the issue's row.
    """
    try:
        tickets = _find_issue(store, path, row_key_order)
    except TicketrError as error:
        words = clean(error_with_relative_paths(store, error))
        return IssueSheet("", clean(path), clean(path), error=words)
    if tickets is None:
        return None
    local, issue = tickets
    with suppress(TicketrError), sync.read_state(store) as state:
        return sheet_of(
            issue,
            path,
            _find_edits(store.root, state, local, issue),
            _clashing_parts(state, local, issue),
        )
    return sheet_of(issue, path)


def _find_issue(
    store: sync.Store, path: str, row_key_order: RowSortKey
) -> tuple[sync.LocalTicket, Ticket] | None:
    """Return a ticket of a file, and the issue in it whose row has an order; None if not there."""
    *_, number = row_key_order
    for local in store.read_local_tickets(path):
        ticket = local.ticket
        found = key_order_of(ticket.key, path, ticket.line, number)
        if found == row_key_order and number <= len(ticket.tasks):
            return local, (ticket, *ticket.tasks)[number]
    return None


def _clashing_parts(state: sync.State, local: sync.LocalTicket, issue: Ticket) -> Iterator[str]:
    """Yield the parts of an issue of a ticket that both sides have changed; a ticket has all."""
    conflict = state.conflicts.of(local.ticket.key) if local.ticket.key else None
    for part in conflict.clashes if conflict is not None else ():
        own = part.removeprefix(f"{issue.key}: ")
        if own != part or issue is local.ticket:
            yield clean(own)


def _find_edits(
    root: Path, state: sync.State, local: sync.LocalTicket, issue: Ticket
) -> tuple[EditedPart, ...]:
    """Return what was edited in an issue of a ticket since the last sync."""
    if issue.key is None:
        return ()
    survey = sync.LocalSurvey()
    survey.add_ticket(state, local, root)
    pairs = (local_change.edits.get(issue.key, ()) for local_change in survey.local_changes)
    return tuple(
        EditedPart(clean(change.name), change.old_with_newlines, change.new_with_newlines)
        for changes in pairs
        for change in changes
    )


class FileStamp(NamedTuple):
    """Numbers that differ once a file has changed.

    Attributes:
        inode: The number of the file.
        size: Its size, in bytes.
        mtime_ns: When its content was changed, in nanoseconds.
        ctime_ns: When its content or its attributes were changed, in nanoseconds.
    """

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class CachedFile:
    """What was found in a file.

    Attributes:
        stamp: Numbers that differ once the file has changed.
        tickets: Its tickets, as far as the comparison with the last sync needs them.
        rows_of_each_ticket: The rows of each ticket, in the order of the tickets.
    """

    stamp: FileStamp
    tickets: tuple[sync.FamilyKeysAndDigest, ...]
    rows_of_each_ticket: tuple[tuple[ListRow, ...], ...]


@final
class FileCache:
    """What was found in the files of a workspace.

    Args:
        store: The workspace.
        clock: Returns the time of the wall clock, in nanoseconds.
    """

    def __init__(self, store: sync.Store, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._clock = clock
        self._files: dict[str, CachedFile] = {}
        self._lines: dict[str, str] = {}  # as stored, of files that were not looked up yet
        self._changes = 0  # since the file was read or written

    def __len__(self) -> int:
        return len(self._files) + len(self._lines)

    def read_stamp_if_settled(self, name: str) -> FileStamp | None:
        """Return the stamp of a file; None if it may be changing, or is not a file."""
        try:
            file_stat = os.stat(f"{self._store.root}/{name}")  # noqa: PTH116 - thousands of files
        except OSError:
            return None
        newest = max(file_stat.st_ctime_ns, file_stat.st_mtime_ns)
        if not stat.S_ISREG(file_stat.st_mode) or newest > self._clock() - RACY_NANOSECONDS:
            return None
        return FileStamp(
            file_stat.st_ino, file_stat.st_size, file_stat.st_mtime_ns, file_stat.st_ctime_ns
        )

    def find(self, name: str, stamp: FileStamp | None) -> CachedFile | None:
        """Return what was found in a file; None if it has changed since, or was not read."""
        line = self._lines.pop(name, None)
        if line is not None and stamp is not None:
            with suppress(AttributeError, LookupError, RecursionError, TypeError, ValueError):
                self._files[name] = _cached_file_if_same_stamp(name, stamp, json.loads(line))
        file = self._files.get(name)
        return file if file is not None and file.stamp == stamp else None

    def put(
        self,
        name: str,
        stamp: FileStamp | None,
        tickets: Sequence[sync.LocalTicket],
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
        seen = [sync.keys_and_digest(local) for local in tickets if local.ticket.key is not None]
        if stamp is not None and len(seen) == len(tickets):
            self._files[name] = CachedFile(stamp, tuple(seen), rows)
        if before != self._files.get(name):
            self._changes += 1

    def keep_only(self, names: Collection[str]) -> None:
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
                descriptor = self._store.folder.open_file(LIST_CACHE_FILE, os.O_RDONLY)
                with os.fdopen(descriptor, encoding="ascii") as file:
                    text = file.read(CACHE_READ_STOPS_AT_BYTES)
        heading, _, rest = text.partition("\n")
        if heading == _cache_heading():
            pairs = (line.partition("\t") for line in rest.splitlines())
            with suppress(ValueError, RecursionError):
                self._lines = {str(json.loads(name)): line for name, _, line in pairs}

    def is_worth_saving(self) -> bool:
        """Return whether the list should be stored again."""
        least = max(1.0, REWRITE_AT_STALE_SHARE * len(self))
        return len(self) >= MIN_STORED_FILES and self._changes >= least

    def serialized_portions(self) -> Iterator[str]:
        """Yield the text of the list to store, in portions."""
        yield f"{_cache_heading()}\n"
        names = list(self._files)
        for begin in range(0, len(names), FILES_PER_STORED_PORTION):
            some = names[begin : begin + FILES_PER_STORED_PORTION]
            yield "".join([_cache_line_of_file(name, self._files[name]) for name in some])

    def save(self, portions: Sequence[str]) -> None:
        """Store the text of the list; a folder that cannot be written is left as it is."""
        self._changes = 0
        with suppress(OSError, TicketrError):
            self._store.folder.check_file_kinds()
            if self._store.state_path.exists():  # else nothing is to be made in the folder
                self._store.folder.replace(LIST_CACHE_FILE, "".join(portions))


@cache
def _cache_heading() -> str:
    """Return the first line of the file: the code that has made the others, by version and time."""
    code = Path(__file__).parents[2]
    made_by = (*code.glob("tickets/*.py"), code / "tui" / "rows.py", Path(__file__))
    newest = max(path.stat().st_mtime_ns for path in made_by)
    return f"ticketr {__version__} {newest}"


def _cache_line_of_file(name: str, seen: CachedFile) -> str:
    tickets = [
        (ticket.own_and_task_keys, ticket.digest, [*map(_row_to_json, rows)])
        for ticket, rows in zip(seen.tickets, seen.rows_of_each_ticket, strict=True)
    ]
    return f"{json.dumps(name)}\t{json.dumps((seen.stamp, tickets))}\n"


def _row_to_json(row: ListRow) -> tuple[object, ...]:
    issue = row.candidate
    return row.line, issue.key, issue.title, dict(issue.fields), issue.text, issue.updated


def _cached_file_if_same_stamp(name: str, stamp: FileStamp, stored: Any) -> CachedFile:
    """Return what is stored of a file; a ValueError says that it has changed since."""
    if tuple(stored[0]) != stamp:
        raise ValueError(name)
    return CachedFile(
        stamp,
        tuple([sync.FamilyKeysAndDigest(tuple(keys), digest) for keys, digest, _ in stored[1]]),
        tuple(
            [
                rows_of_candidates(map(_candidate_and_line_from_json, issues), name)
                for *_, issues in stored[1]
            ]
        ),
    )


def _candidate_and_line_from_json(stored: Any) -> tuple[FilterableIssue, int]:
    line, key, title, fields, text, updated = stored
    return FilterableIssue(
        key, title, fields, text, _NO_FLAGS if key else _FLAGS_OF_DRAFT, updated
    ), line
