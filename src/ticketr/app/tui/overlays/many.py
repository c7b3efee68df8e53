"""The plans of changes of many tickets, in Jira or in files, before any is made. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, final

from ticketr.app import sync
from ticketr.app.tui.effects import Call, JobKind, JobRequest, call_in
from ticketr.app.tui.keymap import KeyMap
from ticketr.app.tui.messages import Answered
from ticketr.app.tui.overlays.questions import LineInput
from ticketr.app.tui.overlays.review import Review, Section, item_lines
from ticketr.app.tui.services import edits, jobs
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme
from ticketr.text import clean, fit, width


@final
@dataclass(frozen=True, slots=True)
class FileEdits(Review[sync.FileEditPlan]):
    """The plan of a change of fields in several files.

    Attributes:
        changes: What is to be changed where.
    """

    title: ClassVar[str] = "Change tickets of"

    changes: edits.FieldChanges

    @property
    def request(self) -> Call:
        """The request for the plan."""
        return call_in(self.workspace, edits.plan_edits, self.changes)

    def carry_out(self, state: AppState, plan: sync.FileEditPlan) -> Step:
        """Change the files."""
        kept = self._kept(plan)
        if not kept.edits:
            return state.noticed("Nothing to change; Esc goes back"), ()
        left = {(edit.path, edit.key or edit.line) for edit in kept.edits}
        changes = tuple(
            (place, change)
            for place, change in self.changes
            if (place.path, place.key or place.line) in left
        )
        again = FileEdits(self.workspace, changes)

        def on_success(state: AppState, _: object) -> Step:
            return state.with_changes(self.workspace, chosen=frozenset()), ()

        def on_failure(state: AppState, answer: Answered) -> Step:
            # What was changed before the error is not in the new plan.
            state = state.opened_below(again).noticed(answer.problem, is_bad=True)
            return state, (again.request,)

        request = call_in(self.workspace, edits.carry_out_edits, kept)
        return state.closed(), (replace(request, on_success=on_success, on_failure=on_failure),)

    def _kept(self, plan: sync.FileEditPlan) -> sync.FileEditPlan:
        return plan.without({edit for edit in plan.edits if edit in self.without})

    def summary(self, plan: sync.FileEditPlan) -> str:
        """Return what Enter does."""
        same = len({place for place, _ in self.changes}) - plan.issues
        rest = f"; {same} say so already" if same else ""
        if not plan.edits:
            return f"Nothing to change{rest}"
        kept = self._kept(plan)
        files = len(kept.digests)
        words = f"Enter changes {sync.count_tickets(kept.issues)}"
        return f"{words} in {files} file{'s' * (files != 1)}; nothing goes to Jira{rest}"

    def sections(
        self, plan: sync.FileEditPlan, keymap: KeyMap, cells: int, theme: Theme
    ) -> Iterable[Section]:
        """Return the edits in one part."""

        def lines(edit: sync.FileEdit) -> list[Line]:
            before, after = clean(edit.before) or "none", clean(edit.after) or "none"
            words = f"{clean(edit.field)}: {before} → {after}"
            return item_lines(edit, "*", [words], keymap, cells, is_out=edit in self.without)

        return (Section(plan.edits, lines),)


@final
@dataclass(frozen=True, slots=True)
class BulkPlan(Review[tuple[sync.BulkIssue, ...]]):
    """The issues that are to be changed in Jira, as Jira has them, and what is done to them.

    Attributes:
        change: What is changed.
    """

    title: ClassVar[str] = "Change in Jira"

    change: sync.BulkChange

    def carry_out(self, state: AppState, plan: tuple[sync.BulkIssue, ...]) -> Step:
        """Start the job; ask for the number of issues first where it cannot be undone."""
        kept = self._kept(plan)
        if not kept:
            return state.noticed("Nothing to change; Esc goes back"), ()
        request = JobRequest(JobKind.BULK, options={"issues": kept, "change": self.change})
        start = call_in(self.workspace, jobs.start_job, request)
        if not self.change.delete:
            return state.closed(), (start,)
        return state.opened(_count_input(len(kept) + _subtasks(kept), start)), ()

    def _kept(self, plan: tuple[sync.BulkIssue, ...]) -> tuple[sync.BulkIssue, ...]:
        return tuple(issue for issue in plan if issue not in self.without)

    def sections(
        self, plan: tuple[sync.BulkIssue, ...], keymap: KeyMap, cells: int, theme: Theme
    ) -> Iterable[Section]:
        """Return the issues in one part."""
        keys = max(width(issue.key) for issue in plan)
        statuses = max(width(clean(issue.status)) for issue in plan)

        def lines(issue: sync.BulkIssue) -> list[Line]:
            sign = "-" if issue in self.without else "*"
            is_more = self.change.delete and issue.subtasks
            more = f"  with {_parts(len(issue.subtasks))}" if is_more else ""
            key, status = fit(issue.key, keys), fit(clean(issue.status), statuses)
            return [(Span(f"  {sign} {key}  {status}  {clean(issue.title)}{more}"),)]

        return (Section(plan, lines),)

    def summary(self, plan: tuple[sync.BulkIssue, ...]) -> str:
        """Return what Enter does."""
        kept = self._kept(plan)
        if not kept:
            return "Nothing to change: every ticket is left out"
        if self.change.delete:
            below = _subtasks(kept)
            more = f" and {_parts(below)} of theirs" if below else ""
            words = f"Enter deletes {sync.count_tickets(len(kept))} in Jira{more}"
            return f"{words}. This cannot be undone; the number is asked first"
        words = f"Enter: {clean(str(self.change))}, {sync.count_tickets(len(kept))} in Jira"
        return f"{words}. A pull of them follows"


def _count_input(count: int, start: Call) -> LineInput:
    """Return the line in which the number of issues is typed, for what cannot be undone."""

    def on_accept(state: AppState, text: str) -> Step:
        if text.strip() == str(count):
            return state.closed(), (start,)
        return state.noticed(f"Nothing was deleted: that is not {count}", is_bad=True), ()

    return LineInput(f"type {count} to delete {sync.count_tickets(count)} for ever:", on_accept)


def _subtasks(issues: tuple[sync.BulkIssue, ...]) -> int:
    """Return the number of sub-tasks that are deleted with issues, besides them."""
    ids = {issue.id for issue in issues}
    return len({subtask for issue in issues for subtask in issue.subtasks} - ids)


def _parts(count: int) -> str:
    return f"{count} sub-task{'s' * (count != 1)}"
