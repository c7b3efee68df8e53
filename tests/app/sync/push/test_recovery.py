"""Issues that were asked for when the answer or the program was lost, on the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from fakes.lossy import Lossy
from fakes.pulls import Bench, Recorder
from fakes.unsettled import (
    BEFORE,
    DRAFT,
    SETTLE,
    check_settled,
    lose_answers,
    new,
    unsettled,
    write,
)

from jira_sandbox import create_app
from ticketr import JobFailed, open_job_queue
from ticketr.app.jira.transport import Request, Response
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


async def test_a_pull_lists_them_as_well_whatever_becomes_of_it(bench: Bench) -> None:
    await lose_answers(bench, DRAFT)
    job = bench.job(project="NOPE")

    with pytest.raises(JobFailed):
        async with open_job_queue(workers=1) as queue:
            await queue.run(job)

    assert job.so_far().recovered == ("DEMO-13",)
    await lose_answers(bench, "# TICKET: Another\n")
    job = bench.job()
    async with open_job_queue(workers=1) as queue:
        results = [await queue.run(job) for _ in range(2)]
    assert [each.recovered for each in results] == [("DEMO-14",), ()]


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
