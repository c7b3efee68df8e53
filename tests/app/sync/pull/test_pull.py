from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from fakes.pulls import Bench, Recorder
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr import JobFailed, JobStatus, open_job_queue
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, PullResult, WorkspaceBusy
from ticketr.app.sync.compare.diff import Side
from ticketr.app.sync.pull import pipeline
from ticketr.app.sync.workspace.store import Store
from ticketr.app.tickets import parse


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
    last = snapshots[-1].progress
    assert last is not None
    assert (last.current, last.total, last.percentage) == (40, 40, 100.0)


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


async def test_a_changed_sub_task_rewrites_its_parents_ticket(bench: Bench) -> None:
    await bench.pull()
    story = parse((bench.root / f"{some_story(bench)}.md").read_text()).tickets[0]
    task = story.tasks[0]
    assert task.key is not None
    bench.site.edit(task.key, summary="Only this has changed")

    await bench.pull()

    again = parse((bench.root / f"{story.key}.md").read_text()).tickets[0]
    assert again.tasks == (replace(task, title="Only this has changed"), *story.tasks[1:])
    assert replace(again, tasks=()) == replace(story, tasks=())


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


@pytest.mark.parametrize(("prefer", "title"), [(Side.LOCAL, "Mine"), (Side.REMOTE, "Theirs")])
async def test_a_strategy_settles_what_clashes(bench: Bench, prefer: Side, title: str) -> None:
    await bench.pull()
    key = some_story(bench)
    path = bench.root / f"{key}.md"
    bench.retitles(key, "Mine")
    bench.site.edit(key, summary="Theirs")

    result = await bench.pull(prefer=prefer)

    assert (result.conflicts, parse(path.read_text()).tickets[0].title) == ((), title)


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


async def test_only_what_the_query_finds_is_counted_though_its_ticket_holds_more(
    bench: Bench,
) -> None:
    await bench.pull()
    key = some_story(bench)
    bench.site.edit(key, summary="A new title")

    snapshots = await bench.pull_snapshots(project=None, jql=f"key = {key}")

    result = snapshots[-1].result
    assert isinstance(result, PullResult)
    assert (result.total, result.updated) == (1, 1)
    assert snapshots[-1].progress is not None
    assert snapshots[-1].progress.message == "Pull complete: 1 ticket"
    assert "Found 1 ticket" in [each.progress.message for each in snapshots if each.progress]


async def test_families_that_come_in_pieces_are_written_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Bench(bench.site, bench.root.with_name("whole"))
    await whole.pull()
    monkeypatch.setattr(pipeline, "PAGE", 3)
    bench.latency = 0.5

    await bench.pull()

    assert bench.files() == whole.files()


class WithoutSubtasks(Recorder):
    """A Jira whose answers do not list the sub-tasks of an issue, as one that was just edited."""

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not request.url.endswith("/bulkfetch"):
            return response
        answer = json.loads(response.body)
        for issue in answer["issues"]:
            issue["fields"]["subtasks"] = []
        return replace(response, body=json.dumps(answer).encode())


@pytest.mark.parametrize("latency", [0.0, 0.5])
async def test_sub_tasks_that_nobody_announced_join_their_family(
    latency: float, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Bench(bench.site, bench.root.with_name("whole"))
    await whole.pull()
    monkeypatch.setattr(pipeline, "PAGE", 1)

    result = await bench.pull(transport=WithoutSubtasks(create_app(bench.site, latency=latency)))

    assert bench.files() == whole.files()
    assert (result.new, result.updated, result.unchanged) == (40, 0, 0)


async def test_the_pieces_of_a_family_meet_though_files_are_slow(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one piece is being written, the next is ready and a third one is prepared."""

    async def slow(sync_fn: Callable[..., object], /, *args: object, **_: object) -> object:
        await trio.sleep(1)
        return sync_fn(*args)

    whole = Bench(bench.site, bench.root.with_name("whole"))
    await whole.pull()
    monkeypatch.setattr(pipeline, "PAGE", 1)

    await bench.pull(transport=WithoutSubtasks(create_app(bench.site)), run_sync=slow)

    assert bench.files() == whole.files()


async def test_requests_run_side_by_side(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(pipeline, "PAGE", 5)
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

    monkeypatch.setattr(pipeline, "PAGE", 5)
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


async def test_two_pulls_of_one_folder_do_not_run_at_once(bench: Bench) -> None:
    store = Store(bench.root, ".ticketr")
    store.prepare()

    with store.lock(), pytest.raises(JobFailed) as caught:
        await bench.pull()

    assert isinstance(caught.value.__cause__, WorkspaceBusy)


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
