"""Every screen of the app, as a state of made-up tickets and jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fakes.states import after, app_state, conflict_view, detail_read, pressed, snapshot

from ticketr import JobErrorInfo, JobProgress, JobSnapshot, JobStatus
from ticketr.app.sync import Code, Loss, Note, PlanEntry, PushPlan, PushResult
from ticketr.app.sync.compare.diff import Change
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, call_in
from ticketr.app.tui.rows import Rows, row_of_broken
from ticketr.app.tui.services.edits import read_conflict
from ticketr.app.tui.services.jobs import read_plan
from ticketr.app.tui.sheet import EditedPart, sheet_of
from ticketr.app.tui.state import AppState
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.text import clean

HOSTILE = "\x1b[31mred\x07 \u202egnp.exe \x9b31m 工单 👩‍👩‍👧 " * 4
TEXT = """\
Most people look at the first five results and **no further**. Please keep the old way for orders
that are *already paid*; see [the notes](https://example.com/notes).

1. Open the shop in a private window
2. Put two different books into the basket

| shop | count |
|------|-------|
| Oslo | 12    |

```sql
SELECT shop, count(*) FROM search GROUP BY shop;
```
"""
REBUILD = Ticket(
    "Rebuild the index without downtime",
    "DEMO-9",
    TEXT,
    {
        "Type": "Task",
        "Status": "In Progress",
        "Priority": "Low",
        "Assignee": "Amara Okafor",
        "Reporter": "陈美玲",
        "Labels": "customer-request, q1-2026, search",
    },
    ("The index answers while it is rebuilt", "No query takes more than 300 ms"),
    (Ticket("Translate the new texts (de, fr, pt-BR)", "DEMO-10", fields={"Status": "Done"}),),
)
TICKETS = (
    REBUILD,
    Ticket("Search that forgives typing errors", "DEMO-1", fields={"Status": "To Do"}),
    Ticket("Delete search logs after 90 days", "DEMO-2", fields={"Assignee": "Priya Raman"}),
    Ticket("Results jump while the covers load", "DEMO-3", fields={"Status": "Done"}),
    Ticket(HOSTILE, "DEMO-7", HOSTILE, {"Assignee": "陈美玲", "Status": HOSTILE}),
    Ticket("Pay in instalments"),
    *(Ticket(f"Story number {number}", f"DEMO-{number}") for number in range(20, 60)),
)
EDITS = (
    EditedPart("Priority", "High", "Low"),
    EditedPart("Title", "Rebuild it", "Rebuild the index"),
)
PLAN = PushPlan(
    (
        PlanEntry("", "Pay in instalments", "draft.md", 3, (Change("Description", "", TEXT),)),
        PlanEntry("", "Write the API", "draft.md", 9, (), parent_key_or_title="Pay in instalments"),
        PlanEntry("DEMO-7", HOSTILE, "DEMO-7.md", 3, (Change("Title", "x", HOSTILE),)),
        PlanEntry(
            "DEMO-9", "Rebuild the index", "DEMO-9.md", 1, (Change("Priority", "High", "Low"),)
        ),
    ),
    (Note("DEMO-2", "DEMO-2.md", "both sides changed Title", Code.CONFLICT, "Delete", 1),),
    (Loss("DEMO-9", "DEMO-9.md", "a table with merged cells"),),
)


def job(number: int, status: JobStatus = JobStatus.RUNNING, message: str = "") -> JobSnapshot:
    """Return a job; the first ones run, the others wait."""
    progress = JobProgress(
        job_id=str(number), current=54, total=120, message=message or "Pulling tickets", revision=1
    )
    return replace(snapshot(status, job=str(number)), progress=progress)


def jobs(count: int) -> list[JobSnapshot]:
    """Return so many jobs; two run, and the rest wait."""
    waiting = replace(job(0, JobStatus.PENDING), waiting_for="key", started_at=None, progress=None)
    return [
        job(number) if number < 2 else replace(waiting, id=str(number)) for number in range(count)
    ]


FAILED = replace(
    job(90, JobStatus.FAILED),
    error=JobErrorInfo("Unreachable", f"cannot reach harbour.example: {HOSTILE}", ""),
)
ENDED = (
    FAILED,
    job(91, JobStatus.CANCELLED, "Cancelled: 54/120 tickets pulled"),
    job(92, JobStatus.COMPLETED, "Pull complete: 3 new"),
)


def main_state(width: int, height: int, count: int = 0) -> AppState:
    """Return the main screen with two workspaces, a broken file, and so many jobs."""
    state = app_state(*TICKETS, width=width, height=height)
    broken = row_of_broken(
        "notes.md", "notes.md:5:1: this file holds a conflict of git", has_ticket_rows=False
    )
    rows = Rows.from_unsorted((*state.workspace.rows, broken))
    read = messages.FilesRead(
        "work",
        rows,
        frozenset(("DEMO-9",)),
        {"DEMO-2": ("DEMO-2: Title",), "DEMO-9": ("DEMO-9: Title", "DEMO-9: Priority")},
        ("notes.md:5:1: conflict",),
    )
    other = WorkspaceView(clean("shop " + HOSTILE), "shop.example", "SHOP", are_files_read=True)
    state = replace(state, workspaces=(*state.workspaces, other))
    state = after(state, read, *map(messages.JobChanged, jobs(count)))
    return replace(state, notice="", is_notice_bad=False)


def _read(state: AppState, ticket: Ticket = REBUILD) -> AppState:
    """Select a ticket and open its sheet."""
    at = next(
        at for at, each in enumerate(state.workspace.visible.rows) if each.row.key == ticket.key
    )
    state = state.with_workspace(state.workspace.select(at))
    state, _ = update(replace(state, follow_selection_at=0.0), messages.FollowSelectionDue(), 2.0)
    assert state.ticket is not None
    is_rebuild = ticket is REBUILD
    clashes = ("Title", "Priority") if is_rebuild else ()
    sheet = sheet_of(ticket, "DEMO-9.md", EDITS if is_rebuild else (), clashes)
    return after(state, detail_read(state, sheet))


def _zoomed(state: AppState) -> AppState:
    """Give the open ticket the whole width, and its lines for that."""
    assert state.ticket is not None
    sheet = state.ticket.sheet
    assert sheet is not None
    state = replace(pressed(state, "3"), is_detail_wide=True)
    return after(state, detail_read(state, sheet))


def _plan(state: AppState) -> AppState:
    """Open a plan that Jira has checked."""
    read = messages.CallEnded(call_in("work", read_plan, JobKind.PUSH, ()), PLAN)
    state, (check,) = update(pressed(state, "p"), read, 1.0)
    return after(state, messages.CallEnded(check, PushResult()))


def _conflict(state: AppState) -> AppState:
    return after(
        pressed(_read(state), "c"),
        messages.CallEnded(call_in("work", read_conflict, "DEMO-9"), conflict_view()),
    )


def _jobs(state: AppState) -> AppState:
    return pressed(after(state, *map(messages.JobChanged, (*jobs(3), *ENDED))), "J", "G")


def _question(state: AppState) -> AppState:
    return after(
        state,
        messages.YesNoAsked("Take back", f"Take back what was settled of {TEXT[:60]}?", ()),
    )


SCREENS: dict[str, Callable[[AppState], AppState]] = {
    "detail": lambda state: pressed(_read(state), "3"),
    "zoom": lambda state: _zoomed(_read(state)),
    "hostile": lambda state: pressed(_read(state, TICKETS[4]), "3"),
    "plan": _plan,
    "plan-end": lambda state: pressed(_plan(state), "G"),
    "conflict": _conflict,
    "jobs": _jobs,
    "palette": lambda state: pressed(_read(state), ":", *"pu"),
    "help": lambda state: pressed(state, "?"),
    "diff": lambda state: pressed(_read(state), "d"),
    "question": _question,
    "filter": lambda state: pressed(_read(state), "f", *"status=done"),
    "sort": lambda state: pressed(_read(state), "S"),
    "search": lambda state: pressed(_read(state), "/", *"search"),
    "notice": lambda state: state.with_notice(f"cannot open {HOSTILE}", is_bad=True),
    "ended": lambda state: after(state, messages.JobChanged(FAILED)),
}
