"""The screens that the documentation shows: one workspace of made-up tickets, at fixed times."""

from __future__ import annotations

from dataclasses import replace

from fakes.states import after, app_state, detail_read, pressed, snapshot

from ticketr import JobSnapshot, JobStatus
from ticketr.app.sync import (
    Code,
    ConflictView,
    Note,
    PlanEntry,
    PullResult,
    PushPlan,
    PushResult,
)
from ticketr.app.sync.compare.conflict_parts import find_parts
from ticketr.app.sync.compare.diff import Change, Versions
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, call, call_in
from ticketr.app.tui.jobs_state import KIND_TAG_PREFIX, WORKSPACE_TAG_PREFIX
from ticketr.app.tui.overlays.first_run import FirstRun
from ticketr.app.tui.overlays.plan import Plan
from ticketr.app.tui.services.edits import read_conflict
from ticketr.app.tui.services.jobs import read_plan
from ticketr.app.tui.services.setting_up import suggest_folder
from ticketr.app.tui.setup import (
    AcceptedLogin,
    CloudSite,
    FolderAnswer,
    FolderKind,
    ProjectChoice,
    SetupField,
)
from ticketr.app.tui.sheet import EditedPart, sheet_of
from ticketr.app.tui.state import AppState
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import WorkspaceView

WIDTH, HEIGHT = 100, 26
#: The wall clock at the app's second 0: 2026-11-26 12:00 UTC.
NOON = 1_795_694_400.0
SYNCED = "Sync complete: 126 unchanged, 1 conflict"
#: The time of every picture, by the app's clock.
NOW = 2.0
SITE = "harbour.atlassian.net"
PEOPLE = ("Amara Okafor", "Priya Raman", "Mats Carlsen", "Tomás O'Brien", "Jonas Weiss")
TEXT = """\
Most people look at the first five results and **no further**. Please keep the old way for orders
that are already paid; see [the notes](https://harbour.example/notes).

## Steps

1. Open the shop in a private window
2. Put two different books into the basket

```sql
SELECT shop, hits FROM search;
```
"""


def _ticket(
    number: int, title: str, status: str, person: int | None, *tasks: Ticket, **fields: str
) -> Ticket:
    assignee = {} if person is None else {"Assignee": PEOPLE[person]}
    fields = {"Status": status, **assignee, **fields}
    return Ticket(title, f"DEMO-{number}", "", fields, (), tasks)


REBUILD = Ticket(
    "Rebuild the index without downtime",
    "DEMO-9",
    TEXT,
    {
        "Status": "In Progress",
        "Priority": "High",
        "Type": "Task",
        "Points": "3",
        "Assignee": "Amara Okafor",
        "Sprint": "Harbour 7",
        "Labels": "customer-request, index",
    },
    ("The index answers while it is rebuilt", "No query takes more than 300 ms"),
    (
        _ticket(10, "Ask two customers to try it", "To Do", None),
        _ticket(12, "Update the API documentation", "Done", 4),
    ),
)
TICKETS = (
    _ticket(1, "Search that forgives typing errors", "To Do", 2),
    _ticket(2, "Delete search logs after 90 days", "Done", 1),
    _ticket(
        3,
        "Results jump while the covers load",
        "To Do",
        3,
        _ticket(4, "Translate the new texts (de, fr, pt-BR)", "In Progress", 4),
        _ticket(5, "Agree on the wording", "In Progress", 2),
    ),
    _ticket(6, "Suggest titles while typing", "To Do", None),
    REBUILD,
    _ticket(11, "Measure how often a search finds nothing", "Done", 1),
    _ticket(13, "ISBN with hyphens finds nothing", "To Do", 4),
    _ticket(18, "Follow an author", "In Progress", 3),
    _ticket(19, "Listen without a connection for short trips", "To Do", 4),
)
DRAFT = Ticket("Pay in instalments", tasks=(Ticket("Write the API"),))
EDITS = (
    EditedPart("Priority", "High", "Low"),
    EditedPart("Description", "The simplest version is good enough.", "The second version is."),
)
PLAN = PushPlan(
    (
        PlanEntry("", DRAFT.title, "pay-in-instalments.md", 1, (Change("Type", "", "Story"),)),
        PlanEntry(
            "", "Write the API", "pay-in-instalments.md", 7, (), parent_key_or_title=DRAFT.title
        ),
        PlanEntry(
            "DEMO-2",
            "Delete search logs after 90 days",
            "DEMO-2.md",
            1,
            (Change("Status", "In Review", "Done"),),
        ),
        PlanEntry(
            "DEMO-13",
            "ISBN with hyphens finds nothing",
            "DEMO-13.md",
            1,
            (
                Change("Priority", "High", "Highest"),
                Change("Description", "one\n", "one\ntwo\nthree\n"),
            ),
        ),
    ),
    (Note("DEMO-9", "DEMO-9.md", "both sides changed Priority", Code.CONFLICT, REBUILD.title, 1),),
)


def conflict() -> ConflictView:
    """Return a conflict with two parts to choose, and one that was merged."""
    words = "The simplest version is good enough for a first release."
    base = replace(REBUILD, description=words, tasks=())
    mine = replace(
        base,
        title="Rebuild the index faster",
        description=words.replace("a first", "the second"),
        fields={**base.fields, "Priority": "Low"},
    )
    jiras = replace(
        base,
        description=words.replace("is good", "is not good"),
        fields={**base.fields, "Priority": "Highest", "Labels": "customer-request, remote"},
    )
    versions = Versions(base, mine, jiras)
    parts, merged = find_parts(versions)
    return ConflictView(
        "DEMO-9",
        REBUILD.title,
        "DEMO-9.md",
        1,
        NOON - 250.0,
        "2026-11-26T10:41:00.000+0000",
        None,
        parts,
        merged,
        ".ticketr/trash/DEMO-9.md",
        "",
        versions,
    )


def job(
    kind: str, status: JobStatus = JobStatus.RUNNING, workspace: str = "harbour"
) -> JobSnapshot:
    """Return a job on a workspace, which has begun two seconds ago."""
    tags = frozenset({f"{WORKSPACE_TAG_PREFIX}{workspace}", f"{KIND_TAG_PREFIX}{kind}"})
    name = f"{kind.capitalize()} {workspace}"
    return replace(snapshot(status, job=f"{kind}-{workspace}"), name=name, tags=tags)


def at_work(
    running: JobSnapshot, current: int, total: int, message: str, **changes: object
) -> JobSnapshot:
    """Return a job with its progress."""
    assert running.progress is not None
    progress = replace(running.progress, current=current, total=total, message=message)
    return replace(running, progress=progress, **changes)  # type: ignore[arg-type]


def main_state() -> AppState:
    """Return the main screen: edits, a conflict, a draft, and the ticket in conflict open."""
    state = app_state(*TICKETS, DRAFT, width=WIDTH, height=HEIGHT)
    rows = state.workspace.rows
    view = WorkspaceView("harbour", SITE, "DEMO")
    shop = WorkspaceView("shop", "shop.example", "SHOP", complete_pull_trio_time=NOW - 7_300)
    state = replace(state, workspaces=(view, shop))
    read = messages.FilesRead(
        "harbour",
        rows,
        frozenset({"DEMO-2", "DEMO-9", "DEMO-13"}),
        {"DEMO-9": ("DEMO-9: Priority",)},
        complete_pull_age_seconds=250.0,
    )
    pull = replace(job("pull", JobStatus.COMPLETED), wall_offset=NOON)
    done = at_work(pull, 127, 127, "Pull complete: 3 updated")
    state = after(state, read, messages.JobChanged(done))
    return opened(state, "DEMO-9", REBUILD, EDITS[:1])


def opened(
    state: AppState, key: str, ticket: Ticket, edits: tuple[EditedPart, ...] = ()
) -> AppState:
    """Select a ticket, and open it beside the list."""
    at = next(at for at, each in enumerate(state.workspace.visible.rows) if each.row.key == key)
    state = state.with_workspace(state.workspace.select(at))
    state, _ = update(replace(state, follow_selection_at=0.0), messages.FollowSelectionDue(), NOW)
    return after(state, detail_read(state, sheet_of(ticket, f"{key}.md", edits)))


def pulling(state: AppState) -> AppState:
    """Return it during a pull of one workspace, with another job that waits."""
    running = at_work(job("pull"), 45, 120, "Pulling tickets")
    waits = replace(
        job("sync", JobStatus.PENDING), waiting_for="key", started_at=None, progress=None
    )
    return after(state, messages.JobChanged(running), messages.JobChanged(waits))


def jobs_state(state: AppState) -> AppState:
    """Return the jobs: one runs, one waits, others have ended."""
    partly = PullResult(
        unchanged=126,
        conflicts=(Note("DEMO-9", "DEMO-9.md", "both sides changed Priority", Code.CONFLICT),),
    )
    ended = (
        at_work(job("pull", JobStatus.CANCELLED, "shop"), 479, 2310, "Cancelled: 479/2310 pulled"),
        at_work(job("sync", JobStatus.COMPLETED), 127, 127, SYNCED, result=partly),
    )
    for at, each in enumerate(ended):
        done = replace(
            each, id=f"ended-{at}", finished_at=1.0 + at, wall_offset=NOON + 60.0 * (at + 1)
        )
        state = after(state, messages.JobChanged(done))
    return pressed(pulling(state), "J", "j", "j")


def first_run() -> AppState:
    """Return the form that connects to Jira, filled in as far as the project."""
    state = AppState(WIDTH, HEIGHT, overlays=(FirstRun(),))
    state = pressed(state, "c", *SITE)
    state = _answered(pressed(state, "KEY_TAB"), SetupField.SITE, CLOUD)
    state = pressed(state, *"priya@harbour.example", "KEY_TAB", *"0123456789abcdefghijklmn")
    state = pressed(state, "KEY_TAB")
    state = _answered(state, SetupField.TOKEN, LOGIN)
    suggests = call(suggest_folder, CLOUD.site, "")
    state = after(state, messages.CallEnded(suggests, "~/Jira/harbour"))
    return _answered(state, SetupField.FOLDER, FolderAnswer(FolderKind.MISSING))


CLOUD = CloudSite(f"https://{SITE}", 120)
LOGIN = AcceptedLogin(
    "Priya Raman",
    (
        ProjectChoice("DEMO", "Harbour search"),
        ProjectChoice("OPS", "Operations"),
        ProjectChoice("SHOP", "The shop"),
    ),
    3,
)


def _answered(state: AppState, check: SetupField, answer: object) -> AppState:
    """Return the state after the answer to the newest check of the site, the login or the folder."""
    first_run = state.overlays[-1]
    assert isinstance(first_run, FirstRun)
    assert first_run.form is not None
    asked = first_run.form.check_request_if_possible(check)
    assert asked is not None
    return after(state, messages.CallEnded(asked, answer))


def check_answer(state: AppState) -> messages.CallEnded:
    """Return the answer to the check of the plan on the screen: nothing would be refused."""
    plan = state.overlays[-1]
    assert isinstance(plan, Plan)
    assert plan.awaited_check is not None
    return messages.CallEnded(plan.awaited_check, PushResult())


def states() -> dict[str, AppState]:
    """Return the screens to draw, by the names of their files."""
    main = main_state()
    push = call_in("harbour", read_plan, JobKind.PUSH, ())
    plan = after(pressed(main, "p"), messages.CallEnded(push, PLAN))
    plan = after(plan, check_answer(plan))
    read = call_in("harbour", read_conflict, "DEMO-9")
    settle = after(pressed(main, "c"), messages.CallEnded(read, conflict()))
    zoomed = pressed(main, "KEY_ENTER", "KEY_ENTER")
    return {
        "main": main,
        "detail": after(zoomed, detail_read(zoomed, sheet_of(REBUILD, "DEMO-9.md", EDITS[:1]))),
        "pull": pulling(main),
        "jobs": jobs_state(main),
        "plan": plan,
        "conflict": pressed(settle, "KEY_RIGHT"),
        "diff": pressed(opened(main, "DEMO-9", REBUILD, EDITS), "d"),
        "palette": pressed(main, ":", *"pus"),
        "first-run": first_run(),
    }
