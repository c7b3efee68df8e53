"""Builds the requests for each ticket: payloads for its edits and its new issues."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.diff import Change, CorePart, issues_by_key, map_issues
from ticketr.app.sync.compare.grafting import GraftedAdf
from ticketr.app.sync.compare.mapping import PARENT_LINE_NAME, issue_type_id
from ticketr.app.sync.compare.sent import highest_comment_id
from ticketr.app.sync.edits.local_changes import TicketChanges, draft_changes
from ticketr.app.sync.edits.losses import AllOrTheseLosses, Loss, edited_texts_and_losses, may_lose
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.metadata import FieldMetadata, IssueChanges
from ticketr.app.sync.push.payload import (
    IssuePayload,
    PayloadContext,
    create_payload,
    update_payload,
)
from ticketr.app.sync.push.rich_text import issue_with_mention_ids
from ticketr.app.sync.push.transitions import Step, status_of
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.push.refresh import Comparison


#: Why an edited text or line of links is not sent, and the warning if its loss was accepted.
_TEXT_LOSS_REASON = "sending it would lose {}, for its file cannot say that; change it in Jira, or say --accept-loss"
_INEXPRESSIBLE_LOST_WARNING = "what its file cannot say is lost in Jira: {}"
_LINK_REMOVAL_REASON = (
    "sending it would remove {}; answer the question before a push in a terminal, or say "
    "--accept-loss"
)
_LINK_LOST_WARNING = "{} is removed in Jira"


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
        parent_key_if_new_subtask: The key of the ticket of a new sub-task, empty until that is
            created; None for other issues.
        issue_id: The ID of an existing issue.
        last_comment_id: The highest number of its comments, if some are sent; 0 if it has none.
        old_type_id: The ID of its present type.
        old_status: Its present status.
        route: The transitions to its new status; none if they are not known yet.
    """

    issue: Ticket
    path: str
    project: str
    changes: tuple[Change, ...]
    payload: IssuePayload
    key: str = ""
    parent_key_if_new_subtask: str | None = None
    issue_id: str = ""
    last_comment_id: int = 0
    old_type_id: str = ""
    old_status: str = ""
    route: tuple[Step, ...] = ()

    @property
    def statuses_between(self) -> tuple[str, ...]:
        """The statuses on the way to its new one."""
        return tuple(step.transition.to_status for step in self.route[:-1])

    @property
    def transition_fields(self) -> frozenset[str]:
        """The IDs of the fields that are sent with its transitions."""
        return frozenset(field for step in self.route for field in step.fields)


@dataclass(frozen=True, slots=True)
class TicketWrites:
    """Everything that a push sends of one ticket, and why it does not send the rest.

    Attributes:
        local_change: The change in its file.
        issues: The ticket itself if it is a draft, the edits of its existing issues, and its new
            sub-tasks.
        unsendable_issue_notes: A note for each issue that cannot be sent.
        warnings: Further notes for the user.
    """

    local_change: TicketChanges
    issues: tuple[IssueWrite, ...]
    unsendable_issue_notes: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()


def parent_draft_failed_note(change: TicketChanges) -> Note:
    """Note a draft whose parent is a draft that is not created."""
    ticket, path, title = change.local.ticket, change.local.path, change.parent_draft_title
    failed = f'creating the draft "{title}" has failed, so this stays a draft, too'
    return Note.on(ticket, path, f"{PARENT_LINE_NAME}: {failed}", Code.BAD_VALUE)


def project_of(key: str) -> str:
    """Return the project of a key."""
    return key.rpartition("-")[0]


def issue_changes_to_send(
    comparison: Comparison, default_project: str | None
) -> Iterable[IssueChanges]:
    """Yield the changes of each issue to send; drafts go into the ticket's or the default project."""
    change = comparison.local_change
    for key, changes in comparison.edits_to_send.items():
        yield IssueChanges(project_of(key), issue_type_id(comparison.issues[key].fields), changes)
    project = project_of(change.local.ticket.key or "") or default_project
    if project is not None:
        if change.head_id is None:
            yield IssueChanges(project, None, draft_changes(change.local.ticket))
        for draft in change.new_tasks:
            wanted = (*draft_changes(draft), *change.inherited_by(draft))
            yield IssueChanges(project, None, wanted, is_subtask_draft=True)


@dataclass(frozen=True, slots=True)
class WritesBuilder:
    """Converts the changes of tickets to payloads.

    Attributes:
        metadata: The fields and names that they need.
        accept_loss: The losses that the push may cause.
        are_comments_in_files: Whether files hold comments.
        default_project: The project for drafts, unless their ticket has one.
    """

    metadata: FieldMetadata
    accept_loss: AllOrTheseLosses
    are_comments_in_files: bool
    default_project: str | None

    def build(self, comparison: Comparison) -> TicketWrites:
        """Build the writes of one ticket."""
        change = comparison.local_change
        ticket, path = change.local.ticket, change.local.path
        project = project_of(ticket.key or "") or self.default_project
        if project is None:
            reason = "no project is set that it could be created in; set JIRA_PROJECT_KEY"
            return TicketWrites(change, (), (Note.on(ticket, path, reason, Code.BAD_VALUE),))
        context = PayloadContext(
            ticket,
            self.metadata.lookup,
            path=path,
            pictures_by_address=change.pictures_by_address,
            are_comments_in_files=self.are_comments_in_files,
        )
        texts: Mapping[str, tuple[GraftedAdf, ...]] = {}
        refused: Collection[str] = ()
        failed: list[Note] = []
        warnings: list[Note] = []
        if any(map(may_lose, comparison.edits_to_send.values())):
            texts, lost = self._texts_and_losses(comparison)
            refused, failed, warnings = _refused_keys_and_loss_notes(lost, path, self.accept_loss)
        here = issues_by_key(ticket)
        issues = [
            self._build_edit(
                replace(context, issue=here[key], edited_texts=texts.get(key, ())),
                comparison.issues[key],
                changes,
            )
            for key, changes in comparison.edits_to_send.items()
            if key not in refused
        ]
        if change.head_id is None:
            reason = f"it is under {change.key_or_title}, where Jira does not have it"
            failed += (Note(key, path, reason, Code.OTHER_PARENT) for key in change.added_task_keys)
            issues.append(self._build_new_issue(context, ticket, project, change, parent=None))
        issues += (
            self._build_new_issue(context, draft, project, change, parent=ticket.key or "")
            for draft in change.new_tasks
        )
        return TicketWrites(change, tuple(issues), tuple(failed), tuple(warnings))

    def _texts_and_losses(
        self, comparison: Comparison
    ) -> tuple[Mapping[str, tuple[GraftedAdf, ...]], Sequence[Loss]]:
        """Return the edited rich texts of existing issues, by key, and what their edits would lose."""
        change, users = comparison.local_change, self.metadata.lookup.mentions
        local = change.local
        if users:
            ticket = map_issues(local.ticket, lambda issue: issue_with_mention_ids(issue, users))
            local = replace(local, ticket=ticket)
        sent = replace(change, edits=comparison.edits_to_send, local=local)
        must_fit_schema = self.accept_loss is True
        return edited_texts_and_losses(
            sent,
            comparison.issues.values(),
            comparison.section_field_ids,
            must_fit_schema=must_fit_schema,
        )

    def _build_edit(
        self, context: PayloadContext, issue: Issue, changes: tuple[Change, ...]
    ) -> IssueWrite:
        """Build the edit of an existing issue."""
        kind, project = issue_type_id(issue.fields), project_of(issue.key)
        types, specs = self.metadata.projects.get(project), self.metadata.specs(project, kind)
        payload = update_payload(replace(context, specs=specs, jira_fields=issue.fields), changes)
        if types is not None and "issuetype" in payload.fields:
            # The status of an unchanged type is checked by the issue's transitions.
            wrong = types.status_problems(issue_type_id(payload.fields), payload.status)
            payload = replace(payload, problems=(*payload.problems, *wrong))
        return IssueWrite(
            context.issue,
            context.path,
            project,
            changes,
            payload,
            key=issue.key,
            issue_id=issue.id,
            last_comment_id=highest_comment_id(issue.fields) if payload.comments else 0,
            old_type_id=kind,
            old_status=status_of(issue),
        )

    def _build_new_issue(
        self,
        context: PayloadContext,
        draft: Ticket,
        project: str,
        change: TicketChanges,
        *,
        parent: str | None,
    ) -> IssueWrite:
        """Build the write of a draft; see `IssueWrite` for ``parent``."""
        sendable = draft
        if change.parent_draft_title and parent is None:
            # The parent is a draft without a key; `Delivery` adds the key later.
            fields = {name: text for name, text in draft.fields.items() if name != PARENT_LINE_NAME}
            sendable = replace(draft, fields=fields)
        payload = create_payload(
            replace(context, issue=sendable),
            self.metadata.projects[project],
            project=project,
            subtask=parent is not None,
            inherited=change.inherited_by(draft) if parent is not None else (),
        )
        path, changes = context.path, draft_changes(draft)
        return IssueWrite(draft, path, project, changes, payload, parent_key_if_new_subtask=parent)


def _refused_keys_and_loss_notes(
    lost: Sequence[Loss], path: str, accepted: AllOrTheseLosses
) -> tuple[set[str], list[Note], list[Note]]:
    """Return the keys of issues that must not be sent, notes on them, and on losses that are accepted."""
    refused = {
        loss.key
        for loss in lost
        if accepted is False or (accepted is not True and loss not in accepted)
    }
    by_part: dict[tuple[str, str, bool], list[str]] = {}
    for loss in lost:
        what = f"{loss.what} (line {loss.line})" if loss.line else loss.what
        by_part.setdefault((loss.key, loss.part, loss.is_link), []).append(what)
    failed: list[Note] = []
    warnings: list[Note] = []
    for (key, part, is_link), pieces in by_part.items():
        if key in refused:
            notes, words = failed, _LINK_REMOVAL_REASON if is_link else _TEXT_LOSS_REASON
        else:
            notes, words = warnings, _LINK_LOST_WARNING if is_link else _INEXPRESSIBLE_LOST_WARNING
        reason = f"{part or CorePart.DESCRIPTION.value}: {words.format(', '.join(pieces))}"
        notes.append(Note(key, path, reason, Code.LOSS))
    return refused, failed, warnings
