"""Reads tickets for the screen. Synchronous, for a worker thread."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, final

from ticketr import TicketrError
from ticketr.app.config import ListMemory, read_list_memory, store_list_memory
from ticketr.app.sync import LocalSurvey, LocalTicket, State, Store, base_texts, read_state, size_of
from ticketr.app.tickets import SORT_NAMES, InvalidFilter, Ticket, parse_filter
from ticketr.app.tui import effects, messages
from ticketr.app.tui.messages import FilesRead, TicketsFound
from ticketr.app.tui.panels.detail import detail_lines, is_long
from ticketr.app.tui.rows import ListRow, Order, Rows, order_of, row_of_broken, rows_of, start_of
from ticketr.app.tui.sheet import Edit, Sheet, WrappedDetail, sheet_of
from ticketr.app.tui.tree import arrange
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr.app.tui.services.context import Services
    from ticketr.app.tui.services.reading import SeenFiles, Stamp


async def read_files(services: Services, effect: effects.ReadFiles) -> None:
    """Read all files of a workspace."""
    await services.readers[effect.workspace].read()


async def read_detail(services: Services, effect: effects.ReadDetail) -> None:
    """Read an issue from its file, and wrap its lines, unless the next request comes before."""
    store = services.workspaces[effect.workspace].store
    services.newest.begin(effect)
    read = await services.in_thread(_read_detail, store, effect)
    if services.newest.is_newest(effect):
        services.send(read)


def _read_detail(store: Store, effect: effects.ReadDetail) -> messages.DetailRead:
    sheet = read_sheet(store, effect.path, effect.order)
    wrapped = None
    if sheet is not None and effect.cells:
        # Drawing finds those of a short issue in the cache.
        detail = _wrap(sheet, effect.cells, effect.as_source)
        wrapped = detail if is_long(sheet) else None
    is_gone = not os.path.lexists(store.root / effect.path)
    return messages.DetailRead(effect.workspace, effect.order, sheet, wrapped, is_gone)


async def wrap_detail(services: Services, effect: effects.WrapDetail) -> None:
    """Wrap the lines of a long issue, unless the next request comes before."""
    services.newest.begin(effect)
    wrapped = await services.in_thread(_wrap, effect.sheet, effect.cells, effect.as_source)
    if services.newest.is_newest(effect):
        services.send(messages.DetailWrapped(effect.workspace, effect.sheet, wrapped))


def _wrap(sheet: Sheet, cells: int, as_source: bool) -> WrappedDetail:  # noqa: FBT001 - in a thread
    return WrappedDetail(cells, as_source, detail_lines(sheet, cells, as_source=as_source))


async def remember(services: Services, effect: effects.Remember) -> None:
    """Store how the list of a workspace is shown, and saved filters; give back what failed."""
    folder = services.workspaces[effect.workspace].store.folder
    try:
        saved = await services.in_thread(
            store_list_memory, folder, effect.filter, effect.sort, dict(effect.saved)
        )
    except (OSError, TicketrError) as error:
        cause = getattr(error, "strerror", None) or error
        words = clean(f"cannot remember the filter: {cause}")
        failure = messages.NotWritten(effect.workspace, effect, words)
        services.send(failure if effect.saved else messages.Told(words))
    else:
        if effect.saved:
            all_saved = _cleaned(saved)
            services.send(messages.FiltersSaved(effect.workspace, effect.saved, all_saved))


def recall(name: str, store: Store) -> messages.Recalled | None:
    """Return how the list of a workspace was shown last; None if nothing is known.

    Synchronous, for a worker thread. A file that makes no sense is ignored.

    Args:
        name: The workspace's name.
        store: Its files.
    """
    memory = read_list_memory(store.folder)
    if memory == ListMemory():
        return None
    try:
        wanted = parse_filter(memory.filter)
    except InvalidFilter:  # another version remembered it
        wanted = parse_filter("")
    sort = memory.sort if memory.sort in SORT_NAMES else SORT_NAMES[0]
    return messages.Recalled(name, wanted, sort, _cleaned(memory.saved))


def _cleaned(saved: Mapping[str, str]) -> dict[str, str]:
    return {clean(name): clean(text) for name, text in saved.items()}


NO_ROWS = Rows()


@final
class WorkspaceReader:
    """Reads every file once, unless it is unchanged, and compares it with the last sync.

    Args:
        name: The workspace's name.
        store: The workspace's files.
        state: The last sync.
        seen: What earlier readings have found; it is brought up to date.

    Raises:
        StateFailed: The state cannot be read.
    """

    def __init__(self, name: str, store: Store, state: State, seen: SeenFiles) -> None:
        self._name = name
        self._store = store
        self._state = state
        self._seen = seen
        self._stamps: dict[str, Stamp | None] = {}
        self._survey = LocalSurvey(base_texts(state))
        self._tickets: list[tuple[ListRow, ...]] = []
        self._broken: list[ListRow] = []

    def skip(self, path: Path) -> bool:
        """Take a file that is known and unchanged.

        Returns:
            Whether it was taken; else it has to be read.
        """
        name = self._store.name_of(path)
        stamp = self._stamps[name] = self._seen.stamp(name)
        known = self._seen.find(name, stamp)
        if known is None or not self._survey.skip(name, known.tickets):
            return False
        self._tickets += known.rows
        return True

    def size(self, path: Path) -> int:
        """Return the size of a file that was not skipped, in bytes."""
        stamp = self._stamps[self._store.name_of(path)]
        return size_of(path) if stamp is None else stamp.size

    def take(self, paths: Iterable[Path]) -> TicketsFound:
        """Read some more files.

        Returns:
            The tickets in them.

        Raises:
            StateFailed: The state cannot be read.
        """
        tickets: list[tuple[ListRow, ...]] = []
        begin = len(self._survey.local_changes)
        for path in paths:
            scanned = self._survey.scan(self._store, self._state, path)
            rows = tuple([rows_of(ticket.ticket, scanned.path) for ticket in scanned.tickets])
            tickets += rows
            if scanned.error is not None:
                words = without_root(self._store, scanned.error)
                shown = row_of_broken(scanned.path, words, has_rows=bool(rows))
                self._broken.append(shown)
            stamp = None if scanned.error is not None else self._stamps[scanned.path]
            self._seen.put(scanned.path, stamp, scanned.tickets, rows)
        self._tickets += tickets
        return TicketsFound(self._name, tuple(tickets), self._edited(begin))

    def all_files(self, before: Rows = NO_ROWS) -> FilesRead:
        """Return the content of all files, after the last of them was read.

        Args:
            before: The rows of an earlier reading; they are returned if nothing has changed, with
                all that was computed from them.

        Raises:
            StateFailed: The state cannot be read.
        """
        self._seen.keep(self._stamps.keys())
        conflicts = {conflict.key: conflict.parts for conflict in self._state.conflicts.all()}
        tickets = {start_of(rows[0].order): rows for rows in self._tickets}  # each once
        rows = before.updated(chain(chain.from_iterable(tickets.values()), self._broken))
        arrange(rows)  # here, so that it takes no time on Trio's thread
        broken = tuple(row.title for row in self._broken)
        pulled = self._state.site_record.pulled()
        age = None if pulled is None else max(0.0, time.time() - pulled)
        return FilesRead(self._name, rows, self._edited(), conflicts, broken, age)

    def _edited(self, begin: int = 0) -> frozenset[str]:
        return frozenset(
            key for local_change in self._survey.local_changes[begin:] for key in local_change.edits
        )


@contextmanager
def empty_state() -> Generator[State]:
    """Open an empty state, to show tickets even if the last sync cannot be read."""
    with closing(State(Path(":memory:"))) as state:
        yield state


def read_sheet(store: Store, path: str, order: Order) -> Sheet | None:
    """Return an issue as its file holds it; None if the file no longer holds it.

    Args:
        store: The workspace's files.
        path: The file, relative to the workspace.
        order: The order of the issue's row.
    """
    try:
        tickets = _find(store, path, order)
    except TicketrError as error:
        words = clean(without_root(store, error))
        return Sheet("", clean(path), clean(path), error=words)
    if tickets is None:
        return None
    local, issue = tickets
    with suppress(TicketrError), read_state(store) as state:
        return sheet_of(
            issue, path, _edits(store.root, state, local, issue), _clashes(state, local, issue)
        )
    return sheet_of(issue, path)


def without_root(store: Store, error: TicketrError) -> str:
    """Return the words of an error, in which paths are relative to the workspace."""
    return str(error).replace(f"{store.root}{os.sep}", "")


def _find(store: Store, path: str, order: Order) -> tuple[LocalTicket, Ticket] | None:
    """Return a ticket of a file, and the issue in it that has an order; None if it is not there."""
    *_, place = order
    for local in store.local(path):
        ticket = local.ticket
        if order_of(ticket, path, place) == order and place <= len(ticket.tasks):
            return local, (ticket, *ticket.tasks)[place]
    return None


def _clashes(state: State, local: LocalTicket, issue: Ticket) -> Iterator[str]:
    """Yield the parts of an issue of a ticket that both sides have changed; a ticket has all."""
    conflict = state.conflicts.of(local.ticket.key) if local.ticket.key else None
    for part in conflict.parts if conflict is not None else ():
        own = part.removeprefix(f"{issue.key}: ")
        if own != part or issue is local.ticket:
            yield clean(own)


def _edits(root: Path, state: State, local: LocalTicket, issue: Ticket) -> tuple[Edit, ...]:
    """Return what was edited in an issue of a ticket since the last sync."""
    if issue.key is None:
        return ()
    survey = LocalSurvey()
    survey.take(state, local, root)
    pairs = (local_change.edits.get(issue.key, ()) for local_change in survey.local_changes)
    return tuple(
        Edit(clean(change.name), change.old_shown, change.new_shown)
        for changes in pairs
        for change in changes
    )
