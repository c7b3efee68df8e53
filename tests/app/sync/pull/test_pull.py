"""Pulls in virtual time: as planned, hindered, and cancelled at their every scheduling step."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.lossy import Changed
from fakes.pulls import Bench
from fakes.scenes import counts
from fakes.steps import AtStep
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobFailed, JobSnapshot, JobStatus, open_job_queue
from ticketr.app.jira.adf import to_adf
from ticketr.app.sync import Code, PullResult, Store, WorkspaceBusy
from ticketr.app.sync.pull import pipeline
from ticketr.app.tickets import Ticket, parse, render_ticket


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    return Bench(make_site(tickets=40, seed=1), tmp_path / "work")


def some_story(bench: Bench) -> str:
    """The key of a ticket with sub-tasks."""
    for text in bench.files().values():
        for ticket in parse(text).tickets:
            if ticket.tasks and ticket.key:
                return ticket.key
    raise AssertionError("the sandbox made no story with sub-tasks")


async def test_every_issue_arrives_once_and_every_file_parses(bench: Bench) -> None:
    result = await bench.pull()

    keys = bench.keys()
    assert len(keys) == len(set(keys)) == result.total == result.new == 40
    assert (result.updated, result.unchanged, result.failed, result.kept) == (0, 0, (), ())
    for name, text in bench.files().items():
        assert name == f"{parse(text).tickets[0].key}.md"


async def test_the_converter_is_loaded_only_for_a_text_that_needs_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    tickets = [parse(text).tickets[0] for text in bench.files().values()]
    key = str(next(ticket.key for ticket in tickets if not ticket.tasks and not ticket.comments))
    loaded: list[str] = []
    monkeypatch.setattr(pipeline, "load_conversions", lambda: loaded.append("loaded"))
    bench.site.edit(key, description=to_adf("Some plain words."))
    assert (await bench.pull()).updated == 1
    assert loaded == []
    bench.site.edit(key, description=to_adf("Some \\*odd words."))
    assert (await bench.pull()).updated == 1
    assert loaded == ["loaded"]


async def test_the_progress_is_told_in_these_words(bench: Bench) -> None:
    snapshots = await bench.pull_snapshots()

    messages = [s.progress.message for s in snapshots if s.progress and s.progress.message]
    assert list(dict.fromkeys(messages)) == [
        "Connecting to Jira...",
        "Querying project DEMO...",
        "Found 40 tickets",
        "Pulling tickets",
        "Pull complete: 40 tickets",
    ]
    counts = {
        s.progress.message: (s.progress.current, s.progress.total) for s in snapshots if s.progress
    }
    assert counts["Found 40 tickets"] == (0, 40)
    assert counts["Pull complete: 40 tickets"] == (40, 40)


async def test_whoever_listens_is_told_of_each_ticket_that_was_written(bench: Bench) -> None:
    told: dict[str, str] = {}

    await bench.pull(on_written=lambda tickets: told.update((path, t.key) for t, path in tickets))

    assert told == {name: parse(text).tickets[0].key for name, text in bench.files().items()}
    told.clear()
    await bench.pull()
    assert told == {}


async def test_a_second_pull_asks_for_nothing_but_changes_and_writes_nothing(bench: Bench) -> None:
    await bench.pull()
    before = bench.files()

    result = await bench.pull()

    assert result.unchanged == result.total == 40
    assert bench.files() == before
    assert not any(line.startswith("issue/bulkfetch") for line in bench.asked)


async def test_what_changed_in_jira_is_fetched_and_rewritten_in_its_file(bench: Bench) -> None:
    await bench.pull()
    key = some_story(bench)
    moved = bench.root / "sprint-7" / "work.md"
    moved.parent.mkdir()
    (bench.root / f"{key}.md").rename(moved)
    bench.site.edit(key, summary="A new title")

    result = await bench.pull()

    assert f"# TICKET: [{key}] A new title" in moved.read_text()
    assert not (bench.root / f"{key}.md").exists()
    assert (result.updated, result.unchanged) == (1, 39)
    (fetch,) = [line for line in bench.asked if line.startswith("issue/bulkfetch")]
    assert fetch.count('"1') == 1  # one ID


async def test_what_both_sides_have_changed_is_a_conflict_until_they_agree(bench: Bench) -> None:
    await bench.pull()
    key = some_story(bench)
    path = bench.root / f"{key}.md"
    original = path.read_text()
    _, rest = original.split("\n", 1)
    mine = f"# TICKET: [{key}] Mine\n{rest}"
    path.write_text(mine)
    bench.site.edit(key, summary="Theirs")

    first, second = await bench.pull(), await bench.pull()

    assert path.read_text() == mine
    for result in (first, second):
        assert [(note.key, note.reason) for note in result.conflicts] == [
            (key, f"changed here and in Jira: {key}: Title")
        ]
    path.write_text(original)
    assert (await bench.pull()).conflicts == ()
    assert path.read_text() == f"# TICKET: [{key}] Theirs\n{rest}"


async def test_edits_here_and_changes_in_jira_are_joined(bench: Bench) -> None:
    await bench.pull()
    key = some_story(bench)
    path = bench.root / f"{key}.md"
    heading, rest = path.read_text().split("\n", 1)
    path.write_text(f"{heading}\n{rest.replace('Priority: ', 'Priority: My own ')}")
    bench.site.edit(key, summary="Theirs")

    result = await bench.pull()

    (ticket,) = parse(path.read_text()).tickets
    assert (result.merged, result.conflicts, result.kept) == (1, (), ())
    assert ticket.title == "Theirs"
    assert ticket.fields["Priority"].startswith("My own ")
    assert (await bench.pull()).unchanged == 40


async def test_drafts_and_other_files_are_never_touched(bench: Bench) -> None:
    bench.root.mkdir()
    (bench.root / "draft.md").write_text("# TICKET: Not in Jira yet\n")
    (bench.root / "README.md").write_text("# Our tickets\n\nFree text.\n")

    await bench.pull()
    await bench.pull(full=True)

    assert (bench.root / "draft.md").read_text() == "# TICKET: Not in Jira yet\n"
    assert (bench.root / "README.md").read_text() == "# Our tickets\n\nFree text.\n"


async def test_a_file_that_went_away_comes_back(bench: Bench) -> None:
    await bench.pull()
    before = bench.files()
    key = some_story(bench)
    (bench.root / f"{key}.md").unlink()

    await bench.pull()

    assert bench.files() == before


async def test_after_the_state_is_lost_equal_files_are_adopted_in_silence(bench: Bench) -> None:
    await bench.pull()
    before = bench.files()
    for path in (bench.root / ".ticketr").glob("state.db*"):
        path.unlink()

    result = await bench.pull()

    assert (result.unchanged, result.kept) == (40, ())
    assert bench.files() == before


async def test_full_asks_for_everything_and_rewrites_only_what_differs(bench: Bench) -> None:
    await bench.pull()

    result = await bench.pull(full=True)

    assert (result.unchanged, result.updated, result.new) == (40, 0, 0)
    assert any(line.startswith("issue/bulkfetch") for line in bench.asked)


async def test_an_answer_full_of_nulls_and_unknown_keys_is_no_trouble(bench: Bench) -> None:
    plain = Bench(bench.site, bench.root.with_name("plain"))
    bench.odd = True

    await bench.pull()
    await plain.pull()

    assert bench.keys() == plain.keys()


async def test_a_query_of_the_users_own_pulls_what_it_finds(bench: Bench) -> None:
    jql = "project = DEMO AND issuetype = Sub-task ORDER BY created DESC"

    result = await bench.pull(project=None, jql=jql)

    assert result.total == len(bench.keys()) > 0
    assert all("\nParent: DEMO-" in text for text in bench.files().values())


async def test_a_query_that_finds_a_sub_task_alone_rewrites_it_where_it_stands(
    bench: Bench,
) -> None:
    await bench.pull()
    story = parse(bench.files()[f"{some_story(bench)}.md"]).tickets[0]
    task = story.tasks[0]
    assert task.key is not None
    bench.site.edit(task.key, summary="Only this has changed")

    result = await bench.pull(project=None, jql=f"key = {task.key}")

    again = parse(bench.files()[f"{story.key}.md"]).tickets[0]
    assert again.tasks == (replace(task, title="Only this has changed"), *story.tasks[1:])
    assert (result.total, result.updated, result.kept) == (1, 1, ())


def without_sub_tasks(bench: Bench) -> Changed:
    """A Jira whose answers do not list the sub-tasks of an issue, as one that was just edited."""

    def change(answer: Any) -> None:
        for issue in answer["issues"]:
            issue["fields"]["subtasks"] = []

    return Changed(bench, "POST issue/bulkfetch", change)


@pytest.mark.parametrize("latency", [0.0, 0.5])
async def test_sub_tasks_that_nobody_announced_join_their_family(
    latency: float, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Bench(bench.site, bench.root.with_name("whole"))
    await whole.pull()
    monkeypatch.setattr(pipeline, "BULK_FETCH_SIZE", 1)
    bench.latency = latency

    result = await bench.pull(transport=without_sub_tasks(bench))

    assert bench.files() == whole.files()
    assert (result.new, result.updated, result.unchanged) == (40, 0, 0)


async def test_requests_run_side_by_side(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(pipeline, "BULK_FETCH_SIZE", 5)
    bench.latency = 1.0
    start = autojump_clock.current_time()

    await bench.pull()

    # myself, field and one search, one after the other; then 8 fetches, 4 at a time.
    assert autojump_clock.current_time() - start == 3 + 2


@pytest.mark.parametrize("after", [0.5, 1.5, 2.5, 3.5, 4.5])
async def test_a_cancel_ends_the_running_request_at_once(
    after: float, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trio

    monkeypatch.setattr(pipeline, "BULK_FETCH_SIZE", 5)
    bench.latency = 1.0
    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(bench.job())
        start = trio.current_time()
        await trio.sleep(after)
        queue.cancel(handle.id)
        snapshot = await handle.wait()
        took = trio.current_time() - start - after

    assert took == 0
    assert snapshot.status is JobStatus.CANCELLED
    done = len(bench.keys()) if bench.root.exists() else 0
    told = f"{done}/40 tickets pulled" if after > 3 else "no ticket pulled yet"
    assert snapshot.progress is not None
    assert snapshot.progress.message == f"Cancelled: {told}"
    assert done == 0 or after > 3


async def test_a_cancelled_pull_tells_its_count_before_it_closes_its_files(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BULK_FETCH_SIZE", 5)
    bench.latency = 1.0

    async def run_sync(function: Any, *args: Any, abandon_on_cancel: bool = False) -> Any:
        if getattr(function, "__name__", "") == "close":
            await trio.sleep(10)  # a disk that is busy
        return function(*args)

    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(bench.job(run_sync=run_sync))
        await trio.sleep(4.5)
        queue.cancel(handle.id)
        await trio.sleep(0.001)
        snapshot = handle.snapshot()

    assert snapshot.status is JobStatus.RUNNING
    assert snapshot.progress is not None
    assert snapshot.progress.message == f"Cancelled: {len(bench.keys())}/40 tickets pulled"


async def test_a_thread_that_writes_ends_early_when_the_pull_is_cancelled(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BULK_FETCH_SIZE", 5)
    bench.latency = 1.0  # more is under way at the first write

    async def run_sync(function: Any, *args: Any, abandon_on_cancel: bool = False) -> Any:
        if getattr(function, "__name__", "") == "write":
            queue.cancel(handle.id)
            with trio.CancelScope(shield=True):  # the other tasks end
                await trio.testing.wait_all_tasks_blocked()
        return function(*args)

    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(bench.job(run_sync=run_sync))
        snapshot = await handle.wait()

    assert snapshot.progress is not None
    assert snapshot.progress.message == "Cancelled: 0/40 tickets pulled"
    assert bench.files() == {}
    assert (await bench.pull()).new == 40


async def test_two_pulls_of_one_folder_do_not_run_at_once(bench: Bench) -> None:
    store = Store(bench.root, ".ticketr")
    store.make_state_folder()

    with store.lock(), pytest.raises(JobFailed) as caught:
        await bench.pull()

    assert isinstance(caught.value.__cause__, WorkspaceBusy)


async def pull_cancelled_at_visit(bench: Bench, number: int, when: str) -> tuple[int, bool]:
    """Cancel a pull just before or after a visit to a thread; return how many visits it made."""
    visits, scope = 0, trio.CancelScope()

    async def run_sync(function: Any, *args: Any, abandon_on_cancel: bool = False) -> Any:
        nonlocal visits
        visits += 1
        if visits == number and when == "before":
            scope.cancel()
        await trio.lowlevel.checkpoint()
        result = function(*args)
        if visits == number and when == "after":
            scope.cancel()
        return result

    with scope:
        await bench.pull(run_sync=run_sync)
    return visits, scope.cancelled_caught


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_cancel_at_any_visit_to_the_disk_leaves_no_lock_and_no_open_state(
    tmp_path: Path, autojump_clock: MockClock, when: str
) -> None:
    bench = Bench(make_site(tickets=3, seed=1), tmp_path / "work")
    store = Store(bench.root, ".ticketr")
    store.make_state_folder()
    cancelled = number = visits = 0
    while visits >= number:
        number += 1
        visits, was_cancelled = await pull_cancelled_at_visit(bench, number, when)
        cancelled += was_cancelled
        with store.lock():
            assert not (store.own / "state.db-wal").exists()
    assert cancelled > 10


async def test_a_broken_file_stops_its_own_tickets_alone(bench: Bench) -> None:
    bench.root.mkdir()
    (bench.root / "a.md").write_text("#TICKET: [DEMO-1] x\n")

    result = await bench.pull()

    assert [(each.path, each.code) for each in result.failed] == [("a.md", Code.BROKEN)]
    assert result.failed[0].reason.startswith("a.md:1:1: ")
    assert [each.key for each in result.kept] == ["DEMO-1"]
    assert (result.total, result.new, result.left_alone) == (40, 39, 1)
    assert "DEMO-1.md" not in bench.files()


async def test_a_key_in_two_files_stops_that_ticket_alone(bench: Bench) -> None:
    bench.root.mkdir()
    for name in ("a.md", "b.md"):
        (bench.root / name).write_text("# TICKET: [DEMO-1] x\n")

    result = await bench.pull()

    reason = "DEMO-1 is in a.md and in b.md; keep one of them"
    assert [each.reason for each in (*result.failed, *result.kept)] == [reason, reason]
    assert (result.new, result.left_alone) == (39, 1)
    assert bench.files()["a.md"] == bench.files()["b.md"] == "# TICKET: [DEMO-1] x\n"


async def test_another_list_of_fields_fetches_every_ticket_again(bench: Bench) -> None:
    await bench.pull()
    assert not any("Due date:" in text for text in bench.files().values())

    snapshots = await bench.pull_snapshots(fields=("Due date",))

    said = [each.progress.message for each in snapshots if each.progress]
    assert "Found 40 tickets; the list of fields has changed, so all are fetched" in said
    files = bench.files()
    due = [key for key in bench.keys() if bench.finds(key).due]  # noqa: SIM118 - a bench is not a mapping
    assert sum("Due date:" in text for text in files.values()) >= 1
    assert sum(text.count("Due date:") for text in files.values()) == len(due)
    result = await bench.pull(fields=("Due date",))
    assert (result.unchanged, bench.files()) == (40, files)
    assert not [each for each in bench.asked if each.startswith("issue/bulkfetch")]


async def test_a_cancelled_pull_of_other_fields_is_gone_on_with(bench: Bench) -> None:
    await bench.pull()
    bench.latency = 1.0
    with trio.move_on_after(5):  # every search has been answered, nothing has been fetched
        await bench.pull(fields=("Due date",))
    bench.latency = 0.0

    await bench.pull(fields=("Due date",))
    files = bench.files()

    assert any("Due date:" in text for text in files.values())
    await bench.pull(fields=("Due date",), full=True)
    assert bench.files() == files


TICKETS = 30
NEVER = 10**9


def pull_cancelled_at(bench: Bench, step: int) -> tuple[AtStep, JobSnapshot]:
    instrument = AtStep(step)

    async def main() -> JobSnapshot:
        with trio.fail_after(3600):
            async with open_job_queue(workers=1) as queue:
                handle = await queue.submit(bench.job())
                instrument.arm(lambda: queue.cancel(handle.id))
                return await handle.wait()

    clock = MockClock(autojump_threshold=0)
    return instrument, trio.run(main, clock=clock, instruments=[instrument])


def pull_again(bench: Bench) -> PullResult:
    return trio.run(bench.pull, clock=MockClock(autojump_threshold=0))


def sweep(root: Path, steps: Iterable[int], site: Any) -> set[JobStatus]:
    """Cancel at each of the steps, each time in a new folder; gives the ends that were seen."""
    seen = set()
    whole = Bench(site, root / "whole", latency=0.1)
    pull_again(whole)
    for step in steps:
        bench = Bench(site, root / str(step), latency=0.1)
        instrument, snapshot = pull_cancelled_at(bench, step)
        if instrument.fired:
            seen.add(snapshot.status)
        else:  # Trio shuffles what is ready, so runs differ by a step or two
            assert snapshot.status is JobStatus.COMPLETED, step

        keys = bench.keys()
        assert len(keys) == len(set(keys)), step
        if snapshot.status is JobStatus.CANCELLED:
            assert_honest(snapshot, len(keys), step)
        result = pull_again(bench)
        assert result.total == TICKETS, step
        assert result.kept == result.failed == (), step
        assert result.unchanged >= len(keys), step
        assert bench.files() == whole.files(), step
    return seen


def assert_honest(snapshot: JobSnapshot, written: int, step: int) -> None:
    """What a cancelled pull tells is what it did; one that never began did nothing."""
    if snapshot.progress is None:
        assert written == 0, step
    elif snapshot.progress.message:
        count = counts(snapshot.progress.message)
        assert count is not None, (step, snapshot)
        assert count[0] == written, (step, snapshot)
    else:
        assert written == 0, step


def count_steps(root: Path, site: Any) -> int:
    instrument, snapshot = pull_cancelled_at(Bench(site, root / "counted", latency=0.1), NEVER)
    assert snapshot.status is JobStatus.COMPLETED
    return instrument.seen


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pipeline, "BULK_FETCH_SIZE", 4)
    return make_site(tickets=TICKETS, seed=3)


@pytest.mark.unmeasured
def test_a_pull_may_be_cancelled_at_any_of_a_sample_of_its_steps(tmp_path: Path, site: Any) -> None:
    last = count_steps(tmp_path, site)
    steps = random.Random(7).sample(range(1, last - 3), 24)

    seen = sweep(tmp_path, [*steps, *range(last - 3, last + 1)], site)

    assert seen == {JobStatus.CANCELLED, JobStatus.COMPLETED}


@pytest.mark.stress
@pytest.mark.timeout(1800)
def test_a_pull_may_be_cancelled_at_every_step(tmp_path: Path, site: Any) -> None:
    seen = sweep(tmp_path, range(1, count_steps(tmp_path, site) + 1), site)

    assert seen == {JobStatus.CANCELLED, JobStatus.COMPLETED}


Issues = list[dict[str, Any]]


def meddling(bench: Bench, change: Callable[[Issues], Issues]) -> Changed:
    """A Jira whose bulk fetch answers are changed on their way."""

    def apply(answer: Any) -> None:
        answer["issues"] = change(answer["issues"])

    return Changed(bench, "POST issue/bulkfetch", apply)


async def story(bench: Bench) -> Ticket:
    """Pull once, and give a ticket with sub-tasks."""
    await bench.pull()
    tickets = [parse(text).tickets[0] for text in bench.files().values()]
    return next(ticket for ticket in tickets if len(ticket.tasks) > 1)


@pytest.mark.parametrize("key", ["../../x", "DEMO-1/../../x", "/etc/x", "DEMO-01", "\x1b[2J-1"])
async def test_a_key_that_is_none_is_reported_and_never_becomes_a_path(
    key: str, bench: Bench, tmp_path: Path
) -> None:
    def change(issues: Issues) -> Issues:
        alone = next(each for each in issues if not each["fields"]["subtasks"])
        alone["key"] = key
        return issues

    result = await bench.pull(transport=meddling(bench, change))

    assert [note.key for note in result.failed] == [key]
    assert result.new == len(bench.keys()) == 39
    assert (result.total, result.failed_issue_count) == (40, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


async def test_an_issue_deleted_between_search_and_fetch_is_not_counted(bench: Bench) -> None:
    result = await bench.pull(transport=meddling(bench, lambda issues: issues[1:]))

    assert result.total == result.new == len(bench.keys()) == 39


async def test_sub_tasks_of_a_deleted_parent_become_tickets_of_their_own(
    bench: Bench, tmp_path: Path
) -> None:
    gone = await story(bench)
    other = Bench(bench.site, tmp_path / "other")

    def change(issues: Issues) -> Issues:
        return [each for each in issues if each["key"] != gone.key]

    result = await other.pull(transport=meddling(other, change))

    assert result.new == 39
    for task in gone.tasks:
        (alone,) = parse(other.files()[f"{task.key}.md"]).tickets
        assert alone.fields["Parent"] == gone.key


async def test_a_sub_task_that_stands_in_another_ticket_is_left_there_and_reported(
    bench: Bench,
) -> None:
    home = await story(bench)
    moved = home.tasks[0]
    draft = Ticket(title="Mine", tasks=(moved,))
    rest = replace(home, tasks=home.tasks[1:])
    (bench.root / f"{home.key}.md").write_text(render_ticket(rest) + "\n" + render_ticket(draft))

    result = await bench.pull(full=True)

    notes = {note.key: note.reason for note in result.kept}
    assert notes[str(moved.key)].startswith(f"Jira has it as a sub-task of {home.key}")
    assert bench.keys().count(str(moved.key)) == 1


async def test_a_ticket_filed_under_another_is_left_there_and_reported(bench: Bench) -> None:
    inner = await story(bench)
    (bench.root / f"{inner.key}.md").unlink()
    outer = Ticket(title="Mine", tasks=(replace(inner, tasks=()),))
    (bench.root / "mine.md").write_text(render_ticket(outer))

    result = await bench.pull(full=True)

    notes = {note.key: note.reason for note in result.kept}
    assert notes[str(inner.key)].startswith("Jira has it by itself")
    assert bench.keys().count(str(inner.key)) == 1


async def test_a_folder_in_the_place_of_a_file_stops_that_ticket_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BULK_FETCH_SIZE", 4)
    last = max((issue.number for issue in bench.site if issue.parent is None), default=0)
    (bench.root / f"DEMO-{last}.md").mkdir(parents=True)

    result = await bench.pull()

    (note,) = result.failed
    assert note.path == f"DEMO-{last}.md"
    assert "something that is not a file has this name" in note.reason
    keys = [
        key
        for path in bench.root.glob("*.md")
        if path.is_file()
        for ticket in parse(path.read_text()).tickets
        for key in ticket.keys()  # noqa: SIM118 - a ticket is not a mapping
    ]
    assert result.written_or_unchanged_count == len(keys) > 0
    assert result.written_or_unchanged_count + result.left_alone == result.total


async def test_a_file_that_breaks_while_the_pull_runs_fails_and_is_kept(bench: Bench) -> None:
    ticket = await story(bench)
    path = bench.root / f"{ticket.key}.md"

    def change(issues: Issues) -> Issues:
        path.write_text("#TICKET: broken\n")
        return issues

    result = await bench.pull(full=True, transport=meddling(bench, change))

    assert [(note.key, note.code) for note in result.failed] == [(ticket.key, Code.BROKEN)]
    assert path.read_text() == "#TICKET: broken\n"


@pytest.mark.parametrize("edited", [False, True])
async def test_a_file_that_is_renamed_while_the_pull_runs_stays_the_only_one_of_its_key(
    bench: Bench, edited: bool
) -> None:
    ticket = await story(bench)
    key = str(ticket.key)
    path, new = bench.root / f"{key}.md", bench.root / "later" / "mine.md"
    if edited:
        path.write_text(path.read_text().replace("\n## Description\n", "\n## Description\nMine.\n"))
    bench.site.edit(key, summary="Another title")

    def change(issues: Issues) -> Issues:
        new.parent.mkdir(exist_ok=True)
        if path.exists():
            path.rename(new)
        return issues

    result = await bench.pull(full=True, transport=meddling(bench, change))

    assert (result.failed, result.kept, result.conflicts) == ((), (), ())
    assert bench.keys().count(key) == 1
    text = new.read_text()
    assert f"# TICKET: [{key}] Another title\n" in text
    assert ("Mine." in text) == edited
    again = await bench.pull()
    assert (again.new, again.updated, again.written_or_unchanged_count) == (0, 0, 40)
    assert bench.keys().count(key) == 1
