"""The services that ask Jira, make plans and jobs of a workspace, and read the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import trio
import trio.testing
from fakes.apps import running_app, services, workspace
from fakes.pulls import Bench, inline
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobContext, SqliteHistory, open_job_queue
from ticketr.app.jira import Credentials, LastChange
from ticketr.app.sync import (
    Code,
    PullJob,
    PushJob,
    PushPlan,
    SessionOptions,
    Side,
    Store,
    SyncJob,
    UnknownTicket,
    read_last_change,
)
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, call_in
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services import asking
from ticketr.app.tui.services.asking import (
    ask_allowed_values_and_if_all,
    ask_conflict_author,
    ask_match_count_and_local_keys,
    ask_statuses,
)
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.jobs import read_history, read_plan
from ticketr.app.tui.services.workspaces import (
    ClosedWorkspace,
    OpenWorkspace,
    WorkspaceRegistry,
    open_workspace,
)


def bench_in(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=12, seed=1), tmp_path / "work")


def asking_with(options: Any) -> Callable[..., Any]:
    """Return what calls a function that asks Jira with these options."""
    return lambda question, *args: question(options, *args)


async def test_the_statuses_are_those_that_jira_answers(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    told: list[Message] = []
    ask = asking_with(bench.settings())
    asked = call_in("work", ask_statuses, ("DEMO-9",))

    await services(tmp_path, told, ask_jira=ask).carry_out(asked)

    assert bench.asked == ["issue/DEMO-9/transitions"]
    assert told == [messages.CallEnded(asked, {"DEMO-9": ("In Review", "To Do")})]


@pytest.mark.parametrize(
    ("field", "first", "is_whole"),
    [
        ("Priority", "Highest", True),
        ("Assignee", "Demo User", True),
        ("Labels", None, True),
        ("Story of nobody", None, False),
    ],
)
async def test_the_values_of_a_field_are_those_that_jira_lists(
    tmp_path: Path, autojump_clock: MockClock, field: str, first: str | None, is_whole: bool
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    told: list[Message] = []
    ask = open_workspace("work", bench.options()).ask_jira
    asking_for = ("DEMO-9", field)

    await services(bench.root, told, ask_jira=ask).carry_out(
        call_in("work", ask_allowed_values_and_if_all, asking_for)
    )

    (answer,) = told
    assert isinstance(answer, messages.CallEnded)
    assert (answer.request.args[1:], answer.problem) == ((asking_for,), "")
    values, whole = answer.value_or_typed
    assert (values[0] if values else None, whole) == (first, is_whole)


async def test_a_jira_that_does_not_answer_is_given_up(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    told: list[Message] = []
    slow = Bench(make_site(tickets=12, seed=1), tmp_path / "work", latency=60.0)
    asked = call_in("work", ask_statuses, ("DEMO-9",))
    begin = trio.current_time()

    await services(tmp_path, told, ask_jira=asking_with(slow.settings())).carry_out(asked)

    assert trio.current_time() - begin == asking.STATUS_WAIT
    problem = "it has not answered for 5 s"
    assert told == [messages.CallEnded(asked, problem=problem)]


async def test_esc_cancels_the_request_and_nothing_is_told(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    told: list[Message] = []

    async def ask(*_: object) -> tuple[str, ...]:
        await trio.sleep_forever()

    used = services(tmp_path, told, ask_jira=ask)
    begin = trio.current_time()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(used.carry_out, call_in("work", ask_statuses, ("DEMO-9",)))
        await trio.testing.wait_all_tasks_blocked()
        asking.stop_asking(used, "work")
        asking.stop_asking(used, "work")

    assert (told, used.replaceable_scope_by_place, trio.current_time()) == ([], {}, begin)


async def test_only_the_last_request_answers(tmp_path: Path, autojump_clock: MockClock) -> None:
    told: list[Message] = []

    async def ask(_: object, key: str) -> tuple[str, ...]:
        await trio.sleep(2 if key == "DEMO-1" else 1)
        return (key,)

    used = services(tmp_path, told, ask_jira=ask)
    async with trio.open_nursery() as nursery:
        for key in ("DEMO-1", "DEMO-2"):
            nursery.start_soon(used.carry_out, call_in("work", ask_statuses, (key,)))
            await trio.testing.wait_all_tasks_blocked()

    assert told == [
        messages.CallEnded(call_in("work", ask_statuses, ("DEMO-2",)), {"DEMO-2": ("DEMO-2",)})
    ]


async def test_the_keys_are_those_that_jira_finds_and_the_last_sync_knows(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    bench.site.edit("DEMO-9", labels=("late",))
    issue = bench.finds("DEMO-9")
    bench.site.create(
        project=issue.project, type=issue.type, summary="Not pulled", labels=("late",)
    )
    told: list[Message] = []
    used = services(bench.root, told, ask_jira=asking_with(bench.options()))

    await used.carry_out(call_in("work", ask_match_count_and_local_keys, "labels = late"))

    assert told == [
        messages.CallEnded(
            call_in("work", ask_match_count_and_local_keys, "labels = late"),
            (2, frozenset({"DEMO-9"})),
        )
    ]


async def test_a_query_that_jira_does_not_understand_is_told(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    told: list[Message] = []
    used = services(bench.root, told, ask_jira=asking_with(bench.options()))

    await used.carry_out(call_in("work", ask_match_count_and_local_keys, "labels ="))

    (answer,) = told
    assert isinstance(answer, messages.CallEnded)
    assert answer.value_or_typed is None
    assert answer.problem.startswith("Jira does not understand the query: Error in the JQL")


async def test_a_refused_login_names_the_way_to_another_one_in_the_app(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    options = bench_in(tmp_path).options()
    options["credentials"] = replace(options["credentials"], token="no")
    told: list[Message] = []
    used = services(tmp_path, told, ask_jira=asking_with(options))

    await used.carry_out(call_in("work", ask_match_count_and_local_keys, "labels = late"))

    (answer,) = told
    assert isinstance(answer, messages.CallEnded)
    words = "Login refused: wrong or expired token; log in again by the palette"
    assert answer.problem == words


async def test_the_app_shows_only_what_a_query_finds_until_another_filter_comes(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    bench.site.edit("DEMO-9", labels=("late",))
    used = replace(workspace(bench.root), ask_jira=asking_with(bench.options()))

    async with running_app((used,)) as run:
        await run.press("f")
        await run.type("jql: labels = late")
        await run.settle()
        assert "Enter asks Jira" in run.screen.text
        assert "DEMO-1 " in run.screen.text
        await run.press("KEY_ENTER")
        await trio.sleep(1)
        assert "Jira has found 1" in run.screen.text
        assert "1/1 · only jql: labels = late" in run.screen.text
        assert [each.row.key for each in run.app.state.workspace.visible.rows] == ["DEMO-9"]

        await run.press("f", "KEY_CTRL_U", "KEY_ENTER")
        assert len(run.app.state.workspace.visible) == 12


@pytest.mark.parametrize("kind", ["told", "nobody", "nothing", "error", "late"])
async def test_who_changed_an_issue_is_sent_only_if_jira_tells(
    tmp_path: Path, autojump_clock: MockClock, kind: str
) -> None:
    told: list[Message] = []
    asked: list[tuple[str, str]] = []

    async def ask(_: object, key: str, until: str) -> LastChange | None:
        asked.append((key, until))
        await trio.sleep(60 if kind == "late" else 1)
        if kind == "error":
            raise UnknownTicket(key, ())
        author = "Priya" if kind == "told" else ""
        return None if kind == "nothing" else LastChange(author, "then")

    request = call_in("work", ask_conflict_author, "DEMO-2", "now")

    await services(tmp_path, told, ask_jira=ask).carry_out(request)

    assert asked == [("DEMO-2", "now")]
    sent = [messages.CallEnded(request, ("Priya", "then"))]
    assert told == (sent if kind == "told" else [])
    assert trio.current_time() == (asking.STATUS_WAIT if kind == "late" else 1)


PLAN = PushPlan()


def options(root: Path) -> SessionOptions:
    login = Credentials("https://gateway.example", "p@h.example", "token")
    return {"root": root, "credentials": login, "project": "DEMO", "prefer": Side.LOCAL}


@pytest.mark.parametrize(
    ("kind", "job"), [(JobKind.PULL, PullJob), (JobKind.PUSH, PushJob), (JobKind.SYNC, SyncJob)]
)
def test_a_request_becomes_the_job_of_its_kind(
    kind: JobKind, job: type[PullJob | PushJob | SyncJob], tmp_path: Path
) -> None:
    written: list[object] = []
    request = JobRequest(kind, options={} if kind is JobKind.PULL else {"confirmed": PLAN})

    made = open_workspace("work", options(tmp_path)).make_job(request, written.append)

    assert type(made) is job
    assert getattr(made, "confirmed", None) is request.options.get("confirmed")
    assert isinstance(made, PullJob | PushJob | SyncJob)
    assert (made.root, made.on_written) == (tmp_path, written.append)


def test_a_pull_of_some_tickets_names_them(tmp_path: Path) -> None:
    request = JobRequest(JobKind.PULL, ("DEMO-1",))

    made = open_workspace("work", options(tmp_path)).make_job(request, lambda _: None)

    assert isinstance(made, PullJob)
    assert made.keys == ("DEMO-1",)


def test_the_site_is_shown_without_its_scheme_and_cleaned(tmp_path: Path) -> None:
    behind: SessionOptions = {**options(tmp_path), "browser_site": "https://h.example\x1b[2J"}

    plain = open_workspace("w\x07ork", options(tmp_path))
    other = open_workspace("work", behind)

    assert (plain.name, plain.site, plain.project) == ("w\ufffdork", "gateway.example", "DEMO")
    assert (other.site, other.preferred_side) == ("h.example", Side.LOCAL)


@pytest.mark.parametrize("prefer", [None, Side.LOCAL])
async def test_a_conflict_is_left_alone_unless_a_sync_settles_it(
    tmp_path: Path, autojump_clock: MockClock, prefer: Side | None
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.site.edit("DEMO-1", summary="Theirs")
    await bench.pull()
    told: list[Message] = []

    for kind in (JobKind.PUSH, JobKind.SYNC):
        await services(bench.root, told, preferred_side=prefer).carry_out(
            call_in("work", read_plan, kind, ())
        )

    push, sync = told
    assert isinstance(push, messages.CallEnded)
    assert isinstance(sync, messages.CallEnded)
    assert [each.code for each in push.value_or_typed.left_alone] == [Code.CONFLICT]
    assert [each.key for each in sync.value_or_typed.entries] == (
        [] if prefer is None else ["DEMO-1"]
    )


@pytest.mark.parametrize(("inherit", "parts"), [(True, ["Title", "Priority"]), (False, ["Title"])])
async def test_a_new_sub_task_takes_over_fields_unless_the_workspace_says_no(
    tmp_path: Path, *, inherit: bool, parts: list[str]
) -> None:
    (tmp_path / "new.md").write_text("# TICKET: A\n\n## Fields\nPriority: High\n\n## Tasks\n- B\n")
    told: list[Message] = []
    login = Credentials("https://h.example", "p@h.example", "token")
    opened = open_workspace("work", {"root": tmp_path, "credentials": login, "inherit": inherit})
    nothing = cast("Any", None)
    workspaces = WorkspaceRegistry((opened,), lambda _: nothing, told.append)
    used = Services(nothing, nothing, workspaces, told.append, in_thread=inline)

    await used.carry_out(call_in("work", read_plan, JobKind.PUSH, ()))

    (read,) = told
    assert isinstance(read, messages.CallEnded)
    assert [each.name for each in read.value_or_typed.entries[1].changes] == parts


async def test_a_state_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".ticketr").mkdir()
    (tmp_path / ".ticketr" / "state.db").write_bytes(b"no database at all" * 100)
    told: list[Message] = []

    await services(tmp_path, told).carry_out(call_in("work", read_plan, JobKind.PUSH, ()))

    (failed,) = told
    assert isinstance(failed, messages.CallEnded)
    assert "state.db cannot be used" in failed.problem


async def nothing_to_do(context: JobContext) -> None:
    context.report(message="Done")


async def test_the_history_comes_with_the_workspaces_of_its_jobs(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    nothing = cast("Any", None)
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    told: list[Message] = []
    opened = WorkspaceRegistry(
        (
            OpenWorkspace("work", Store(tmp_path / "link", ".ticketr"), nothing),
            ClosedWorkspace("shop", nothing, root=tmp_path / "shop"),
            ClosedWorkspace("unknown", nothing),
        ),
        lambda _: nothing,
        told.append,
    )
    here, shop, gone = (str(tmp_path / each) for each in ("here", "shop", "gone"))

    history = SqliteHistory(tmp_path / "jobs.db", run_sync=inline)  # no thread on a fake clock
    async with open_job_queue(history=history) as queue:
        for key in (here, shop, gone, None):
            await (await queue.submit(nothing_to_do, key=key)).wait()
        services = Services(nothing, queue, opened, told.append, in_thread=inline)
        read = await read_history(services)

    assert [job.key for job in read.jobs] == [None, gone, shop, here]
    assert read.workspace_by_job_key == {here: "work", shop: "shop"}


async def test_jira_is_asked_who_changed_an_issue_last(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path)
    bench.site.edit("DEMO-9", summary="Theirs")
    opened = open_workspace("work", bench.options())

    async def ask(until: str) -> LastChange | None:
        change: LastChange | None = await opened.ask_jira(read_last_change, "DEMO-9", until)
        return change

    change = await ask("")

    assert change is not None
    assert change.author_name == bench.finds("DEMO-9").history[-1].author.name
    assert await ask(change.changed_at) == change
    assert await ask("1999-01-31T09:30:00.000+0000") is None
