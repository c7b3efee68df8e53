"""The rows of the jobs: running, waiting and ended ones. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from ticketr import JobStatus
from ticketr.app.sync import is_partial
from ticketr.app.tui.ends import end_now, seconds_of
from ticketr.app.tui.jobs_state import day_words, ended_at, id_of_earlier
from ticketr.app.tui.panels.frame import Row, title_rule
from ticketr.app.tui.status_row import without_places
from ticketr.app.tui.styled import Line, Span
from ticketr.app.tui.theme import Theme, mark
from ticketr.statusline.render import duration, spinner
from ticketr.text import clean, clip, fit, width

if TYPE_CHECKING:
    from ticketr import FinishedJob, JobSnapshot
    from ticketr.app.tui.state import AppState

    #: The ID of a job, and what makes its line.
    Entry: TypeAlias = tuple[str, Callable[[], Line]]

#: From this width on, the bar of a running job is long.
WIDE = 80
NAME_CELLS = 16
_WAIT_REASONS = {
    "paused": "the queue is paused",
    "after": "for another job",
    "time": "for its time",
    "key": "for the job before it, in the same workspace",
    "rate": "for the rate limit",
    "worker": "for a free worker",
}
_END_MARKS = {JobStatus.COMPLETED: "✓", JobStatus.FAILED: "✗", JobStatus.CANCELLED: "⊘"}


def job_rows(
    state: AppState, chosen: str, now: float, theme: Theme
) -> tuple[list[Row], list[int], int]:
    """Return the rows of all jobs, the indices of headings, and that of the selected job.

    There may be hundreds of jobs, so their rows are not drawn yet.
    """
    jobs, cells = state.jobs, state.width
    rows: list[Row] = []
    headings: list[int] = []
    selected = 0

    def row(line: Callable[[], Line], *, is_chosen: bool) -> str:
        bar = Span("▌" if is_chosen else " ")
        return theme.row((bar, *line()), cells, *(("reverse",) if is_chosen else ()))

    def section(title: str, entries: Sequence[Entry], facts: str = "") -> None:
        nonlocal selected
        if entries:
            headings.append(len(rows))
            rows.append(title_rule(title, facts, cells, theme, is_focused=True))
        for job, line in entries:
            is_chosen = job == chosen
            selected = len(rows) if is_chosen else selected
            rows.append(partial(row, line, is_chosen=is_chosen))

    running = [
        (snapshot.id, partial(_running, state, snapshot, now, theme)) for snapshot in jobs.running
    ]
    section("Running", running)
    section(
        "Waiting",
        [(snapshot.id, partial(_waiting, snapshot, cells, now)) for snapshot in jobs.waiting],
    )
    section(
        "Ended",
        [(snapshot.id, partial(_ended_row, state, snapshot, theme)) for snapshot in jobs.ended],
        "this run",
    )
    days: dict[str, list[Entry]] = {}
    for job in jobs.of_earlier_runs:
        day = day_words(job.finished_at.astimezone().date(), jobs.today)
        entry = (id_of_earlier(job), partial(_earlier_row, job, cells, theme))
        days.setdefault(day, []).append(entry)
    for day, entries in days.items():
        section(day, entries)
    return rows, headings, selected


def _running(state: AppState, snapshot: JobSnapshot, now: float, theme: Theme) -> Line:
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
    seconds = None
    if progress is not None and known is not None and not snapshot.cancel_requested:
        seconds = known.estimate.eta(progress.current, now)
    eta = f"   ETA {duration(max(round(seconds), 1))}" if seconds else ""
    left = f" {spinner(theme.line_style, now)} {fit(clean(snapshot.name), NAME_CELLS)}"
    return (Span(f"{left} {counts}{words}  {took}{eta}"),)


def _waiting(snapshot: JobSnapshot, cells: int, now: float) -> Line:
    reason = _WAIT_REASONS.get(snapshot.waiting_for or "", "")
    waited = duration(now - snapshot.submitted_at)
    right = f"priority {snapshot.priority}   queued {waited}"
    room = cells - NAME_CELLS - width(right) - 8
    left = f" · {fit(clean(snapshot.name), NAME_CELLS)} {clip(reason, room)}"
    gap = " " * max(2, cells - width(left) - width(right) - 2)
    return (Span(f"{left}{gap}{right}"),)


def _ended_row(state: AppState, snapshot: JobSnapshot, theme: Theme) -> Line:
    end, cells = end_now(state, snapshot), state.width
    when = datetime.fromtimestamp(ended_at(snapshot), UTC).astimezone()
    took = seconds_of(snapshot)
    return _row(end.mark, f"{when:%H:%M:%S}", snapshot.name, end.words, took, cells, theme)


def earlier_words(job: FinishedJob) -> str:
    """Return how a job of an earlier run ended, cleaned."""
    return clean(job.error_message or job.message or job.status.value)


def _earlier_row(job: FinishedJob, cells: int, theme: Theme) -> Line:
    message = earlier_words(job)
    begin = job.started_at or job.finished_at
    took = (job.finished_at - begin).total_seconds()
    when = f"{job.finished_at.astimezone():%H:%M:%S}"
    is_whole = job.status is not JobStatus.COMPLETED or not is_partial(message)
    sign = _END_MARKS[job.status] if is_whole else "!"
    return _row(sign, when, job.name, message, took, cells, theme)


def _row(
    sign: str, when: str, name: str, words: str, took: float, cells: int, theme: Theme
) -> Line:
    left = f" {when}  {fit(clean(name), NAME_CELLS)} "
    right = f" {duration(took)} "
    room = max(4, cells - width(left) - width(right) - 3)
    words = without_places(words, room, theme)
    return (Span(" "), mark(sign), Span(f"{left}{fit(clip(words, room), room)}{right}"))
