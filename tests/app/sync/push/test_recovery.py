"""Issues that were asked for when the answer or the program was lost, and how they are found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from fakes.lossy import Late, Lossy, once
from fakes.processes import ticketr
from fakes.pulls import Bench, Recorder
from fakes.unsettled import (
    BEFORE,
    DRAFT,
    SETTLE,
    check_settled,
    lose_answers,
    new,
    site_in_virtual_time,
    unsettled,
    write,
)
from trio.testing import MockClock

from jira_sandbox import Site, create_app
from ticketr import JobFailed, open_job_queue
from ticketr.app.jira.errors import ConnectFailed
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, PushJob
from ticketr.app.tickets import parse


@pytest.mark.parametrize("what", ["request", "answer"])
async def test_a_draft_whose_end_is_unknown_becomes_one_issue(bench: Bench, what: str) -> None:
    path = await lose_answers(bench, DRAFT, what)

    await check_settled(bench, path)


async def test_a_pull_settles_it_as_well(bench: Bench) -> None:
    path = await lose_answers(bench, DRAFT)

    result = await bench.pull()

    assert result.kept == ()
    assert path.read_text().startswith("# TICKET: [DEMO-13] Once\n")
    assert not (bench.root / "DEMO-13.md").exists()


EDITS: dict[str, Callable[[str], str]] = {
    "its text": lambda text: text.replace("For all.", "For most."),
    "its title": lambda text: text.replace("Once", "One time"),
    "a remark": lambda text: f"{text}\n## Fields\n# Ask Zoë\n",
    "tasks": lambda text: f"{text}\n## Tasks\n- Part\n",
    "its neighbours": lambda text: f"# TICKET: Another\n\n{text}\n# TICKET: And one more\n",
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
async def test_a_draft_that_was_edited_meanwhile_is_the_same_draft(
    bench: Bench, change: Callable[[str], str]
) -> None:
    path = await lose_answers(bench, DRAFT)
    path.write_text(change(path.read_text()))
    wanted = parse(path.read_text()).tickets

    synced = await bench.sync()

    made = [each for each in bench.site if each.number > BEFORE]
    assert sorted(each.summary for each in made) == sorted(
        issue.title for ticket in wanted for issue in (ticket, *ticket.tasks)
    )
    assert (synced.push.failed, synced.push.conflicts) == ((), ())
    found = parse(path.read_text()).tickets
    assert [each.title for each in found] == [each.title for each in wanted]
    assert [each.description for each in found] == [each.description for each in wanted]
    assert (await bench.sync()).push.total == 0


async def test_an_issue_that_is_found_again_is_listed(bench: Bench) -> None:
    path = await lose_answers(bench, f"{DRAFT}\n# TICKET: Another\n")

    result = await bench.push()

    assert sorted(result.recovered) == ["DEMO-13", "DEMO-14"]
    assert (result.created, result.failed) == ((), ())
    assert sorted(each.key or "" for each in parse(path.read_text()).tickets) == [
        *sorted(result.recovered)
    ]


@pytest.mark.parametrize("change", ["", "For most."])
async def test_a_draft_that_was_moved_to_another_file_is_found_there(
    bench: Bench, change: str
) -> None:
    path = await lose_answers(bench, DRAFT)
    (bench.root / "later").mkdir()
    moved = path.rename(bench.root / "later" / "sprint.md")
    if change:
        moved.write_text(moved.read_text().replace("For all.", change))

    await check_settled(bench, moved)


async def test_each_of_two_drafts_that_are_alike_gets_a_key_of_its_own(bench: Bench) -> None:
    path = await lose_answers(bench, f"{DRAFT}\n{DRAFT}")
    assert len(unsettled(bench)) == 2

    await check_settled(bench, path, ["Once", "Once"])


async def test_drafts_that_differ_in_their_tasks_alone_keep_them_apart(bench: Bench) -> None:
    path = write(bench, "# TICKET: Once\n\n## Tasks\n- A\n\n# TICKET: Once\n\n## Tasks\n- B\n")
    answered: list[str] = []

    class SecondFirst(Recorder):
        async def send(self, request: Request) -> Response:
            response = await super().send(request)
            if request.method == "POST" and request.url.endswith("/issue"):
                answered.append(request.url)
                await trio.sleep(5 if len(answered) == 1 else 0)
            return response

    result = await bench.push(transport=SecondFirst(create_app(bench.site)))

    assert (result.failed, result.warnings) == ((), ())
    assert new(bench) == ["A", "B", "Once", "Once"]
    for ticket in parse(path.read_text()).tickets:
        (task,) = ticket.tasks
        part, whole = bench.finds(task.key or ""), bench.finds(ticket.key or "")
        assert (part.summary, part.parent) == (task.title, whole.id)


async def test_a_draft_does_not_get_the_key_of_one_like_it_that_was_taken_out(bench: Bench) -> None:
    other = DRAFT.replace("Once", "Once more")
    path = await lose_answers(bench, f"{DRAFT}\n{other}")
    path.write_text(other)

    await bench.sync()

    assert new(bench) == ["Once", "Once more"]
    keys = {each.summary: each.key for each in bench.site}
    assert path.read_text().startswith(f"# TICKET: [{keys['Once more']}] Once more\n")
    assert f"# TICKET: [{keys['Once']}] Once\n" in bench.files()[f"{keys['Once']}.md"]


@pytest.mark.parametrize("name", ["drafts.md", "elsewhere.md"])
async def test_a_key_that_somebody_wrote_by_hand_is_taken_as_it_is(bench: Bench, name: str) -> None:
    path = await lose_answers(bench, DRAFT)
    path.unlink()
    text = DRAFT.replace("Once", "[DEMO-13] Once").replace("For all.", "For most.")

    await check_settled(bench, write(bench, text, name))

    assert "For most." in str(bench.finds("DEMO-13").description)


async def test_a_ticket_that_came_by_git_beside_its_draft_is_told_and_not_doubled(
    bench: Bench, tmp_path: Path
) -> None:
    path = await lose_answers(bench, DRAFT)
    clone = Bench(bench.site, tmp_path / "clone")
    await clone.pull()
    write(bench, clone.files()["DEMO-13.md"], "DEMO-13.md")

    synced = await bench.sync()

    (note,) = synced.pull.failed
    assert note.reason == "DEMO-13 is in DEMO-13.md and in drafts.md; keep one of them"
    assert new(bench) == ["Once"]
    path.unlink()
    await check_settled(bench, bench.root / "DEMO-13.md")


async def test_an_issue_that_was_deleted_again_leaves_a_draft(bench: Bench) -> None:
    path = await lose_answers(bench, DRAFT)
    bench.site.delete("DEMO-13")

    await check_settled(bench, path)

    assert path.read_text().startswith("# TICKET: [DEMO-14] Once\n")


async def test_a_deleted_issue_whose_draft_comes_back_is_created_again(bench: Bench) -> None:
    path = write(bench, DRAFT)
    await bench.push()
    bench.site.delete("DEMO-13")
    write(bench, DRAFT)  # an editor that had it open, or git

    assert (await bench.push()).failed == ()

    assert path.read_text().startswith("# TICKET: [DEMO-14] Once\n")


async def test_a_head_and_its_task_are_settled_one_after_the_other(bench: Bench) -> None:
    path = write(bench, f"{DRAFT}\n## Tasks\n- Part\n")
    posts: list[str] = []

    def lose(method: str, at: str) -> str | None:
        posts.extend([at] if (method, at) == ("POST", "issue") else [])
        return "answer" if posts == ["issue"] * 2 else None

    with trio.move_on_after(SETTLE / 3):
        await bench.push(transport=Lossy(create_app(bench.site), lose))
    assert [each.parent for each in unsettled(bench)] == ["DEMO-13"]

    await bench.push()

    assert new(bench) == ["Once", "Part"]
    (ticket,) = parse(path.read_text()).tickets
    assert [*ticket.keys()] == ["DEMO-13", "DEMO-14"]
    assert (await bench.sync()).push.total == 0


async def test_a_draft_that_comes_back_without_its_key_is_known_again(bench: Bench) -> None:
    text = f"{DRAFT}\n## Fields\nStatus: In Progress\n\n## Tasks\n- Part\n\n# TICKET: Another\n"
    path = write(bench, text)
    await bench.push()

    path.write_text(text)  # an editor that had it open, or git
    synced = await bench.sync()

    assert (synced.pull.kept, synced.push.created) == ((), ())
    assert new(bench) == ["Another", "Once", "Part"]
    first, second = parse(path.read_text()).tickets
    assert {*first.keys(), *second.keys()} == {"DEMO-13", "DEMO-14", "DEMO-15"}
    assert first.tasks[0].title == "Part"


async def test_a_copy_of_a_draft_is_another_issue_while_its_key_stands_somewhere(
    bench: Bench,
) -> None:
    path = write(bench, DRAFT)
    await bench.push()

    path.rename(bench.root / "moved.md")
    write(bench, DRAFT)
    await bench.push()

    assert new(bench) == ["Once", "Once"]


async def test_a_draft_that_is_like_one_of_old_is_another_issue(bench: Bench) -> None:
    path = write(bench, DRAFT)
    await bench.push()

    path.write_text(DRAFT.replace("For all.", "For me."))
    await bench.push()

    assert new(bench) == ["Once", "Once"]


async def test_it_stays_unsettled_where_the_site_cannot_be_asked(bench: Bench) -> None:
    path = await lose_answers(bench, DRAFT)

    class Unreachable(Recorder):
        async def send(self, request: Request) -> Response:
            if "bulkfetch" in request.url:
                raise ConnectFailed(request.url, "no route")
            return await super().send(request)

    with pytest.raises(JobFailed) as failed:
        await bench.sync(transport=Unreachable(create_app(bench.site)))

    assert isinstance(failed.value.__cause__, ConnectFailed)
    assert [each.title for each in unsettled(bench)] == ["Once"]
    ticketr("workspace", "trust", folder=bench.root)
    assert "uncertain Once (drafts.md)" in ticketr("status", folder=bench.root).stdout
    assert new(bench) == ["Once"]
    await check_settled(bench, path)


async def test_what_cannot_be_found_out_is_told_as_that(bench: Bench) -> None:
    path = write(bench, DRAFT)

    def lose(method: str, at: str) -> str | None:
        return "answer" if at in {"issue", "issue/bulkfetch"} else None

    result = await bench.push(transport=Lossy(create_app(bench.site), lose))

    (note,) = result.failed
    assert (note.key_title_or_path, note.code) == ('draft "Once"', Code.REQUEST_FAILED)
    assert (note.key, note.line) == ("", 1)
    assert note.reason.startswith(
        "it is not known yet whether it was created, the next run finds out: 127.0.0.1 broke off"
    )
    assert len(unsettled(bench)) == 1
    await check_settled(bench, path)


async def test_after_three_lost_requests_a_draft_is_given_up_for_now(bench: Bench) -> None:
    path = write(bench, DRAFT)

    def lose(method: str, at: str) -> str | None:
        return "request" if at == "issue" else None

    result = await bench.push(transport=Lossy(create_app(bench.site), lose))

    assert [note.reason for note in result.failed] == [
        "Jira took it several times, and never had it"
    ]
    assert trio.current_time() == 3 * SETTLE
    assert unsettled(bench) == []
    await check_settled(bench, path)


async def test_the_wait_is_told_and_can_be_cancelled(bench: Bench) -> None:
    await lose_answers(bench, DRAFT)
    began = trio.current_time()

    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(PushJob(**bench.settings()))
        await trio.sleep(10)
        progress = handle.snapshot().progress
        assert progress is not None
        assert progress.message == 'Waiting 30s: finding out whether "Once" was created'
        handle.cancel()
        snapshot = await handle.wait()

    assert trio.current_time() == began + 10
    assert snapshot.progress is not None
    assert snapshot.progress.message == "Cancelled: no ticket pushed yet"
    assert len(unsettled(bench)) == 1


async def test_many_that_are_unsettled_are_waited_for_once(bench: Bench) -> None:
    texts = [f"# TICKET: Number {number}\n" for number in range(4)]
    path = await lose_answers(bench, "\n".join(texts))
    assert len(unsettled(bench)) == 4
    began = trio.current_time()

    await bench.push()

    assert trio.current_time() == began + SETTLE
    assert sorted(new(bench)) == [f"Number {number}" for number in range(4)]
    assert len([each for each in parse(path.read_text()).tickets if each.key]) == 4


async def test_what_was_asked_for_long_ago_is_not_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await lose_answers(bench, DRAFT)
    later = datetime.now(UTC).timestamp() + 7200
    monkeypatch.setattr("ticketr.app.sync.push.recovery.time.time", lambda: later)
    began = trio.current_time()

    await check_settled(bench, path)

    assert trio.current_time() == began


async def test_a_request_that_is_carried_out_late_is_found(bench: Bench) -> None:
    path = write(bench, DRAFT)
    transport = Late(create_app(bench.site), delay=SETTLE - 5)

    await bench.push(transport=transport)

    assert new(bench) == ["Once"]
    await check_settled(bench, path)


@pytest.fixture
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this computer's clock be Trio's."""
    start = datetime.now(UTC).timestamp()
    for module in ("creating", "recovery"):
        monkeypatch.setattr(
            f"ticketr.app.sync.push.{module}.time.time", lambda: start + trio.current_time()
        )


async def test_the_seconds_count_from_the_last_request_and_not_from_those_that_were_refused(
    bench: Bench, one_clock: None
) -> None:
    path = write(bench, DRAFT)
    transport = Late(create_app(bench.site), delay=SETTLE - 5, refused=2 * SETTLE)

    await bench.push(transport=transport)

    assert trio.current_time() > 3 * SETTLE
    assert new(bench) == ["Once"]
    await check_settled(bench, path)


async def test_after_a_kill_they_count_from_the_next_run(bench: Bench, one_clock: None) -> None:
    path = write(bench, DRAFT)
    transport = Late(create_app(bench.site), delay=SETTLE - 5, refused=2 * SETTLE)
    with trio.move_on_after(2 * SETTLE + 2):
        await bench.push(transport=transport)
    assert transport.held is not None

    await bench.push(transport=transport)

    assert new(bench) == ["Once"]
    await check_settled(bench, path)


async def test_a_search_index_that_lags_by_minutes_hides_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(site_in_virtual_time(search_lag=300.0), tmp_path / "work")
    await bench.pull()
    path = await lose_answers(bench, DRAFT)

    await bench.push()

    assert new(bench) == ["Once"]
    assert path.read_text().startswith("# TICKET: [DEMO-13] Once\n")
    await trio.sleep(600)
    await check_settled(bench, path)


def fill(site: Site, count: int) -> list[str]:
    """Let others create issues; gives their keys."""
    demo = site.project("DEMO")
    task = next(each.type for each in site if each.type.name == "Task")
    assert demo is not None
    return [
        site.create(project=demo, type=task, summary=f"Theirs {number}").key
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [99, 100, 250])
async def test_it_is_found_behind_many_issues_of_others(bench: Bench, count: int) -> None:
    path = write(bench, DRAFT)
    transport = Lossy(
        create_app(bench.site),
        once("POST", "issue", "answer"),
        before=lambda method, at: (
            (method, at) == ("POST", "issue")
            and len(bench.site) == BEFORE
            and fill(bench.site, count)
        ),
    )

    await bench.push(transport=transport)

    assert new(bench).count("Once") == 1
    assert path.read_text().startswith(f"# TICKET: [DEMO-{BEFORE + count + 1}] Once\n")


@pytest.mark.parametrize(("gap", "lag"), [(150, 3600.0), (1500, 0.0)])
async def test_it_is_found_behind_keys_of_issues_that_were_deleted(
    tmp_path: Path, autojump_clock: MockClock, gap: int, lag: float
) -> None:
    bench = Bench(site_in_virtual_time(search_lag=lag), tmp_path / "work")
    path = write(bench, DRAFT)
    for key in fill(bench.site, gap):
        bench.site.delete(key)
    transport = Lossy(create_app(bench.site), once("POST", "issue", "answer"))

    await bench.push(transport=transport)

    assert new(bench) == ["Once"]
    assert path.read_text().startswith(f"# TICKET: [DEMO-{BEFORE + gap + 1}] Once\n")
