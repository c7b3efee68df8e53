"""Effects as values, and the jobs that they ask for: `services` carry them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from ticketr.app import sync
from ticketr.app.tui.setup import NewWorkspace
from ticketr.app.tui.sheet import Sheet


class JobKind(Enum):
    """The kind of a job; the value is its verb."""

    PULL = "pull"
    PUSH = "push"
    SYNC = "sync"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A change of many issues in Jira.

    Attributes:
        issues: The issues.
        change: What is changed.
    """

    issues: tuple[sync.BulkIssue, ...]
    change: sync.BulkChange


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job is asked to do.

    Attributes:
        kind: The kind of the job.
        accepted: The losses in Jira that the job may cause.
        confirmed: The plan that was confirmed; None for a pull.
        keys: The tickets to which it is limited; empty for all.
        bulk: What a change of many issues does; None for other jobs.
    """

    kind: JobKind
    accepted: frozenset[sync.Loss] = frozenset()
    confirmed: sync.PushPlan | None = None
    keys: tuple[str, ...] = ()
    bulk: BulkRequest | None = None


class Effect:
    """Something that the app does outside of its state; every effect is a subclass."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class InWorkspace(Effect):
    """Something to do in a workspace, which has to be open.

    Attributes:
        workspace: The workspace's name.
    """

    workspace: str


def workspace_of(effect: Effect) -> str:
    """Return the name of the workspace that has to be open for an effect; empty for none."""
    return effect.workspace if isinstance(effect, InWorkspace) else ""


@dataclass(frozen=True, slots=True)
class Leave(Effect):
    """End the app."""


@dataclass(frozen=True, slots=True)
class Redraw(Effect):
    """Draw every row again."""


@dataclass(frozen=True, slots=True)
class StartJob(InWorkspace):
    """Submit a job."""

    request: JobRequest


@dataclass(frozen=True, slots=True)
class DropRequests(Effect):
    """Drop what was asked of a workspace that is still being opened.

    Attributes:
        name: The workspace's name.
    """

    name: str


@dataclass(frozen=True, slots=True)
class CancelJob(Effect):
    """Cancel a job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class ReadFiles(InWorkspace):
    """Read the files of a workspace, and their differences from the last sync."""


@dataclass(frozen=True, slots=True)
class ReadDetail(InWorkspace):
    """Read an issue from its file.

    Attributes:
        path: Its file, relative to the workspace.
        order: The order of its row in the list.
        cells: The width of the panel that will show it; 0 if it is unknown.
        as_source: Whether the lines of the file will be shown.
    """

    path: str
    order: tuple[str, int, str, int]
    cells: int = field(default=0, compare=False)
    as_source: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class WrapDetail(InWorkspace):
    """Wrap the lines of a long issue.

    Attributes:
        cells: The width of the panel that will show it.
        as_source: Whether to wrap the lines of the file.
    """

    sheet: Sheet = field(repr=False)
    cells: int
    as_source: bool


@dataclass(frozen=True, slots=True)
class Remember(InWorkspace):
    """Store how the list of a workspace is shown, for the next time.

    Attributes:
        filter: The filter, as it was typed.
        sort: The name of the sort.
        saved: The names and texts of filters to save; one without a text is forgotten.
        typed: The line that asked for this; the user gets it back if they cannot be saved.
    """

    filter: str
    sort: str
    saved: tuple[tuple[str, str], ...] = ()
    typed: str = ""


@dataclass(frozen=True, slots=True)
class OpenEditor(InWorkspace):
    """Open a file in the user's editor, and read the workspace again.

    Attributes:
        path: The file, relative to the workspace.
        line: The line to go to, from 1.
    """

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class OpenBrowser(InWorkspace):
    """Open an issue in the browser."""

    key: str


@dataclass(frozen=True, slots=True)
class Copy(Effect):
    """Copy a text to the clipboard of the terminal.

    Attributes:
        text: The text.
        what: What it is, for the notice.
    """

    text: str
    what: str


@dataclass(frozen=True, slots=True)
class CopyAddress(InWorkspace):
    """Copy the address of an issue in a browser."""

    key: str


@dataclass(frozen=True, slots=True)
class ReadPlan(InWorkspace):
    """Make the plan of a push or sync.

    Attributes:
        keys: The tickets to which it is limited; empty for all.
    """

    kind: JobKind
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetPriority(Effect):
    """Give a waiting job another priority."""

    job_id: str
    priority: int


@dataclass(frozen=True, slots=True)
class RunNow(Effect):
    """Run a waiting job before all others."""

    job_id: str


@dataclass(frozen=True, slots=True)
class ReadHistory(Effect):
    """Read the jobs that ended in earlier runs."""


@dataclass(frozen=True, slots=True)
class ReadConflict(InWorkspace):
    """Read the conflict of a ticket."""

    key: str


@dataclass(frozen=True, slots=True)
class AskAuthor(InWorkspace):
    """Ask Jira who changed its side of a conflict.

    Attributes:
        key: The key of the ticket in conflict.
        issue: The key of the issue that was changed last.
        updated: When that was, as Jira writes it.
    """

    key: str
    issue: str
    updated: str


@dataclass(frozen=True, slots=True)
class Settle(InWorkspace):
    """Carry out what was chosen in a conflict."""

    resolution: sync.Resolution


@dataclass(frozen=True, slots=True)
class FindUndo(InWorkspace):
    """Find what can be taken back in a workspace."""


@dataclass(frozen=True, slots=True)
class Undo(InWorkspace):
    """Take back the last replacement of a ticket's text."""

    key: str


@dataclass(frozen=True, slots=True)
class AskStatuses(InWorkspace):
    """Ask Jira for the statuses that some issues can take, by their keys."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskKeys(InWorkspace):
    """Ask Jira which issues a query finds."""

    jql: str


@dataclass(frozen=True, slots=True)
class AskIssues(InWorkspace):
    """Ask Jira for issues that are to be changed together, by their keys."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopAsking(InWorkspace):
    """Cancel the request of `AskStatuses`, `AskKeys` or `AskIssues`."""


@dataclass(frozen=True, slots=True)
class ChangeField(InWorkspace):
    """Change a field of one issue in its file."""

    place: sync.IssuePlace
    change: sync.FieldChange


@dataclass(frozen=True, slots=True)
class PlanEdits(InWorkspace):
    """Plan a change of fields in files."""

    changes: tuple[tuple[sync.IssuePlace, sync.FieldChange], ...]


@dataclass(frozen=True, slots=True)
class CarryOutEdits(InWorkspace):
    """Change files as planned.

    Attributes:
        changes: What the plan was made of.
    """

    plan: sync.FileEditPlan
    changes: tuple[tuple[sync.IssuePlace, sync.FieldChange], ...] = ()


@dataclass(frozen=True, slots=True)
class AddTicket(InWorkspace):
    """Write a draft.

    Attributes:
        title: Its title, cleaned.
        parent: The ticket whose sub-task it is to be; None for a ticket in a file of its own.
    """

    title: str
    parent: sync.IssuePlace | None


@dataclass(frozen=True, slots=True)
class AddComment(InWorkspace):
    """Write a new comment, whose text is cleaned, into the file of an issue."""

    place: sync.IssuePlace
    text: str


#: What a user has typed or confirmed; if it cannot be written, they get it back.
Typed: TypeAlias = AddTicket | AddComment | CarryOutEdits | Remember


@dataclass(frozen=True, slots=True)
class OpenPage(Effect):
    """Open a page in the browser."""

    address: str


@dataclass(frozen=True, slots=True)
class CheckSite(Effect):
    """Ask a site whether it is a Jira.

    Attributes:
        number: The number of the request, which its answer repeats.
        address: The address as it was typed.
    """

    number: int
    address: str


@dataclass(frozen=True, slots=True)
class CheckLogin(Effect):
    """Ask a site for the account of a login, and for its projects.

    Attributes:
        number: The number of the request, which its answer repeats.
        site: The site's address.
        email: The mail address of the account.
        token: The API token; in no repr.
    """

    number: int
    site: str
    email: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckFolder(Effect):
    """Look at a folder.

    Attributes:
        number: The number of the request, which its answer repeats.
        folder: The folder as it was typed.
    """

    number: int
    folder: str


@dataclass(frozen=True, slots=True)
class SuggestFolder(Effect):
    """Find a folder for a new workspace."""

    site: str
    project: str


@dataclass(frozen=True, slots=True)
class AddWorkspace(Effect):
    """Check and store a new workspace, then show it and pull."""

    wanted: NewWorkspace


@dataclass(frozen=True, slots=True)
class OpenFolder(Effect):
    """Show the workspace in a folder, and pull."""

    folder: str


@dataclass(frozen=True, slots=True)
class TrySandbox(Effect):
    """Run a Jira with made-up tickets until the app ends, and pull from it."""


@dataclass(frozen=True, slots=True)
class CancelSetup(Effect):
    """Cancel every check of the first run, and what it is adding or opening."""
