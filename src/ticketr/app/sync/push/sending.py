"""Sends the writes of a push: new issues, edits, and the rest of issues that were just created."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import AuthenticationFailed, Created, JiraError, certainly_failed
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD
from ticketr.app.sync.compare.diff import Change, CommentPart, read_ticket, with_parts
from ticketr.app.sync.compare.mapping import LINK_FIELD, PARENT_LINE_NAME
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.concurrency import BULK_FETCH_SIZE, CONCURRENT_SENT_TICKETS, map_in_tasks
from ticketr.app.sync.edits.local_changes import with_parent_key
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.outbox import CannotShowPicture, add_or_edit_comment, attach_uploads
from ticketr.app.sync.push.payload import IssuePayload
from ticketr.app.sync.push.refresh import TicketToFetch, fetch_and_write
from ticketr.app.sync.push.tally import PushTally, failure_note
from ticketr.app.sync.push.transitions import (
    NoTransition,
    StoppedBetween,
    follow_route,
    sent_status_value,
)
from ticketr.app.sync.push.writes import IssueWrite, TicketWrites, parent_draft_failed_note
from ticketr.app.sync.state.state import IssueRow, MergeBase, State
from ticketr.app.tickets import Ticket, render_ticket

if TYPE_CHECKING:
    from ticketr.app.sync.push.creating import Creator
    from ticketr.app.sync.session import Session


#: How many tickets are read back at once; with their sub-tasks they about fill a bulk fetch.
_TICKETS_PER_READ_BACK = BULK_FETCH_SIZE // 2
_STATUS_LINE_NAME = "Status"


@dataclass
class Delivery:
    """Sends the writes of tickets, several tickets at once, and reads these tickets back.

    Attributes:
        session: The workspace and the site.
        tally: Counts issues that Jira has taken, and has a note on what it refuses.
        writes: What to send.
        shown_status_routes: See `Creator`.
        jira_time_before: The time by Jira's clock before the push, in seconds since the epoch.
    """

    session: Session
    tally: PushTally
    writes: Sequence[TicketWrites]
    shown_status_routes: Collection[tuple[str, ...]] | None
    jira_time_before: float
    # The keys of new tickets, by their files and titles, by which drafts name their parents.
    _keys_by_path_and_title: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    _highest_key_numbers: dict[str, int] = field(default_factory=dict, init=False)
    _all_drafts: set[Ticket] = field(default_factory=set, init=False)
    # The tickets to fetch again, by the IDs of their heads.
    _to_read_back_by_head_id: dict[str, TicketToFetch] = field(default_factory=dict, init=False)
    _ready_to_read_back: dict[str, TicketToFetch] = field(default_factory=dict, init=False)
    # The other ends of links that were sent.
    _other_end_keys: set[str] = field(default_factory=set, init=False)

    @cached_property
    def _creator(self) -> Creator:
        from ticketr.app.sync.push.creating import Creator  # noqa: PLC0415 - only for new issues

        return Creator(
            self.session,
            self.tally,
            self._highest_key_numbers,
            self._all_drafts,
            self.shown_status_routes,
        )

    async def run(self) -> None:
        """Send all writes, and fetch what was sent; note what Jira refuses, and continue.

        Raises:
            AuthenticationFailed: The site no longer takes the login.
            StateFailed: The state cannot be written.
            TicketrError: As for `Creator.create_all`.

        Cancellation:
            Takes effect at once. The state holds what Jira has taken or may have taken, or
            `recover_created_keys` finds it in the next run.
        """
        new = [write for ticket in self.writes for write in ticket.issues if not write.key]
        self._all_drafts.update(replace(write.issue, tasks=()) for write in new)
        for project in {write.project for write in new}:
            key = await self.session.jira.highest_key(project)
            number = key.rpartition("-")[2] if key else ""
            self._highest_key_numbers[project] = int(number) if number.isdecimal() else 0
        by_parent: dict[tuple[str, str] | None, list[TicketWrites]] = {}
        for ticket in self.writes:
            change = ticket.local_change
            title = change.parent_draft_title
            place = (change.local.path, title) if title else None
            by_parent.setdefault(place, []).append(ticket)
        await self._send_edits_then_drafts(by_parent.pop(None, []))
        while places := [place for place in by_parent if place in self._keys_by_path_and_title]:
            tickets = [
                self._with_created_parent_key(ticket, self._keys_by_path_and_title[place])
                for place in places
                for ticket in by_parent.pop(place)
            ]
            await self._send_edits_then_drafts(tickets)
        for orphans in by_parent.values():
            self.tally.fail(*(parent_draft_failed_note(orphan.local_change) for orphan in orphans))
        if self._other_end_keys:
            others = await self.session.in_thread(
                _to_fetch_by_head_id, self.session.state, self._other_end_keys
            )
            self._to_read_back_by_head_id = others | self._to_read_back_by_head_id
        await self._read_back((self._to_read_back_by_head_id | self._ready_to_read_back).values())

    def _with_created_parent_key(self, ticket: TicketWrites, key: str) -> TicketWrites:
        """Return the writes of a draft whose parent, a draft itself, has got a key."""
        new, *subtasks = ticket.issues
        parent = {"key": key}
        payload = replace(
            new.payload,
            fields={**new.payload.fields, "parent": parent},
            values=(*new.payload.values, SentValue(PARENT_LINE_NAME, key, "parent", parent)),
        )
        new = replace(new, issue=with_parent_key(new.issue, key), payload=payload)
        self._all_drafts.add(replace(new.issue, tasks=()))
        return replace(ticket, issues=(new, *subtasks))

    async def _send_edits_then_drafts(self, writes: Sequence[TicketWrites]) -> None:
        """Send the writes of tickets whose parents exist, or that have none."""
        existing = [ticket for ticket in writes if ticket.local_change.head_id is not None]
        await map_in_tasks(self._send_ticket_edits, existing, tasks=CONCURRENT_SENT_TICKETS)
        drafts = [ticket for ticket in writes if ticket.local_change.head_id is None]
        heads = [ticket.issues[0] for ticket in drafts]
        created = await self._create_then_edit(heads) if heads else []
        subtasks = [write for ticket in existing for write in ticket.issues if not write.key]
        for ticket, issue in zip(drafts, created, strict=True):
            new, *below = ticket.issues
            if issue is not None:
                self._keys_by_path_and_title[new.path, new.issue.title] = issue.key
                self._to_read_back_by_head_id[issue.id] = TicketToFetch(
                    issue.id, issue.key, new.path
                )
                subtasks += (replace(task, parent_key_if_new_subtask=issue.key) for task in below)
        if subtasks:
            await self._create_then_edit(subtasks)

    async def _create_then_edit(self, new_issues: Sequence[IssueWrite]) -> Sequence[Created | None]:
        """Create issues, then send what a create cannot carry; see `Creator.create_all`."""
        created = await self._creator.create_all(new_issues)
        rests = [
            rest
            for new, issue in zip(new_issues, created, strict=True)
            if issue is not None and (rest := _later_edit(new, issue)).changes
        ]
        await map_in_tasks(
            partial(self._send_edit, is_new=True), rests, tasks=CONCURRENT_SENT_TICKETS
        )
        return created

    async def _send_ticket_edits(self, ticket: TicketWrites) -> None:
        """Send the edits of a ticket; fetch the tickets to which nothing more is sent."""
        edits = [write for write in ticket.issues if write.key]
        for edit in edits:
            await self._send_edit(edit)
        request = TicketToFetch.of(ticket.local_change)
        is_complete = len(edits) == len(ticket.issues)
        tickets = self._ready_to_read_back if is_complete else self._to_read_back_by_head_id
        tickets[request.head_id_or_key] = request
        if len(self._ready_to_read_back) == _TICKETS_PER_READ_BACK:
            complete, self._ready_to_read_back = self._ready_to_read_back, {}
            await self._read_back(complete.values())

    async def _read_back(self, requests: Collection[TicketToFetch]) -> None:
        """Fetch tickets that were sent, and write them into their files; see `fetch_and_write`."""
        try:
            seen = self.jira_time_before
            outcomes, absent = await fetch_and_write(self.session, requests, seen=seen)
        except JiraError as error:
            absent = [request.note(str(error), Code.REQUEST_FAILED) for request in requests]
        else:
            self.tally.note_unwritten_and_older_values(outcomes)
        for note in absent:
            if note.code is Code.REQUEST_FAILED:
                reason = f"it was pushed, but could not be read again: {note.reason}"
                self.tally.warn(replace(note, reason=reason))

    async def _send_edit(self, edit: IssueWrite, *, is_new: bool = False) -> None:
        """Send the edit of an issue, or the rest of a new one; note what Jira refuses."""
        session = self.session
        if edit.payload.pictures_to_attach:
            payload = await self._attach_files(edit)
            if payload is None:
                return
            edit = replace(edit, payload=payload)
        # What Jira may have after the edit, the statuses on the way included.
        values = [*edit.payload.values, *map(sent_status_value, edit.statuses_between)]
        sent: tuple[Change, ...] = ()
        failure: Note | None = None
        unsure = True  # until Jira has answered
        async with session.disk_lock:
            await session.in_thread(session.state.sent.put, edit.key, values)
        try:
            for request, changes in self._make_requests(edit):
                await request()
                sent += changes
            sent, unsure = edit.changes, False
        except AuthenticationFailed:  # further requests could lock the account
            raise
        except (JiraError, NoTransition, StoppedBetween) as error:
            unsure = _may_have_happened(error, edit)
            failure = self._failure_note(error, edit, sent, is_new=is_new)
            if isinstance(error, StoppedBetween):
                moves = (change for change in edit.changes if change.part == _STATUS_LINE_NAME)
                sent += tuple(replace(change, new=error.reached) for change in moves)
        finally:
            if sent and not is_new:  # Jira has it, even if the rest was cancelled
                self.tally.add_updated(edit.key)
            if sent or not unsure:
                with trio.CancelScope(shield=True):  # one visit to the disk
                    async with session.disk_lock:
                        record = partial(
                            _update_base_and_sent, edit, values, sent, session.state, unsure=unsure
                        )
                        await session.in_thread(record)
        if failure is not None:
            self.tally.fail(failure)
        self.tally.show(session.progress)

    def _make_requests(
        self, edit: IssueWrite
    ) -> Iterator[tuple[Callable[[], Awaitable[object]], tuple[Change, ...]]]:
        """Yield what sends an edit, each with the changes that Jira has afterwards."""
        session, payload, key = self.session, edit.payload, edit.key
        links = {value.part for value in payload.values if value.field_id == LINK_FIELD}
        if payload.fields:
            apart = {_STATUS_LINE_NAME, *links}
            if edit.route:
                moved = edit.transition_fields
                apart |= {value.part for value in payload.values if value.field_id in moved}
            sent = tuple(
                change
                for change in edit.changes
                if not isinstance(change.part, CommentPart) and change.part not in apart
            )
            yield partial(session.jira.edit_issue, key, payload.fields), sent
        for comment in payload.comments:
            send = partial(
                add_or_edit_comment,
                session,
                comment,
                issue_id=edit.issue_id,
                key=key,
                last_comment_id=edit.last_comment_id,
            )
            yield send, tuple(change for change in edit.changes if change.part == comment.part)
        if links:
            changes = tuple(change for change in edit.changes if change.part in links)
            yield partial(self._add_and_remove_links, payload, key), changes
        if payload.status is not None:
            yield partial(follow_route, session.jira, key, payload.status, edit.route), ()

    async def _add_and_remove_links(self, payload: IssuePayload, key: str) -> None:
        """Add and remove the links of the issue with a key."""
        jira = self.session.jira
        for link in payload.links:
            ends = (key, link.key) if link.direction.is_outward else (link.key, key)
            if link.id_to_remove:
                await jira.remove_link(link.id_to_remove, issue=key)
            else:
                await jira.add_link(link.direction.type_id, *ends)
            self._other_end_keys.add(link.key)

    def _failure_note(
        self,
        error: JiraError | NoTransition | StoppedBetween,
        edit: IssueWrite,
        sent: Sequence[Change],
        *,
        is_new: bool,
    ) -> Note:
        """Return a note that says why an edit was not sent, or not all of it."""
        names = self.session.file_fields.line_and_section_fields
        failure = failure_note(edit.issue, edit.path, error, names)
        if is_new:
            words = "it was created, but not all of it was sent"
        elif sent:
            parts = ", ".join(change.name for change in sent)
            words = f"{parts} {'was' if len(sent) == 1 else 'were'} sent, but not the rest"
        else:
            return failure
        return replace(failure, reason=f"{words}: {failure.reason}")

    async def _attach_files(self, write: IssueWrite) -> IssuePayload | None:
        """Attach the files that texts of an issue show.

        Returns:
            What to send with their media IDs; None if a file was not attached, with a note.
        """
        try:
            return await attach_uploads(
                self.session, write.payload, issue_id=write.issue_id, key=write.key
            )
        except AuthenticationFailed:  # further requests could lock the account
            raise
        except JiraError as error:
            note = failure_note(write.issue, write.path, error)
        except (CannotShowPicture, FileFailed) as error:
            note = Note.on(write.issue, write.path, str(error), Code.BAD_VALUE)
        part = "Description" if DESCRIPTION_FIELD in write.payload.fields else "Comments"
        self.tally.fail(replace(note, reason=f"{part}: {note.reason}"))
        return None


def _later_edit(new: IssueWrite, created: Created) -> IssueWrite:
    """Return what the create of an issue could not carry, as an edit: pictures, comments, links."""
    payload = new.payload.description_once_created or IssuePayload()
    payload = payload.merged_with(
        IssuePayload(
            values=tuple(value for value in new.payload.values if value.field_id == LINK_FIELD),
            comments=new.payload.comments,
            links=new.payload.links,
            pictures_to_attach=new.payload.pictures_to_attach,
        )
    )
    parts = {value.part for value in payload.values} | {
        comment.part for comment in payload.comments
    }
    return replace(
        new,
        issue=replace(new.issue, key=created.key),
        key=created.key,
        issue_id=created.id,
        changes=tuple(change for change in new.changes if change.part in parts),
        payload=payload,
    )


def _update_base_and_sent(
    edit: IssueWrite,
    values: Sequence[SentValue],
    sent: tuple[Change, ...],
    state: State,
    *,
    unsure: bool,
) -> None:
    """Add sent changes to the base; withdraw the other values unless Jira may have them, too."""
    known = state.head_id_and_base_of(edit.key)
    base = read_ticket(known[1].jira_text) if known is not None else None
    if known is None or base is None:  # pragma: no cover - it was there just now
        return
    head, path = known[0], known[1].path
    texts = {change.part: change.new for change in sent}
    confirmed = [value for value in values if texts.get(value.part) == value.text]
    # A request for links may have added some links of a line and not the others.
    rest = [value for value in values if value not in confirmed and value.field_id != LINK_FIELD]
    with state.batch():
        if sent:
            rows = [IssueRow(issue, is_stale=True) for issue in state.issues_of(head)]
            text = render_ticket(with_parts(base, edit.key, texts))
            state.record(head, MergeBase(path, text), rows, seen=0.0)
            # Jira may normalise the values, so they must be fetched again.
            state.sent.record_taken(head, edit.key, confirmed)
        if rest and not unsure:
            state.sent.delete_refused(head, edit.key, rest)


def _may_have_happened(error: JiraError | NoTransition | StoppedBetween, edit: IssueWrite) -> bool:
    """Return whether Jira may have carried out a request of an edit in spite of the error."""
    cause = error.cause if isinstance(error, StoppedBetween) else error
    fields = {*edit.payload.fields, *edit.transition_fields, "comment"}
    return isinstance(cause, JiraError) and not certainly_failed(cause, fields)


def _to_fetch_by_head_id(state: State, keys: Iterable[str]) -> dict[str, TicketToFetch]:
    """Return the ticket of each key that is in a file, by its head's ID."""
    tickets: dict[str, TicketToFetch] = {}
    for key in keys:
        if (known := state.head_id_and_base_of(key)) is not None:
            head, base = known
            tickets[head] = TicketToFetch(head, key, base.path)
    return tickets
