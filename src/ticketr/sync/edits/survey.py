"""What stands in the files, against the last sync; synchronous, for a worker thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.sync.compare.bases import read_ticket
from ticketr.sync.edits.local_changes import find_local_change
from ticketr.sync.edits.lost_keys import lost_key_error
from ticketr.sync.errors import DuplicateKey
from ticketr.sync.workspace.files import comparable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from ticketr.sync.edits.local_changes import LocalChange
    from ticketr.sync.state.state import State
    from ticketr.sync.workspace.store import LocalTicket, Store
    from ticketr.tickets import Ticket, TicketSyntaxError


@dataclass
class LocalSurvey:
    """What there is to push, and what cannot be compared.

    Attributes:
        local_changes: Tickets that were edited here, and drafts, in the order of the files.
        unknown: Tickets with keys that were never pulled into this workspace.
        broken: What is wrong with files, by their paths relative to the workspace; what stands in
            them is no part of the survey.
        count: How many issues with keys the files hold.
    """

    local_changes: list[LocalChange] = field(default_factory=list)
    unknown: list[LocalTicket] = field(default_factory=list)
    broken: dict[str, TicketrError] = field(default_factory=dict)
    _paths: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many issues with keys the files hold."""
        return len(self._paths)

    @property
    def writes(self) -> int:
        """How many issues a push would create or change, as far as that shows here."""
        return sum(local_change.writes for local_change in self.local_changes)

    def leave_out(self, keys: Collection[str]) -> None:
        """Forget what there is to push of some tickets."""
        self.local_changes = [
            each for each in self.local_changes if each.local.ticket.key not in keys
        ]
        self.unknown = [each for each in self.unknown if each.ticket.key not in keys]

    def _leave_out_holders(self, key: str) -> None:
        """Forget what there is to push of the tickets that a key stands in."""
        self.local_changes = [
            each
            for each in self.local_changes
            if key not in each.local.ticket.keys()  # noqa: SIM118
        ]
        self.unknown = [each for each in self.unknown if key not in each.ticket.keys()]  # noqa: SIM118

    def refuse_lost_keys(
        self, state: State, recent: Collection[str], project: str | None = None
    ) -> dict[str, TicketSyntaxError]:
        """Take out what would be created though it is probably here already, without its key.

        Only once every file is taken in: a key that is in none of them is lost, others have moved.

        Args:
            state: The last sync.
            recent: Keys that a push puts back by itself where they are gone from their files.
            project: Where drafts are created; the projects of the last sync count anyway.

        Returns:
            What is wrong with it, by file.
        """
        drafting = [each for each in self.local_changes if each.head is None or each.drafts]
        if not drafting:
            return {}
        homes = state.homes()
        projects = {key.rpartition("-")[0] for key in homes} | ({project} if project else set())
        here = {*self._paths, *recent}
        lost: dict[str, dict[str, Ticket]] = {}
        paths = {each.local.path for each in drafting if each.head is None}
        for key, path in homes.items():
            base = state.base_of_key(key) if path in paths and key not in here else None
            if base is not None and (ticket := read_ticket(base[1].text)):
                lost.setdefault(path, {})[key] = ticket
        refused: dict[int, TicketSyntaxError] = {}
        for local_change in drafting:
            gone = lost.get(local_change.local.path, {})
            if error := lost_key_error(local_change, projects=projects, lost=gone, here=here):
                refused[id(local_change)] = error
        self.local_changes = [each for each in self.local_changes if id(each) not in refused]
        return {error.source: error for error in reversed(refused.values())}

    def missing(self, state: State, broken: Collection[str]) -> dict[str, str]:
        """Find tickets of the last sync that stand in no file, once every file is taken in.

        Args:
            state: The last sync.
            broken: Files that could not be read; what stood in them may stand there still.

        Returns:
            The file in which each one stood, by its key.
        """
        homes = state.homes()
        # Where a pull has found a ticket in conflict it stands since, whatever its last sync says.
        moved = {each.key for each in state.conflicts.all() if each.path in broken}
        gone = homes.keys() - self._paths.keys() - moved
        return {key: path for key, path in homes.items() if key in gone and path not in broken}

    def add(self, store: Store, state: State, paths: Iterable[Path]) -> None:
        """Take in some files.

        Args:
            store: The workspace.
            state: The last sync.
            paths: Files that may hold tickets.

        Raises:
            StateFailed: The state cannot be read.
        """
        for path in paths:
            name = store.name_of(path)
            try:
                found = store.local(name)
            except TicketrError as error:
                self.broken[name] = error
                continue
            for local in found:
                try:
                    self.take(state, local)
                except DuplicateKey as error:
                    self.broken[name] = error

    def take(self, state: State, local: LocalTicket) -> None:
        """Take in one ticket.

        Args:
            state: The last sync.
            local: The ticket as it stands in its file.

        Raises:
            DuplicateKey: One of its keys stands in another place; then neither is part of the
                survey.
        """
        for key in local.ticket.keys():  # noqa: SIM118 - a ticket is no mapping
            if key in self._paths:
                self._leave_out_holders(key)
                raise DuplicateKey(key, self._paths[key], local.path)
            self._paths[key] = local.path
        local_change = None
        if local.ticket.key is None:
            local_change = find_local_change(local, None, None)
        elif found := state.base_of_key(local.ticket.key):
            head, base = found
            if comparable(base.text) == local.text:  # so nearly all: they need not be parsed again
                return
            known = read_ticket(base.text)
            if known is None:  # pragma: no cover - another version wrote it
                self.unknown.append(local)
            else:
                local_change = find_local_change(local, head, known)
        else:
            self.unknown.append(local)
        if local_change is not None:
            self.local_changes.append(local_change)
