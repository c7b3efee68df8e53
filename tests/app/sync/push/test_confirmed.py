"""A push sends only what was confirmed in a plan, as Jira's own log shows. In virtual time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.lossy import Lossy, cut_off
from fakes.pulls import Bench

from jira_sandbox import create_app
from ticketr import JobFailed, open_job_queue
from ticketr.app.sync import Code, Note, PullJob, PushJob, PushPlan, Side, UnknownTicket

CHANGED = "it has changed since the plan was shown"
NEW = "it is not in the plan that was shown"


def writes(bench: Bench) -> list[str]:
    """What was sent that changes something."""
    reading = ("search", "issue/bulkfetch", "issue/createmeta", "user", "myself", "field", "server")
    return [each for each in bench.asked if "{" in each and not each.startswith(reading)]


def draft(bench: Bench, title: str, name: str = "drafts.md") -> Path:
    path = bench.root / name
    path.write_text(f"# TICKET: {title}\n")
    return path


async def test_what_was_confirmed_and_is_unchanged_is_sent(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    draft(bench, "New")
    plan = bench.plan()

    result = await bench.push(confirmed=plan)

    assert (result.updated, result.created, result.left_alone) == (("DEMO-1",), ("DEMO-13",), ())
    assert 'issue/DEMO-1 {"fields": {"summary": "Mine"}}' in writes(bench)
    assert len(writes(bench)) == 2
    assert bench.finds("DEMO-13").summary == "New"
    assert bench.plan() == PushPlan()


async def test_an_edit_that_changed_after_the_plan_is_left(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.retitles("DEMO-2", "Mine too")
    plan = bench.plan()
    bench.retitles("DEMO-1", "Another")

    result = await bench.push(confirmed=plan)

    assert writes(bench) == ['issue/DEMO-2 {"fields": {"summary": "Mine too"}}']
    assert result.left_alone == (Note("DEMO-1", "DEMO-1.md", CHANGED, Code.NOT_IN_PLAN),)
    assert (result.updated, result.failed) == (("DEMO-2",), ())
    assert [each.key for each in bench.plan().entries] == ["DEMO-1"]


async def test_what_was_added_after_the_plan_is_left(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    plan = bench.plan()
    draft(bench, "Later")
    bench.retitles("DEMO-2", "Later too")
    bench.edits("DEMO-3.md", "## Tasks\n", "## Tasks\n- A later sub-task\n")

    result = await bench.push(confirmed=plan)

    assert writes(bench) == ['issue/DEMO-1 {"fields": {"summary": "Mine"}}']
    assert [(each.key_title_or_path, each.reason, each.code) for each in result.left_alone] == [
        ("DEMO-2", NEW, Code.NOT_IN_PLAN),
        ('draft "A later sub-task"', NEW, Code.NOT_IN_PLAN),
        ('draft "Later"', NEW, Code.NOT_IN_PLAN),
    ]


async def test_an_edited_draft_is_left_with_its_sub_tasks(bench: Bench) -> None:
    bench.root.mkdir()
    path = bench.root / "drafts.md"
    path.write_text("# TICKET: New\n\n## Tasks\n- One\n- Two\n")
    plan = bench.plan()
    assert [(each.title, each.parent_key_or_title) for each in plan.entries] == [
        ("New", ""),
        ("One", 'draft "New"'),
        ("Two", 'draft "New"'),
    ]
    path.write_text("# TICKET: New\n\n## Description\nWords.\n\n## Tasks\n- One\n- Two\n")

    result = await bench.push(confirmed=plan)

    assert writes(bench) == []
    assert [(each.title, each.reason) for each in result.left_alone] == [
        ("New", CHANGED),
        ("One", "its ticket is not created"),
        ("Two", "its ticket is not created"),
    ]


async def test_a_sub_task_that_was_added_to_a_confirmed_draft_waits(bench: Bench) -> None:
    bench.root.mkdir()
    path = bench.root / "drafts.md"
    path.write_text("# TICKET: New\n\n## Tasks\n- One\n")
    plan = bench.plan()
    path.write_text("# TICKET: New\n\n## Tasks\n- Later\n- One\n")

    result = await bench.push(confirmed=plan)

    assert result.created == ("DEMO-13", "DEMO-14")
    assert bench.finds("DEMO-14").summary == "One"
    assert [(each.title, each.line, each.reason) for each in result.left_alone] == [
        ("Later", 4, NEW)
    ]
    later = bench.plan()
    assert [(each.title, each.parent_key_or_title) for each in later.entries] == [
        ("Later", "DEMO-13")
    ]
    assert (await bench.push(confirmed=later)).created == ("DEMO-15",)


async def test_of_two_equal_drafts_as_many_are_created_as_were_confirmed(bench: Bench) -> None:
    bench.root.mkdir()
    draft(bench, "Twin", "b.md")
    plan = bench.plan()
    draft(bench, "Twin", "a.md")

    result = await bench.push(confirmed=plan)

    assert result.created == ("DEMO-13",)
    assert [(each.path, each.reason) for each in result.left_alone] == [("a.md", NEW)]
    assert (bench.root / "b.md").read_text().startswith("# TICKET: [DEMO-13] Twin")


async def test_a_push_waits_behind_a_pull_and_still_sends_what_was_confirmed(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.retitles("DEMO-2", "Mine too")
    bench.edits("DEMO-3.md", "## Tasks\n", "## Tasks\n- New\n")
    plan = bench.plan()
    bench.site.edit("DEMO-1", labels=("theirs",))
    bench.site.edit("DEMO-2", summary="Theirs")
    settings = bench.settings()
    async with open_job_queue(workers=2) as queue:
        pull = await queue.submit(PullJob(**settings), key="work")
        push = await queue.submit(PushJob(**settings, confirmed=plan), key="work")
        assert (await pull.result()).in_conflict == 1
        result = await push.result()

    assert 'issue/DEMO-1 {"fields": {"summary": "Mine"}}' in writes(bench)
    assert len(writes(bench)) == 2
    assert bench.finds("DEMO-1").labels == ("theirs",)
    assert bench.finds("DEMO-2").summary == "Theirs"
    assert [(each.key, each.code) for each in result.conflicts] == [("DEMO-2", Code.CONFLICT)]
    assert result.in_conflict == 1
    assert (result.updated, result.created, result.left_alone) == (("DEMO-1",), ("DEMO-13",), ())


def theirs(bench: Bench, key: str, old: str, new: str) -> None:
    """Change a text in the description that Jira has."""
    document = json.dumps(bench.finds(key).description)
    assert old in document
    bench.site.edit(key, description=json.loads(document.replace(old, new)))


async def with_paragraphs(bench: Bench) -> Path:
    """Make DEMO-13, which has three paragraphs."""
    bench.root.mkdir(exist_ok=True)
    path = bench.root / "story.md"
    path.write_text("# TICKET: Story\n\n## Description\nFirst.\n\nSecond.\n\nThird.\n")
    assert (await bench.push()).created == ("DEMO-13",)
    return path


async def test_a_sync_merges_first_and_sends_what_was_asked_for(bench: Bench) -> None:
    await bench.pull()
    await with_paragraphs(bench)
    bench.edits("story.md", "First.", "First, mine.")
    plan = bench.plan()
    theirs(bench, "DEMO-13", "Third.", "Third, theirs.")

    result = await bench.sync(confirmed=plan)

    assert (result.pull.merged, result.push.updated, result.push.left_alone) == (
        1,
        ("DEMO-13",),
        (),
    )
    sent = json.dumps(bench.finds("DEMO-13").description)
    assert "First, mine." in sent
    assert "Third, theirs." in sent


async def test_a_sync_sends_no_conflict_and_nothing_that_was_added(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.retitles("DEMO-2", "Mine too")
    plan = bench.plan()
    draft(bench, "Later")
    bench.site.edit("DEMO-1", summary="Theirs")

    result = await bench.sync(confirmed=plan)

    assert writes(bench) == ['issue/DEMO-2 {"fields": {"summary": "Mine too"}}']
    assert [each.key for each in result.pull.conflicts] == ["DEMO-1"]
    assert result.push.conflicts == ()
    assert [(each.key_title_or_path, each.reason) for each in result.push.left_alone] == [
        ('draft "Later"', NEW)
    ]


async def test_with_a_strategy_the_confirmed_side_of_a_clash_is_sent(bench: Bench) -> None:
    await bench.pull()
    await with_paragraphs(bench)
    bench.retitles("DEMO-1", "Mine")
    bench.edits("story.md", "First.", "First, mine.")
    plan = bench.plan()
    bench.site.edit("DEMO-1", summary="Theirs")
    theirs(bench, "DEMO-13", "First.", "First, theirs.")

    result = await bench.sync(confirmed=plan, prefer=Side.LOCAL)

    assert (result.push.updated, result.push.left_alone) == (("DEMO-1", "DEMO-13"), ())
    assert bench.finds("DEMO-1").summary == "Mine"
    assert "First, mine." in json.dumps(bench.finds("DEMO-13").description)


async def test_an_edit_made_while_the_push_merges_was_not_confirmed(bench: Bench) -> None:
    await bench.pull()
    await with_paragraphs(bench)
    bench.edits("story.md", "First.", "First, mine.")
    plan = bench.plan()

    fetches: list[str] = []

    def before(_: str, at: str) -> None:
        if at != "issue/bulkfetch":
            return
        fetches.append(at)
        if len(fetches) == 2:  # after the pull's: the push has selected what was confirmed
            theirs(bench, "DEMO-13", "Third.", "Third, theirs.")
            bench.edits("story.md", "Second.", "Second, later.")

    transport = Lossy(create_app(bench.site), lambda *_: None, before=before)
    result = await bench.sync(confirmed=plan, transport=transport)

    assert transport.writes == []
    assert result.push.left_alone == (Note("DEMO-13", "story.md", CHANGED, Code.NOT_IN_PLAN),)
    assert (result.pull.merged, result.push.updated) == (0, ())
    text = (bench.root / "story.md").read_text()
    assert "First, mine.\n\nSecond, later.\n\nThird, theirs." in text


async def test_edits_that_a_lost_answer_brings_up_were_not_confirmed(bench: Bench) -> None:
    """Jira has taken a title that was taken back here since: that is an edit nobody was shown."""
    await bench.pull()
    before = (bench.root / "DEMO-1.md").read_text()
    bench.retitles("DEMO-1", "Sent")
    await cut_off(bench, "PUT issue/DEMO-1")
    assert bench.finds("DEMO-1").summary == "Sent"
    (bench.root / "DEMO-1.md").write_text(before.replace("Priority: Low", "Priority: High"))
    plan = bench.plan()

    await bench.push(confirmed=plan)

    assert writes(bench) == ['issue/DEMO-1 {"fields": {"priority": {"id": "2"}}}']
    assert bench.finds("DEMO-1").summary == "Sent"


async def test_a_push_of_named_tickets_sends_these_alone_and_confirmed(bench: Bench) -> None:
    await bench.pull()
    for key in ("DEMO-1", "DEMO-2", "DEMO-9"):
        bench.retitles(key, "Mine")
    plan = bench.plan(["DEMO-1", "DEMO-2"])
    bench.retitles("DEMO-2", "Later")

    result = await bench.push(keys=["DEMO-1", "DEMO-2"], confirmed=plan)

    assert writes(bench) == ['issue/DEMO-1 {"fields": {"summary": "Mine"}}']
    assert [each.key for each in result.left_alone] == ["DEMO-2"]
    assert (await bench.push(keys={"DEMO-2"})).updated == ("DEMO-2",)
    assert [each.key for each in bench.plan().entries] == ["DEMO-9"]


async def test_a_push_of_an_unknown_ticket_sends_nothing(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")

    with pytest.raises(JobFailed, match="DEMO-77 was never pulled into this folder") as caught:
        await bench.push(keys=["DEMO-1", "DEMO-77"])

    assert isinstance(caught.value.__cause__, UnknownTicket)
    assert writes(bench) == []


async def test_of_tickets_that_were_never_pulled_only_the_named_are_compared(bench: Bench) -> None:
    bench.root.mkdir()
    for key in ("DEMO-1", "DEMO-2"):
        (bench.root / f"{key}.md").write_text(f"# TICKET: [{key}] Mine\n")

    result = await bench.push(keys=["DEMO-2"])

    assert [each.key for each in result.conflicts] == ["DEMO-2"]
    assert writes(bench) == []


async def test_a_key_added_to_another_ticket_fails_only_a_push_that_names_the_ticket(
    bench: Bench,
) -> None:
    await bench.pull()
    (bench.root / "DEMO-9.md").unlink()
    bench.edits("DEMO-3.md", "## Tasks\n", "## Tasks\n- [DEMO-9] Moved\n")
    bench.retitles("DEMO-1", "Mine")

    assert (await bench.push(keys=["DEMO-1"])).failed == ()
    assert [each.key for each in (await bench.push(keys=["DEMO-3"])).failed] == ["DEMO-9"]
