"""What has changed in a ticket's file since the last sync. Pure.

A push compares these changes with Jira and converts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.app.sync.compare.diff import (
    Change,
    CommentPart,
    Part,
    are_equivalent,
    find_changes,
    find_changes_by_key,
    issues_by_key,
    part_texts,
)
from ticketr.app.sync.compare.mapping import PARENT_LINE_NAME
from ticketr.app.sync.compare.sent import OlderTextDigestsByKey, replace_older_values
from ticketr.app.sync.notes import Code, Note
from ticketr.app.tickets import Ticket, is_key, one_line

if TYPE_CHECKING:
    from ticketr.app.sync.compare.grafting import PictureToAttach
    from ticketr.app.sync.workspace.store import LocalTicket


#: Why a value is left alone that an earlier sync had.
_OLDER_VALUES_REASON = (
    "{names}: older than the last pull, so it is not sent; a pull brings the file forward. If you "
    "typed it yourself: ticketr resolve {key} --take mine, then push"
)


@dataclass(frozen=True, slots=True)
class TicketChanges:
    """What has changed in one ticket's file since the last sync.

    Attributes:
        local: The ticket in its file.
        head_id: The ID of its head in Jira; None for a draft.
        base: The ticket at the last sync; None for a draft.
        edits: The changes of each issue, by key.
        new_tasks: Its sub-tasks without keys.
        added_task_keys: Keys of sub-tasks in the file that the ticket did not have at the last sync.
        are_chosen: Whether only these changes may be sent, since the user chose them.
        pictures_by_address: The files on disk that its descriptions show since then.
        inheritable_fields: The fields of the ticket that its new sub-tasks take over unless they name
            them, by name; empty if a setting says so.
        older_values_in_file: The values of earlier syncs, by key, as changes that are not sent. The
            ticket of ``local`` has those of the last sync instead.
        parent_draft_title: The title of the draft that a draft names as its parent; empty for none.
    """

    local: LocalTicket
    head_id: str | None
    base: Ticket | None
    edits: Mapping[str, tuple[Change, ...]]
    new_tasks: tuple[Ticket, ...]
    added_task_keys: tuple[str, ...] = ()
    are_chosen: bool = False
    pictures_by_address: Mapping[str, PictureToAttach] = field(default_factory=dict)
    inheritable_fields: Mapping[str, str] = field(default_factory=dict)
    older_values_in_file: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    parent_draft_title: str = ""

    def inherited_by(self, draft: Ticket) -> tuple[Change, ...]:
        """Return what a new sub-task takes over from the ticket; an empty line is a name, too."""
        names = self.inheritable_fields.items()
        return tuple(Change(name, "", text) for name, text in names if name not in draft.fields)

    def recompute_edits(self, base: Ticket, local: Ticket) -> TicketChanges:
        """Return the change from another base to a version of the ticket in its file."""
        edits = find_changes_by_key(base, local)
        if self.are_chosen:
            chosen = {(key, edit.part) for key, edits in self.edits.items() for edit in edits}
            kept = {
                key: tuple(edit for edit in issue_edits if (key, edit.part) in chosen)
                for key, issue_edits in edits.items()
            }
            edits = {key: issue_edits for key, issue_edits in kept.items() if issue_edits}
        return replace(self, base=base, edits=edits)

    def edits_and_drafts(self) -> list[tuple[Ticket, tuple[Change, ...]]]:
        """Return each issue that would be written with its changes, the ticket before its drafts."""
        ticket = self.local.ticket
        edited = [
            (issue, self.edits[issue.key])
            for issue in (ticket, *ticket.tasks)
            if issue.key is not None and issue.key in self.edits
        ]
        new = self.new_tasks if self.head_id is not None else (ticket, *self.new_tasks)
        drafts = [(draft, draft_changes(draft)) for draft in new]
        return [*edited, *drafts]

    def notes_on_older_values(self) -> Iterator[tuple[Ticket, Note]]:
        """Yield each issue with older values, and a note on them: a user may have typed them."""
        ticket, path = self.local.ticket, self.local.path
        for issue in (ticket, *ticket.tasks):
            if issue.key is not None and issue.key in self.older_values_in_file:
                names = ", ".join(value.name for value in self.older_values_in_file[issue.key])
                words = _OLDER_VALUES_REASON.format(names=names, key=issue.key)
                yield issue, Note(issue.key, path, words, Code.OLDER)

    @property
    def key_or_title(self) -> str:
        """The ticket's key, or a draft's title, for messages."""
        return self.local.ticket.key or f'draft "{self.local.ticket.title}"'


def find_local_change(
    local: LocalTicket,
    head_id: str | None,
    base: Ticket | None,
    older: OlderTextDigestsByKey = MappingProxyType({}),
    parent_draft_title: str = "",
) -> TicketChanges | None:
    """Compare a ticket's file with the last sync; a draft has neither a head nor a base.

    Args:
        local: The ticket in its file.
        head_id: The ID of its head.
        base: The ticket at the last sync.
        older: The values of earlier syncs.
        parent_draft_title: See `TicketChanges`.

    Returns:
        The changes; None if there are none, or if the ticket has a key and no base: an existing
        issue must not be pushed as a draft.
    """
    ticket = local.ticket
    drafts = tuple(task for task in ticket.tasks if task.key is None)
    if ticket.key is not None and (head_id is None or base is None):
        return None
    if head_id is None or base is None:
        keyed = tuple(task.key for task in ticket.tasks if task.key is not None)
        return TicketChanges(
            local, None, None, {}, drafts, keyed, parent_draft_title=parent_draft_title
        )
    replaced: Mapping[str, tuple[Change, ...]] = {}
    if older:
        ticket, replaced = replace_older_values(ticket, base, older)
    edits = find_changes_by_key(base, ticket)
    before = issues_by_key(base)
    added = tuple(key for key in issues_by_key(ticket) if key not in before)
    if not edits and not drafts and not added and not replaced:
        return None
    local = replace(local, ticket=ticket)
    return TicketChanges(local, head_id, base, edits, drafts, added, older_values_in_file=replaced)


def find_parent_draft(ticket: Ticket, tickets: Sequence[Ticket]) -> Ticket | None:
    """Return the draft that the line Parent of another draft names by its title.

    Args:
        ticket: The ticket with that line.
        tickets: All tickets of its file.

    Returns:
        The named draft; None if it names none, or if several tickets have that title.
    """
    title = one_line(ticket.fields.get(PARENT_LINE_NAME, "")) if ticket.key is None else ""
    if not title or is_key(title):
        return None
    named = [other for other in tickets if other.title == title]
    return named[0] if len(named) == 1 and named[0].key is None else None


def with_parent_key(draft: Ticket, key: str) -> Ticket:
    """Return a draft that names its parent by a key."""
    return replace(draft, fields={**draft.fields, PARENT_LINE_NAME: key})


def draft_changes(draft: Ticket) -> tuple[Change, ...]:
    """Return every part of a draft that is not empty, as a change."""
    return tuple(Change(part, "", text) for part, text in part_texts(draft).items() if text)


def new_jira_changes(base: Ticket, local: Ticket, remote: Ticket) -> dict[str, tuple[Change, ...]]:
    """Return what has changed in Jira since the last sync and differs from the file, by key."""
    old, here = issues_by_key(base), issues_by_key(local)
    differences: dict[str, tuple[Change, ...]] = {}
    for key, issue in issues_by_key(remote).items():
        if key not in old or key not in here:
            continue
        mine, now = part_texts(here[key]), part_texts(issue)
        # Jira omits an empty field. So a field was emptied in Jira if only the file has its line.
        gone = (
            Change(part, text, "")
            for part, text in part_texts(old[key]).items()
            if text and part in mine and part not in now
        )
        remaining = tuple(
            change
            for change in (*find_changes(old[key], issue), *gone)
            if not are_equivalent(change.part, mine.get(change.part, change.old), change.new)
            and not _is_comment_unedited_here(change, mine)
        )
        if remaining:
            differences[key] = remaining
    return differences


def _is_comment_unedited_here(change: Change, mine: Mapping[Part, str]) -> bool:
    """Return whether a change concerns a comment that is not edited here, so nothing can clash."""
    part = change.part
    return isinstance(part, CommentPart) and are_equivalent(
        part, mine.get(part, change.old), change.old
    )


def unsent_edits(edits: tuple[Change, ...], remote: Ticket) -> tuple[Change, ...]:
    """Return the edits that Jira does not have yet; an interrupted push may have sent some."""
    there = part_texts(remote)
    return tuple(
        edit for edit in edits if not are_equivalent(edit.part, there.get(edit.part, ""), edit.new)
    )


def project_and_kind(draft: Ticket, parent: str | None) -> tuple[str, str]:
    """Return the project of a draft and words for its kind, which `save_workflow` takes.

    Args:
        draft: The draft.
        parent: The key of its ticket, for a sub-task; empty if that is a draft itself.
    """
    kind = "sub-task" if parent is not None else "ticket"
    project = draft.fields.get("Project", "") or (parent or "").rpartition("-")[0]
    return project, f"of a new {kind} {draft.fields.get('Type', '')}"
