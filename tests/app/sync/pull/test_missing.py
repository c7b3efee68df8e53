"""Tickets that Jira has no longer, or under another key; what a pull that prunes takes away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.pulls import Bench
from fakes.unsettled import DRAFT, lose_answers

from jira_sandbox.data.catalogue import BLANK
from jira_sandbox.data.model import Project
from ticketr import JobFailed
from ticketr.app.sync import Code, RenamedProject
from ticketr.app.tickets import parse, render

DELETED = "it was deleted in Jira, or you may no longer see it"
KEPT = f"{DELETED}; it was edited here, or its file holds more than it"


def trash(bench: Bench) -> dict[str, str]:
    folder = bench.root / ".ticketr" / "trash"
    return {path.name: path.read_text() for path in folder.glob("*")}


async def is_kept_when_deleted(bench: Bench, key: str) -> None:
    """Delete an issue in Jira, and see that a pull which prunes leaves its text here."""
    before = bench.files()
    bench.site.delete(key)

    result = await bench.pull(prune=True)

    assert [(note.key, note.reason) for note in result.gone] == [(key, KEPT)]
    assert (result.pruned, bench.files(), trash(bench)) == ((), before, {})


async def test_a_deleted_ticket_is_told_with_every_pull_and_kept(bench: Bench) -> None:
    await bench.pull()
    before = bench.files()
    bench.site.delete("DEMO-3")

    first, second = await bench.pull(), await bench.pull()

    notes = [(note.key, note.path, note.reason, note.code) for note in first.gone]
    assert notes == [
        ("DEMO-3", "DEMO-3.md", DELETED, Code.NOT_FOUND),
        ("DEMO-4", "DEMO-3.md", DELETED, Code.NOT_FOUND),
        ("DEMO-5", "DEMO-3.md", DELETED, Code.NOT_FOUND),
    ]
    assert (first.gone, first.pruned) == (second.gone, ())
    assert first.prunable == ("DEMO-3", "DEMO-4", "DEMO-5")
    assert bench.files() == before


async def test_a_prune_puts_a_deleted_ticket_aside_with_its_sub_tasks(bench: Bench) -> None:
    await bench.pull()
    text = bench.files()["DEMO-3.md"]
    bench.site.delete("DEMO-3")

    result = await bench.pull(prune=True)

    assert (result.pruned, result.gone) == (("DEMO-3", "DEMO-4", "DEMO-5"), ())
    assert trash(bench) == {"DEMO-3.md": text}
    assert not (bench.root / "DEMO-3.md").exists()
    again = await bench.pull(prune=True)
    assert (again.pruned, again.gone, again.new) == ((), (), 0)


@pytest.mark.parametrize(
    "edited",
    ["My own words.\n\n{}", "{}\n# TICKET: A draft\n", "{}\n## Acceptance Criteria\n- x\n"],
)
async def test_a_prune_keeps_what_holds_somebodys_words(bench: Bench, edited: str) -> None:
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_text(edited.format(path.read_text()))

    await is_kept_when_deleted(bench, "DEMO-9")


async def test_a_prune_keeps_the_lines_of_a_deleted_sub_task_until_they_are_removed_by_hand(
    bench: Bench,
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-3.md"

    await is_kept_when_deleted(bench, "DEMO-4")

    (ticket,) = parse(path.read_text()).tickets
    rest = tuple(task for task in ticket.tasks if task.key != "DEMO-4")
    path.write_text(render([replace(ticket, tasks=rest)]))
    later = await bench.pull(full=True)
    assert (later.gone, later.updated) == ((), 0)
    assert [*parse(path.read_text()).tickets[0].keys()] == ["DEMO-3", "DEMO-5"]
    assert (await bench.sync()).push.total == 0


async def test_a_push_leaves_a_deleted_sub_task_where_it_stands(bench: Bench) -> None:
    await bench.pull()
    path = bench.root / "DEMO-3.md"
    path.write_text(path.read_text().replace("Results jump", "Results leap", 1))
    before = parse(path.read_text()).tickets[0].tasks
    bench.site.delete("DEMO-4")

    result = await bench.push()

    assert (result.updated, result.failed) == (("DEMO-3",), ())
    pushed = path.read_text()
    assert {*parse(pushed).tickets[0].tasks} == {*before}
    assert (await bench.sync()).push.total == 0
    assert path.read_text() == pushed


async def test_a_ticket_that_was_moved_to_another_project_is_told_by_its_new_key(
    bench: Bench,
) -> None:
    await bench.pull()
    found = bench.finds("DEMO-9")
    bench.site.put(replace(found, project=BLANK, number=77))

    result = await bench.pull(prune=True)

    (note,) = result.gone
    assert (note.key, note.code) == ("DEMO-9", Code.MOVED)
    assert note.reason == f"Jira calls it {BLANK.key}-77 now; it was moved to another project"
    assert "DEMO-9.md" in bench.files()


async def test_what_a_prune_would_leave_is_told_without_one_as_well(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-9", "Mine")
    for key in ("DEMO-9", "DEMO-3"):
        bench.site.delete(key)

    told = await bench.pull()
    result = await bench.pull(prune=True)

    family = ("DEMO-3", "DEMO-4", "DEMO-5")
    reasons = [(key, DELETED) for key in family]
    assert [(note.key, note.reason) for note in told.gone] == [*reasons, ("DEMO-9", KEPT)]
    assert (told.prunable, result.pruned, result.prunable) == (family, family, ())


async def test_an_edit_of_a_ticket_that_was_moved_to_another_project_names_its_new_key(
    bench: Bench,
) -> None:
    await bench.pull()
    bench.retitles("DEMO-9", "Mine")
    bench.retitles("DEMO-3", "Mine too")
    for number in (3, 4, 5, 9):
        found = bench.finds(f"DEMO-{number}")
        bench.site.put(replace(found, project=BLANK, number=number))
    files = bench.files()

    family, alone = (await bench.push()).failed

    assert (family.key, alone.key, family.code, alone.code) == (
        "DEMO-3",
        "DEMO-9",
        Code.MOVED,
        Code.MOVED,
    )
    assert alone.reason == (
        "Jira calls it BLANK-9 now; it was moved to another project, or its project was renamed. "
        "To push it, write BLANK-9 for DEMO-9 in the file, then sync"
    )
    assert "write BLANK-3 for DEMO-3, BLANK-4 for DEMO-4, BLANK-5 for DEMO-5 in" in family.reason
    assert bench.files() == files
    # What it says to do helps.
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("DEMO-9", "BLANK-9"))
    assert (await bench.sync()).push.updated == ("BLANK-9",)
    assert bench.finds("BLANK-9").summary == "Mine"


EVERYTHING = "labels is EMPTY OR labels is not EMPTY"
SHOP = Project(10000, "SHOP", "Harbour Books", "The same by another name.", BLANK.lead)


def move(bench: Bench, *numbers: int) -> None:
    for number in numbers:
        found = bench.finds(f"DEMO-{number}")
        bench.site.put(replace(found, project=BLANK, updated=found.updated + 10**9))


def keys_in(bench: Bench, name: str) -> list[str]:
    (ticket,) = parse(bench.files()[name]).tickets
    return list(ticket.keys())


@pytest.mark.parametrize("edited", [False, True])
async def test_a_pull_that_finds_it_writes_its_new_key_where_it_stands(
    bench: Bench, edited: bool
) -> None:
    await bench.pull(jql=EVERYTHING)
    if edited:
        bench.retitles("DEMO-3", "Mine")
    move(bench, 3, 4, 5)
    bench.site.edit("BLANK-4", labels=("theirs",))

    pulled = await bench.pull(jql=EVERYTHING, full=True)
    pushed = await bench.push(jql=EVERYTHING)

    assert (pulled.kept, pulled.conflicts, pulled.failed, pulled.new) == ((), (), (), 0)
    assert keys_in(bench, "DEMO-3.md") == ["BLANK-3", "BLANK-4", "BLANK-5"]
    assert (pushed.updated, pushed.failed) == (("BLANK-3",) if edited else (), ())
    assert bench.finds("BLANK-3").summary == "Mine" or not edited
    assert len(bench.keys()) == len(set(bench.keys())) == 12
    again = await bench.sync(jql=EVERYTHING, full=True)
    assert (again.pull.updated, again.pull.kept, again.push.total) == (0, (), 0)


async def test_a_clone_is_told_the_new_key_of_a_ticket_that_it_never_pulled(
    bench: Bench, tmp_path: Path
) -> None:
    await bench.pull()
    clone = Bench(bench.site, tmp_path / "clone")
    clone.root.mkdir()
    for name in ("DEMO-1.md", "DEMO-9.md"):
        (clone.root / name).write_text(bench.files()[name])
    move(bench, 9)

    (note,) = (await clone.push()).failed

    assert (note.key, note.code) == ("DEMO-9", Code.MOVED)
    assert "Jira calls it BLANK-9 now" in note.reason
    assert "write BLANK-9 for DEMO-9" in note.reason


async def test_a_new_issue_that_was_moved_before_its_key_was_written_is_not_made_twice(
    bench: Bench,
) -> None:
    path = await lose_answers(bench, DRAFT)
    found = bench.finds("DEMO-13")
    bench.site.put(replace(found, project=BLANK, number=1))

    await bench.push()

    assert path.read_text().startswith("# TICKET: [BLANK-1] Once\n")
    assert len(bench.site) == 13


def rename_project(bench: Bench) -> None:
    bench.site.projects = (SHOP, BLANK)
    bench.site.former_keys = {"DEMO": SHOP}
    for issue in list(bench.site):
        bench.site.put(replace(issue, project=SHOP))


@pytest.mark.parametrize("kind", ["pull", "push", "sync"])
async def test_a_project_that_was_renamed_is_named_with_the_way_out(
    bench: Bench, kind: str
) -> None:
    await bench.pull()
    bench.retitles("DEMO-9", "Mine")
    (bench.root / "draft.md").write_text("# TICKET: New\n")
    rename_project(bench)

    with pytest.raises(JobFailed) as failed:
        await getattr(bench, kind)()

    assert isinstance(failed.value.__cause__, RenamedProject)
    assert "the project DEMO is called SHOP in Jira now: write SHOP where" in str(failed.value)
    # What it says to do helps.
    pulled = await bench.pull(project="SHOP")
    pushed = await bench.push(project="SHOP")
    assert (pulled.kept, pulled.conflicts, pulled.gone) == ((), (), ())
    assert (pushed.updated, pushed.failed, pushed.conflicts) == (("SHOP-9",), (), ())
    assert pushed.created == ("SHOP-13",)
    keys = bench.keys()
    assert all(key.startswith("SHOP-") for key in keys)
    again = await bench.sync(project="SHOP")
    assert (again.pull.updated, again.pull.merged, again.push.total) == (0, 0, 0)


async def test_a_project_that_jira_never_had_is_named(bench: Bench) -> None:
    with pytest.raises(JobFailed, match="there is no project NOPE at http"):
        await bench.pull(project="NOPE")
