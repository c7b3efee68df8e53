"""What ``ticketr status`` lists, limited to the tickets that were named."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ticketr._errors import TicketrError
from ticketr.app.sync import find_literals, find_uncertain

if TYPE_CHECKING:
    from ticketr.app.sync import (
        Conflict,
        Creation,
        LiteralText,
        LocalChange,
        LocalSurvey,
        LocalTicket,
        Loss,
        State,
    )


@dataclass(frozen=True, slots=True)
class Edited:
    """An issue that was edited.

    Attributes:
        key: Its key.
        path: Its file, relative to the workspace.
        parts: The names of its changed parts.
    """

    #: The first word of its line.
    mark: ClassVar[str] = "edited"

    key: str
    path: str
    parts: tuple[str, ...]

    @property
    def line(self) -> str:
        """The rest of its line."""
        return f"{self.key} ({self.path}): {', '.join(self.parts)}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket or sub-task without a key.

    Attributes:
        title: Its title.
        path: Its file, relative to the workspace.
        parent: The key of the ticket in which it is a sub-task; None for none.
        is_uncertain: Whether an earlier push has asked Jira for it; then it is listed as that.
    """

    #: The first word of its line.
    mark: ClassVar[str] = "draft"

    title: str
    path: str
    parent: str | None
    is_uncertain: bool

    @property
    def line(self) -> str:
        """The rest of its line."""
        return f"{self.title} ({self.path})"


@dataclass(frozen=True, slots=True)
class LocalEdits:
    """What was edited in a workspace since the last sync, and what cannot be compared.

    Attributes:
        count: How many issues with keys the files hold.
        changed: What was edited, and the drafts, in the order of the files.
        conflicts: The tickets that both sides have changed.
        creations: The requested issues that have no key in a file yet.
        never_pulled: Tickets with keys that were never pulled into this workspace.
        broken: The errors of files, by their paths relative to the workspace.
        missing: The former file of each ticket that is in no file now, by key.
        losses: What a push would remove in Jira.
        literals: What Jira would get as plain text.
    """

    count: int
    changed: tuple[Edited | Draft, ...]
    conflicts: tuple[Conflict, ...]
    creations: tuple[Creation, ...]
    never_pulled: tuple[LocalTicket, ...]
    broken: Mapping[str, TicketrError]
    missing: Mapping[str, str]
    losses: tuple[Loss, ...]
    literals: tuple[LiteralText, ...]

    @property
    def edited(self) -> list[Edited]:
        """What was edited."""
        return [ticket for ticket in self.changed if isinstance(ticket, Edited)]

    @property
    def drafts(self) -> list[Draft]:
        """The drafts."""
        return [draft for draft in self.changed if isinstance(draft, Draft)]


def find_local_edits(survey: LocalSurvey, state: State, keys: Collection[str]) -> LocalEdits:
    """Return what is in a survey, of all tickets or of some keys; files with errors always.

    Raises:
        StateFailed: The state cannot be read.
    """
    creations = state.creations.all()
    uncertain = find_uncertain(creations, survey.local_changes).keys()
    changed = [
        change for local in survey.local_changes for change in _changed_in(local, uncertain, keys)
    ]
    edited = {ticket.key for ticket in changed if isinstance(ticket, Edited)}
    tickets = {own_ticket(state, key) for key in keys}

    def is_named(key: str | None) -> bool:
        return not keys or key in tickets

    return LocalEdits(
        count=survey.count,
        changed=tuple(changed),
        conflicts=tuple(conflict for conflict in state.conflicts.all() if is_named(conflict.key)),
        creations=tuple(creation for creation in creations if is_named(creation.parent)),
        never_pulled=tuple(
            ticket
            for ticket in survey.never_pulled
            if not keys or not set(keys).isdisjoint(ticket.ticket.keys())
        ),
        broken=survey.broken,
        missing={key: path for key, path in survey.missing(state).items() if is_named(key)},
        losses=tuple(loss for loss in survey.losses(state) if loss.key in edited),
        literals=tuple(
            literal
            for local in survey.local_changes
            for literal in find_literals(local)
            if (literal.key in edited if literal.key else is_named(local.local.ticket.key))
        ),
    )


def _changed_in(
    change: LocalChange, uncertain: Collection[int], keys: Collection[str]
) -> Iterator[Edited | Draft]:
    """Yield what was edited in one ticket, and its drafts."""
    ticket, path = change.local.ticket, change.local.path
    is_named = not keys or ticket.key in keys
    for key, changes in change.edits.items():
        if is_named or key in keys:
            yield Edited(key, path, tuple(edit.name for edit in changes))
    if is_named:
        drafts = (*((ticket,) if change.head is None else ()), *change.drafts)
        for draft in drafts:
            yield Draft(draft.title, path, ticket.key, id(draft) in uncertain)


def own_ticket(state: State, key: str) -> str:
    """Return the key of a sub-task's ticket; any other key as it is."""
    head = state.head_of(key)
    return (
        next((issue.key for issue in state.issues_of(head) if issue.id == head), key)
        if head
        else key
    )
