"""Finds the location of each ticket in a workspace, the files that cannot be read, and what Go's Ticketr left.

That program kept a hash of each ticket in ``.ticketr.state``. A ticket that still has this hash was
not edited, so Jira's version may replace it without a conflict. The hash is SHA-256 over the texts
of the ticket, joined without a separator, as the program's source and its files show.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.config import read_text
from ticketr.app.sync.errors import DuplicateKey
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.workspace.store import RawKeys, Store, TicketLocation, broken_file_of
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.state.state import KnownPlace, State


STATE_FILE = ".ticketr.state"
#: The largest file to read, in bytes; that program writes about 200 for each ticket.
LARGEST = 8 * 1024 * 1024


def go_hash(ticket: Ticket) -> str:
    """Return the hash that the Go program would store for a ticket.

    Returns:
        64 hexadecimal digits.
    """
    return hashlib.sha256("".join(_hashed_texts(ticket)).encode()).hexdigest()


def _hashed_texts(ticket: Ticket) -> Iterator[str]:
    yield ticket.title
    yield ticket.description
    yield from ticket.acceptance_criteria
    for name in sorted(ticket.fields):
        yield name
        yield ticket.fields[name]
    for task in ticket.tasks:
        yield from _hashed_texts(task)


def read_hashes(root: Path) -> dict[str, str]:
    """Read the hashes that the Go program stored in a folder.

    Returns:
        The hash of each ticket at that program's last sync, by key; empty if the file does not
        exist or cannot be read.
    """
    try:
        state = json.loads(read_text(root / STATE_FILE, largest=LARGEST) or "{}")
    except (TicketrError, ValueError, RecursionError):
        return {}
    if not isinstance(state, dict):
        return {}
    hashes = (
        (key, entry.get("local_hash")) for key, entry in state.items() if isinstance(entry, dict)
    )
    return {key: text_hash for key, text_hash in hashes if isinstance(text_hash, str)}


_NO_DRAFT = "it was created from a draft that does not have its key yet, as a file cannot be read or written"


@dataclass
class Layout:
    """The keys in the files of a workspace.

    A file that cannot be read stops no other file.

    Attributes:
        locations: The location of each key. One in a file that cannot be read, as far as its text
            and the last sync show it, has a reason not to be changed; so has a key in two places.
        broken: What is wrong with files, by their paths relative to the workspace.
    """

    locations: dict[str, TicketLocation] = field(default_factory=dict)
    broken: dict[str, TicketrError] = field(default_factory=dict)
    _unreadable: dict[str, TicketrError] = field(default_factory=dict)
    _raw: list[tuple[str, RawKeys]] = field(default_factory=list)

    def add(self, store: Store, paths: Iterable[Path]) -> None:
        """Take in some files; synchronous, for a worker thread."""
        for path in paths:
            name = store.name_of(path)
            try:
                pairs = store.locations(name)
            except TicketrError as error:
                self._unreadable[name] = error
                self._raw.append((name, store.raw_keys(name)))
                continue
            for key, location in pairs:
                first = self.locations.setdefault(key, location)
                if first is not location:
                    self._refuse(DuplicateKey(key, first.path, location.path))

    def _refuse(self, error: DuplicateKey) -> None:
        """Note a key in two files; both stay as they are."""
        add_duplicate(self.broken, error)
        location = self.locations[error.key]
        self.locations[error.key] = replace(location, reason=str(error))

    def complete(self, store: Store, state: State) -> None:
        """Add the tickets of files that cannot be read, once every other file is added."""
        places = state.places()
        gone = (place.path for key, place in places.items() if key not in self.locations)
        self._unreadable |= find_obstacles(store, gone)
        self.broken = self._unreadable | self.broken
        for name, raw in self._raw:
            for key in sorted(raw.held & self.locations.keys()):
                good = self.locations[key].path
                self._refuse(DuplicateKey(key, good, name, is_broken=True))
            for key in raw.possible:
                self._guess(key, name, places)
        for key, place in places.items():
            if (broken := broken_file_of(place.path, self._unreadable)) is not None:
                self._guess(key, broken, places)
        for creation in state.creations.all():
            if creation.key is not None:  # whose draft may be in a file that cannot be read
                self.locations.setdefault(
                    creation.key, TicketLocation(creation.path, "", _NO_DRAFT)
                )

    def _guess(self, key: str, name: str, places: Mapping[str, KnownPlace]) -> None:
        """Note that a key, if it is in no other file, is in one that cannot be read."""
        head = places[key].head if key in places else ""
        location = TicketLocation(name, head, str(self._unreadable[name]))
        self.locations.setdefault(key, location)


def find_obstacles(store: Store, paths: Iterable[str]) -> dict[str, TicketrError]:
    """Return why files that `Store.walk` did not find cannot be read, by the place of the error."""
    errors = filter(None, map(store.find_obstacle, sorted(set(paths))))
    return {store.name_of(error.path): error for error in errors}


def add_duplicate(broken: dict[str, TicketrError], error: DuplicateKey) -> None:
    """Add a key in two files to the error of one of them that can be read."""
    path = error.first if error.is_broken else error.second
    known = broken.setdefault(path, error)
    if isinstance(known, DuplicateKey) and known.is_about(error):
        broken[path] = known.with_key(error.key)


def notes_on(broken: Mapping[str, TicketrError]) -> list[Note]:
    """Say what is wrong with files."""
    return [
        Note(error.key if isinstance(error, DuplicateKey) else "", path, str(error), Code.BROKEN)
        for path, error in broken.items()
    ]
