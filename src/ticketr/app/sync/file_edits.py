"""Plans changes of fields in the files of tickets, and carries them out. Synchronous.

A plan is a value: what each field says now, and what it will say. No request is sent to Jira.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Self

from ticketr._errors import TicketrError
from ticketr._lazy import compile_on_use
from ticketr.app.sync.compare.diff import Change, find_changes_by_key, map_issues
from ticketr.app.sync.compare.mapping import field_text
from ticketr.app.sync.errors import CannotEdit, FileFailed
from ticketr.app.sync.push.values import BadValue, read_list
from ticketr.app.sync.state.state import State
from ticketr.app.sync.state.undo import DRAFT_KEY, TextReplacement, Undoable, digest_of
from ticketr.app.sync.workspace.editor import FileEditor, write_drafts
from ticketr.app.tickets import Comment, Ticket, TicketFile, render, rewrite

if TYPE_CHECKING:
    from ticketr.app.sync.workspace.store import Store


_SETTING_PATTERN = compile_on_use(r"([^=]*?)([+-]?)=(.*)", re.DOTALL)


class ListAction(Enum):
    """What is done with the values of a list: Jira's words, and the signs that users write."""

    REPLACE = ""
    ADD = "+"
    REMOVE = "-"


@dataclass(frozen=True, slots=True)
class FieldSetting:
    """A new value of a field.

    Attributes:
        name: The name of the field's line, in any case of letters.
        text: The value, as in a file, or the entries of a list; empty to clear the field.
        action: What is done with a list.
    """

    name: str
    text: str
    action: ListAction = ListAction.REPLACE

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read ``Priority=High``, ``Labels+=urgent`` or ``Labels-=old``; None for other texts."""
        match = _SETTING_PATTERN.fullmatch(text)
        if match is None or not match[1].strip():
            return None
        return cls(match[1].strip(), match[3].strip(), ListAction(match[2]))

    def __str__(self) -> str:
        if not self.text and self.action is ListAction.REPLACE:
            return f"{self.name}= (empty)"
        return f"{self.name}{self.action.value}={self.text}"


@dataclass(frozen=True, slots=True)
class IssuePlace:
    """Where an issue is.

    Attributes:
        path: Its file, relative to the workspace.
        key: Its key; empty for a draft.
        line: The line of its heading in the file, from 1; it tells drafts of one file apart.
    """

    path: str
    key: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A change of one field in a file.

    Attributes:
        key: The key of the issue; empty for a draft.
        title: The issue's title.
        path: Its file, relative to the workspace.
        title_line: The line of its heading in the file, from 1.
        field: The field's name, as the file has it.
        value_before: The field's text now; empty if there is none.
        value_after: The text that it will have.
    """

    key: str
    title: str
    path: str
    title_line: int
    field: str
    value_before: str
    value_after: str


@dataclass(frozen=True, slots=True)
class FileEditPlan:
    """Changes of fields, before they are carried out.

    Attributes:
        edits: The changes, in the order of the files. A field that says already what it should has
            none.
        digests_by_path: The digest of each file that would be changed, by its path.
    """

    edits: tuple[FileEdit, ...]
    digests_by_path: Mapping[str, str]

    @property
    def issue_count(self) -> int:
        """The number of issues that it changes."""
        return len({(edit.path, edit.title_line) for edit in self.edits})

    def without_edits(self, edits: Collection[FileEdit]) -> FileEditPlan:
        """Return the plan without some of its edits."""
        kept = tuple(edit for edit in self.edits if edit not in edits)
        paths = {edit.path for edit in kept}
        digests = {path: digest for path, digest in self.digests_by_path.items() if path in paths}
        return FileEditPlan(kept, digests)


def plan_file_edits(store: Store, changes: Mapping[IssuePlace, FieldSetting]) -> FileEditPlan:
    """Return what changes of fields would do to the files; nothing is written.

    Args:
        store: The workspace's files.
        changes: The change of each issue.

    Raises:
        CannotEdit: A file does not hold its issue any more, or a field is not a list.
        FileFailed: A file cannot be read.
        TicketSyntaxError: A file cannot be read as tickets.
    """
    by_path: dict[str, list[IssuePlace]] = defaultdict(list)
    for place in changes:
        by_path[place.path].append(place)
    edits: list[FileEdit] = []
    digests: dict[str, str] = {}
    for path, places in by_path.items():
        file = store.read_file(path)
        issues = _issues_by_key_or_draft_line(file)
        planned = [
            _plan_edit(_require_issue(issues, place), path, changes[place]) for place in places
        ]
        if changing := [edit for edit in planned if edit.value_after != edit.value_before]:
            edits += changing
            digests[path] = digest_of(file.text)
    return FileEditPlan(tuple(edits), digests)


def _issues_by_key_or_draft_line(file: TicketFile) -> dict[str | int, Ticket]:
    """Return the issues of a file by their keys, and the drafts by their lines."""
    return {
        issue.key or issue.line: issue
        for ticket in file.tickets
        for issue in (ticket, *ticket.tasks)
    }


def _require_issue(issues_by_key_or_line: Mapping[str | int, Ticket], place: IssuePlace) -> Ticket:
    ticket = issues_by_key_or_line.get(place.key or place.line)
    if ticket is not None:
        return ticket
    what = place.key or f"the draft of line {place.line}"
    raise CannotEdit(what, f"{place.path} no longer holds it; read the files again")


def _plan_edit(issue: Ticket, path: str, change: FieldSetting) -> FileEdit:
    wanted = change.name.casefold()
    name = next((own for own in issue.fields if own.casefold() == wanted), change.name)
    before = issue.fields.get(name, "")
    try:
        after = _text_after(before, change)
    except BadValue as error:
        what = issue.key or issue.title
        raise CannotEdit(what, f"{name} cannot be read: {error}") from None
    return FileEdit(issue.key or "", issue.title, path, issue.line, name, before, after)


def _text_after(before: str, change: FieldSetting) -> str:
    """Return the text of a field after a change."""
    text = change.text.strip()
    if change.action is ListAction.REPLACE:
        return text
    entries = read_list(before)
    if change.action is ListAction.REMOVE:
        kept = [entry for entry in entries if entry != text]
        return before if kept == entries else field_text(kept)
    return before if text in entries else field_text([*entries, text])


def carry_out_edits(store: Store, state: State, plan: FileEditPlan) -> None:
    """Change the files as planned, in a locked workspace.

    Each ticket that changes is put on the undo log, so that `undo_step_and_keep_copy` takes it back.

    Raises:
        CannotEdit: A file was changed since the plan was made; no file was changed.
        FileFailed: A file cannot be read or written; the others are changed, unless the error
            concerns them too.
        TicketSyntaxError: A file cannot be read as tickets; no file was changed.
    """
    for path, digest in plan.digests_by_path.items():
        _require_unchanged(store.read_file(path), path, digest)
    moment = time.time()
    failed: list[FileFailed] = []
    for path, digest in plan.digests_by_path.items():
        edits = [edit for edit in plan.edits if edit.path == path]
        change = partial(_apply_edits, path=path, digest=digest, edits=edits)
        try:
            _replace_file(store, state, path, change, moment)
        except FileFailed as error:
            if not error.concerns_one_file:
                raise
            failed.append(error)
    if failed:
        raise failed[0]


def add_sub_task(store: Store, state: State, place: IssuePlace, title: str) -> None:
    """Write the draft of a sub-task behind those of a ticket, in a locked workspace.

    It is put on the undo log.

    Args:
        store: The workspace's files.
        state: Its state.
        place: The place of the ticket.
        title: The title of the sub-task.

    Raises:
        CannotEdit: The file does not hold the ticket any more.
        FileFailed: The file cannot be read or written.
        TicketSyntaxError: It cannot be read as tickets.
    """
    _change_issue(
        store, state, place, lambda ticket: replace(ticket, tasks=(*ticket.tasks, Ticket(title)))
    )


def add_comment(store: Store, state: State, place: IssuePlace, text: str) -> None:
    """Write a new comment behind those of an issue, in a locked workspace.

    It is put on the undo log.

    Args:
        store: The workspace's files.
        state: Its state.
        place: The place of the issue.
        text: The comment, in Markdown.

    Raises:
        CannotEdit: The file does not hold the issue any more.
        FileFailed: The file cannot be read or written.
        TicketSyntaxError: It cannot be read as tickets.
    """
    _change_issue(
        store, state, place, lambda issue: replace(issue, comments=(*issue.comments, Comment(text)))
    )


def _change_issue(
    store: Store, state: State, place: IssuePlace, change: Callable[[Ticket], Ticket]
) -> None:
    """Change one issue in its file, and put that on the undo log."""

    def changed(file: TicketFile) -> TicketFile:
        issue = _require_issue(_issues_by_key_or_draft_line(file), place)
        index, ticket = next(
            (at, ticket)
            for at, ticket in enumerate(file.tickets)
            if any(one is issue for one in (ticket, *ticket.tasks))
        )
        new = map_issues(ticket, lambda one: change(one) if one is issue else one)
        return rewrite(file, {index: new})

    _replace_file(store, state, place.path, changed, time.time())


def add_drafts_in_new_file(store: Store, state: State, drafts: Sequence[Ticket]) -> str:
    """Write drafts into a new file that is named after the first title, in a locked workspace.

    It is put on the undo log.

    Args:
        store: The workspace's files.
        state: Its state.
        drafts: The drafts.

    Returns:
        The file, relative to the workspace.

    Raises:
        FileFailed: It cannot be written.
    """
    path = store.relative_path(write_drafts(store.root, drafts))
    text = render(drafts)
    added = TextReplacement(0, "", text, digest_of(text), "")
    stored = state.undo.ticket_state_json("")
    state.undo.add(Undoable.ADDED, added, key=DRAFT_KEY, head_id="", path=path, state_before=stored)
    return path


def _require_unchanged(file: TicketFile, path: str, digest: str) -> None:
    if digest_of(file.text) != digest:
        raise CannotEdit(path, "it was edited since the plan was made; look at the plan again")


def _apply_edits(file: TicketFile, path: str, digest: str, edits: Iterable[FileEdit]) -> TicketFile:
    """Return a file with fields changed as planned.

    Raises:
        CannotEdit: It was changed since the plan was made.
    """
    _require_unchanged(file, path, digest)
    texts: dict[int, dict[str, str]] = defaultdict(dict)
    for edit in edits:
        texts[edit.title_line][edit.field] = edit.value_after

    def with_texts(issue: Ticket) -> Ticket:
        return replace(issue, fields={**issue.fields, **texts.get(issue.line, {})})

    edited = {at: map_issues(ticket, with_texts) for at, ticket in enumerate(file.tickets)}
    return rewrite(file, {at: new for at, new in edited.items() if new != file.tickets[at]})


def _replace_file(
    store: Store, state: State, path: str, change: Callable[[TicketFile], TicketFile], moment: float
) -> None:
    """Replace a file, and put each of its tickets that changed on the undo log."""
    versions: list[tuple[TicketFile, TicketFile]] = []

    def changed(file: TicketFile) -> TicketFile:
        new = change(file)
        versions[:] = [(file, new)]
        return new

    if not FileEditor(store).try_change_durably(path, changed):
        raise CannotEdit(path, "it is no longer there; read the files again")
    ((before, after),) = versions
    digest = digest_of(after.text)
    with state.batch():
        for index, ticket in enumerate(before.tickets):
            replacement = TextReplacement.of_ticket(
                index, before, after, file_digest_after=digest, copy_path=""
            )
            if replacement.before != replacement.after:
                key = ticket.key or DRAFT_KEY
                head = state.head_id_of(key) or ""
                stored = state.undo.ticket_state_json(head)
                state.undo.add(
                    Undoable.CHANGED_IN_APP,
                    replacement,
                    key=key,
                    head_id=head,
                    path=path,
                    state_before=stored,
                    done_at=moment,
                )
        state.older.mark_as_edits(_find_changed_values(before.tickets, after.tickets))


def _find_changed_values(
    before: Iterable[Ticket], after: Iterable[Ticket]
) -> dict[str, tuple[Change, ...]]:
    """Return what has changed in the issues of a file, by key."""
    known = {ticket.key: ticket for ticket in before if ticket.key}
    return {
        key: changes
        for ticket in after
        if ticket.key in known
        for key, changes in find_changes_by_key(known[ticket.key], ticket).items()
    }


def mark_editor_changes_as_edits(store: Store, path: str, before: Sequence[Ticket]) -> None:
    """Count what a user has changed in an editor of ours as edits, also what is older.

    Nothing happens if the file or the state cannot be used: what is older is named later.

    Args:
        store: The workspace's files.
        path: The file, relative to the workspace.
        before: Its tickets before.
    """
    with suppress(TicketrError):
        values = _find_changed_values(before, store.read_tickets(path))
        if values and store.state_path.exists():
            with closing(State(store.state_path, store.mark)) as state:
                state.older.mark_as_edits(values)
