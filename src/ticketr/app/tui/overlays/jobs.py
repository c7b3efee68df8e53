"""The jobs: running, waiting and ended ones, and what was done to each ticket. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from ticketr import FinishedJob, JobSnapshot, JobStatus
from ticketr.app.tui import effects, messages
from ticketr.app.tui.ends import JobEnd, end_now
from ticketr.app.tui.jobs_state import id_of_earlier
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, target
from ticketr.app.tui.overlays.job_rows import earlier_words, job_rows
from ticketr.app.tui.overlays.log import Log
from ticketr.app.tui.overlays.run_again import EndedJob, refusal, run_again
from ticketr.app.tui.panels.frame import drawn, filled, scroll_top, spaced, title_rule
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Line, Span, wrap_line
from ticketr.app.tui.theme import Theme, mark
from ticketr.statusline import LineStyle
from ticketr.statusline.render import next_spin
from ticketr.text import clean, fit

if TYPE_CHECKING:
    from ticketr.app.tui.step import Step

#: The most rows for what was done to single tickets, and the least height that has room for them.
DETAIL, WITH_DETAIL = 9, 16
#: The actions that concern the selected job.
_ON_ONE_JOB = frozenset(
    (
        KeyAction.CANCEL_JOB,
        KeyAction.RAISE,
        KeyAction.LOWER,
        KeyAction.RUN_NOW,
        KeyAction.RUN_AGAIN,
        KeyAction.COPY_KEY,
        KeyAction.OPEN,
    )
)


@final
@dataclass(frozen=True, slots=True)
class Jobs(Overlay):
    """The jobs.

    Attributes:
        job: The ID of the selected job, or the run and number of an earlier one; empty for the
            first.
    """

    context: ClassVar[Context] = Context.JOBS

    job: str = ""

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, or act on the selected job."""
        if action is KeyAction.JOBS:
            return state.closed(), ()
        if action is KeyAction.LOG:
            return state.opened(Log()), ()
        ids = state.jobs.ids
        if not ids:
            return None
        at = ids.index(self.job) if self.job in ids else 0
        to = target(action, at, max(1, state.body // 2), len(ids) - 1)
        if to is not None:
            return state.replaced(replace(self, job=ids[to])), ()
        if action not in _ON_ONE_JOB:
            return None
        job = _job(state, ids[at])
        return None if job is None else _step_on_job(state, job, action)

    def has_effect(self, state: AppState, action: KeyAction) -> bool:
        """Return whether an action has an effect on the selected job."""
        if action not in _ON_ONE_JOB:
            return True
        ids = state.jobs.ids
        chosen = self.job if self.job in ids else next(iter(ids), "")
        job = _job(state, chosen)
        if job is None or _step_on_job(state, job, action) is None:
            return False
        is_again = action is KeyAction.RUN_AGAIN
        return not (is_again and refusal(EndedJob.of(state, job), state.keymap))

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the jobs of earlier runs."""
        if isinstance(message, messages.HistoryRead):
            jobs_state = replace(
                state.jobs,
                earlier=message.jobs,
                today=message.today,
                workspaces=message.workspaces,
            )
            return replace(state, jobs=jobs_state), ()
        return None

    def header(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        jobs = state.jobs
        ended = len(jobs.ended) + len(jobs.of_earlier_runs)
        counts = f"{len(jobs.running)} running · {len(jobs.waiting)} waiting · {ended} ended"
        return "Jobs", counts

    def next_change(self, state: AppState, now: float, style: LineStyle) -> float:
        """Return when the spinners of the running jobs turn."""
        return next_spin(now) if state.jobs.running and style.motion else math.inf

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.body
        ids = state.jobs.ids
        chosen = self.job if self.job in ids else (ids[0] if ids else "")
        detail = self._detail(state, chosen, theme) if height >= WITH_DETAIL else []
        page = height - len(detail)
        rows, headings, at = job_rows(state, chosen, now, theme)
        rows, at = spaced(rows, headings, at, page, " " * cells)
        if not ids:
            rows = [theme.fit(" No job has run here yet", cells)]
        top = scroll_top(0, at, page, len(rows))
        return [*filled(drawn(rows[top : top + page]), page, cells), *detail]

    def _detail(self, state: AppState, chosen: str, theme: Theme) -> list[str]:
        job, cells = _job(state, chosen), state.width
        if job is None or not job.status.is_terminal:
            return []
        if isinstance(job, FinishedJob):
            end, attempts = JobEnd("", earlier_words(job)), job.attempts
        else:
            end, attempts = end_now(state, job), job.attempt
        lines: list[Line] = wrap_line((Span(f" {end.words}"),), cells, rest=" ")
        for ticket in end.tickets:
            line = (mark(ticket.mark), Span(f" {fit(ticket.name, 10)} {ticket.words}"))
            lines += wrap_line(line, cells, first=" ", rest=" " * 14)
        if len(lines) > DETAIL:
            more = len(lines) - DETAIL + 1
            log = state.keymap.hint(KeyAction.LOG, Context.JOBS, "shows the log", before="; ")
            lines = [*lines[: DETAIL - 1], (Span(f" ... and {more} more lines{log}"),)]
        facts = f"attempt {attempts}" if attempts > 1 else ""
        title = title_rule(clean(job.name), facts, cells, theme, is_focused=False)
        return [title, *(theme.row(line, cells) for line in lines)]


def _step_on_job(state: AppState, job: JobSnapshot | FinishedJob, action: KeyAction) -> Step | None:
    """Return the step of a key on a job; None if it does nothing."""
    if not isinstance(job, FinishedJob):
        if action is KeyAction.CANCEL_JOB and not job.status.is_terminal:
            return state, (effects.CancelJob(job.id),)
        if job.status is JobStatus.PENDING and (step := _step_on_waiting(state, job, action)):
            return step
    ended = EndedJob.of(state, job)
    match action:
        case KeyAction.RUN_AGAIN if job.status.is_terminal:
            return run_again(state, ended)
        case KeyAction.COPY_KEY if ended.error:
            return state, (effects.Copy(ended.error, "the error"),)
        case KeyAction.OPEN if ended.workspace:
            names = [workspace.name for workspace in state.workspaces]
            return replace(state.closed(), current=names.index(ended.workspace)), ()
        case _:
            return None


def _step_on_waiting(state: AppState, job: JobSnapshot, action: KeyAction) -> Step | None:
    match action:
        case KeyAction.RAISE | KeyAction.LOWER:
            by = 1 if action is KeyAction.RAISE else -1
            return state, (effects.SetPriority(job.id, job.priority + by),)
        case KeyAction.RUN_NOW:
            return state, (effects.RunNow(job.id),)
        case _:
            return None


def _job(state: AppState, chosen: str) -> JobSnapshot | FinishedJob | None:
    """Return a job by what tells it from the others."""
    jobs = state.jobs
    here = (snapshot for snapshot in (*jobs.live, *jobs.ended) if snapshot.id == chosen)
    earlier = (job for job in jobs.earlier if id_of_earlier(job) == chosen)
    return next(here, None) or next(earlier, None)
