"""Builds the requests for each ticket: payloads for its edits and its new issues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.diff import Change, CorePart, by_key, with_issues
from ticketr.app.sync.compare.grafting import EditedText
from ticketr.app.sync.compare.mapping import PARENT, type_id
from ticketr.app.sync.compare.sent import SentValue, highest_number
from ticketr.app.sync.edits.local_changes import (
    LocalChange,
    below_key,
    draft_changes,
)
from ticketr.app.sync.edits.losses import Accepted, Loss, edited_texts_of, losses, unaccepted
from ticketr.app.sync.edits.push_plan import PlanEntry, plan_entry
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.metadata import Metadata, MetadataQuery
from ticketr.app.sync.push.payload import (
    IssuePayload,
    PayloadContext,
    create_payload,
    update_payload,
)
from ticketr.app.sync.push.rich_text import issue_with_mentions
from ticketr.app.sync.push.transitions import Step, status_of
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.push.refresh import Comparison


#: Why an edited text or line of links is not sent, and the warning if its loss was accepted.
_TEXT_REFUSED = "sending it would lose {}, for its file cannot say that; change it in Jira, or say --accept-loss"
_TEXT_LOST = "what its file cannot say is lost in Jira: {}"
_LINK_REFUSED = (
    "sending it would remove {}; answer the question before a push in a terminal, or say "
    "--accept-loss"
)
_LINK_LOST = "{} is removed in Jira"


@dataclass(frozen=True, slots=True)
class IssueWrite:
    """An issue that a push creates or changes.

    Attributes:
        issue: The issue in its file.
        path: That file, relative to the workspace.
        project: The key of its project.
        changes: What is sent of it; all of a new one.
        payload: The same as values of Jira's fields, without the parent of a new sub-task, nor one
            that is a draft.
        key: Its key; empty until it is created.
        parent: The key of the ticket of a new sub-task, once it is known.
        issue_id: The ID of an existing issue.
        last_comment: The highest number of its comments; 0 if it has none.
        type_id: The ID of its present type.
        status: Its present status.
        route: The transitions to its new status; none if they are not known yet.
    """

    issue: Ticket
    path: str
    project: str
    changes: tuple[Change, ...]
    payload: IssuePayload
    key: str = ""
    parent: str | None = None
    issue_id: str = ""
    last_comment: int = 0
    type_id: str = ""
    status: str = ""
    route: tuple[Step, ...] = ()

    @property
    def between(self) -> tuple[str, ...]:
        """The statuses on the way to its new one."""
        return tuple(step.transition.to for step in self.route[:-1])

    def entry(self, change: LocalChange) -> PlanEntry:
        """Return it as an entry of a plan, for a change of its ticket."""
        inherited = self.payload.inherited
        return plan_entry(change, self.issue, self.changes, inherited, self.between)

    @property
    def transition_fields(self) -> frozenset[str]:
        """The IDs of the fields that are sent with its transitions."""
        return frozenset(field for step in self.route for field in step.fields)


@dataclass(frozen=True, slots=True)
class TicketWrites:
    """Everything that a push sends of one ticket, and why it does not send the rest.

    Attributes:
        local_change: The change in its file.
        new_ticket: The ticket itself, if it is a draft.
        edits: The edits of its existing issues.
        new_subtasks: Its sub-tasks to create.
        failed: A note for each issue that cannot be sent.
        warnings: Further notes for the user.
    """

    local_change: LocalChange
    new_ticket: IssueWrite | None = None
    edits: tuple[IssueWrite, ...] = ()
    new_subtasks: tuple[IssueWrite, ...] = ()
    failed: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()

    def below_key(self, key: str) -> TicketWrites:
        """Return the writes of a draft whose parent has a key now; the same without such a parent."""
        new = self.new_ticket
        if new is None or not key:
            return self
        parent = {"key": key}
        payload = replace(
            new.payload,
            fields={**new.payload.fields, "parent": parent},
            values=(*new.payload.values, SentValue(PARENT, key, "parent", parent)),
        )
        return replace(
            self, new_ticket=replace(new, issue=below_key(new.issue, key), payload=payload)
        )

    def with_parent(self, key: str) -> TicketWrites:
        """Return the writes of a draft that has a key now, whose sub-tasks are to be created."""
        subtasks = tuple(replace(subtask, parent=key) for subtask in self.new_subtasks)
        return replace(self, new_subtasks=subtasks)

    @property
    def place(self) -> tuple[str, str]:
        """The file and the title of the ticket, by which drafts name their parents."""
        return self.local_change.local.path, self.local_change.local.ticket.title

    @property
    def parent_place(self) -> tuple[str, str] | None:
        """The same of the draft that is its parent; None for none."""
        change = self.local_change
        return (change.local.path, change.below) if change.below else None

    @property
    def orphan_note(self) -> Note:
        """Why the draft is not created if its parent is not, or not completely."""
        local, title = self.local_change.local, self.local_change.below
        reason = f'{PARENT}: creating the draft "{title}" has failed, so this stays a draft, too'
        return Note.on(local.ticket, local.path, reason, Code.INVALID)

    @property
    def new_issues(self) -> tuple[IssueWrite, ...]:
        """The issues to create, the ticket before its sub-tasks."""
        return (*((self.new_ticket,) if self.new_ticket else ()), *self.new_subtasks)

    @property
    def issues(self) -> tuple[IssueWrite, ...]:
        """All issues: the new ticket, the edits, the new sub-tasks."""
        return (*((self.new_ticket,) if self.new_ticket else ()), *self.edits, *self.new_subtasks)


def metadata_queries(
    comparison: Comparison, default_project: str | None
) -> Iterable[MetadataQuery]:
    """Yield a query for each issue to send; drafts go into the ticket's or the default project."""
    change = comparison.local_change
    for key, changes in comparison.edits.items():
        yield MetadataQuery(project_of(key), type_id(comparison.issues[key].fields), changes)
    project = _project_for_drafts(change, default_project)
    if project is not None:
        if change.head is None:
            yield MetadataQuery(project, None, draft_changes(change.local.ticket))
        for draft in change.drafts:
            wanted = (*draft_changes(draft), *change.inherited_by(draft))
            yield MetadataQuery(project, None, wanted, subtask=True)


@dataclass(slots=True)
class WritesBuilder:
    """Converts the changes of one ticket to payloads.

    Attributes:
        comparison: The changes, and what Jira has.
        metadata: The fields and names that they need.
        accept_loss: The losses that the push may cause.
        has_comments: Whether files hold comments.
    """

    comparison: Comparison
    metadata: Metadata
    accept_loss: Accepted
    has_comments: bool
    _failed: list[Note] = field(default_factory=list, init=False)
    _warnings: list[Note] = field(default_factory=list, init=False)

    @property
    def _change(self) -> LocalChange:
        return self.comparison.local_change

    @property
    def _path(self) -> str:
        return self._change.local.path

    def build(self, default_project: str | None) -> TicketWrites:
        """Build the writes; drafts go into the ticket's or the default project."""
        change, project = self._change, _project_for_drafts(self._change, default_project)
        edits = self._accepted_edits()
        new_ticket: IssueWrite | None = None
        if project is None:
            reason = "no project is set that it could be created in; set JIRA_PROJECT_KEY"
            self._failed.append(Note.on(change.local.ticket, self._path, reason, Code.INVALID))
        elif change.head is None:
            for key in change.added_keys:
                reason = f"it is under {change.name}, where Jira does not have it"
                self._failed.append(Note(key, self._path, reason, Code.MISPLACED))
            new_ticket = self._new_issue(change.local.ticket, project, subtask=False)
        subtasks: Iterable[IssueWrite | None] = ()
        if project is not None and (change.head is not None or new_ticket is not None):
            subtasks = [self._new_issue(draft, project, subtask=True) for draft in change.drafts]
        return TicketWrites(
            change,
            new_ticket,
            edits,
            tuple(subtask for subtask in subtasks if subtask is not None),
            tuple(self._failed),
            tuple(self._warnings),
        )

    def _accepted_edits(self) -> tuple[IssueWrite, ...]:
        """Build the edits of the existing issues, without those that would lose something."""
        comparison = self.comparison
        local, users = self._change.local, self.metadata.lookup.mentioned
        ticket = with_issues(local.ticket, lambda issue: issue_with_mentions(issue, users))
        local = replace(local, ticket=ticket)
        sent = replace(self._change, edits=comparison.edits, local=local)
        texts = edited_texts_of(
            sent, comparison.issues.values(), comparison.texts, must_fit=self.accept_loss is True
        )
        refused = self._refuse_losses(losses(sent, comparison.issues.values(), texts))
        here = by_key(self._change.local.ticket)
        edits = (
            self._edit(here[key], changes, comparison.issues[key], texts.get(key, ()))
            for key, changes in comparison.edits.items()
            if key not in refused
        )
        return tuple(edit for edit in edits if edit is not None)

    def _edit(
        self,
        issue: Ticket,
        changes: tuple[Change, ...],
        there: Issue,
        texts: Iterable[EditedText],
    ) -> IssueWrite | None:
        """Build the edit of an issue; add a note and return None if Jira would refuse it."""
        kind, project = type_id(there.fields), project_of(there.key)
        known = replace(
            self._context(issue),
            specs=self.metadata.specs(project, kind),
            present=there.fields,
            texts=tuple(texts),
        )
        payload = update_payload(known, changes)
        # For an unchanged type, preflight checks the status by the issue's transitions.
        types, new_type = self.metadata.projects.get(project), type_id(payload.fields)
        wrong = types.wrong_status(new_type, payload.status) if types and new_type else ()
        if not self._is_valid(issue, (*payload.problems, *wrong), payload):
            return None
        return IssueWrite(
            issue,
            self._path,
            project,
            changes,
            payload,
            key=there.key,
            issue_id=there.id,
            last_comment=highest_number(there.fields),
            type_id=kind,
            status=status_of(there),
        )

    def _context(self, issue: Ticket) -> PayloadContext:
        return PayloadContext(
            issue,
            self.metadata.lookup,
            path=self._path,
            pictures=self._change.pictures,
            has_comments=self.has_comments,
        )

    def _new_issue(self, issue: Ticket, project: str, *, subtask: bool) -> IssueWrite | None:
        sendable = issue
        if self._change.below and not subtask:
            # The parent is a draft without a key; `TicketWrites.below_key` adds the key later.
            fields = {name: text for name, text in issue.fields.items() if name != PARENT}
            sendable = replace(issue, fields=fields)
        payload = create_payload(
            self._context(sendable),
            self.metadata.projects[project],
            project=project,
            subtask=subtask,
            inherited=self._change.inherited_by(issue) if subtask else (),
        )
        changes = draft_changes(issue)
        if not self._is_valid(issue, payload.problems, payload):
            return None
        parent = self._change.local.ticket.key if subtask else None
        return IssueWrite(issue, self._path, project, changes, payload, parent=parent)

    def _is_valid(self, issue: Ticket, problems: Sequence[str], payload: IssuePayload) -> bool:
        """Add a note about an issue's problems, or else its warnings; return whether it has none."""
        if problems:
            reason = "; ".join(problems)
            self._failed.append(Note.on(issue, self._path, reason, Code.INVALID))
            return False
        self._warnings += (
            Note.on(issue, self._path, warning, Code.LITERAL) for warning in payload.warnings
        )
        self._warnings += (
            Note.on(issue, self._path, text, Code.INVALID) for text in payload.left_out
        )
        return True

    def _refuse_losses(self, lost: Sequence[Loss]) -> set[str]:
        """Add notes about losses; return the keys of issues that must not be sent."""
        refused = {loss.key for loss in unaccepted(lost, self.accept_loss)}
        by_part: dict[tuple[str, str, bool], list[str]] = {}
        for loss in lost:
            what = f"{loss.what} (line {loss.line})" if loss.line else loss.what
            by_part.setdefault((loss.key, loss.part, loss.is_link), []).append(what)
        for (key, part, is_link), pieces in by_part.items():
            if key in refused:
                notes, words = self._failed, _LINK_REFUSED if is_link else _TEXT_REFUSED
            else:
                notes, words = self._warnings, _LINK_LOST if is_link else _TEXT_LOST
            reason = f"{part or CorePart.DESCRIPTION.value}: {words.format(', '.join(pieces))}"
            notes.append(Note(key, self._path, reason, Code.LOSS))
        return refused


def _project_for_drafts(change: LocalChange, default_project: str | None) -> str | None:
    key = change.local.ticket.key
    return project_of(key) if key else default_project


def project_of(key: str) -> str:
    """Return the project of a key."""
    return key.rpartition("-")[0]
