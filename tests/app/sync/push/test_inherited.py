"""New sub-tasks take over the fields of their tickets, as the plan shows; on the sandbox."""

from __future__ import annotations

from pathlib import Path

from fakes.pulls import Bench
from fakes.unsettled import write

from ticketr.app.sync import Code

WHOLE = (
    "# TICKET: Whole\n\n## Fields\nType: Story\nStatus: In Progress\nPriority: High\n"
    "Labels: a, b\nAssignee: zoe@example.com\nStory Points: 3\nReporter: \n"
)
TASKS = "\n## Tasks\n- One\n- Two\n  ## Fields\n  Priority: Low\n  Assignee:\n  Labels:\n"


def made(bench: Bench, key: str) -> tuple[str, str | None, tuple[str, ...]]:
    """Return the priority, the assignee and the labels of an issue in Jira."""
    issue = bench.finds(key)
    assignee = issue.assignee.email if issue.assignee else None
    return issue.priority.name, assignee, issue.labels


def add_tasks(bench: Bench, key: str, tasks: str) -> Path:
    path = bench.root / f"{key}.md"
    text = path.read_text()
    head, found, rest = text.partition("\n## Tasks\n")
    path.write_text(f"{head}\n## Tasks\n{tasks}{rest if found else ''}")
    return path


async def test_a_task_takes_over_what_it_does_not_name(bench: Bench) -> None:
    path = write(bench, WHOLE + TASKS)

    result = await bench.push()

    assert (result.created, result.failed, result.warnings) == (
        ("DEMO-13", "DEMO-14", "DEMO-15"),
        (),
        (),
    )
    assert made(bench, "DEMO-14") == ("High", "zoe@example.com", ("a", "b"))
    assert made(bench, "DEMO-15") == ("Low", None, ())  # named, and the empty lines are names too
    one = bench.finds("DEMO-14")
    assert (one.type.name, one.status.name, one.story_points) == ("Sub-task", "To Do", None)
    assert "  Priority: High\n" in path.read_text()  # as Jira answered
    assert (await bench.sync()).push.total == 0


async def test_a_task_under_a_ticket_in_jira_takes_over_what_its_file_says_now(
    bench: Bench,
) -> None:
    await bench.pull()
    path = add_tasks(bench, "DEMO-3", "- One\n")
    path.write_text(path.read_text().replace("Priority: High", "Priority: Lowest", 1))

    result = await bench.push()

    assert (result.created, result.failed) == (("DEMO-13",), ())
    parent, child = bench.finds("DEMO-3"), bench.finds("DEMO-13")
    assert (child.priority.name, child.labels) == ("Lowest", parent.labels)
    assert (child.assignee, child.components) == (parent.assignee, parent.components)
    assert parent.sprints
    assert child.sprints == ()


async def test_the_plan_shows_what_is_sent(bench: Bench) -> None:
    await bench.pull()
    add_tasks(bench, "DEMO-3", "- One\n  ## Fields\n  Assignee:\n  Labels: mine\n")
    plan = bench.plan()

    dry = await bench.push(dry_run=True)
    sent = await bench.push(confirmed=plan)

    shown = plan.entries[0].changes
    assert [(each.name, each.old, each.new) for each in shown] == [
        ("Title", "", "One"),
        ("Labels", "", "mine"),
        ("Priority", "", "High (from DEMO-3)"),
        ("Components", "", "Shop front (from DEMO-3)"),
    ]
    assert dry.planned[0].changes == sent.planned[0].changes == shown
    assert (sent.created, sent.left_alone) == (("DEMO-13",), ())
    child = bench.finds("DEMO-13")
    assert made(bench, "DEMO-13") == ("High", None, ("mine",))
    assert [each.name for each in child.components] == ["Shop front"]


async def test_a_value_that_changed_since_the_plan_is_not_sent(bench: Bench) -> None:
    await bench.pull()
    path = add_tasks(bench, "DEMO-3", "- One\n")
    plan = bench.plan()
    path.write_text(path.read_text().replace("Priority: High", "Priority: Lowest", 1))

    result = await bench.push(confirmed=plan)

    assert result.created == ()
    assert {each.key_title_or_path for each in result.left_alone} == {"DEMO-3", 'draft "One"'}


async def test_the_setting_turns_it_off(bench: Bench) -> None:
    write(bench, WHOLE + TASKS)

    assert bench.plan(inherit=False).entries[1].changes == bench.plan().entries[1].changes[:1]
    await bench.push(inherit=False)

    assert made(bench, "DEMO-14") == ("Medium", None, ())


async def test_many_tasks_are_created_in_batches_with_what_they_take_over(bench: Bench) -> None:
    tasks = "".join(f"- Task {number}\n" for number in range(60))
    write(bench, f"{WHOLE}\n## Tasks\n{tasks}")

    result = await bench.push()

    assert (len(result.created), result.failed) == (61, ())
    children = [made(bench, key) for key in result.created[1:]]
    assert children == [("High", "zoe@example.com", ("a", "b"))] * 60
    assert sum(each.startswith("POST issue/bulk") for each in bench.writes) == 2


async def test_what_the_task_cannot_have_is_left_out_with_a_note(bench: Bench) -> None:
    await bench.pull()
    path = add_tasks(bench, "DEMO-3", "- One\n")
    path.write_text(path.read_text().replace("Assignee: Tomás O’Brien", "Assignee: Nobody", 1))

    result = await bench.push()

    assert result.created == ("DEMO-13",)
    note = result.warnings[0]
    assert (note.title, note.code) == ("One", Code.BAD_VALUE)
    assert note.reason.startswith(
        'Assignee: not taken over from its ticket, since nobody called "Nobody" can be chosen'
    )
    assert made(bench, "DEMO-13")[:2] == ("High", None)
    assert "Assignee" not in [each.name for each in result.planned[-1].changes]
