"""The jobs: running, waiting and ended ones, and what was done to each ticket. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeAlias, final

from ticketr import FinishedJob, JobSnapshot, JobStatus
from ticketr.app.sync import says_all_failed, says_not_all_done, tagged_keys_and_files
from ticketr.app.tui import jobs_state, messages
from ticketr.app.tui.effects import SYNC_KINDS, JobKind, JobRequest, call, call_in
from ticketr.app.tui.keymap import DEFAULT_BINDINGS, Context, KeyAction, KeyMap
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, moved_index
from ticketr.app.tui.overlays.plan import Plan
from ticketr.app.tui.panels.frame import (
    RowOrDrawer,
    cut_or_pad_rows,
    draw_rows,
    scroll_top,
    space_headings,
    title_rule,
)
from ticketr.app.tui.services.jobs import cancel_job, run_before_others, set_priority, start_job
from ticketr.app.tui.services.outside import copy_text
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import (
    Line,
    Span,
    Theme,
    shorten_paths_if_too_wide,
    tint_mark,
    wrap_line,
)
from ticketr.statusline.render import duration, running_line, spinner
from ticketr.text import clean, clip, fit, width

if TYPE_CHECKING:
    from ticketr import JobSnapshot

    #: The ID of a job, and what makes its line.
    Entry: TypeAlias = tuple[str, Callable[[], Line]]

NAME_CELLS = 16
_WAIT_TEXT_BY_REASON = {
    "paused": "the queue is paused",
    "after": "for another job",
    "time": "for its time",
    "key": "for the job before it, in the same workspace",
    "rate": "for the rate limit",
    "worker": "for a free worker",
}
_MARK_BY_STATUS = {JobStatus.COMPLETED: "✓", JobStatus.FAILED: "✗", JobStatus.CANCELLED: "⊘"}


def job_rows_headings_and_selected(
    state: AppState, job_id: str, now: float, theme: Theme
) -> tuple[list[RowOrDrawer], list[int], int]:
    """Return the rows of all jobs, the indices of headings, and that of the selected job.

    There may be hundreds of jobs, so their rows are not drawn yet.
    """
    jobs, cells = state.jobs, state.width
    rows: list[RowOrDrawer] = []
    headings: list[int] = []
    selected = 0

    def row(line: Callable[[], Line], *, is_chosen: bool) -> str:
        bar = Span("▌" if is_chosen else " ")
        return theme.row((bar, *line()), cells, *(("reverse",) if is_chosen else ()))

    sections: dict[str, list[Entry]] = {
        "Running": [
            (job.id, partial(_running_line, state, job, now, theme)) for job in jobs.running
        ],
        "Waiting": [(job.id, partial(_waiting_line, job, cells, now)) for job in jobs.waiting],
        "Ended": [(job.id, partial(_ended_line, state, job, theme)) for job in jobs.ended],
    }
    for job in jobs.jobs_of_earlier_runs:
        day = jobs_state.day_text(job.finished_at.astimezone().date(), jobs.history.read_on)
        entry = (jobs_state.id_across_runs(job), partial(_earlier_run_line, job, cells, theme))
        sections.setdefault(day, []).append(entry)
    for title, entries in sections.items():
        if entries:
            headings.append(len(rows))
            facts = "this run" if title == "Ended" else ""
            rows.append(title_rule(title, facts, cells, theme, is_focused=True))
        for entry_id, line in entries:
            is_chosen = entry_id == job_id
            selected = len(rows) if is_chosen else selected
            rows.append(partial(row, line, is_chosen=is_chosen))
    return rows, headings, selected


def _running_line(state: AppState, snapshot: JobSnapshot, now: float, theme: Theme) -> Line:
    spin = spinner(theme.status_line_style, now)
    name = f" {spin} {fit(clean(snapshot.name), NAME_CELLS)} "
    job = state.status.running[snapshot.id]
    line = running_line(job, state.width - width(name) - 1, now, theme.status_line_style)
    return (Span(name + line.removeprefix(f"{spin} ")),)


def _waiting_line(snapshot: JobSnapshot, cells: int, now: float) -> Line:
    reason = _WAIT_TEXT_BY_REASON.get(snapshot.waiting_for or "", "")
    waited = duration(now - snapshot.submitted_at)
    right = f"priority {snapshot.priority}   queued {waited}"
    room = cells - NAME_CELLS - width(right) - 8
    left = f" · {fit(clean(snapshot.name), NAME_CELLS)} {clip(reason, room)}"
    gap = " " * max(2, cells - width(left) - width(right) - 2)
    return (Span(f"{left}{gap}{right}"),)


def _ended_line(state: AppState, snapshot: JobSnapshot, theme: Theme) -> Line:
    end, cells = state.job_end(snapshot), state.width
    when = datetime.fromtimestamp(jobs_state.ended_at_wall_time(snapshot), UTC).astimezone()
    took = jobs_state.ended_job_seconds(snapshot)
    return _end_line(end.mark, f"{when:%H:%M:%S}", snapshot.name, end.text, took, cells, theme)


def how_earlier_job_ended(job: FinishedJob) -> str:
    """Return how a job of an earlier run ended, cleaned."""
    if (job.error_type or "").endswith("AuthenticationFailed"):
        return jobs_state.LOGIN_REFUSED_MESSAGE  # its message names a command of the shell
    return clean(job.error_message or job.message or job.status.value)


def _earlier_run_line(job: FinishedJob, cells: int, theme: Theme) -> Line:
    message = how_earlier_job_ended(job)
    begin = job.started_at or job.finished_at
    took = (job.finished_at - begin).total_seconds()
    when = f"{job.finished_at.astimezone():%H:%M:%S}"
    is_whole = job.status is not JobStatus.COMPLETED or not says_not_all_done(message)
    sign = _MARK_BY_STATUS[job.status] if is_whole else "✗" if says_all_failed(message) else "!"
    return _end_line(sign, when, job.name, message, took, cells, theme)


def _end_line(
    sign: str, when: str, name: str, words: str, took: float, cells: int, theme: Theme
) -> Line:
    left = f" {when}  {fit(clean(name), NAME_CELLS)} "
    right = f" {duration(took)} "
    room = max(4, cells - width(left) - width(right) - 3)
    words = shorten_paths_if_too_wide(words, room, theme)
    return (Span(" "), tint_mark(sign), Span(f"{left}{fit(clip(words, room), room)}{right}"))


#: The end of the name of a job of many tickets, which names only the first ones.
_AND_MORE_PATTERN = re.compile(r" and (\d+) more$")
#: What the name of a job of the command line says of a query, in place of a project.
_QUERY_PULL_SUBJECT = "by query"


@dataclass(frozen=True, slots=True)
class EndedJobFacts:
    """What is known of an ended job.

    Attributes:
        subject: What it was about: a workspace, a project, a query, or the first of its tickets.
        workspace: The name of its workspace; empty if the app does not have that.
        kind: Its kind; None for one that no key starts.
        error: The message of its error, not cleaned; empty unless it failed.
        limited_to: The tickets to which it was limited; empty for all.
    """

    subject: str
    workspace: str
    kind: JobKind | None
    error: str
    limited_to: tuple[str, ...]

    @classmethod
    def of(cls, state: AppState, job: JobSnapshot | FinishedJob) -> EndedJobFacts:
        """Return what is known of a job that has ended."""
        kind, _, subject = job.name.partition(" ")
        if isinstance(job, FinishedJob):
            workspace = state.jobs.history.workspace_by_job_key.get(job.key or "", "")
            kind, error = kind.lower(), job.error_message
        else:
            workspace, kind = jobs_state.workspace_of(job), jobs_state.kind_of(job)
            error = job.error.message if job.error is not None else None
        workspace = workspace if state.has_workspace(workspace) else ""
        known_kind = next((job_kind for job_kind in JobKind if job_kind.value == kind), None)
        return cls(subject, workspace, known_kind, error or "", tagged_keys_and_files(job.tags))


def why_not_run_again(job: EndedJobFacts, keymap: KeyMap) -> str:
    """Return why a job is not run again; empty if it can be."""
    if not job.workspace:
        return "The workspace of this job is not among those of the app"
    if job.kind is None or job.kind not in SYNC_KINDS:
        choose = keymap.hint(KeyAction.CHANGE, Context.MAIN, "asks again", before="; ")
        return f"A change in Jira is not run again unseen{choose}"
    more = _AND_MORE_PATTERN.search(job.subject)
    count = job.subject.count(", ") + 1 + int(more[1]) if more is not None else 0
    if 0 < len(job.limited_to) < count:  # a history does not keep all tags of very many tickets
        return f"Only {len(job.limited_to)} of the {count} tickets of this job are known"
    if job.kind is JobKind.PULL and job.subject == _QUERY_PULL_SUBJECT != job.workspace:
        pull = keymap.hint(KeyAction.PULL, Context.MAIN, "pulls the workspace", before="; ")
        return f"The query that this job pulled by is not known any more{pull}"
    return ""


def pull_or_plan_again(state: AppState, job: EndedJobFacts) -> Step:
    """Pull again, or open a new plan of what was pushed or synced; or say why not."""
    words = why_not_run_again(job, state.keymap)
    if words or job.kind is None:
        return state.with_notice(words), ()
    if job.kind is JobKind.PULL:
        return state, (call_in(job.workspace, start_job, JobRequest(JobKind.PULL, job.limited_to)),)
    plan = Plan(job.workspace, job.kind, job.limited_to)
    return state.opened(plan), (plan.plan_request,)


#: The most rows for what was done to single tickets, unless half of the height is more, and the
#: least height that has room for them.
DETAIL, WITH_DETAIL = 9, 16
#: The actions that concern the selected job.
_SELECTED_JOB_ACTIONS = {row.action for row in DEFAULT_BINDINGS if row.contexts == (Context.JOBS,)}


@final
@dataclass(frozen=True, slots=True)
class Jobs(Overlay):
    """The jobs.

    Attributes:
        selected_id: The ID of the selected job, or the run and number of an earlier one; empty for the
            first.
    """

    context: ClassVar[Context] = Context.JOBS
    has_spinners: ClassVar[bool] = True

    selected_id: str = ""

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, or act on the selected job."""
        if action is KeyAction.JOBS:
            return state.top_closed(), ()
        ids = state.jobs.ids_in_list_order
        if not ids:
            return None
        at = ids.index(self.selected_id) if self.selected_id in ids else 0
        to = moved_index(action, at, max(1, state.layout.body_rows // 2), len(ids) - 1)
        if to is not None:
            return state.top_replaced(replace(self, selected_id=ids[to])), ()
        job = _job_of_id(state, ids[at])
        return None if job is None else _step_on_job(state, job, action)

    def unavailable_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions without an effect on the selected job."""
        ids = state.jobs.ids_in_list_order
        job = _job_of_id(
            state, self.selected_id if self.selected_id in ids else next(iter(ids), "")
        )
        if job is None:
            return _SELECTED_JOB_ACTIONS
        idle = {
            action for action in _SELECTED_JOB_ACTIONS if _step_on_job(state, job, action) is None
        }
        if why_not_run_again(EndedJobFacts.of(state, job), state.keymap):
            idle.add(KeyAction.RUN_AGAIN)
        return idle

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the jobs of earlier runs."""
        match message:
            case messages.CallEnded(value_or_typed=jobs_state.EndedJobsOfAllRuns() as history):
                return replace(state, jobs=replace(state.jobs, history=history)), ()
            case _:
                return None

    def header_left_and_right(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        jobs = state.jobs
        ended = len(jobs.ended) + len(jobs.jobs_of_earlier_runs)
        counts = f"{len(jobs.running)} running · {len(jobs.waiting)} waiting · {ended} ended"
        return "Jobs", counts

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.layout.body_rows
        ids = state.jobs.ids_in_list_order
        job_id = self.selected_id if self.selected_id in ids else (ids[0] if ids else "")
        detail = self._job_end_rows(state, job_id, theme) if height >= WITH_DETAIL else []
        page = height - len(detail)
        rows, headings, at = job_rows_headings_and_selected(state, job_id, now, theme)
        rows, at = space_headings(rows, headings, at, page, " " * cells)
        if not ids:
            rows = [theme.fit(" No job has run here yet", cells)]
        top = scroll_top(0, at, page, len(rows))
        return [*cut_or_pad_rows(draw_rows(rows[top : top + page]), page, cells), *detail]

    def _job_end_rows(self, state: AppState, job_id: str, theme: Theme) -> list[str]:
        job, cells = _job_of_id(state, job_id), state.width
        if job is None or not job.status.is_terminal:
            return []
        if isinstance(job, FinishedJob):
            end, attempts = jobs_state.JobEnd("", how_earlier_job_ended(job)), job.attempts
        else:
            end, attempts = state.job_end(job), job.attempt
        lines: list[Line] = wrap_line((Span(f" {end.text}"),), cells, rest=" ")
        for ticket in end.tickets:
            line = (tint_mark(ticket.mark), Span(f" {fit(ticket.ticket_name, 10)} {ticket.text}"))
            lines += wrap_line(line, cells, first=" ", rest=" " * 14)
        most = max(DETAIL, state.layout.body_rows // 2)
        if len(lines) > most:
            more = len(lines) - most + 1
            lines = [*lines[: most - 1], (Span(f" ... and {more} more lines"),)]
        facts = f"attempt {attempts}" if attempts > 1 else ""
        title = title_rule(clean(job.name), facts, cells, theme, is_focused=False)
        return [title, *(theme.row(line, cells) for line in lines)]


def _step_on_job(state: AppState, job: JobSnapshot | FinishedJob, action: KeyAction) -> Step | None:
    """Return the step of a key on a job; None if it does nothing."""
    if not isinstance(job, FinishedJob):
        if action is KeyAction.CANCEL_JOB and not job.status.is_terminal:
            return state, (call(cancel_job, job.id),)
        if action is KeyAction.RUN_NOW and job.status is JobStatus.PENDING:
            return state, (call(run_before_others, job.id),)
        by = {KeyAction.RAISE: 1, KeyAction.LOWER: -1}.get(action)
        if by is not None and job.status is JobStatus.PENDING:
            return state, (call(set_priority, job.id, job.priority + by),)
    ended = EndedJobFacts.of(state, job)
    match action:
        case KeyAction.RUN_AGAIN if job.status.is_terminal:
            return pull_or_plan_again(state, ended)
        case KeyAction.COPY_KEY if ended.error:
            return state, (call(copy_text, ended.error, "the error"),)
        case KeyAction.OPEN if ended.workspace:
            names = [workspace.name for workspace in state.workspaces]
            return replace(state.top_closed(), workspace_index=names.index(ended.workspace)), ()
        case _:
            return None


def _job_of_id(state: AppState, job_id: str) -> JobSnapshot | FinishedJob | None:
    """Return a job by what tells it from the others."""
    jobs = state.jobs
    here = (snapshot for snapshot in (*jobs.unfinished, *jobs.ended) if snapshot.id == job_id)
    earlier = (job for job in jobs.history.jobs if jobs_state.id_across_runs(job) == job_id)
    return next(here, None) or next(earlier, None)
