"""Finds the location of each ticket in a workspace, and the files that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.sync.errors import DuplicateKey
from ticketr.sync.notes import Code, Note
from ticketr.sync.workspace.store import TicketLocation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ticketr.sync.state.state import State
    from ticketr.sync.workspace.store import Store


_NO_DRAFT = "it was created from a draft that cannot be found while a file cannot be read"


@dataclass
class Layout:
    """The keys in the files of a workspace. A file that cannot be read stops no other file.

    Attributes:
        locations: The location of each key. One in a file that cannot be read, as far as that can be
            guessed, has a reason not to be changed; so has a key in two places.
        broken: What is wrong with files, by their paths relative to the workspace.
    """

    locations: dict[str, TicketLocation] = field(default_factory=dict)
    broken: dict[str, TicketrError] = field(default_factory=dict)
    _guessed: dict[str, str] = field(default_factory=dict)

    def add(self, store: Store, paths: Iterable[Path]) -> None:
        """Take in some files; synchronous, for a worker thread."""
        for path in paths:
            name = store.name_of(path)
            try:
                found = store.locations(name)
            except TicketrError as error:
                self.broken[name] = error
                self._guessed.update(dict.fromkeys(store.keys_of_broken(name), name))
                continue
            for key, location in found:
                self._add(key, location)

    def _add(self, key: str, location: TicketLocation) -> None:
        first = self.locations.setdefault(key, location)
        if first is not location:
            error = DuplicateKey(key, first.path, location.path)
            self.broken[location.path] = error
            self.locations[key] = replace(first, reason=str(error))

    def complete(self, state: State) -> None:
        """Add the tickets of files that cannot be read, once every other file is added."""
        for key, name in (*self._guessed.items(), *state.keys_in_files(self.broken)):
            error = self.broken[name]
            if not isinstance(error, DuplicateKey):
                self.locations.setdefault(key, TicketLocation(name, "", str(error)))
        for creation in state.creations.all():
            if creation.key is not None:  # whose draft may be in a file that cannot be read
                self.locations.setdefault(
                    creation.key, TicketLocation(creation.path, "", _NO_DRAFT)
                )


def notes_on(broken: Mapping[str, TicketrError]) -> list[Note]:
    """Say what is wrong with files."""
    return [
        Note(error.key if isinstance(error, DuplicateKey) else "", path, str(error), Code.BROKEN)
        for path, error in broken.items()
    ]
