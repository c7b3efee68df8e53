"""Builds the requests for each ticket: payloads for its edits and its new issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.attachments import files_of
from ticketr.app.sync.compare.comments import jira_comments
from ticketr.app.sync.compare.diff import Change, CorePart, by_key
from ticketr.app.sync.compare.grafting import EditedText
from ticketr.app.sync.compare.mapping import type_id
from ticketr.app.sync.compare.sent import highest_number
from ticketr.app.sync.edits.local_changes import LocalChange, draft_changes
from ticketr.app.sync.edits.losses import Accepted, Loss, edited_texts_of, losses, unaccepted
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.issue_payload import create_payload, update_payload
from ticketr.app.sync.push.metadata import Metadata, MetadataQuery
from ticketr.app.sync.push.payload import (
    CommentContext,
    IssuePayload,
    LinkContext,
    comment_payload,
    link_payload,
)
from ticketr.app.sync.push.transitions import Step, status_of
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.push.sendable import SendableChange


@dataclass(frozen=True)
class IssueEdit:
    """The edit of an existing issue.

    Attributes:
        key: The issue's key.
        issue: The issue in its file.
        changes: The changes to send.
        payload: The changes as values of Jira's fields.
        route: The transitions to its new status; none if they are not known yet.
        issue_id: The issue's ID.
        last_comment: The highest number of its comments; 0 if it has none.
        type_id: The ID of its present type.
        status: Its present status.
        path: Its file, relative to the workspace.
    """

    key: str
    issue: Ticket
    changes: tuple[Change, ...]
    payload: IssuePayload
    route: tuple[Step, ...] = ()
    issue_id: str = ""
    last_comment: int = 0
    type_id: str = ""
    status: str = ""
    path: str = ""

    @property
    def project(self) -> str:
        """The key of its project."""
        return _project_of(self.key)

    @property
    def between(self) -> tuple[str, ...]:
        """The statuses on the way to its new one."""
        return tuple(step.transition.to for step in self.route[:-1])

    @property
    def transition_fields(self) -> frozenset[str]:
        """The IDs of the fields that are sent with its transitions."""
        return frozenset(field for step in self.route for field in step.fields)


@dataclass(frozen=True)
class NewIssue:
    """An issue to create.

    Attributes:
        issue: The draft in its file.
        project: The key of its project.
        payload: The draft as values of Jira's fields, without its parent.
    """

    issue: Ticket
    project: str
    payload: IssuePayload


@dataclass(frozen=True, slots=True)
class WantedIssue:
    """An issue to create.

    Attributes:
        new: The issue.
        path: Its file, relative to the workspace.
        parent: The key of its parent, for a sub-task.
    """

    new: NewIssue
    path: str
    parent: str | None


@dataclass(frozen=True)
class TicketWrites:
    """Everything that a push sends of one ticket.

    Attributes:
        local_change: The change in its file.
        new_ticket: The ticket itself, if it is a draft.
        edits: The edits of its existing issues.
        new_subtasks: Its sub-tasks to create.
    """

    local_change: LocalChange
    new_ticket: NewIssue | None
    edits: tuple[IssueEdit, ...]
    new_subtasks: tuple[NewIssue, ...]

    @property
    def path(self) -> str:
        """The ticket's file, relative to the workspace."""
        return self.local_change.local.path

    @property
    def new_issues(self) -> tuple[NewIssue, ...]:
        """The issues to create, the ticket before its sub-tasks."""
        return (*((self.new_ticket,) if self.new_ticket else ()), *self.new_subtasks)


@dataclass(frozen=True, slots=True)
class BuiltWrites:
    """The writes of one ticket, and the notes about them.

    Attributes:
        writes: What to send; None for nothing.
        failed: A note for each issue that cannot be sent.
        warnings: Further notes for the user.
    """

    writes: TicketWrites | None
    failed: tuple[Note, ...]
    warnings: tuple[Note, ...]


def metadata_queries(
    sendable: SendableChange, default_project: str | None
) -> Iterable[MetadataQuery]:
    """Yield a query for each issue to send; drafts go into the ticket's or the default project."""
    change = sendable.local_change
    for key, changes in sendable.edits.items():
        yield MetadataQuery(_project_of(key), sendable.types[key], changes)
    project = _project_for_drafts(change, default_project)
    if project is not None:
        if change.head is None:
            yield MetadataQuery(project, None, draft_changes(change.local.ticket))
        for draft in change.drafts:
            wanted = (*draft_changes(draft), *change.inherited_by(draft))
            yield MetadataQuery(project, None, wanted, subtask=True)


def build_writes(
    sendable: SendableChange,
    metadata: Metadata,
    *,
    default_project: str | None,
    accept_loss: Accepted,
    comments: CommentContext,
    links: LinkContext,
) -> BuiltWrites:
    """Convert the changes of a ticket to payloads; drafts go into the ticket's or default project."""
    builder = _WritesBuilder(sendable, metadata, accept_loss, comments, links)
    writes = builder.build(_project_for_drafts(sendable.local_change, default_project))
    is_empty = writes is None or not (writes.edits or writes.new_issues)
    return BuiltWrites(None if is_empty else writes, tuple(builder.failed), tuple(builder.warnings))


class _WritesBuilder:
    """Builds the writes of one ticket and collects its notes."""

    def __init__(
        self,
        sendable: SendableChange,
        metadata: Metadata,
        accept_loss: Accepted,
        comments: CommentContext,
        links: LinkContext,
    ) -> None:
        self._sendable = sendable
        self._change = sendable.local_change
        self._path = sendable.local_change.local.path
        self._here = by_key(sendable.local_change.local.ticket)
        self._metadata = metadata
        self._accept_loss = accept_loss
        self._comments = replace(comments, path=self._path)
        self._links = links
        self.failed: list[Note] = []
        self.warnings: list[Note] = []

    def build(self, project: str | None) -> TicketWrites | None:
        """Build the writes; None if a draft cannot be created, so that its sub-tasks cannot be."""
        change = self._change
        edits = self._accepted_edits()
        if project is None:
            reason = "no project is set that it could be created in; set JIRA_PROJECT_KEY"
            self.failed.append(Note.on(change.local.ticket, self._path, reason, Code.INVALID))
            return None
        new_ticket: NewIssue | None = None
        if change.head is None:
            for key in change.added_keys:
                reason = f"it is under {change.name}, where Jira does not have it"
                self.failed.append(Note(key, self._path, reason, Code.MISPLACED))
            new_ticket = self._new_issue(change.local.ticket, project, subtask=False)
            if new_ticket is None:
                return None
        subtasks = (self._new_issue(draft, project, subtask=True) for draft in change.drafts)
        return TicketWrites(
            change, new_ticket, edits, tuple(subtask for subtask in subtasks if subtask is not None)
        )

    def _accepted_edits(self) -> tuple[IssueEdit, ...]:
        """Build the edits of the existing issues, without those that would lose something."""
        sendable = self._sendable
        sent = replace(self._change, edits=sendable.edits)
        texts = edited_texts_of(
            sent, sendable.issues.values(), sendable.texts, fitting=self._accept_loss is True
        )
        refused = self._refuse_losses(losses(sent, texts))
        edits = (
            self._edit(key, texts.get(key, ())) for key in sendable.edits if key not in refused
        )
        return tuple(edit for edit in edits if edit is not None)

    def _edit(self, key: str, texts: Iterable[EditedText]) -> IssueEdit | None:
        """Build the edit of an issue; add a note and return None if Jira would refuse it."""
        issue, there = self._here[key], self._sendable.issues[key]
        changes, kind = self._sendable.edits[key], self._sendable.types[key]
        query = MetadataQuery(_project_of(key), kind, changes)
        payload = self._payload(issue, there, query, texts)
        # For an unchanged type, preflight checks the status by the issue's transitions.
        project, new_type = self._metadata.projects.get(query.project), type_id(payload.fields)
        wrong = project.wrong_status(new_type, payload.status) if project and new_type else ()
        if not self._is_valid(issue, (*payload.problems, *wrong), payload):
            return None
        return IssueEdit(
            key,
            issue,
            changes,
            payload,
            issue_id=there.id,
            last_comment=highest_number(there.fields),
            type_id=kind,
            status=status_of(there),
            path=self._path,
        )

    def _payload(
        self, issue: Ticket, there: Issue, query: MetadataQuery, texts: Iterable[EditedText]
    ) -> IssuePayload:
        """Return the payload of an issue's changes, with those of its comments and links."""
        changes = query.changes
        payload = update_payload(
            issue,
            [change for change in changes if self._links.direction_of(change.part) is None],
            self._metadata.field_specs(query),
            self._metadata.lookup,
            text_specs=self._metadata.text_specs(query),
            texts=texts,
            present=there.fields,
            path=self._path,
            pictures=self._change.pictures,
        )
        return self._with_comments_and_links(payload, issue, changes, there.fields)

    def _with_comments_and_links(
        self,
        payload: IssuePayload,
        issue: Ticket,
        changes: Sequence[Change],
        fields: Mapping[str, object],
    ) -> IssuePayload:
        """Return a payload with those of comments and links; ``fields`` are empty for a draft."""
        context = replace(
            self._comments,
            known={comment.id: comment for comment in jira_comments(fields)},
            files=files_of(fields),
            pictures=self._change.pictures,
        )
        links = link_payload(issue, changes, self._links, fields=fields, path=self._path)
        return payload.plus(comment_payload(issue, changes, context)).plus(links)

    def _new_issue(self, issue: Ticket, project: str, *, subtask: bool) -> NewIssue | None:
        payload = create_payload(
            issue,
            self._metadata.projects[project],
            self._metadata.lookup,
            project=project,
            subtask=subtask,
            path=self._path,
            elsewhere=self._links.directions,
            pictures=self._change.pictures,
            inherited=self._change.inherited_by(issue) if subtask else (),
        )
        payload = self._with_comments_and_links(payload, issue, draft_changes(issue), {})
        is_valid = self._is_valid(issue, payload.problems, payload)
        return NewIssue(issue, project, payload) if is_valid else None

    def _is_valid(self, issue: Ticket, problems: Sequence[str], payload: IssuePayload) -> bool:
        """Add a note about an issue's problems, or else its warnings; return whether it has none."""
        if problems:
            reason = "; ".join(problems)
            self.failed.append(Note.on(issue, self._path, reason, Code.INVALID))
            return False
        self.warnings += (
            Note.on(issue, self._path, warning, Code.LITERAL) for warning in payload.warnings
        )
        self.warnings += (Note.on(issue, self._path, text, Code.LOSS) for text in payload.lost)
        self.warnings += (
            Note.on(issue, self._path, text, Code.INVALID) for text in payload.left_out
        )
        return True

    def _refuse_losses(self, lost: Sequence[Loss]) -> set[str]:
        """Add notes about losses; return the keys of issues that must not be sent."""
        refused = {loss.key for loss in unaccepted(lost, self._accept_loss)}
        for key, part in dict.fromkeys((loss.key, loss.part) for loss in lost):
            losses = [loss for loss in lost if (loss.key, loss.part) == (key, part)]
            names, text = ", ".join(map(_words_of, losses)), part or CorePart.DESCRIPTION.value
            if key in refused:
                reason = (
                    f"{text}: sending it would lose {names}, for its file cannot say that; "
                    "change it in Jira, or say --accept-loss"
                )
                self.failed.append(Note(key, self._path, reason, Code.LOSS))
            else:
                reason = f"{text}: what its file cannot say is lost in Jira: {names}"
                self.warnings.append(Note(key, self._path, reason, Code.LOSS))
        return refused


def _words_of(loss: Loss) -> str:
    return f"{loss.what} (line {loss.line})" if loss.line else loss.what


def _project_for_drafts(change: LocalChange, default_project: str | None) -> str | None:
    key = change.local.ticket.key
    return _project_of(key) if key else default_project


def _project_of(key: str) -> str:
    return key.rpartition("-")[0]
