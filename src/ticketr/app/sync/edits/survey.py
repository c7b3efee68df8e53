"""Reads the files and the state of a workspace, and compares all files with the last sync.

Synchronous, for a worker thread, except `visit_files`. The workspace need not be locked.
Nothing is created or changed: a status command must not turn a folder into a workspace.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Literal, TypeVar

from ticketr._errors import TicketrError
from ticketr.app.config import refuse_database_links
from ticketr.app.sync.compare.diff import may_show_local_pictures, read_ticket
from ticketr.app.sync.compare.grafting import new_local_picture_addresses
from ticketr.app.sync.compare.sent import digest, number_sent_comments
from ticketr.app.sync.concurrency import FILES_PER_THREAD_VISIT, ThreadRunner, split_by_limits
from ticketr.app.sync.edits.local_changes import TicketChanges, find_local_change, find_parent_draft
from ticketr.app.sync.edits.losses import Loss, likely_losses
from ticketr.app.sync.errors import DuplicateKey, FileFailed, UnknownTicket
from ticketr.app.sync.state.database import IN_MEMORY
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.attachments import check_pictures
from ticketr.app.sync.workspace.files import lf_and_chomp
from ticketr.app.sync.workspace.store import (
    LocalTicket,
    Store,
    TicketLocation,
    broken_among,
    broken_file_or_folder_of,
)
from ticketr.app.tickets import Ticket

ResultT = TypeVar("ResultT")

#: How a sub-task with a key begins in a text that a sync has written.
_SUBTASK_START = re.compile(r"\n- \[[A-Z][A-Z0-9_]+-")

_KEY_NOT_WRITTEN_REASON = "it was created from a draft that does not have its key yet, as a file cannot be read or written"


def find_files(
    store: Store,
    *,
    skip: Callable[[str], bool] = lambda _: False,
    size: Callable[[str], int] | None = None,
    most: int = FILES_PER_THREAD_VISIT,
) -> Iterator[list[str]]:
    """Find the files that may hold tickets.

    A folder may hold far more files than tickets, for example a home folder.

    Args:
        store: The workspace.
        skip: Called with each file; returns whether to leave it out.
        size: Called with each file that is not left out; returns its size in bytes.
            None for `Store.size_of`.
        most: The most files in a portion.

    Yields:
        Some files, as many as one visit to a worker thread may read; none after some folders without
        files, so that the caller can stop.
    """
    size = size or store.size_of
    walk = store.walk()
    while folders := list(islice(walk, FILES_PER_THREAD_VISIT)):
        wanted = (name for name in chain.from_iterable(folders) if not skip(name))
        yield from list(split_by_limits(wanted, size, most)) or [[]]


async def visit_files(
    in_thread: ThreadRunner,
    files: Iterator[Sequence[str]],
    visit: Callable[[Sequence[str]], ResultT],
    on_result: Callable[[ResultT], object] = lambda _: None,
) -> None:
    """Visit the files that may hold tickets, in portions, on worker threads.

    Args:
        in_thread: Runs a function on a worker thread.
        files: What `find_files` returned.
        visit: Called with a portion of the files, on a worker thread.
        on_result: Called with what ``visit`` returned, on Trio's thread.

    Cancellation:
        Takes effect after the portion that a thread is working on.
    """
    visits = ([visit(names)] if names else [] for names in files)
    while (results := await in_thread(next, visits, None)) is not None:
        for result in results:
            on_result(result)


@contextmanager
def readable_database(path: Path) -> Generator[Path | None]:
    """Yield the path of a database to read, also if its folder is read-only; None without one.

    SQLite creates files beside its database. So in a read-only folder, a copy is read.

    Raises:
        WrongFileKind: It, or a file that SQLite opens beside it, is a link or no plain file.
        FileFailed: The file cannot be copied.
    """
    refuse_database_links(path)
    if not path.exists():
        yield None
    elif os.access(path.parent, os.W_OK):
        yield path
    else:
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ticketr-"))
                for file in (path, Path(f"{path}-wal")):
                    if file.exists():
                        shutil.copyfile(file, Path(folder, file.name))
            except OSError as error:
                reason = (
                    f"{error.strerror or error}; its folder cannot be written, so a copy of it is "
                    "made in TMPDIR to be read"
                )
                raise FileFailed(path, "read", reason) from error
            yield Path(folder, path.name)


@contextmanager
def read_state(store: Store) -> Generator[State]:
    """Open the state of a workspace to read it; empty for a folder without a state file.

    Raises:
        StateFailed: The file cannot be used.
        UntrustedState: The file does not have the user's mark.
        FileFailed: The file cannot be read.
    """
    with readable_database(store.state_path) as path:
        state = State(IN_MEMORY) if path is None else State(path, store.mark)
        with closing(state):
            yield state


@dataclass(frozen=True, slots=True)
class FamilyKeysAndDigest:
    """What was found when a ticket was read.

    Attributes:
        own_and_task_keys: Its key, and those of its sub-tasks.
        digest: The digest of its text.
    """

    own_and_task_keys: tuple[str, ...]
    digest: str


def keys_and_digest(local: LocalTicket) -> FamilyKeysAndDigest:
    """Return what was found in a ticket that is no draft; a draft is read each time."""
    return FamilyKeysAndDigest(tuple(local.ticket.keys()), digest(local.comparable_text))


def base_text_by_key(state: State) -> dict[str, str]:
    """Return the comparable text that each ticket had at the last sync, by its key.

    Raises:
        StateFailed: The state cannot be read.
    """
    return {key: lf_and_chomp(text) for key, text in state.base_texts_by_head_key()}


@dataclass
class LocalSurvey:
    """What has changed in the files since the last sync, where each key is, and what is broken.

    Every method that takes the state raises `StateFailed` if it cannot be read.

    Attributes:
        base_text_by_key: The comparable text that each ticket had at the last sync, of some tickets
            or of all. If given, the state is not read for tickets that have not changed.
        local_changes: Tickets that were edited, and drafts, in the order of the files.
        has_drafts: Whether one of these tickets is a draft or has drafts of sub-tasks.
        never_pulled: Tickets with keys that were never pulled into this workspace.
        locations: The location of each key in a file that can be read. A key that is in another
            file, too, has a reason not to be changed.
        locations_of_unread_keys: The location of each other key that may be in a file that cannot be
            read, as far as its text and the last sync show it, with the reason not to change it.
        broken: The errors of files, by their paths relative to the workspace. A file that
            cannot be read stops no other file.
    """

    base_text_by_key: Mapping[str, str] = field(default_factory=dict[str, str])
    local_changes: list[TicketChanges] = field(default_factory=list)
    has_drafts: bool = False
    never_pulled: list[LocalTicket] = field(default_factory=list)
    locations: dict[str, TicketLocation] = field(default_factory=dict)
    locations_of_unread_keys: dict[str, TicketLocation] = field(default_factory=dict)
    broken: dict[str, TicketrError] = field(default_factory=dict)
    # The keys that may be in each file that cannot be read.
    _keys_in_broken_files: dict[str, frozenset[str]] = field(default_factory=dict)

    def broken_files_of(
        self, keys: Collection[str] | None, state: State
    ) -> dict[str, TicketrError]:
        """Return the errors of the files that some keys and files name; None names all.

        A key that is in no file names every file that may have it.
        """
        if keys is None:
            return self.broken
        lost = frozenset(keys).difference(self.locations)
        if not lost.isdisjoint(chain.from_iterable(self._keys_in_broken_files.values())):
            return self.broken
        here = (self.locations[key].path for key in keys if key in self.locations)
        former = state.paths_by_head_key()
        before = (former[key] for key in keys if key in former)
        return broken_among((*keys, *here, *before), self.broken)

    def find_losses(self, state: State) -> tuple[Loss, ...]:
        """Return what a push would remove in Jira, as far as the files show."""
        return tuple(loss for change in self.local_changes for loss in likely_losses(state, change))

    def leave_out(self, keys: Collection[str]) -> None:
        """Remove the tickets that hold one of some keys from the survey."""
        keys = frozenset(keys)
        self.local_changes = [
            change for change in self.local_changes if keys.isdisjoint(change.local.ticket.keys())
        ]
        self.never_pulled = [
            local for local in self.never_pulled if keys.isdisjoint(local.ticket.keys())
        ]

    def locate_keys_of_unreadable_files(
        self, store: Store, state: State, places: Mapping[str, tuple[str, str]]
    ) -> None:
        """Find what is in no file that can be read, once every file was scanned.

        Files and folders that `Store.walk` left out since they cannot be read are reported.

        Args:
            store: The ticket files.
            state: The last sync.
            places: What `State.paths_and_head_keys_by_key` returned.
        """
        unreadable = {
            path: error
            for path, error in self.broken.items()
            if not isinstance(error, DuplicateKey)
        }
        gone = {path for key, (path, _) in places.items() if key not in self.locations}
        for obstacle in filter(None, map(store.find_why_walk_misses, sorted(gone))):
            unreadable.setdefault(store.relative_path(obstacle.path), obstacle)
        self.broken = unreadable | self.broken
        possible = [
            (key, path) for path, keys in self._keys_in_broken_files.items() for key in sorted(keys)
        ]
        for key, path in possible:
            location = self.locations.get(key)
            # The edits may be in the file that cannot be read; then the other one is a copy.
            if location and not location.change_refusal and places.get(key, ("", ""))[0] == path:
                self._note_and_drop_duplicate(DuplicateKey(key, path, location.path))
        for key, (home, _) in places.items() if unreadable else ():
            if (broken := broken_file_or_folder_of(home, unreadable)) is not None:
                possible.append((key, broken))
        for key, path in possible:
            if key not in self.locations:
                _, head = places.get(key, ("", ""))
                location = TicketLocation(path, head, str(unreadable[path]))
                self.locations_of_unread_keys.setdefault(key, location)
        for creation in state.creations.read_in_no_file():
            if creation.key and creation.key not in self.locations:
                location = TicketLocation(creation.path, "", _KEY_NOT_WRITTEN_REASON)
                self.locations_of_unread_keys.setdefault(creation.key, location)

    def refuse_drafts_that_lost_keys(
        self,
        state: State,
        project: str | None = None,
        *,
        inherit: bool = True,
        new_keys: Collection[str] = (),
    ) -> None:
        """Remove drafts that are probably existing issues without their keys; report their files.

        Args:
            state: The last sync.
            project: The project in which drafts are created, in addition to those of the state.
            inherit: Whether new sub-tasks take over the fields of their tickets.
            new_keys: Keys of new issues which the state may no longer have, as they were deleted; their
                drafts are created again.
        """
        if inherit and any(change.new_tasks for change in self.local_changes):
            self._add_inheritable_fields_to_changes(state)
        drafting = [
            change for change in self.local_changes if change.head_id is None or change.new_tasks
        ]
        from ticketr.app.sync.edits.drafts import draft_lost_key_error  # noqa: PLC0415 - only for drafts

        places = state.paths_by_head_key()
        projects = {key.rpartition("-")[0] for key in places} | (
            {project} if project else set[str]()
        )
        created = state.creations.created_keys()
        here = {*self.locations, *self.locations_of_unread_keys, *new_keys, *created}
        lost: dict[str, dict[str, Ticket]] = {}
        paths = {change.local.path for change in drafting if change.head_id is None}
        for key, path in places.items():
            base = state.base_by_head_key(key) if path in paths and key not in here else None
            if base is not None and (ticket := read_ticket(base[1].jira_text)):
                lost.setdefault(path, {})[key] = ticket
        refused: set[int] = set()
        for change in drafting:
            gone = lost.get(change.local.path, {})
            if error := draft_lost_key_error(change, projects=projects, gone=gone, keys_here=here):
                refused.add(id(change))
                self.broken.setdefault(error.source, error)
        self.local_changes = [change for change in self.local_changes if id(change) not in refused]

    def _add_inheritable_fields_to_changes(self, state: State) -> None:
        """Add the fields that new sub-tasks take over from their tickets."""
        from ticketr.app.sync.edits.drafts import inheritable_fields  # noqa: PLC0415 - few pushes need it

        columns = state.site_record.ids_of_fields_in_files()
        site_fields = state.site_record.cached_fields(now=math.inf, max_age=math.inf)
        self.local_changes = [
            replace(
                change,
                inheritable_fields=inheritable_fields(change.local.ticket, columns, site_fields),
            )
            if change.new_tasks
            else change
            for change in self.local_changes
        ]

    def last_paths_by_missing_key(self, state: State) -> dict[str, str]:
        """Return the former file of each ticket that is in no file now, by key.

        Call it after every file was scanned. A ticket that may be in a file or folder that is broken
        is not missing.
        """
        broken = self.broken
        # A conflict has the file in which a pull found the ticket, which the base may not have.
        hidden = {
            conflict.key
            for conflict in state.conflicts.all()
            if broken_file_or_folder_of(conflict.path, broken)
        }
        here = {*self.locations, *self.locations_of_unread_keys, *hidden}
        return {
            key: path
            for key, path in state.paths_by_head_key().items()
            if key not in here and broken_file_or_folder_of(path, broken) is None
        }

    def scan_in_portions(
        self, store: Store, state: State, files: Iterable[Sequence[str]]
    ) -> Iterator[Literal[True]]:
        """Scan all files, and find what is in none of them.

        A file that holds what the last sync wrote is not parsed.

        Args:
            store: The ticket files.
            state: The last sync.
            files: All files that may hold tickets, in portions.

        Yields:
            True before the first portion and after each one, so that the caller can stop.
        """
        places = state.paths_and_head_keys_by_key()
        keys_by_file: dict[str, dict[str, list[str]]] = {}  # and by the keys of their tickets
        for key, (path, head) in places.items():
            keys_by_file.setdefault(path, {}).setdefault(head, []).append(key)
        yield True
        for names in files:
            for name in names:
                heads = [*keys_by_file.get(name, {}).items()]
                if len(heads) != 1 or not self._add_if_unedited(store, state, name, *heads[0]):
                    self.scan_file(store, state, name)
            yield True
        self.locate_keys_of_unreadable_files(store, state, places)

    def _add_if_unedited(
        self, store: Store, state: State, name: str, head: str, keys: Sequence[str]
    ) -> bool:
        """Add a file if it holds what the last sync wrote; return whether it does."""
        base = state.base_by_head_key(head)
        if base is None or not self.locations.keys().isdisjoint(keys):
            return False
        text = base[1].jira_text
        # A sub-task that has another parent since then may be in two files.
        if any(f"[{key}]" not in text for key in keys):
            return False
        if len(_SUBTASK_START.findall(text)) >= len(keys):
            return False
        with suppress(OSError, FileFailed, UnicodeError):  # scanning the file reports it
            if lf_and_chomp(store.read_bytes(name).decode()) == lf_and_chomp(text):
                self.locations.update(dict.fromkeys(keys, TicketLocation(name, head)))
                return True
        return False

    def scan_file(self, store: Store, state: State, name: str) -> Sequence[LocalTicket]:
        """Read one file and compare its tickets with the last sync; return them.

        The file has none if it cannot be read. Its error, in `broken`, concerns no other file. A key
        that another ticket has, too, is refused in both.
        """
        try:
            tickets = store.read_local_tickets(name)
        except TicketrError as error:
            self.broken[name] = error
            self._keys_in_broken_files[name] = store.possible_keys(name)
            return ()
        issues = [local.ticket for local in tickets]
        for local in tickets:
            is_elsewhere = False
            for key in local.ticket.keys():  # noqa: SIM118 - a ticket is not a mapping
                if key in self.locations:
                    is_elsewhere = True
                    self._note_and_drop_duplicate(DuplicateKey(key, self.locations[key].path, name))
                else:
                    self.locations[key] = TicketLocation(name, local.ticket.key or "")
            if not is_elsewhere:
                self.add_ticket(state, local, store.root, issues)
        return tickets

    def add_unchanged(self, name: str, seen: Sequence[FamilyKeysAndDigest]) -> bool:
        """Add a file that has not changed since it was read, without reading it again.

        Args:
            name: The file, relative to the workspace.
            seen: What was found in each of its tickets.

        Returns:
            Whether it was added. If not, it has to be scanned: a ticket differs from the last
            sync, or another file has one of its keys.
        """
        for ticket in seen:
            text = self.base_text_by_key.get(ticket.own_and_task_keys[0])
            if text is None or digest(text) != ticket.digest:
                return False
        keys = [key for ticket in seen for key in ticket.own_and_task_keys]
        if not self.locations.keys().isdisjoint(keys):
            return False
        self.locations.update(
            (key, TicketLocation(name, ticket.own_and_task_keys[0]))
            for ticket in seen
            for key in ticket.own_and_task_keys
        )
        return True

    def _note_and_drop_duplicate(self, error: DuplicateKey) -> None:
        """Note a key in two files, and remove the tickets that hold it."""
        self.leave_out({error.key})
        known = self.broken.setdefault(error.second_path, error)
        if isinstance(known, DuplicateKey) and known.has_files_but_not_key_of(error):
            self.broken[error.second_path] = replace(known, more_keys=(*known.more_keys, error.key))
        self.locations[error.key] = replace(self.locations[error.key], change_refusal=str(error))

    def add_ticket(
        self, state: State, local: LocalTicket, root: Path, tickets: Sequence[Ticket] = ()
    ) -> None:
        """Compare one ticket with the last sync, and add it to the survey.

        Args:
            state: The last sync.
            local: The ticket.
            root: The workspace's folder, for the pictures that the ticket shows.
            tickets: All tickets of its file, one of which a draft may name as its parent.
        """
        local_change = None
        if local.ticket.key is None:
            parent = find_parent_draft(local.ticket, tickets)
            title = parent.title if parent else ""
            local_change = find_local_change(local, None, None, parent_draft_title=title)
        elif self.base_text_by_key.get(local.ticket.key) == local.comparable_text:  # nearly all
            return
        elif texts := state.base_by_head_key(local.ticket.key):
            head, base = texts
            if lf_and_chomp(base.jira_text) == local.comparable_text:  # saves parsing the base
                return
            known = read_ticket(base.jira_text)
            if known is None:  # pragma: no cover - another version wrote it
                self.never_pulled.append(local)
            else:
                if comments := state.comments.select():
                    known, ticket = number_sent_comments(known, local.ticket, comments)
                    local = replace(local, ticket=ticket)
                local_change = find_local_change(local, head, known, state.older.digests_of(head))
        else:
            self.never_pulled.append(local)
        if local_change is None:
            return
        addresses = dict.fromkeys(
            address
            for _, edits in local_change.edits_and_drafts()
            for edit in edits
            if may_show_local_pictures(edit.part)
            for address in new_local_picture_addresses(edit.new, edit.old)
        )
        if addresses:
            pictures = check_pictures(root, local.path, addresses)
            local_change = replace(local_change, pictures_by_address=pictures)
        self.local_changes.append(local_change)
        self.has_drafts |= local_change.head_id is None or bool(local_change.new_tasks)


def take_survey(
    store: Store, state: State, *, project: str | None = None, inherit: bool = True
) -> LocalSurvey:
    """Compare every ticket in a workspace with the last sync; synchronous, for a worker thread.

    Raises:
        StateFailed: The state cannot be read.
    """
    survey = LocalSurvey()
    for _ in survey.scan_in_portions(store, state, store.walk()):
        pass
    if survey.has_drafts:
        survey.refuse_drafts_that_lost_keys(state, project, inherit=inherit)
    return survey


def check_keys_and_paths(keys: Collection[str], survey: LocalSurvey, state: State) -> None:
    """Raise `UnknownTicket` for the first key or file that is not known.

    A key is known if it is in a file or was there at the last sync, a file if it has a ticket or
    cannot be read.
    """
    known = {*survey.locations, *(issue.key for issue in state.known_issues_by_id().values())}
    paths = {location.path for location in survey.locations.values()}
    paths.update(survey.broken, (change.local.path for change in survey.local_changes))
    for key in keys:
        if key not in known and key not in paths:
            raise UnknownTicket(key, tuple(known))
