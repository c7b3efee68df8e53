"""Make states of the app, and the messages that lead to them."""

from __future__ import annotations

from ticketr import CancelCause, JobProgress, JobSnapshot, JobStatus
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.jobs_state import KIND_TAG, WORKSPACE_TAG
from ticketr.app.tui.row_blocks import Rows
from ticketr.app.tui.rows import ListRow, rows_of
from ticketr.app.tui.state import AppState
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import WorkspaceView


def snapshot(status: JobStatus = JobStatus.RUNNING, *, job: str = "1") -> JobSnapshot:
    return JobSnapshot(
        id=job,
        name="Pull DEMO",
        status=status,
        revision=1,
        key=None,
        tags=frozenset({f"{WORKSPACE_TAG}work", f"{KIND_TAG}pull"}),
        priority=0,
        attempt=1,
        progress=JobProgress(job_id=job, current=1, total=2, message="Pulling", revision=1),
        waiting_for=None,
        cancel_requested=False,
        cancel_cause=CancelCause.USER if status is JobStatus.CANCELLED else None,
        submitted_at=0.0,
        due_at=0.0,
        started_at=0.0,
        finished_at=1.0 if status.is_terminal else None,
        error=None,
        result=None,
    )


def tickets_of(*tickets: Ticket) -> tuple[tuple[ListRow, ...], ...]:
    """Return the rows of some tickets, each in its own file."""
    return tuple(rows_of(each, f"{each.key or 'draft'}.md") for each in tickets)


def after(state: AppState, *each: messages.Message) -> AppState:
    for message in each:
        state, _ = update(state, message, 1.0)
    return state


def app_state(*tickets: Ticket, width: int = 100, height: int = 30) -> AppState:
    """Return a state with one workspace, ``work``, that holds these tickets."""
    rows = Rows.of(row for rows in tickets_of(*tickets) for row in rows)
    workspace = WorkspaceView("work", "jira.example", "DEMO", rows=rows, is_read=True)
    return AppState(width, height, workspaces=(workspace,))


def pressed(state: AppState, *names: str, now: float = 1.0) -> AppState:
    """Return the state after some keys, each a second after the one before."""
    for at, name in enumerate(names):
        state, _ = update(state, messages.KeyPressed(name), now + at)
    return state
