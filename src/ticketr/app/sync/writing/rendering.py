"""Families as Jira gives them and as they will be in files, and the versions to merge.

Issues are fetched with all their comments and with the attachments that their pictures show. A
document refers to an attachment by its media ID, which no record of an attachment has. Each costs a
request, once; the state keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import AuthenticationFailed, BadAnswer, BadRequest, Issue, JiraError, NotFound
from ticketr.app.sync.compare import diff, mapping
from ticketr.app.sync.compare.attachments import (
    ATTACHMENT_FIELD,
    attachments_with_media_ids,
    jira_attachments,
)
from ticketr.app.sync.compare.comments import (
    COMMENT_FIELD,
    are_comments_incomplete,
    comment_field_value,
    files_in_any_text,
)
from ticketr.app.sync.compare.sent import (
    add_arrived_values_to_base,
    number_sent_comments,
    replace_older_values,
)
from ticketr.app.sync.compare.wording import keep_wording_of_base, keep_wording_of_file
from ticketr.app.sync.concurrency import BULK_FETCH_SIZE, ThreadRunner, chunks, map_in_tasks
from ticketr.app.sync.state.state import IssueRow
from ticketr.app.sync.workspace.store import go_hash
from ticketr.app.tickets import Ticket, render_ticket

if TYPE_CHECKING:
    from ticketr.app.jira import Attachment, BulkFetched, JiraClient
    from ticketr.app.sync.state.state import State


def renamed_keys(state: State, family: RenderedFamily) -> dict[str, str]:
    """Return the new keys of issues that were moved since the last sync, by their old keys."""
    now = {issue.id: issue.key for issue in family.issues}
    known = state.issues_of(family.head.id)
    return {
        issue.key: now[issue.id] for issue in known if now.get(issue.id, issue.key) != issue.key
    }


def versions_to_merge(
    state: State,
    family: RenderedFamily,
    bases: Iterable[str],
    local: Ticket,
    go_hashes: Mapping[str, str],
) -> diff.Versions:
    """Return the versions of a ticket to merge.

    A ticket that is as the Go program wrote it is its own base. Values of earlier syncs in the file
    are replaced by those of the last one.

    Args:
        state: The state of the workspace.
        family: The ticket in Jira.
        bases: What a sync has written, or was about to write, into its file.
        local: The ticket in its file.
        go_hashes: What the Go program knew of each ticket, by key.
    """
    head, remote = family.head.id, family.content.ticket
    renamed = renamed_keys(state, family)
    local = diff.with_renamed_keys(local, renamed)
    sent = {renamed.get(key, key): values for key, values in state.sent.values_by_key(head).items()}
    known = state.issues_of(head)
    read = [
        diff.with_renamed_keys(ticket, renamed)
        for base in bases
        if (ticket := diff.read_ticket(base)) is not None
    ]
    comments = state.comments.of(family.issues)
    numbered = (number_sent_comments(ticket, local, comments, remote) for ticket in read)
    caught_up = (
        add_arrived_values_to_base(base, here, remote, family.issues, sent, earlier=known)
        for base, here in numbered
    )
    older = {renamed.get(key, key): values for key, values in state.older.digests_of(head).items()}
    forward = ((base, *replace_older_values(here, base, older)) for base, here in caught_up)
    nearest = min(forward, key=lambda versions: diff.count_edits(*versions[:2]), default=None)
    before, local, replaced = nearest or (None, local, {})
    if before is None:
        adopted = go_hashes.get(local.key or "") == go_hash(local)
        return diff.Versions(local if adopted else None, local, remote)
    remote = keep_wording_of_base(
        remote,
        family.issues,
        base=before,
        earlier=known,
        sections=family.content.section_names_and_ids,
    )
    if local != before:  # else nothing is merged
        remote = keep_wording_of_file(remote, before, family.issues)
    links = (
        link for issue in (*family.issues, *known) for link in mapping.jira_links(issue.fields)
    )
    names = frozenset(link.line_name for link in links)
    return diff.Versions(before, local, remote, names, replaced)


@dataclass(frozen=True, slots=True)
class RenderedFamily:
    """A family whose text is made, ready to be written.

    Attributes:
        issues: Its issues, head first, without what files do not need.
        content: Its text, and the ticket that a reader gets from it.
        path: The file it was found in or written to; None for a new one.
        newer_in_jira_ids: The IDs of the issues whose newer version in Jira was not read.
    """

    issues: tuple[Issue, ...]
    content: mapping.TicketAndText
    path: str | None
    newer_in_jira_ids: frozenset[str] = frozenset()

    @property
    def head(self) -> Issue:
        """The issue that gives the ticket its heading."""
        return self.issues[0]

    @property
    def rows(self) -> list[IssueRow]:
        """What the state is to know of its issues."""
        return [IssueRow(issue, issue.id in self.newer_in_jira_ids) for issue in self.issues]


def render_family(
    head: Issue,
    subtasks: Iterable[Issue],
    columns: mapping.Columns,
    *,
    path: str | None,
    stale: Iterable[str] = (),
    ready: Mapping[str, diff.MarkdownAndCriteria] = MappingProxyType({}),
) -> RenderedFamily:
    """Put the issues of a family in order and make its text.

    Args:
        head: The issue that gives the ticket its heading.
        subtasks: Those to file under it, in any order.
        columns: The fields to write.
        path: Its file, relative to the workspace; None for a new one.
        stale: IDs of issues that have a newer version in Jira; some are of other families.
        ready: Descriptions that are converted already, by the IDs of their issues.
    """
    order = {issue_id: position for position, issue_id in enumerate(mapping.subtask_ids(head))}
    last = len(order)
    ordered = sorted(subtasks, key=lambda issue: (order.get(issue.id, last), _numeric_id(issue.id)))
    issues = tuple(
        Issue(id=issue.id, key=issue.key, fields=mapping.slim_fields(issue.fields))
        for issue in (head, *ordered)
    )
    text = mapping.render_family(issues[0], issues[1:], columns, ready)
    own = frozenset(stale).intersection(issue.id for issue in issues)
    return RenderedFamily(issues, text, path, own)


def in_wording_of(family: RenderedFamily, local: Ticket) -> RenderedFamily:
    """Return a family in the wording of its file, wherever Jira has what the file says."""
    if local == family.content.ticket:
        return family
    ticket = keep_wording_of_file(family.content.ticket, local, family.issues)
    if ticket == family.content.ticket:
        return family
    content = replace(family.content, ticket=ticket, text=render_ticket(ticket))
    return replace(family, content=content)


def _numeric_id(issue_id: str) -> int:
    return int(issue_id) if issue_id.isdecimal() else 0


async def add_missing_comments(
    jira: JiraClient, answer: BulkFetched, ids: Sequence[str]
) -> BulkFetched:
    """Fetch the comments of issues that a bulk fetch left out.

    Args:
        jira: The site.
        answer: The answer to the bulk fetch.
        ids: The IDs or keys that it asked for.

    Returns:
        The answer. An issue whose comments Jira does not give is among those that failed.

    Raises:
        JiraError: A request failed for a reason that is not about one issue.

    Cancellation:
        Takes effect at once.
    """
    issues: list[Issue] = []
    failed = dict(answer.failed)
    for issue in answer.issues:
        if not are_comments_incomplete(issue.fields):
            issues.append(issue)
            continue
        try:
            comments = comment_field_value(await jira.comments(issue.id))
        except (BadAnswer, BadRequest, NotFound) as error:
            failed[issue.id if issue.id in ids else issue.key] = str(error)
        else:
            issues.append(replace(issue, fields={**issue.fields, COMMENT_FIELD: comments}))
    return replace(answer, issues=tuple(issues), failed=failed)


async def add_attachment_media_ids(
    jira: JiraClient,
    state: State,
    in_thread: ThreadRunner,
    issues: Sequence[Issue],
    names: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[Issue]:
    """Return issues whose attachments have the media IDs that their pictures need.

    A file whose ID cannot be found remains without one; so its pictures keep their tags.

    Args:
        jira: The site.
        state: Keeps the media IDs.
        in_thread: Runs blocking work on a worker thread.
        issues: Some issues; those without pictures are returned as they are.
        names: Names of attachments that are needed, too, by the keys of the issues.

    Raises:
        JiraError: A request failed.
        StateFailed: The state cannot be read or written.

    Cancellation:
        Takes effect at once.
    """
    showing = [issue for issue in issues if names.get(issue.key) or files_in_any_text(issue.fields)]
    if not showing:
        await trio.lowlevel.checkpoint()
        return list(issues)
    fields = await _fetch_attachment_fields_by_id(jira, showing)
    ids = [attachment.id for value in fields.values() for attachment in jira_attachments(value)]
    known = await in_thread(state.media.of, ids)

    async def look_up(issue: Issue) -> dict[str, str]:
        attachments = jira_attachments(fields.get(issue.id, {}))
        more = names.get(issue.key, ())
        return await _fetch_media_ids_by_attachment(jira, issue, attachments, known, more)

    new: dict[str, str] = {}
    for media in await map_in_tasks(look_up, showing):
        new |= media
    if new:
        await in_thread(state.media.put, new)
    every = {**known, **new}
    files = {
        issue_id: attachments_with_media_ids(value, every) for issue_id, value in fields.items()
    }
    return [
        replace(issue, fields={**issue.fields, ATTACHMENT_FIELD: files[issue.id]})
        if issue.id in files
        else issue
        for issue in issues
    ]


async def _fetch_attachment_fields_by_id(
    jira: JiraClient, issues: Sequence[Issue]
) -> dict[str, dict[str, object]]:
    """Return the field of each issue that holds its attachments, by the issue's ID."""
    fields = {
        issue.id: {ATTACHMENT_FIELD: issue.fields[ATTACHMENT_FIELD]}
        for issue in issues
        if ATTACHMENT_FIELD in issue.fields
    }
    rest = [issue.id for issue in issues if issue.id not in fields]
    for chunk in chunks(rest, BULK_FETCH_SIZE):
        answer = await jira.bulk_fetch(chunk, fields=[ATTACHMENT_FIELD], partly=True)
        for issue in answer.issues:
            fields[issue.id] = {ATTACHMENT_FIELD: issue.fields.get(ATTACHMENT_FIELD)}
    return fields


async def _fetch_media_ids_by_attachment(
    jira: JiraClient,
    issue: Issue,
    attachments: Sequence[Attachment],
    known: Mapping[str, str],
    names: Collection[str],
) -> dict[str, str]:
    """Ask for the media IDs of attachments, the likely ones first, until all that are needed are known.

    Args:
        jira: The site.
        issue: The issue with the attachments.
        attachments: Its attachments.
        known: The media IDs that are known, by the IDs of the attachments.
        names: Names of attachments whose media IDs are needed besides those of its pictures.
    """
    shown = files_in_any_text(issue.fields)
    needed = {file.media_id for file in shown}.difference(
        known[attachment.id] for attachment in attachments if attachment.id in known
    )
    likely = {*names, *(file.alt for file in shown)}  # what is shown is often the file's name
    media: dict[str, str] = {}
    for attachment in sorted(attachments, key=lambda attachment: attachment.name not in likely):
        if attachment.id in known or (not needed and attachment.name not in names):
            continue
        try:
            media_id = await jira.media_id(attachment.id)
        except AuthenticationFailed:
            raise
        except JiraError:  # it was deleted a moment ago, or the site cannot be reached
            continue
        if media_id:
            media[attachment.id] = media_id
            needed.discard(media_id)
    return media
