"""The events of the app as values; all of them arrive on one channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ticketr import JobSnapshot
from ticketr.app import sync
from ticketr.app.tickets import Filter, UserAndFieldNames
from ticketr.app.tui.effects import ServiceCall
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.rows import ListRow, Rows, RowSortKey
from ticketr.app.tui.sheet import DetailLine, IssueSheet


class Message:
    """An event; every message is a subclass."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class WorkspaceMessage(Message):
    """An event in the workspace of a name, or an answer about it."""

    workspace: str


@dataclass(frozen=True, slots=True)
class FollowSelectionDue(Message):
    """The time of `AppState.follow_selection_at` has come."""


@dataclass(frozen=True, slots=True)
class JobChanged(Message):
    """A job of the queue has changed."""

    snapshot: JobSnapshot


@dataclass(frozen=True, slots=True)
class SomeTicketRowsRead(WorkspaceMessage):
    """Tickets were found in files; their rows replace earlier ones of the same tickets.

    Attributes:
        edited_keys: The keys of issues among them that were edited here.
    """

    tickets: tuple[tuple[ListRow, ...], ...]
    edited_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AutoPullWroteTickets(WorkspaceMessage):
    """A pull that nobody has asked for has written these tickets; the files are read at its end."""

    tickets: tuple[tuple[ListRow, ...], ...]


@dataclass(frozen=True, slots=True)
class FilesRead(WorkspaceMessage):
    """Every file of a workspace has been read.

    Attributes:
        rows: The rows of all tickets and of broken files, in order.
        edited_keys: The keys of issues that were edited here since the last sync.
        conflicts_by_key: What clashes in each ticket that both sides have changed, as ``DEMO-1: Title``,
            by the ticket's key.
        broken_file_errors: The cleaned error of each broken file.
        complete_pull_age_seconds: Seconds since a pull has brought all that it found; None for never, or
            unknown. Equal readings differ in it.
        filter_names: What a filter can name.
        templates: The templates of drafts, or why one cannot be read, by their names.
    """

    rows: Rows
    edited_keys: frozenset[str] = frozenset()
    conflicts_by_key: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broken_file_errors: tuple[str, ...] = ()
    complete_pull_age_seconds: float | None = field(default=None, compare=False)
    filter_names: UserAndFieldNames = field(default=UserAndFieldNames(), compare=False)
    templates: Mapping[str, sync.Template | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DetailRead(WorkspaceMessage):
    """An issue was read from its file; the answer to `read_detail`.

    Attributes:
        row_key_order: The `ListRow.key_order` of its row.
        sheet: Its fields and text; None if the file no longer holds it.
        wrapped_to_cells: The width of the panel that its lines are wrapped to.
        wrapped_lines: Its lines.
        is_file_gone: Whether the file is gone.
    """

    row_key_order: RowSortKey
    sheet: IssueSheet | None
    wrapped_to_cells: int = 0
    wrapped_lines: tuple[DetailLine, ...] = ()
    is_file_gone: bool = False


@dataclass(frozen=True, slots=True)
class CallEnded(Message):
    """A `ServiceCall` was carried out, or not.

    Attributes:
        request: The call; its function says what the answer is.
        value_or_typed: What it has returned; after a failure, the text that the user had typed meanwhile.
        problem: Why it failed, cleaned; empty if it did not.
    """

    request: ServiceCall
    value_or_typed: Any = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DraftAdded(WorkspaceMessage):
    """A draft was written, and its file was read; the path is relative to the workspace."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class YesNoAsked(Message):
    """A question that Enter answers with yes.

    Attributes:
        title: What it is about.
        question: The question, cleaned.
        calls_on_yes: What a yes does.
    """

    title: str
    question: str
    calls_on_yes: tuple[ServiceCall, ...]


@dataclass(frozen=True, slots=True)
class SavedListViewRead(WorkspaceMessage):
    """How the list of a workspace was shown the last time.

    Attributes:
        hidden_columns: The names of the hidden columns.
    """

    filter: Filter
    sort: str
    hidden_columns: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WorkspaceOpened(WorkspaceMessage):
    """A workspace was opened.

    Attributes:
        site: The address of its site, for people.
        project: The key of its project; may be empty.
        is_asked_for: Whether the user has just added it, or asked for it: it is shown and pulled.
        notice: What to say of it; may be empty.
        query_by_alias: The names for queries, with their queries; not cleaned.
        keeps_comments: Whether its files hold comments.
    """

    site: str
    project: str
    is_asked_for: bool = False
    notice: str = ""
    query_by_alias: Mapping[str, str] = field(default_factory=dict)
    keeps_comments: bool = False


@dataclass(frozen=True, slots=True)
class WorkspaceNotOpened(WorkspaceMessage):
    """A workspace could not be opened; the words say why and what to do, and are cleaned."""

    problem: str


@dataclass(frozen=True, slots=True)
class Notice(Message):
    """Something to say to the user, in the action bar.

    Attributes:
        is_error: Whether something failed.
        hints: The actions whose keys are named after the words, and what each does.
    """

    text: str
    is_error: bool = True
    hints: tuple[tuple[KeyAction, str], ...] = ()
