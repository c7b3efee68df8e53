"""The jobs: running, waiting and ended ones, and what was done to each ticket. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, final

from ticketr import JobStatus
from ticketr.statusline.words import duration
from ticketr.text import clean, clip, fit, width
from ticketr.tui import effects, messages
from ticketr.tui.ends import JobEnd, end_of, seconds_of
from ticketr.tui.job_request import JobKind, JobRequest
from ticketr.tui.jobs_state import day_words, kind_of, workspace_of
from ticketr.tui.keymap import Context, KeyAction
from ticketr.tui.overlays.base import Overlay
from ticketr.tui.overlays.log import Log
from ticketr.tui.overlays.plan import Plan
from ticketr.tui.overlays.scrolling import target
from ticketr.tui.panels.frame import filled, scroll_top, spaced, title_rule
from ticketr.tui.styled import Span, wrap_line
from ticketr.tui.theme import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketr import FinishedJob, JobSnapshot
    from ticketr.tui.keymap import KeyMap
    from ticketr.tui.messages import Message
    from ticketr.tui.state import AppState
    from ticketr.tui.step import Step
    from ticketr.tui.styled import Line
    from ticketr.tui.theme import Theme

#: From this width on, the bar of a running job is long.
WIDE = 80
NAME_CELLS = 16
#: The most rows for what was done to single tickets, and the least height that has room for them.
DETAIL, WITH_DETAIL = 9, 16
_WAITS = {
    "paused": "the queue is paused",
    "after": "for another job",
    "time": "for its time",
    "key": "for the job before it, in the same workspace",
    "rate": "for the rate limit",
    "worker": "for a free worker",
}
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
_MARKS = {JobStatus.COMPLETED: "✓", JobStatus.FAILED: "✗", JobStatus.CANCELLED: "⊘"}


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
        ids = _ids(state)
        if not ids:
            return None
        at = ids.index(self.job) if self.job in ids else 0
        to = target(action, at, max(1, state.body // 2), len(ids) - 1)
        if to is not None:
            return state.replaced(replace(self, job=ids[to])), ()
        if action not in _ON_ONE_JOB:
            return None
        snapshot = _snapshot(state, ids[at])
        if snapshot is None:
            return state.noticed("That job ended before the app began"), ()
        return _act(state, snapshot, action)

    def has_effect(self, state: AppState, action: KeyAction) -> bool:
        """Return whether an action has an effect on the selected job."""
        if action not in _ON_ONE_JOB:
            return True
        ids = _ids(state)
        chosen = self.job if self.job in ids else next(iter(ids), "")
        snapshot = _snapshot(state, chosen)
        return snapshot is not None and _act(state, snapshot, action) is not None

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the jobs of earlier runs."""
        if isinstance(message, messages.HistoryRead):
            found = replace(state.jobs, earlier=message.jobs, today=message.today)
            return replace(state, jobs=found), ()
        return None

    def header(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        jobs = state.jobs
        ended = len(jobs.ended) + len(_earlier(state))
        counts = f"{len(jobs.running)} running · {len(jobs.waiting)} waiting · {ended} ended"
        return "Jobs", counts

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.body
        ids = _ids(state)
        chosen = self.job if self.job in ids else (ids[0] if ids else "")
        detail = self._detail(state, chosen, theme) if height >= WITH_DETAIL else []
        page = height - len(detail)
        rows, headings, at = _rows(state, chosen, now, theme)
        rows, at = spaced(rows, headings, at, page, cells)
        if not ids:
            rows = [theme.fit(" No job has run here yet", cells)]
        shown = rows[scroll_top(0, at, page, len(rows)) :]
        return [*filled(shown, page, cells), *detail]

    def _detail(self, state: AppState, chosen: str, theme: Theme) -> list[str]:
        snapshot = _snapshot(state, chosen)
        if snapshot is None or not snapshot.status.is_terminal:
            return []
        end, cells = end_of(snapshot, state.keymap), state.width
        lines: list[Line] = wrap_line((Span(f" {end.words}"),), cells, rest=" ")
        for each in end.tickets:
            line = (mark(each.mark), Span(f" {fit(each.name, 10)} {each.words}"))
            lines += wrap_line(line, cells, first=" ", rest=" " * 14)
        if len(lines) > DETAIL:
            more = len(lines) - DETAIL + 1
            log = state.keymap.hint(KeyAction.LOG, Context.JOBS, "shows the log", before="; ")
            lines = [*lines[: DETAIL - 1], (Span(f" ... and {more} more lines{log}"),)]
        facts = f"attempt {snapshot.attempt}" if snapshot.attempt > 1 else ""
        title = title_rule(clean(snapshot.name), facts, cells, theme, is_focused=False)
        return [title, *(theme.row(line, cells) for line in lines)]


def _act(state: AppState, snapshot: JobSnapshot, action: KeyAction) -> Step | None:
    is_live = not snapshot.status.is_terminal
    is_pending = snapshot.status is JobStatus.PENDING
    match action:
        case KeyAction.CANCEL_JOB if is_live:
            return state, (effects.CancelJob(snapshot.id),)
        case KeyAction.RAISE | KeyAction.LOWER if is_pending:
            by = 1 if action is KeyAction.RAISE else -1
            return state, (effects.SetPriority(snapshot.id, snapshot.priority + by),)
        case KeyAction.RUN_NOW if is_pending:
            return state, (effects.RunNow(snapshot.id),)
        case KeyAction.RUN_AGAIN if not is_live:
            return _again(state, snapshot)
        case KeyAction.COPY_KEY if snapshot.error is not None:
            return state, (effects.Copy(snapshot.error.message, "the error"),)
        case KeyAction.OPEN:
            name = workspace_of(snapshot)
            at = next((i for i, each in enumerate(state.workspaces) if each.name == name), None)
            return None if at is None else (replace(state.closed(), current=at), ())
        case _:
            return None


def _again(state: AppState, snapshot: JobSnapshot) -> Step | None:
    name, kind = workspace_of(snapshot), kind_of(snapshot)
    if state.named(name) is None or not kind:
        return None
    if kind == JobKind.BULK.value:
        choose = state.keymap.hint(KeyAction.CHANGE, Context.MAIN, "asks again", before="; ")
        return state.noticed(f"A change in Jira is not run again unseen{choose}"), ()
    if kind == JobKind.PULL.value:
        return state, (effects.StartJob(name, JobRequest(JobKind.PULL)),)
    plan = Plan(JobKind(kind), name)
    return state.opened(plan), (effects.ReadPlan(name, plan.kind),)


def _ids(state: AppState) -> list[str]:
    jobs = state.jobs
    now = [each.id for each in (*jobs.running, *jobs.waiting, *jobs.ended)]
    return [*now, *map(_id_of, _earlier(state))]


def _id_of(job: FinishedJob) -> str:
    return f"{job.run}/{job.number}"


def _earlier(state: AppState) -> list[FinishedJob]:
    """Return the jobs of the history that did not end in this run."""
    seen = {(each.id, round(_ended(each))) for each in state.jobs.ended}
    return [
        each
        for each in state.jobs.earlier
        if not {(each.id, round(each.finished_at.timestamp()) + by) for by in (-1, 0, 1)} & seen
    ]


def _snapshot(state: AppState, job: str) -> JobSnapshot | None:
    jobs = state.jobs
    return next((each for each in (*jobs.live, *jobs.ended) if each.id == job), None)


def _ended(snapshot: JobSnapshot) -> float:
    return (snapshot.finished_at or 0.0) + (snapshot.wall_offset or 0.0)


def _rows(
    state: AppState, chosen: str, now: float, theme: Theme
) -> tuple[list[str], list[int], int]:
    """Return the rows of all jobs, the indices of headings, and that of the selected job."""
    jobs, cells = state.jobs, state.width
    rows: list[str] = []
    headings: list[int] = []
    selected = 0

    def section(title: str, entries: Sequence[tuple[str, Line]], facts: str = "") -> None:
        nonlocal selected
        if entries:
            headings.append(len(rows))
            rows.append(title_rule(title, facts, cells, theme, is_focused=True))
        for job, line in entries:
            is_chosen = job == chosen
            selected = len(rows) if is_chosen else selected
            bar = Span("▌" if is_chosen else " ")
            rows.append(theme.row((bar, *line), cells, *(("reverse",) if is_chosen else ())))

    section("Running", [(each.id, _running(state, each, now)) for each in jobs.running])
    section("Waiting", [(each.id, _waiting(each, cells, now)) for each in jobs.waiting])
    section(
        "Ended",
        [(each.id, _ended_row(each, cells, state.keymap)) for each in jobs.ended],
        "this run",
    )
    days: dict[str, list[tuple[str, Line]]] = {}
    for job in _earlier(state):
        day = day_words(job.finished_at.astimezone().date(), jobs.today)
        days.setdefault(day, []).append((_id_of(job), _earlier_row(job, cells)))
    for day, entries in days.items():
        section(day, entries)
    return rows, headings, selected


def _running(state: AppState, snapshot: JobSnapshot, now: float) -> Line:
    progress = snapshot.progress
    began = now if snapshot.started_at is None else snapshot.started_at
    took = duration(now - began)
    counts = ""
    if progress is not None and progress.total > 0:
        share = progress.current / progress.total
        size = 20 if state.width >= WIDE else 8
        full = round(size * share)
        bar = "█" * full + "░" * (size - full)
        counts = f"[{bar}] {share:.0%} ({progress.current:g}/{progress.total:g})  "
    words = clean(progress.message) if progress is not None else ""
    words = "cancelling" if snapshot.cancel_requested else words
    known = state.status.running.get(snapshot.id)
    left = None
    if progress is not None and known is not None and not snapshot.cancel_requested:
        left = known.estimate.eta(progress.current, now)
    eta = f"   ETA {duration(max(round(left), 1))}" if left else ""
    return (Span(f" {fit(clean(snapshot.name), NAME_CELLS)} {counts}{words}  {took}{eta}"),)


def _waiting(snapshot: JobSnapshot, cells: int, now: float) -> Line:
    reason = _WAITS.get(snapshot.waiting_for or "", "")
    waited = duration(now - snapshot.submitted_at)
    right = f"priority {snapshot.priority}   queued {waited}"
    room = cells - NAME_CELLS - width(right) - 8
    left = f" · {fit(clean(snapshot.name), NAME_CELLS)} {clip(reason, room)}"
    gap = " " * max(2, cells - width(left) - width(right) - 2)
    return (Span(f"{left}{gap}{right}"),)


def _ended_row(snapshot: JobSnapshot, cells: int, keymap: KeyMap) -> Line:
    end: JobEnd = end_of(snapshot, keymap)
    when = datetime.fromtimestamp(_ended(snapshot), UTC).astimezone()
    return _row(end.mark, f"{when:%H:%M:%S}", snapshot.name, end.words, seconds_of(snapshot), cells)


def _earlier_row(job: FinishedJob, cells: int) -> Line:
    message = clean(job.error_message or job.message or job.status.value)
    begin = job.started_at or job.finished_at
    took = (job.finished_at - begin).total_seconds()
    when = f"{job.finished_at.astimezone():%H:%M:%S}"
    return _row(_MARKS[job.status], when, job.name, message, took, cells)


def _row(sign: str, when: str, name: str, words: str, took: float, cells: int) -> Line:
    left = f" {when}  {fit(clean(name), NAME_CELLS)} "
    right = f" {duration(took)} "
    room = max(4, cells - width(left) - width(right) - 3)
    return (Span(" "), mark(sign), Span(f"{left}{fit(clip(words, room), room)}{right}"))
