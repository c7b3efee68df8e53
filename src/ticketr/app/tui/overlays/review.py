"""The plans of changes of many tickets, in Jira or in files, before any is made. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, final

from ticketr.app import sync
from ticketr.app.tui import messages
from ticketr.app.tui.effects import BulkRequest, Call, JobKind, JobRequest, call_in
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, is_too_soon, target
from ticketr.app.tui.overlays.plan import plan_lines
from ticketr.app.tui.overlays.questions import AskingOverlay, LineInput, asking_rows
from ticketr.app.tui.panels.frame import filled, scroll_top
from ticketr.app.tui.services import edits, jobs, outside
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, wrap_line
from ticketr.text import clean, fit, width


@final
@dataclass(frozen=True, slots=True)
class FileEdits(Overlay):
    """The plan of a change of fields in several files.

    Attributes:
        workspace: The name of the workspace.
        changes: What is to be changed where.
        plan: The plan; None until it has been made.
        shown_at: The time at which the plan came; infinity before.
        at: The index of the selected edit.
        without: The edits that were left out.
    """

    context: ClassVar[Context] = Context.PLAN

    workspace: str
    changes: tuple[tuple[sync.IssuePlace, sync.FieldChange], ...]
    plan: sync.FileEditPlan | None = None
    shown_at: float = float("inf")
    at: int = 0
    without: frozenset[sync.FileEdit] = frozenset()

    @property
    def edits(self) -> tuple[sync.FileEdit, ...]:
        """The edits of the plan; none until it has been made."""
        return self.plan.edits if self.plan is not None else ()

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, leave an edit out, edit its file, or carry the plan out."""
        if self.plan is None:
            return None
        match action:
            case KeyAction.ACCEPT:
                return self._accept(state, self.plan, now)
            case KeyAction.SELECT if self.edits:
                without = self.without ^ {self.edits[self.at]}
                return state.replaced(replace(self, without=without)), ()
            case KeyAction.EDIT if self.edits:
                edit = self.edits[self.at]
                return state, (call_in(self.workspace, outside.open_editor, edit.path, edit.line),)
            case _:
                last = max(0, len(self.edits) - 1)
                at = target(action, self.at, max(1, state.body - 2), last)
                return None if at is None else (state.replaced(replace(self, at=at)), ())

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the plan; make it again when the files were read again."""
        match message:
            case messages.EditsPlanned(self.workspace, self.changes, plan):
                at = min(self.at, max(0, len(plan.edits) - 1))
                shown_at = now if plan != self.plan else self.shown_at
                changed = replace(self, plan=plan, at=at, shown_at=shown_at)
                return state.exchanged(self, changed), ()
            case messages.EditsRefused(self.workspace, self.changes, words):
                return state.without(self).noticed(words, is_bad=True), ()
            case messages.FilesRead(self.workspace):
                return state, (call_in(self.workspace, edits.plan_edits, self.changes),)
            case _:
                return None

    def _accept(self, state: AppState, plan: sync.FileEditPlan, now: float) -> Step:
        if is_too_soon(state, self.shown_at, now):
            return state.noticed("Read the plan first; then Enter carries it out"), ()
        kept = plan.without(self.without)
        if not kept.edits:
            return state.noticed("Nothing to change; Esc goes back"), ()
        left = {(edit.path, edit.key or edit.line) for edit in kept.edits}
        changes = tuple(
            change
            for change in self.changes
            if (change[0].path, change[0].key or change[0].line) in left
        )
        return state.closed(), (call_in(self.workspace, edits.carry_out_edits, kept, changes),)

    def header(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        return f"Change tickets of {self.workspace}", "nothing is written until Enter"

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.body
        if self.plan is None:
            return filled([theme.fit(" Reading the files...", cells)], height, cells)
        summary = (Span(self._summary(self.plan), ("bold",)),)
        rows = [theme.row(line, cells) for line in wrap_line(summary, cells, first=" ", rest=" ")]
        selected = 0
        for at, edit in enumerate(self.edits):
            for number, line in enumerate(self._edit(edit, at, state.keymap, cells)):
                is_selected = at == self.at and not number
                rows.append(theme.row(line, cells, *(("reverse",) if is_selected else ())))
            selected = len(rows) - 1 if at == self.at else selected
        top = scroll_top(0, selected, height, len(rows))
        return filled(rows[top:], height, cells)

    def _summary(self, plan: sync.FileEditPlan) -> str:
        kept = plan.without(self.without)
        same = len({place for place, _ in self.changes}) - plan.issues
        rest = f"; {same} say so already" if same else ""
        if not plan.edits:
            return f"Nothing to change{rest}"
        issues, files = kept.issues, len(kept.digests)
        words = f"Enter changes {issues} ticket{'s' * (issues != 1)}"
        return f"{words} in {files} file{'s' * (files != 1)}; nothing goes to Jira{rest}"

    def _edit(self, edit: sync.FileEdit, at: int, keymap: KeyMap, cells: int) -> Iterator[Line]:
        before, after = clean(edit.before) or "none", clean(edit.after) or "none"
        return plan_lines(
            edit,
            "*",
            [f"{clean(edit.field)}: {before} → {after}"],
            keymap,
            cells,
            is_selected=at == self.at,
            is_out=edit in self.without,
        )


@final
@dataclass(frozen=True, slots=True)
class AskingIssues(AskingOverlay):
    """Jira is asked for the issues that are to be changed; Esc cancels the request.

    Attributes:
        workspace: The name of their workspace.
        keys: Their keys.
        change: What is to be changed.
    """

    workspace: str
    keys: tuple[str, ...]
    change: sync.BulkChange

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Show the plan; without an answer, say why."""
        match message:
            case messages.IssuesRead(self.workspace, self.keys, issues, problem):
                if problem or not issues:
                    words = f"Nothing was changed: {problem or 'Jira has none of them'}"
                    return state.without(self).noticed(words, is_bad=True), ()
                plan = BulkPlan(self.workspace, self.change, issues, now)
                return state.exchanged(self, plan), ()
            case _:
                return None

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        words = f"Asking Jira for {_tickets(len(self.keys))}..."
        return asking_rows(below, "Change in Jira", words, state, theme)


@final
@dataclass(frozen=True, slots=True)
class BulkPlan(Overlay):
    """The issues that are to be changed in Jira, and what is done to them.

    Attributes:
        workspace: The name of their workspace.
        change: What is changed.
        issues: The issues, as Jira has them.
        shown_at: The time at which the plan came.
        at: The index of the selected issue.
        without: The IDs of the issues that were left out.
    """

    context: ClassVar[Context] = Context.PLAN

    workspace: str
    change: sync.BulkChange
    issues: tuple[sync.BulkIssue, ...]
    shown_at: float
    at: int = 0
    without: frozenset[str] = frozenset()

    @property
    def kept(self) -> tuple[sync.BulkIssue, ...]:
        """The issues that are not left out."""
        return tuple(issue for issue in self.issues if issue.id not in self.without)

    @property
    def subtasks(self) -> int:
        """The number of sub-tasks that are deleted with the issues, besides them."""
        if not self.change.delete:
            return 0
        return len({subtask for issue in self.kept for subtask in issue.subtasks} - self._ids)

    @property
    def _ids(self) -> frozenset[str]:
        return frozenset(issue.id for issue in self.kept)

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, leave an issue out, or carry the plan out."""
        match action:
            case KeyAction.ACCEPT:
                return self._accept(state, now)
            case KeyAction.SELECT:
                without = self.without ^ {self.issues[self.at].id}
                return state.replaced(replace(self, without=without)), ()
            case _:
                at = target(action, self.at, max(1, state.body - 2), len(self.issues) - 1)
                return None if at is None else (state.replaced(replace(self, at=at)), ())

    def has_effect(self, state: AppState, action: KeyAction) -> bool:
        """Return whether the hints are to name an action; no file is edited here."""
        return action is not KeyAction.EDIT

    def _accept(self, state: AppState, now: float) -> Step:
        if is_too_soon(state, self.shown_at, now):
            return state.noticed("Read the plan first; then Enter carries it out"), ()
        if not self.kept:
            return state.noticed("Nothing to change; Esc goes back"), ()
        if not self.change.delete:
            return state.closed(), (self._job(),)
        return state.opened(self._count_input()), ()

    def _count_input(self) -> LineInput:
        """Return the line in which the number of issues is typed, for what cannot be undone."""
        count = len(self.kept) + self.subtasks

        def taken(state: AppState, text: str) -> Step:
            if text.strip() == str(count):
                return state.closed(), (self._job(),)
            return state.noticed(f"Nothing was deleted: that is not {count}", is_bad=True), ()

        return LineInput(f"type {count} to delete {_tickets(count)} for ever:", taken)

    def _job(self) -> Call:
        request = JobRequest(JobKind.BULK, bulk=BulkRequest(self.kept, self.change))
        return call_in(self.workspace, jobs.start_job, request)

    def header(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        return f"Change in Jira {self.workspace}", "nothing is written until Enter"

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.body
        summary = (Span(self._summary(), ("bold",)),)
        head = [theme.row(line, cells) for line in wrap_line(summary, cells, first=" ", rest=" ")]
        sizes = (
            max(width(issue.key) for issue in self.issues),
            max(width(clean(issue.status)) for issue in self.issues),
        )
        rows = [
            theme.row((Span(self._row(at, sizes)),), cells, *self._style(at))
            for at in self._indexes
        ]
        room = max(1, height - len(head))
        top = scroll_top(0, self.at, room, len(rows))
        return filled([*head, *rows[top : top + room]], height, cells)

    @property
    def _indexes(self) -> range:
        return range(len(self.issues))

    def _style(self, at: int) -> tuple[str, ...]:
        return ("reverse",) if at == self.at else ()

    def _row(self, at: int, sizes: tuple[int, int]) -> str:
        issue = self.issues[at]
        bar = "▌" if at == self.at else " "
        sign = "-" if issue.id in self.without else "*"
        below = len(issue.subtasks)
        more = (
            f"  with {below} sub-task{'s' * (below != 1)}" if self.change.delete and below else ""
        )
        key, status = fit(issue.key, sizes[0]), fit(clean(issue.status), sizes[1])
        return f"{bar} {sign} {key}  {status}  {clean(issue.title)}{more}"

    def _summary(self) -> str:
        if not self.kept:
            return "Nothing to change: every ticket is left out"
        words = f"Enter: {clean(str(self.change))}, {_tickets(len(self.kept))} in Jira"
        if self.change.delete:
            words = f"Enter deletes {_tickets(len(self.kept))} in Jira"
            below = self.subtasks
            more = f" and {below} sub-task{'s' * (below != 1)} of theirs" if below else ""
            return f"{words}{more}. This cannot be undone; the number is asked first"
        return f"{words}. The files stay as they are; the next pull brings the changes"


def _tickets(count: int) -> str:
    return f"{count} ticket{'s' * (count != 1)}"
