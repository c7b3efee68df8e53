"""Values of earlier syncs in files: what counts as older, how many are known, and what comes forward."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.comments import add_comment, comments_in, edit_comment, writes
from fakes.pulls import Bench
from fakes.stores import undo_last

from jira_sandbox.data.catalogue import LINK_TYPES
from ticketr.app.jira import Issue
from ticketr.app.sync import (
    Code,
    FieldSetting,
    IssuePlace,
    ListAction,
    PushPlan,
    State,
    add_comment as comment_in_file,
    carry_out_edits,
    mark_editor_changes_as_edits,
    plan_file_edits,
)
from ticketr.app.sync.compare.sent import (
    digest,
    keys_parts_and_replaced_digests,
    replace_older_values,
)
from ticketr.app.sync.state.state import MAX_OLDER_VALUES_OF_PART, IssueRow, MergeBase
from ticketr.app.tickets import Comment, Ticket, parse, render_ticket

ON = {"comments": True, "links": True}
TASK = Ticket("Part", "DEMO-2", fields={"Status": "To Do"})
NOW = Ticket(
    "Title",
    "DEMO-1",
    "Text",
    {"Priority": "Low"},
    comments=(Comment("Hello", "7", "Mia"),),
    rich_texts={"Notes": "Note"},
    tasks=(TASK,),
)


def values_of(*texts: tuple[str, str, str]) -> dict[str, set[tuple[str, str]]]:
    values: dict[str, set[tuple[str, str]]] = {}
    for key, part, text in texts:
        values.setdefault(key, set()).add((part, digest(text)))
    return values


def test_each_kind_of_part_comes_forward() -> None:
    was = replace(
        NOW,
        title="Was",
        description="Before",
        fields={"Priority": "High"},
        comments=(Comment("Hullo", "7", "Mia"),),
        rich_texts={"Notes": "Old"},
        tasks=(replace(TASK, title="Was", fields={"Status": "Done"}),),
    )
    older: dict[str, set[tuple[str, str]]] = {}
    for key, part, text in keys_parts_and_replaced_digests(was, NOW):
        older.setdefault(key, set()).add((part, text))

    ticket, replaced = replace_older_values(was, NOW, older)

    assert ticket == NOW
    assert {key: [each.name for each in values] for key, values in replaced.items()} == {
        "DEMO-1": ["Title", "Description", "Priority", "Notes", "Comment 7"],
        "DEMO-2": ["Title", "Status"],
    }


def test_what_the_last_sync_no_longer_has_goes() -> None:
    was = replace(
        NOW,
        fields={"Priority": "Low", "Due": "2026-01-01"},
        comments=(*NOW.comments, Comment("Gone", "8", "Mia")),
        rich_texts={"Notes": "Note", "More": "Gone"},
    )
    older = values_of(
        ("DEMO-1", "Due", "2026-01-01"),
        ("DEMO-1", "#comment 8", "Gone"),
        ("DEMO-1", "#text More", "Gone"),
    )

    assert replace_older_values(was, NOW, older)[0] == NOW


@pytest.mark.parametrize(
    "mine",
    [
        replace(NOW, title="Mine"),
        replace(NOW, comments=(*NOW.comments, Comment("Was"))),
        replace(NOW, tasks=(TASK, Ticket("Was"))),
        replace(NOW, tasks=(replace(TASK, title="Was"),)),
        replace(NOW, fields={"Priority": "Was"}),
    ],
)
def test_an_edit_stays_though_another_part_once_had_its_text(mine: Ticket) -> None:
    older = values_of(("DEMO-1", "#TITLE", "Was"), ("DEMO-3", "#TITLE", "Was"))

    assert replace_older_values(mine, NOW, older) == (mine, {})


def test_new_comments_and_lost_tasks_replace_nothing() -> None:
    before = replace(NOW, comments=(*NOW.comments, Comment("New")))
    after = replace(NOW, tasks=())

    assert list(keys_parts_and_replaced_digests(before, after)) == []
    assert list(keys_parts_and_replaced_digests(NOW, replace(NOW, title="x"))) == [
        ("DEMO-1", "#TITLE", digest("Title"))
    ]


def record(state: State, ticket: Ticket) -> None:
    rows = [
        IssueRow(Issue(key[5:], key, {}))
        for key in ticket.keys()  # noqa: SIM118 - no mapping
    ]
    state.record("1", MergeBase("DEMO-1.md", render_ticket(ticket)), rows, seen=1.0)


def test_the_last_values_of_a_part_are_kept(state: State) -> None:
    for number in range(MAX_OLDER_VALUES_OF_PART + 5):
        record(state, replace(NOW, title=f"Title {number}"))
    record(state, replace(NOW, title="Title 3"))  # it is the value of now, and older no more later
    record(state, replace(NOW, title="Last"))

    values = state.older.digests_of("1")["DEMO-1"]

    numbers = [*range(6, MAX_OLDER_VALUES_OF_PART + 5), 3]
    assert values == {("#TITLE", digest(f"Title {number}")) for number in numbers}


def test_nothing_is_known_of_a_forgotten_ticket(state: State) -> None:
    record(state, NOW)
    record(state, replace(NOW, title="Other"))

    state.forget("1")
    record(state, replace(NOW, title="Other"))

    assert state.older.digests_of("1") == {}


async def test_comments_and_links_of_before_are_no_edits(bench: Bench) -> None:
    blocks = LINK_TYPES[0]
    number, gone = (add_comment(bench, "DEMO-1", text) for text in ("Hullo", "Gone"))
    bench.site.link(blocks, bench.finds("DEMO-1"), bench.finds("DEMO-2"))
    await bench.pull(**ON)
    old = bench.text("DEMO-1")
    edit_comment(bench, "DEMO-1", number, "Hello")
    edit_comment(bench, "DEMO-1", gone, None)
    bench.site.link(blocks, bench.finds("DEMO-1"), bench.finds("DEMO-9"))
    await bench.pull(**ON)
    bench.path("DEMO-1").write_text(old)
    writes(bench, "- new: Mine")

    (entry,) = bench.plan().entries
    assert [change.name for change in entry.changes] == ["New comment"]
    (note,) = (await bench.push(**ON)).left_alone

    assert (note.key, note.code) == ("DEMO-1", Code.OLDER_REPLACED)
    assert note.reason.startswith(f"Blocks, Comment {number}, Comment {gone}: older than ")
    assert comments_in(bench, "DEMO-1") == ["Hello", "Mine"]
    assert len(bench.finds("DEMO-1").links) == 2
    text = bench.text("DEMO-1")
    assert "Hullo" not in text
    assert (await bench.sync(**ON)).push.total == 0
    assert bench.text("DEMO-1") == text


async def older_title(bench: Bench) -> str:
    """Let the title of DEMO-9 be older in its file; return it."""
    await bench.pull()
    old = bench.text("DEMO-9")
    bench.site.edit("DEMO-9", summary="Theirs")
    await bench.pull()
    bench.path("DEMO-9").write_text(old)
    return parse(old).tickets[0].title


PRIORITY = "\nPriority: "


async def set_back(bench: Bench) -> None:
    """Push two priorities, then set the first one by a command."""
    await bench.pull()
    was = parse(bench.text("DEMO-9")).tickets[0].fields["Priority"]
    for text in ("Lowest", "Highest"):
        bench.edits("DEMO-9", f"{PRIORITY}{was}", f"{PRIORITY}{text}")
        await bench.push()
        was = text
    place = IssuePlace("DEMO-9.md", "DEMO-9")
    with bench.state() as state:
        change = FieldSetting("Priority", "Lowest", ListAction.REPLACE)
        carry_out_edits(bench.store, state, plan_file_edits(bench.store, {place: change}))


async def test_a_field_that_is_set_by_a_command_is_an_edit(bench: Bench) -> None:
    await set_back(bench)

    (entry,) = bench.plan().entries

    assert [(change.old, change.new) for change in entry.changes] == [("Highest", "Lowest")]


async def test_after_an_undo_it_is_known_as_before(bench: Bench) -> None:
    await set_back(bench)
    with bench.state() as state:
        undo_last(bench.store, state)
    assert bench.plan() == PushPlan()

    bench.edits("DEMO-9", f"{PRIORITY}Highest", f"{PRIORITY}Lowest")

    assert bench.plan().entries == ()
    assert len(bench.plan().left_alone) == 1


async def test_a_comment_beside_an_older_title_does_not_take_it_in(bench: Bench) -> None:
    await older_title(bench)
    with bench.state() as state:
        comment_in_file(bench.store, state, IssuePlace("DEMO-9.md", "DEMO-9"), "Mine")

    assert [note.code for note in bench.plan().left_alone] == [Code.OLDER]


async def test_an_editor_leaves_what_is_older_beside_it(bench: Bench) -> None:
    await older_title(bench)
    before = bench.store.read_tickets("DEMO-9.md")
    bench.edits("DEMO-9", "Labels: ", "Labels: mine, ")

    mark_editor_changes_as_edits(bench.store, "DEMO-9.md", before)

    assert [[change.name for change in entry.changes] for entry in bench.plan().entries] == [
        ["Labels"]
    ]
    assert [note.code for note in bench.plan().left_alone] == [Code.OLDER]


async def test_an_editor_that_breaks_a_file_takes_in_nothing(bench: Bench) -> None:
    await older_title(bench)
    before = bench.store.read_tickets("DEMO-9.md")
    bench.edits("DEMO-9", "# TICKET", "<<<<<<< \n# TICKET")

    mark_editor_changes_as_edits(bench.store, "DEMO-9.md", before)

    with bench.state() as state:
        assert state.older.digests_of(state.head_id_of("DEMO-9") or "").keys() == {"DEMO-9"}
