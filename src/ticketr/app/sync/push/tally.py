"""The result of a push, its counts on the way, and why an issue was not pushed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr.app.jira import JiraError, Rejected
from ticketr.app.sync.edits.push_plan import PlanEntry, sort_new_first
from ticketr.app.sync.errors import add_field_names
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.transitions import NoTransition, StoppedBetween
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.session import Progress
    from ticketr.app.sync.writing.writer import FamilyResult


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push did, or would do: the keys of the issues, sub-tasks included, and notes.

    Attributes:
        total: Issues that were to be created or changed.
        site: The site's address for browsers.
        planned: Each of these issues.
        created: Keys of those that were created.
        updated: Keys of those that were changed.
        recovered: Keys of issues that an earlier run created and whose drafts got them only now.
        conflicts: Tickets that were held back because they have changed in Jira.
        in_conflict: Issues in them that would have been created or changed.
        left_alone: Edits that were left alone, as the user has not confirmed them.
        failed: Tickets, or parts of them, that could not be pushed, each with the reason.
        warnings: What else the user should know, by ticket.
    """

    total: int = 0
    site: str = ""
    planned: tuple[PlanEntry, ...] = ()
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    conflicts: tuple[Note, ...] = ()
    in_conflict: int = 0
    left_alone: tuple[Note, ...] = ()
    failed: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()

    @property
    def pushed_issue_count(self) -> int:
        """How many issues were created or changed."""
        return len(self.created) + len(self.updated)


@dataclass(slots=True)
class PushTally:
    """Keeps the result of a push up to date while it runs.

    Attributes:
        result: What the push has done until now, without the site's address.
    """

    result: PushResult = field(default_factory=PushResult)

    def set_plan(self, entries: Iterable[PlanEntry]) -> None:
        """Set what is to be created or changed."""
        planned = sort_new_first(entries)
        self.result = replace(self.result, planned=planned, total=len(planned))

    def add_created(self, key: str) -> None:
        """Count an issue that was created."""
        self.result = replace(self.result, created=(*self.result.created, key))

    def add_updated(self, key: str) -> None:
        """Count an issue that was changed."""
        self.result = replace(self.result, updated=(*self.result.updated, key))

    def add_recovered_draft(self, key: str) -> None:
        """Count an issue whose draft got its key only now."""
        self.result = replace(self.result, recovered=(*self.result.recovered, key))

    def fail(self, *notes: Note) -> None:
        """Note what could not be pushed."""
        self.result = replace(self.result, failed=(*self.result.failed, *notes))

    def warn(self, *notes: Note) -> None:
        """Note what else the user should know."""
        self.result = replace(self.result, warnings=(*self.result.warnings, *notes))

    def note_left_alone(self, *notes: Note) -> None:
        """Note edits that were not confirmed, each once."""
        known = {(note.path, note.key_title_or_path) for note in self.result.left_alone}
        new = (note for note in notes if (note.path, note.key_title_or_path) not in known)
        self.result = replace(self.result, left_alone=(*self.result.left_alone, *new))

    def note_unwritten_and_older_values(self, outcomes: Iterable[FamilyResult]) -> None:
        """Note fetched tickets that could not be written, and the older values in the others."""
        for result in outcomes:
            older = result.older_values_replaced_notes
            older_keys = {note.key for note in older}
            left = [
                note
                for note in self.result.left_alone
                if note.code is not Code.OLDER or note.key not in older_keys
            ]
            self.result = replace(self.result, left_alone=(*left, *older))
            if result.outcome is WriteOutcome.CONFLICT and result.note is not None:
                shares = [
                    result.outcomes_by_key.get(issue.key, result.outcome)
                    for issue in result.family.issues
                ]
                self.hold_back(result.note, shares.count(WriteOutcome.CONFLICT))
            elif result.note is not None:
                self.fail(result.note)

    def hold_back(self, note: Note, issue_count: int) -> None:
        """Count a ticket that has changed in Jira, and its issues that count as in conflict."""
        self.result = replace(
            self.result,
            conflicts=(*self.result.conflicts, note),
            in_conflict=self.result.in_conflict + issue_count,
        )

    def show(self, progress: Progress) -> None:
        """Report how far the push is."""
        progress.report("Pushing tickets", self.result.pushed_issue_count, self.result.total)


def failure_note(
    issue: Ticket,
    path: str,
    error: JiraError | NoTransition | StoppedBetween,
    field_names_and_ids: Iterable[tuple[str, str]] = (),
) -> Note:
    """Return a note that says why an issue was not pushed.

    Args:
        issue: The issue.
        path: Its file.
        error: The error.
        field_names_and_ids: The names of lines and sections with the IDs of their fields, by which
            Jira names fields.
    """
    if isinstance(error, StoppedBetween):
        failure = failure_note(issue, path, error.cause, field_names_and_ids)
        reason = (
            f'it is in "{error.reached}" now, and not yet in "{error.status}"; the next push goes on '
            f"from there: {failure.reason}"
        )
        return replace(failure, reason=reason)
    if isinstance(error, NoTransition):
        return Note.on(issue, path, f"Status: {error}", Code.NO_TRANSITION)
    code = Code.REFUSED_BY_JIRA if isinstance(error, Rejected) else Code.REQUEST_FAILED
    return Note.on(issue, path, add_field_names(str(error), field_names_and_ids), code)


def unshown_route_reason(route: str) -> str:
    """Return why an issue is not moved: the user has not seen the way to its status."""
    return f"the plan did not show the way to its status: {route}; push again to confirm it"
