"""Writes whole families: the file first, then the state, in one visit to a worker thread.

What is about to be written is put down before. So should the process die between the two, the
next pull knows the file's text for its own, whatever Jira has by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.jira import Issue
from ticketr.sync.errors import FileFailed
from ticketr.sync.mapping import Columns, FamilyText, family_text, slim, subtask_ids, updated
from ticketr.sync.state import Base
from ticketr.sync.store import Written
from ticketr.tickets import InvalidKey, TicketSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ticketr.sync.state import State
    from ticketr.sync.store import Place, Store


@dataclass(frozen=True, slots=True)
class Note:
    """Something about one ticket that its user should know.

    Attributes:
        key: the ticket's key.
        path: its file, relative to the workspace; empty if it has none.
        reason: what is to be known, in words.
    """

    key: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A family ready to be written.

    Attributes:
        issues: its issues, head first, without what files do not need.
        text: its text.
        path: the file it was found in or written to; None for a new one.
    """

    issues: tuple[Issue, ...]
    text: FamilyText
    path: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one prepared family.

    Attributes:
        family: the family.
        written: what was done; None if it failed.
        path: the file it stands in now; empty if it failed.
        note: why it was kept or failed; None if all is well.
    """

    family: Prepared
    written: Written | None
    path: str = ""
    note: Note | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The IDs of its issues, the head's first."""
        return tuple(each.id for each in self.family.issues)


def prepare(
    head: Issue, subtasks: Iterable[Issue], columns: Columns, *, path: str | None
) -> Prepared:
    """Put a family in order and write its text."""
    order = {each: position for position, each in enumerate(subtask_ids(head))}
    last = len(order)
    ordered = sorted(subtasks, key=lambda each: (order.get(each.id, last), _number(each.id)))
    issues = tuple(
        Issue(id=each.id, key=each.key, fields=slim(each.fields)) for each in (head, *ordered)
    )
    return Prepared(issues, family_text(issues[0], issues[1:], columns), path)


def misplaced(head: Issue, issue: Issue, places: Mapping[str, Place]) -> Note | None:
    """Tell where an issue stands, if that is not in the ticket where Jira has it.

    Files are never moved, and a key must not stand in two of them.
    """
    place = places.get(issue.key)
    if place is None or place.head == head.key:
        return None
    home = f"as a sub-task of {head.key}" if issue.id != head.id else "by itself"
    return Note(issue.key, place.path, f"Jira has it {home}; move it there in the files")


class FamilyWriter:
    """Writes families into a workspace; every method belongs on a worker thread.

    Args:
        store: the workspace's files.
        state: its state.
        seen: Jira's clock when this pull began.
    """

    def __init__(self, store: Store, state: State, *, seen: float) -> None:
        self._store = store
        self._state = state
        self._seen = seen

    def write(self, families: Sequence[Prepared]) -> tuple[list[Outcome], FileFailed | None]:
        """Write some families.

        Returns:
            What became of each, and the error that ended the work early, if one did: whatever
            was written before it counts.
        """
        outcomes: list[Outcome] = []
        with self._state.batch():  # before any file, so that a kill leaves none that looks edited
            for family in families:
                self._state.intend(family.issues[0].id, family.text.text)
        with self._state.batch():
            for family in families:
                try:
                    outcomes.append(self._write(family))
                except FileFailed as error:
                    return outcomes, error
        return outcomes, None

    def _write(self, family: Prepared) -> Outcome:
        head = family.issues[0]
        base = self._state.base(head.id)
        try:
            result = self._store.write(
                family.text.ticket,
                family.text.text,
                path=family.path or (base.path if base else None),
                bases=[*self._state.intended(head.id), *([base.text] if base else [])],
            )
        except InvalidKey as error:
            return Outcome(family, None, note=Note(head.key, "", str(error)))
        except TicketSyntaxError as error:  # it was broken a moment ago, so it was edited
            return self._keep(family, family.path or "", str(error))
        if result.outcome is Written.KEPT:
            return self._keep(family, result.path, result.reason)
        self._record(family, result.path)
        return Outcome(family, result.outcome, result.path)

    def _keep(self, family: Prepared, path: str, reason: str) -> Outcome:
        head = family.issues[0]
        outcome = Outcome(family, Written.KEPT, path, Note(head.key, path, reason))
        self._state.mark_stale(outcome.ids)
        self._state.forget_intended(head.id)  # what stands there is none of these texts
        return outcome

    def _record(self, family: Prepared, path: str) -> None:
        rows = [
            (issue, updated(issue), issue.key not in family.text.inexact) for issue in family.issues
        ]
        base = Base(path, family.text.text)
        self._state.record(family.issues[0].id, base, rows, seen=self._seen)


def _number(issue_id: str) -> int:
    return int(issue_id) if issue_id.isdecimal() else 0
