"""Push on the sandbox, in virtual time, also cancelled at its every scheduling step."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.cancelled_jobs import cancel_at_each, count_steps, job_cancelled_at, settings
from fakes.conflicts import settle
from fakes.lossy import Lossy, once
from fakes.pulls import Bench
from fakes.scenes import Facts, check_afterwards, copy_scene, counts, done, make_scene, undisturbed
from fakes.steps import AtStep
from fakes.unsettled import write
from trio.testing import MockClock

from jira_sandbox import create_app
from ticketr import JobSnapshot, JobStatus, open_job_queue
from ticketr.app.sync import Code, PullJob, PushJob, SyncJob, Take
from ticketr.app.sync.compare.diff import Change, CorePart
from ticketr.app.sync.concurrency import CONCURRENT_REQUESTS
from ticketr.app.tickets import Ticket, parse


def ticket(path: Path, index: int = 0) -> Ticket:
    return parse(path.read_text()).tickets[index]


def writes(bench: Bench) -> list[str]:
    """What was sent that changes something."""
    reading = ("search", "issue/bulkfetch", "issue/createmeta", "user", "myself", "field", "server")
    asked = [each for each in bench.asked if not each.startswith(reading)]
    return [each for each in asked if "{" in each]


async def test_only_what_changed_is_sent(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")

    result = await bench.push()

    assert (result.updated, result.created, result.failed) == (("DEMO-1",), (), ())
    assert writes(bench) == ['issue/DEMO-1 {"fields": {"summary": "Mine"}}']
    assert bench.finds("DEMO-1").summary == "Mine"
    assert (await bench.push()).total == 0
    assert (await bench.pull()).updated == 0


async def test_nothing_to_push_asks_for_nothing_but_the_login(bench: Bench) -> None:
    await bench.pull()

    await bench.push()

    assert bench.asked == ["myself"]


async def test_a_draft_becomes_an_issue_and_gets_its_key(bench: Bench) -> None:
    path = write(
        bench,
        "Notes above.\n\n# TICKET: A story\n\n## Description\nSome *words*.\n\n## Fields\n"
        "# mine alone\nType: Story\nPriority: High\nLabels: a, b\nAssignee: zoe@example.com\n"
        "Story Points: 3\n\n## Acceptance Criteria\n- It works\n\n## Tasks\n- One\n- Two\n",
    )

    result = await bench.push()

    assert (result.created, result.failed) == (("DEMO-13", "DEMO-14", "DEMO-15"), ())
    made = bench.finds("DEMO-13")
    assert (made.summary, made.type.name, made.priority.name) == ("A story", "Story", "High")
    assert (made.labels, made.story_points) == (("a", "b"), 3)
    assert made.assignee is not None
    assert made.assignee.email == "zoe@example.com"
    assert [bench.finds(key).parent for key in result.created[1:]] == [made.id, made.id]
    assert [bench.finds(key).summary for key in result.created[1:]] == ["One", "Two"]
    written = ticket(path)
    assert [*written.keys()] == list(result.created)
    assert written.acceptance_criteria == ("It works",)
    assert written.non_field_lines == ("# mine alone",)
    assert written.fields["Status"] == "To Do"  # what Jira made of it is in the file already
    assert path.read_text().startswith("Notes above.\n\n# TICKET: [DEMO-13] A story\n")
    assert (await bench.sync()).push.total == 0


async def test_a_task_is_created_under_a_ticket_that_is_there(bench: Bench) -> None:
    path = write(bench, "# TICKET: Whole\n\n## Fields\nType: Story\n\n## Tasks\n- One\n")
    await bench.push()
    path.write_text(path.read_text().replace("- [DEMO-14]", "- New above\n- [DEMO-14]"))

    result = await bench.push()

    assert (result.created, result.updated) == (("DEMO-15",), ())
    assert bench.finds("DEMO-15").parent == bench.finds("DEMO-13").id
    assert [*ticket(path).keys()] == ["DEMO-13", "DEMO-15", "DEMO-14"]  # where it was written
    assert (await bench.sync()).push.total == 0


async def test_what_jira_refuses_is_told_in_its_own_words(bench: Bench) -> None:
    write(bench, "# TICKET: Whole\n\n## Fields\nType: Epic\nParent: DEMO-2\n")

    (note,) = (await bench.push()).failed

    assert note.code is Code.REFUSED_BY_JIRA
    assert "parent" in note.reason
    assert len(bench.site) == 12


async def test_a_wrong_ticket_is_named_and_the_others_go(bench: Bench) -> None:
    path = write(
        bench,
        "# TICKET: Wrong\n\n## Fields\nPriority: Hihg\nAssigned: me\nStory Points: many\n"
        "Assignee: Nobody At All\nType: Storry\n\n# TICKET: Right\n",
    )

    result = await bench.push()

    assert result.created == ("DEMO-13",)
    assert bench.finds("DEMO-13").summary == "Right"
    (note,) = result.failed
    assert (note.key, note.path, note.code) == ("", "drafts.md", Code.BAD_VALUE)
    assert note.reason == (
        'Type: "Storry" is not an issue type of this project: did you mean Story?'
    )
    path.write_text(path.read_text().replace("Type: Storry\n", ""))
    (note,) = (await bench.push()).failed
    assert 'Priority: "Hihg" is not possible: did you mean High?' in note.reason
    assert "Assigned: there is no such field here; did you mean Assignee?" in note.reason
    assert 'Story Points: "many" is not a number' in note.reason
    assert 'Assignee: nobody called "Nobody At All" can be chosen' in note.reason


async def test_a_ticket_that_moved_on_in_jira_is_left_alone(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.site.edit("DEMO-1", labels=("theirs",))

    result = await bench.push()

    (note,) = result.conflicts
    assert (note.key, note.code) == ("DEMO-1", Code.CHANGED_IN_JIRA)
    assert "DEMO-1: Labels" in note.reason
    assert writes(bench) == []
    synced = await bench.sync()
    assert (synced.pull.conflicts, synced.push.updated) == ((), ("DEMO-1",))
    assert (bench.finds("DEMO-1").summary, bench.finds("DEMO-1").labels) == ("Mine", ("theirs",))


async def test_what_is_in_jira_already_only_moves_the_base(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Both")
    bench.site.edit("DEMO-1", summary="Both")

    result = await bench.push()

    assert (result.total, result.conflicts, result.failed) == (0, (), ())
    assert (await bench.push()).total == 0
    assert bench.asked == ["myself"]


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_a_create_whose_end_is_unknown_is_looked_for_and_never_doubled(
    bench: Bench, lost: str
) -> None:
    path = write(bench, "# TICKET: Once\n\n## Tasks\n- Part\n")
    transport = Lossy(create_app(bench.site), once("POST", "issue", lost))

    result = await bench.push(transport=transport)

    assert (result.created, result.failed) == (("DEMO-13", "DEMO-14"), ())
    assert [each.summary for each in bench.site][12:] == ["Once", "Part"]
    assert [*ticket(path).keys()] == ["DEMO-13", "DEMO-14"]
    assert trio.current_time() == pytest.approx(30, abs=1)  # until a late request would be there


async def test_an_edit_whose_answer_is_lost_is_sent_again(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    transport = Lossy(create_app(bench.site), once("PUT", "issue/DEMO-1", "answer"))

    assert (await bench.push(transport=transport)).updated == ("DEMO-1",)


async def test_a_dry_run_says_everything_and_sends_nothing(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-11", "Later")
    bench.retitles("DEMO-1", "Mine")
    bench.retitles("DEMO-2", "Mine, too")
    path = write(bench, "# TICKET: New\n\n# TICKET: Wrong\n\n## Fields\nType: x\n")
    before, old = bench.files(), bench.finds("DEMO-1").summary

    result = await bench.push(dry_run=True)

    assert [(each.action, each.key, each.title) for each in result.planned] == [
        ("create", "", "New"),
        ("update", "DEMO-1", "Mine"),
        ("update", "DEMO-2", "Mine, too"),
        ("update", "DEMO-11", "Later"),
    ]
    assert [entry.key for entry in bench.plan().entries] == ["", "", "DEMO-1", "DEMO-2", "DEMO-11"]
    left = [note.key for note in bench.plan(["DEMO-1"]).left_alone]
    assert left == ["DEMO-2", "DEMO-11", "", ""]
    assert result.planned[1].changes == (Change(CorePart.TITLE, old, "Mine"),)
    assert len(result.failed) == 1
    assert (result.created, result.updated, result.total) == ((), (), 4)
    assert bench.files() == before
    assert len(bench.site) == 12
    assert ticket(path).key is None


async def test_a_key_that_jira_does_not_have_is_named(bench: Bench) -> None:
    write(bench, "# TICKET: [OTHER-7] From elsewhere\n")

    (note,) = (await bench.push()).failed

    assert (note.key, note.code) == ("OTHER-7", Code.NOT_FOUND)


async def test_a_ticket_that_came_with_a_clone_is_adopted_or_a_conflict(
    bench: Bench, tmp_path: Path
) -> None:
    await bench.pull()
    clone = Bench(bench.site, tmp_path / "clone")
    clone.root.mkdir()
    for name, text in bench.files().items():
        (clone.root / name).write_text(text)
    clone.retitles("DEMO-1", "Mine")

    result = await clone.push()

    assert [(note.key, note.code) for note in result.conflicts] == [("DEMO-1", Code.CONFLICT)]
    assert writes(clone) == []
    assert [note.key for note in (await clone.push()).conflicts] == ["DEMO-1"]
    settle(clone, "DEMO-1", Take.MINE)
    assert (await clone.push()).updated == ("DEMO-1",)
    assert bench.finds("DEMO-1").summary == "Mine"


async def test_both_versions_can_stand_in_the_file_until_somebody_has_edited_it(
    bench: Bench,
) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.site.edit("DEMO-1", summary="Theirs")
    await bench.sync()

    settle(bench, "DEMO-1", Take.BOTH)

    path = bench.root / "DEMO-1.md"
    assert path.read_text().startswith(
        "<<<<<<< here\n# TICKET: [DEMO-1] Mine\n=======\n# TICKET: [DEMO-1] Theirs\n>>>>>>> Jira\n"
    )
    (note,) = (await bench.sync()).pull.failed
    assert note.reason.startswith("DEMO-1.md:1:1: this file holds a git conflict")
    assert bench.finds("DEMO-1").summary == "Theirs"
    _, rest = path.read_text().split(">>>>>>> Jira\n")
    path.write_text(f"# TICKET: [DEMO-1] Ours\n{rest}")
    assert (await bench.sync()).push.updated == ("DEMO-1",)
    assert bench.finds("DEMO-1").summary == "Ours"


async def test_an_emptied_field_is_emptied_in_jira_and_a_missing_line_says_nothing(
    bench: Bench,
) -> None:
    path = write(bench, "# TICKET: A\n\n## Fields\nLabels: a\nAssignee: Zoë Åkesson\n")
    await bench.push()
    path.write_text(path.read_text().replace("Labels: a\n", ""))
    assert (await bench.push()).total == 0

    path.write_text(path.read_text().replace("Assignee: Zoë Åkesson\n", "Assignee:\n"))
    assert (await bench.push()).updated == ("DEMO-13",)

    made = bench.finds("DEMO-13")
    assert (made.labels, made.assignee) == (("a",), None)
    assert ticket(path).fields.get("Labels") == "a"  # the line is back with the ticket
    assert "Assignee" not in ticket(path).fields


async def test_a_sub_task_that_came_with_a_merge_is_known_and_one_that_was_moved_is_named(
    bench: Bench,
) -> None:
    first = write(bench, "# TICKET: First\n\n## Fields\nType: Story\n", "first.md")
    second = write(bench, "# TICKET: Second\n\n## Tasks\n- Part\n", "second.md")
    await bench.push()
    part = ticket(second).tasks[0].key
    story = bench.site.find(ticket(first).key or "")
    assert story is not None
    kind = bench.finds(part or "").type
    came = bench.site.create(project=story.project, type=kind, summary="Came", parent=story.id)
    text = first.read_text()
    first.write_text(f"{text}\n## Tasks\n- [{came.key}] Came\n")  # as git merges a colleague's pull

    result = await bench.push()

    assert (result.failed, result.total) == ((), 0)
    assert [note.key for note in result.conflicts] in ([], [ticket(first).key])
    second.write_text(second.read_text().split("\n## Tasks")[0])
    first.write_text(f"{text}\n## Tasks\n- [{part}] Part\n")
    (note,) = (await bench.push()).failed
    assert (note.key, note.code) == (part, Code.OTHER_PARENT)


async def test_new_criteria_leave_the_rest_of_a_description_to_the_letter(bench: Bench) -> None:
    path = write(bench, "# TICKET: A\n")
    await bench.push()
    panel = {
        "type": "panel",
        "attrs": {"panelType": "custom", "panelColor": "#ff0000"},
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Odd"}]}],
    }
    document = {"type": "doc", "version": 1, "content": [panel]}
    bench.site.edit("DEMO-13", description=document)
    await bench.pull()
    path.write_text(f"{path.read_text()}\n## Acceptance Criteria\n- It holds\n")

    assert (await bench.push()).updated == ("DEMO-13",)

    sent = bench.finds("DEMO-13").description
    assert sent is not None
    assert sent["content"][0] == panel
    assert [each["type"] for each in sent["content"]] == ["panel", "heading", "bulletList"]
    assert ticket(path).acceptance_criteria == ("It holds",)


LATENCY = 0.1


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_scene(tmp_path_factory.mktemp("scene") / "work")


@pytest.fixture(scope="module")
def wanted(scene: Bench, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return undisturbed(scene, tmp_path_factory.mktemp("whole") / "work")


def call_cancelled_at(bench: Bench, step: int) -> AtStep:
    """Cancel whoever waits for a sync, at a step."""
    instrument = AtStep(step)

    async def main() -> None:
        async with trio.open_nursery() as site:
            with trio.fail_after(3600), trio.CancelScope() as scope:
                async with open_job_queue(workers=1) as queue:
                    instrument.arm(scope.cancel)
                    await queue.run(SyncJob(**settings(bench, site)))

    trio.run(main, clock=MockClock(autojump_threshold=0), instruments=[instrument])
    return instrument


def check_count(bench: Bench, snapshot: JobSnapshot) -> None:
    """See that the last message claims no more than Jira has, and leaves out no more than is open."""
    if snapshot.status is JobStatus.CANCELLED and snapshot.progress is not None:
        message = snapshot.progress.message or ""
        count = counts(message)
        assert count is not None, message
        assert count[0] <= count[1] or count[1] == 0, message
        if message.endswith("pushed"):
            assert count[0] == snapshot.progress.current
            assert done(bench.site) - CONCURRENT_REQUESTS <= count[0] <= done(bench.site), message
        else:
            assert done(bench.site) == 0


def sweep(
    scene: Bench, root: Path, kind: type[Any], steps: Iterable[int], wanted: Facts
) -> set[JobStatus]:
    def check(bench: Bench, snapshot: JobSnapshot) -> None:
        check_count(bench, snapshot)
        check_afterwards(bench, wanted)

    return cancel_at_each(steps, scene, root, kind, check, latency=LATENCY)


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
def test_it_may_be_cancelled_at_any_of_a_sample_of_its_steps(
    scene: Bench, wanted: Facts, tmp_path: Path, kind: type[Any]
) -> None:
    last = count_steps(scene, tmp_path, kind, LATENCY)
    steps = random.Random(5).sample(range(1, last), 6)

    seen = sweep(scene, tmp_path, kind, [*steps, last - 1, last], wanted)

    assert JobStatus.CANCELLED in seen


def sweep_callers(scene: Bench, root: Path, steps: Iterable[int], wanted: Facts) -> None:
    for step in steps:
        bench = copy_scene(scene, root / str(step), latency=LATENCY)
        assert call_cancelled_at(bench, step).fired
        bench.latency = 0.0
        check_afterwards(bench, wanted)
        shutil.rmtree(bench.root)


def test_whoever_waits_for_it_may_be_cancelled(scene: Bench, wanted: Facts, tmp_path: Path) -> None:
    last = count_steps(scene, tmp_path, SyncJob, LATENCY)

    sweep_callers(scene, tmp_path, random.Random(6).sample(range(1, last - 10), 5), wanted)


def sweep_pairs(scene: Bench, root: Path, count: int, wanted: Facts) -> None:
    """Cancel a push, and then what follows it, often in the middle of settling the first."""
    rng = random.Random(8)
    last = count_steps(scene, root, PushJob, LATENCY)
    for turn in range(count):
        bench = copy_scene(scene, root / str(turn), latency=LATENCY)
        steps = rng.randrange(40, last), rng.randrange(1, last // 2)
        kind = rng.choice([PullJob, PushJob, SyncJob])
        for each, step in zip((PushJob, kind), steps, strict=True):
            _, snapshot = job_cancelled_at(bench, each, step)
            assert snapshot.status in {JobStatus.CANCELLED, JobStatus.COMPLETED}, steps
        bench.latency = 0.0
        check_afterwards(bench, wanted)
        shutil.rmtree(bench.root)


@pytest.mark.unmeasured
def test_what_follows_may_be_cancelled_as_well(scene: Bench, wanted: Facts, tmp_path: Path) -> None:
    sweep_pairs(scene, tmp_path, 5, wanted)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_what_follows_may_be_cancelled_wherever_it_is(
    scene: Bench, wanted: Facts, tmp_path: Path
) -> None:
    sweep_pairs(scene, tmp_path, 300, wanted)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_whoever_waits_for_it_may_be_cancelled_at_every_step(
    scene: Bench, wanted: Facts, tmp_path: Path
) -> None:
    last = count_steps(scene, tmp_path, SyncJob, LATENCY)

    sweep_callers(scene, tmp_path, range(1, last - 10), wanted)


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
def test_it_may_be_cancelled_at_every_step(
    scene: Bench, wanted: Facts, tmp_path: Path, kind: type[Any]
) -> None:
    last = count_steps(scene, tmp_path, kind, LATENCY)

    seen = sweep(scene, tmp_path, kind, range(1, last + 1), wanted)

    assert JobStatus.CANCELLED in seen
