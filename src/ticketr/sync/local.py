"""What stands in the files, against the last sync; synchronous, for a worker thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.sync.errors import DuplicateKey
from ticketr.sync.files import comparable
from ticketr.sync.plan import plan
from ticketr.sync.writer import read_ticket

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from ticketr.sync.plan import Work
    from ticketr.sync.state import State
    from ticketr.sync.store import LocalTicket, Store


@dataclass
class LocalSurvey:
    """What there is to push, and what cannot be compared.

    Attributes:
        works: tickets that were edited here, and drafts, in the order of the files.
        unknown: tickets with keys that were never pulled into this workspace.
        count: how many issues with keys the files hold.
    """

    works: list[Work] = field(default_factory=list)
    unknown: list[LocalTicket] = field(default_factory=list)
    _paths: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many issues with keys the files hold."""
        return len(self._paths)

    @property
    def writes(self) -> int:
        """How many issues a push would create or change, as far as that shows here."""
        return sum(work.writes for work in self.works)

    def leave_out(self, keys: Collection[str]) -> None:
        """Forget what there is to push of some tickets."""
        self.works = [each for each in self.works if each.local.ticket.key not in keys]
        self.unknown = [each for each in self.unknown if each.ticket.key not in keys]

    def add(self, store: Store, state: State, paths: Iterable[Path]) -> None:
        """Take in some files.

        Args:
            store: the workspace.
            state: the last sync.
            paths: files that may hold tickets.

        Raises:
            DuplicateKey: a key stands in two places.
            TicketSyntaxError: a file cannot be read as tickets.
            FileFailed: a file cannot be read.
        """
        for path in paths:
            for local in store.local(store.name_of(path)):
                self.take(state, local)

    def take(self, state: State, local: LocalTicket) -> None:
        """Take in one ticket.

        Args:
            state: the last sync.
            local: the ticket as it stands in its file.

        Raises:
            DuplicateKey: one of its keys stands in another place.
        """
        for key in local.ticket.keys():  # noqa: SIM118  (a ticket is no mapping)
            if key in self._paths:
                raise DuplicateKey(key, self._paths[key], local.path)
            self._paths[key] = local.path
        work = None
        if local.ticket.key is None:
            work = plan(local, None, None)
        elif found := state.base_of_key(local.ticket.key):
            head, base = found
            if comparable(base.text) == local.text:  # so nearly all: they need not be parsed again
                return
            known = read_ticket(base.text)
            if known is None:  # pragma: no cover - another version wrote it
                self.unknown.append(local)
            else:
                work = plan(local, head, known)
        else:
            self.unknown.append(local)
        if work is not None:
            self.works.append(work)
