"""Effects as values: `state.update` returns them, and `services` carry them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.sync import FieldChange, FileEditPlan, IssuePlace, Resolution
    from ticketr.tui.job_request import JobKind, JobRequest
    from ticketr.tui.setup import NewWorkspace
    from ticketr.tui.sheet import Sheet


class Effect:
    """Something that the app does outside of its state; every effect is a subclass."""

    __slots__ = ()


def workspace_of(effect: Effect) -> str:
    """Return the name of the workspace that has to be open for an effect; empty for none."""
    return getattr(effect, "workspace", "")


@dataclass(frozen=True, slots=True)
class Leave(Effect):
    """End the app."""


@dataclass(frozen=True, slots=True)
class Redraw(Effect):
    """Draw every row again."""


@dataclass(frozen=True, slots=True)
class StartJob(Effect):
    """Submit a job.

    Attributes:
        workspace: The name of the job's workspace.
        request: What the job is to do.
    """

    workspace: str
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
class ReadFiles(Effect):
    """Read the files of a workspace, and their differences from the last sync."""

    workspace: str


@dataclass(frozen=True, slots=True)
class ReadDetail(Effect):
    """Read an issue from its file.

    Attributes:
        workspace: The name of its workspace.
        path: Its file, relative to the workspace.
        order: The order of its row in the list.
        cells: The width of the panel that will show it; 0 if it is unknown.
        as_source: Whether the lines of the file will be shown.
    """

    workspace: str
    path: str
    order: tuple[str, int, str, int]
    cells: int = field(default=0, compare=False)
    as_source: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class WrapDetail(Effect):
    """Wrap the lines of a long issue.

    Attributes:
        workspace: The name of its workspace.
        sheet: The issue.
        cells: The width of the panel that will show it.
        as_source: Whether to wrap the lines of the file.
    """

    workspace: str
    sheet: Sheet = field(repr=False)
    cells: int
    as_source: bool


@dataclass(frozen=True, slots=True)
class Remember(Effect):
    """Store how the list of a workspace is shown, for the next time.

    Attributes:
        workspace: The workspace's name.
        filter: The filter, as it was typed.
        sort: The name of the sort.
        saved: The names and texts of filters to save; one without a text is forgotten.
    """

    workspace: str
    filter: str
    sort: str
    saved: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OpenEditor(Effect):
    """Open a file in the user's editor, and read the workspace again.

    Attributes:
        workspace: The name of the file's workspace.
        path: The file, relative to the workspace.
        line: The line to go to, from 1.
    """

    workspace: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class OpenBrowser(Effect):
    """Open an issue in the browser."""

    workspace: str
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
class CopyAddress(Effect):
    """Copy the address of an issue in a browser."""

    workspace: str
    key: str


@dataclass(frozen=True, slots=True)
class ReadPlan(Effect):
    """Make the plan of a push or sync.

    Attributes:
        workspace: The name of its workspace.
        kind: The kind of the job.
        keys: The tickets to which it is limited; empty for all.
    """

    workspace: str
    kind: JobKind
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetPriority(Effect):
    """Give a waiting job another priority."""

    job_id: str
    priority: int


@dataclass(frozen=True, slots=True)
class RunNow(Effect):
    """Have a waiting job run before all others."""

    job_id: str


@dataclass(frozen=True, slots=True)
class ReadHistory(Effect):
    """Read the jobs that ended in earlier runs."""


@dataclass(frozen=True, slots=True)
class ReadConflict(Effect):
    """Read the conflict of a ticket."""

    workspace: str
    key: str


@dataclass(frozen=True, slots=True)
class AskAuthor(Effect):
    """Ask Jira who changed its side of a conflict.

    Attributes:
        workspace: The name of its workspace.
        key: The key of the ticket in conflict.
        issue: The key of the issue that was changed last.
        updated: When that was, as Jira writes it.
    """

    workspace: str
    key: str
    issue: str
    updated: str


@dataclass(frozen=True, slots=True)
class Settle(Effect):
    """Carry out what was chosen in a conflict."""

    workspace: str
    resolution: Resolution


@dataclass(frozen=True, slots=True)
class FindUndo(Effect):
    """Find what can be taken back in a workspace."""

    workspace: str


@dataclass(frozen=True, slots=True)
class Undo(Effect):
    """Take the last replacement of a ticket's text back.

    Attributes:
        workspace: The name of the ticket's workspace.
        key: The key of the ticket.
    """

    workspace: str
    key: str


@dataclass(frozen=True, slots=True)
class AskStatuses(Effect):
    """Ask Jira for the statuses that some issues can take, by their keys."""

    workspace: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskKeys(Effect):
    """Ask Jira which issues a query finds."""

    workspace: str
    jql: str


@dataclass(frozen=True, slots=True)
class AskIssues(Effect):
    """Ask Jira for issues that are to be changed together.

    Attributes:
        workspace: The name of their workspace.
        keys: Their keys.
    """

    workspace: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopAsking(Effect):
    """Cancel the request of `AskStatuses`, `AskKeys` or `AskIssues`."""

    workspace: str


@dataclass(frozen=True, slots=True)
class ChangeField(Effect):
    """Change a field of one issue in its file.

    Attributes:
        workspace: The name of its workspace.
        place: Where the issue stands.
        change: The change.
    """

    workspace: str
    place: IssuePlace
    change: FieldChange


@dataclass(frozen=True, slots=True)
class PlanEdits(Effect):
    """Plan a change of fields in files.

    Attributes:
        workspace: The name of the workspace.
        changes: What is to be changed where.
    """

    workspace: str
    changes: tuple[tuple[IssuePlace, FieldChange], ...]


@dataclass(frozen=True, slots=True)
class CarryOutEdits(Effect):
    """Change files as planned."""

    workspace: str
    plan: FileEditPlan


@dataclass(frozen=True, slots=True)
class AddTicket(Effect):
    """Write a draft.

    Attributes:
        workspace: The name of the workspace.
        title: Its title, cleaned.
        parent: The ticket whose sub-task it is to be; None for a ticket in a file of its own.
    """

    workspace: str
    title: str
    parent: IssuePlace | None


@dataclass(frozen=True, slots=True)
class AddComment(Effect):
    """Write a new comment into the file of an issue.

    Attributes:
        workspace: The name of the workspace.
        place: The place of the issue.
        text: The comment, cleaned.
    """

    workspace: str
    place: IssuePlace
    text: str


@dataclass(frozen=True, slots=True)
class OpenPage(Effect):
    """Open a page in the browser."""

    address: str


@dataclass(frozen=True, slots=True)
class CheckSite(Effect):
    """Ask a site whether it is a Jira.

    Attributes:
        number: What the answer is to bear.
        address: The address as it was typed.
    """

    number: int
    address: str


@dataclass(frozen=True, slots=True)
class CheckLogin(Effect):
    """Ask a site for the account of a login, and for its projects.

    Attributes:
        number: What the answer is to bear.
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
        number: What the answer is to bear.
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
