"""A conflict, shown part by part, and settled by choices or by a side, offline."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
import trio
from fakes.conflicts import dump, make_conflict, opened, settle as settle_by, tree
from fakes.pulls import Bench
from fakes.unsettled import site_in_virtual_time
from trio.testing import MockClock

from ticketr.app.config import WrongFileKind
from ticketr.app.jira.adf import to_adf
from ticketr.app.sync import (
    Choice,
    Conflict,
    ConflictChanged,
    ConflictView,
    FileFailed,
    NoConflict,
    OneSidedChange,
    PartChangeInFile,
    PartsNotChosen,
    ReplacementText,
    Resolved,
    State,
    Store,
    Take,
    carry_out,
    choose,
    read_conflict,
    resolve,
)
from ticketr.app.sync.resolving import read_open_conflict
from ticketr.app.tickets import TicketSyntaxError, parse


def view(bench: Bench, key: str = "DEMO-9") -> ConflictView:
    with opened(bench) as (store, state):
        return read_conflict(store, state, key)


def settle(bench: Bench, seen: ConflictView, choices: dict[str, Choice]) -> Resolved:
    """Carry out choices by the names of the parts."""
    ids = {part.name: part.id for part in seen.parts}
    resolution = choose(seen, {ids[name]: choice for name, choice in choices.items()})
    with opened(bench) as (store, state), store.lock():
        return carry_out(store, state, resolution)


async def planned(bench: Bench) -> dict[str, list[str]]:
    """The parts of each issue that a push would send."""
    actions = (await bench.push(dry_run=True)).planned
    return {each.key: [change.name for change in each.changes] for each in actions}


async def test_a_conflict_is_read_part_by_part(bench: Bench) -> None:
    old = bench.finds("DEMO-9")
    path = await make_conflict(bench)
    path.write_text(f"# TICKET: A draft\n\n{path.read_text()}")

    seen = view(bench)

    assert (seen.key, seen.title, seen.path, seen.title_line) == ("DEMO-9", "Mine", "DEMO-9.md", 3)
    assert [(each.name, each.base, each.yours, each.jiras) for each in seen.parts] == [
        ("Title", old.summary, "Mine", "Theirs"),
        ("Description ¶3", "Two.", "Two, mine.", "Two, theirs."),
        ("Priority", "Lowest", "Low", "High"),
    ]
    assert seen.one_sided_changes == (
        OneSidedChange("Description ¶1", "mine", "", "Zero."),
        OneSidedChange("Labels", "jira", "search", "remote"),
    )
    with opened(bench) as (_, state):
        known = state.known_issues_by_id()[str(bench.finds("DEMO-9").id)]
    assert (seen.synced_at, seen.last_changed_by) == (known.seen_at, None)
    assert seen.updated > known.updated
    assert seen.planned_copy_path == ".ticketr/trash/DEMO-9.md"


async def test_what_was_chosen_is_in_the_file_and_its_rest_goes_to_jira(bench: Bench) -> None:
    path = await make_conflict(bench)
    before = path.read_text()
    seen = view(bench)
    choices: dict[str, Choice] = {"Title": "mine", "Priority": "jira", "Description ¶3": "both"}
    told = choose(seen, {part.id: choices[part.name] for part in seen.parts})

    done = settle(bench, seen, choices)

    assert done == Resolved("DEMO-9", "DEMO-9.md", ".ticketr/trash/DEMO-9.md")
    assert (bench.root / done.aside).read_text() == before
    (ticket,) = parse(path.read_text()).tickets
    description = "Zero.\n\nOne.\n\nTwo, mine.\n\nTwo, theirs.\n\nThree."
    assert (ticket.title, ticket.description) == ("Mine", description)
    assert (ticket.fields["Priority"], ticket.fields["Labels"]) == ("High", "remote")
    assert told.part_changes_in_file == (
        PartChangeInFile("Description ¶3", "Two, mine.", "Two, mine.\n\nTwo, theirs."),
        PartChangeInFile("Priority", "Low", "High"),
        PartChangeInFile("Labels", "search", "remote"),
    )
    assert told.part_names_to_push == ("Title", "Description ¶3", "Description ¶1")
    assert (seen.planned_copy_path, told.undecided_parts) == (done.aside, ())
    assert await planned(bench) == {"DEMO-9": ["Title", "Description"]}
    assert (await bench.push()).updated == ("DEMO-9",)
    assert (await bench.pull()).conflicts == ()
    assert bench.finds("DEMO-9").summary == "Mine"
    assert bench.finds("DEMO-9").priority == bench.finds("DEMO-3").priority


async def test_a_text_of_ones_own_is_written_and_pushed(bench: Bench) -> None:
    path = await make_conflict(bench)

    settle(
        bench,
        view(bench),
        {
            "Title": ReplacementText("Ours"),
            "Priority": "jira",
            "Description ¶3": ReplacementText("# Two\n\n  x"),
        },
    )

    (ticket,) = parse(path.read_text()).tickets
    assert ticket.title == "Ours"
    assert ticket.description == "Zero.\n\nOne.\n\n# Two\n\n  x\n\nThree."
    assert await planned(bench) == {"DEMO-9": ["Title", "Description"]}


async def test_another_text_put_aside_is_not_overwritten(bench: Bench) -> None:
    path = await make_conflict(bench)
    trash = bench.root / ".ticketr" / "trash"
    trash.mkdir()
    (trash / "DEMO-9.md").write_text("older")
    before = path.read_text()
    seen = view(bench)

    done = settle(bench, seen, dict.fromkeys((part.name for part in seen.parts), "jira"))

    assert seen.planned_copy_path == done.aside == ".ticketr/trash/DEMO-9.2.md"
    assert (trash / "DEMO-9.md").read_text() == "older"
    assert (trash / "DEMO-9.2.md").read_text() == before


async def test_where_something_is_left_to_choose_nothing_changes(bench: Bench) -> None:
    await make_conflict(bench)
    before, state_before = tree(bench), dump(bench)

    with pytest.raises(PartsNotChosen) as caught:
        settle(bench, view(bench), {"Title": "mine"})

    assert str(caught.value) == "DEMO-9: 2 left to choose: Description ¶3, Priority"
    assert (tree(bench), dump(bench)) == (before, state_before)


async def refused(bench: Bench, seen: ConflictView) -> str:
    before, state_before = tree(bench), dump(bench)
    resolution = choose(seen, {part.id: "jira" for part in seen.parts})
    with opened(bench) as (store, state), pytest.raises(ConflictChanged) as caught:
        carry_out(store, state, resolution)
    assert (tree(bench), dump(bench)) == (before, state_before)
    return str(caught.value)


def stored(bench: Bench) -> Conflict | None:
    with bench.state() as state:
        return state.conflicts.of("DEMO-9")


async def test_a_pull_that_reads_the_same_conflict_again_changes_no_choice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(site_in_virtual_time(search_lag=0.0), tmp_path / "work")
    path = await make_conflict(bench)
    seen, before = view(bench), stored(bench)
    await trio.sleep(60.0)
    await bench.pull(full=True)
    assert stored(bench) != before, "it is stored with the time of the pull"

    settle(bench, seen, dict.fromkeys((part.name for part in seen.parts), "jira"))

    (ticket,) = parse(path.read_text()).tickets
    assert ticket.title == bench.finds("DEMO-9").summary


async def test_what_has_changed_since_it_was_looked_at_is_left_alone(bench: Bench) -> None:
    path = await make_conflict(bench)
    seen = view(bench)
    again = "since you looked at the conflict; look at it again"

    path.write_text(path.read_text().replace("Mine", "Mine!"))
    assert await refused(bench, seen) == f"DEMO-9: DEMO-9.md was edited {again}"

    seen = view(bench)
    bench.site.edit("DEMO-9", summary="Theirs!")
    await bench.pull()
    words = f"DEMO-9: Jira's version of it was read again {again}"
    assert await refused(bench, seen) == words

    seen = view(bench)
    path.rename(bench.root / "other.md")
    assert await refused(bench, seen) == f"DEMO-9: it was moved to other.md {again}"

    with opened(bench) as (store, state):
        resolve(store, state, "DEMO-9", Take.MINE)
    assert await refused(bench, seen) == f"DEMO-9: the conflict was resolved {again}"


async def test_what_is_saved_at_the_last_moment_is_left_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await make_conflict(bench)
    seen = view(bench)
    whole = path.read_text().replace("Mine", "Mine!")
    monkeypatch.setattr(
        "ticketr.app.sync.resolving._open_unchanged",
        lambda store, state, seen: read_open_conflict(store, state, seen.key),
    )
    path.write_text(whole)

    with pytest.raises(FileFailed, match=r"cannot write DEMO-9 into .*: it was changed meanwhile"):
        settle(bench, seen, dict.fromkeys((part.name for part in seen.parts), "jira"))

    assert path.read_text() == whole
    assert view(bench).parts


async def test_a_clash_in_a_sub_task_is_shown_with_its_ticket(bench: Bench) -> None:
    await bench.pull()
    path = bench.root / "DEMO-3.md"
    path.write_text(path.read_text().replace("Translate the new texts", "Translate mine", 1))
    old = bench.finds("DEMO-4").summary
    bench.site.edit("DEMO-4", summary="Translate theirs")
    await bench.pull()

    seen = view(bench, "DEMO-4")

    assert (seen.key, seen.path) == ("DEMO-3", "DEMO-3.md")
    (part,) = seen.parts
    mine = old.replace("Translate the new texts", "Translate mine")
    assert (part.name, part.base, part.yours, part.jiras) == (
        "DEMO-4: Title",
        old,
        mine,
        "Translate theirs",
    )
    settle(bench, seen, {"DEMO-4: Title": "jira"})
    assert (await bench.sync()).push.total == 0


async def test_a_ticket_that_never_was_synced_has_no_base(bench: Bench) -> None:
    bench.site.edit("DEMO-9", summary="Theirs")
    bench.root.mkdir(exist_ok=True)
    path = bench.root / "DEMO-9.md"
    path.write_text("# TICKET: [DEMO-9] Mine\n\n## Fields\nStatus: In Progress\n")
    await bench.pull()

    seen = view(bench)

    assert seen.synced_at is None
    assert [(each.name, each.base, each.yours) for each in seen.parts] == [
        ("Title", "", "Mine"),
        ("Description", "", ""),
    ]
    settle(bench, seen, {"Title": "mine", "Description": "jira"})
    assert await planned(bench) == {"DEMO-9": ["Title"]}


async def test_without_a_conflict_or_its_ticket_there_is_nothing_to_show(bench: Bench) -> None:
    path = await make_conflict(bench)

    with pytest.raises(NoConflict, match="DEMO-1 has no conflict; these have: DEMO-9"):
        view(bench, "DEMO-1")
    path.write_text("# Notes\n")
    with pytest.raises(FileFailed, match=r"cannot find DEMO-9 in .*: it is not there any more"):
        view(bench)


@pytest.fixture
def state(bench: Bench) -> Generator[State]:
    store = Store(bench.root, ".ticketr")
    store.make_state_folder()
    state = State(store.own / "state.db")
    yield state
    state.close()


async def conflict(bench: Bench, key: str = "DEMO-9") -> Path:
    """Let both sides change a title, and give the ticket's file."""
    path = bench.root / f"{key}.md"
    title = parse(path.read_text()).tickets[0].title
    path.write_text(path.read_text().replace(title, "Mine", 1))
    bench.site.edit(key, summary="Theirs")
    (note,) = (await bench.pull()).conflicts
    assert (note.key, note.reason) == (key, f"changed here and in Jira: {key}: Title")
    return path


def title(path: Path) -> str:
    return parse(path.read_text()).tickets[0].title


async def test_what_cannot_be_put_aside_is_not_replaced(bench: Bench, state: State) -> None:
    await bench.pull()
    path = await conflict(bench)
    (bench.root / ".ticketr" / "trash").write_text("in the way")

    with pytest.raises(WrongFileKind, match=r"trash is a file and not a folder of ticketr's own"):
        settle_by(bench, "DEMO-9", Take.JIRA)

    assert title(path) == "Mine"
    assert [each.key for each in state.conflicts.all()] == ["DEMO-9"]


@pytest.mark.parametrize(
    ("take", "begins"),
    [
        (Take.MINE, "# TICKET: [DEMO-9] Mine\n"),
        (Take.JIRA, "# TICKET: [DEMO-9] Theirs\n"),
        (Take.BOTH, "<<<<<<< here\n# TICKET: [DEMO-9] Mine\n=======\n# TICKET: [DEMO-9] Theirs\n"),
    ],
)
async def test_a_file_that_was_moved_since_is_found(
    bench: Bench, state: State, take: Take, begins: str
) -> None:
    await bench.pull()
    old = await conflict(bench)
    new = bench.root / "mine" / "renamed.md"
    new.parent.mkdir()
    old.rename(new)

    assert settle_by(bench, "DEMO-9", take) == "mine/renamed.md"

    assert new.read_text().startswith(begins)
    assert not old.exists()


async def test_a_ticket_that_may_stand_in_a_broken_file_is_written_nowhere_else(
    bench: Bench, state: State
) -> None:
    await bench.pull()
    path = await conflict(bench)
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}")
    path.rename(bench.root / "Z.md")

    with pytest.raises(TicketSyntaxError, match=r"Z\.md:1:1: this file holds a git conflict"):
        settle_by(bench, "DEMO-9", Take.JIRA)

    assert not path.exists()
    assert [each.key for each in state.conflicts.all()] == ["DEMO-9"]


@pytest.mark.parametrize("take", [Take.MINE, Take.JIRA])
async def test_a_file_that_holds_something_else_by_now_is_left_alone(
    bench: Bench, state: State, take: Take
) -> None:
    await bench.pull()
    path = await conflict(bench)
    path.write_text("# Notes of mine\n")

    with pytest.raises(FileFailed, match=r"cannot write DEMO-9 into .*: the file holds something"):
        settle_by(bench, "DEMO-9", take)

    assert path.read_text() == "# Notes of mine\n"
    assert [each.key for each in state.conflicts.all()] == ["DEMO-9"]


async def test_a_file_that_went_away_comes_with_jiras_version(bench: Bench, state: State) -> None:
    await bench.pull()
    path = await conflict(bench)
    path.unlink()

    with pytest.raises(FileFailed, match="it is not there any more; pull again"):
        settle_by(bench, "DEMO-9", Take.BOTH)
    settle_by(bench, "DEMO-9", Take.JIRA)

    assert title(path) == "Theirs"
    assert (await bench.sync()).push.total == 0


async def test_the_lines_between_the_markers_end_as_the_file_does(
    bench: Bench, state: State
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    await bench.pull()
    old = title(path)
    path.write_bytes(path.read_bytes().replace(old.encode(), b"Mine", 1))
    bench.site.edit("DEMO-9", summary="Theirs")
    await bench.pull()

    settle_by(bench, "DEMO-9", Take.BOTH)

    data = path.read_bytes()
    assert data.startswith(b"<<<<<<< here\r\n# TICKET: [DEMO-9] Mine\r\n=======\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")


async def test_without_a_last_sync_only_what_differs_stands_between_markers(
    bench: Bench, state: State, tmp_path: Path
) -> None:
    other = Bench(bench.site, tmp_path / "other")
    await other.pull()
    theirs = (other.root / "DEMO-9.md").read_text()
    path = bench.root / "DEMO-9.md"
    path.write_text(theirs.replace(title(other.root / "DEMO-9.md"), "Mine", 1))
    assert [note.key for note in (await bench.pull()).conflicts] == ["DEMO-9"]

    settle_by(bench, "DEMO-9", Take.BOTH)

    first, rest = theirs.split("\n", 1)
    wanted = f"<<<<<<< here\n# TICKET: [DEMO-9] Mine\n=======\n{first}\n>>>>>>> Jira\n{rest}"
    assert path.read_text() == wanted


async def far_apart(bench: Bench) -> Path:
    """Let both sides change the priority of a family's head, and each much else besides."""
    await bench.pull()
    path = bench.root / "DEMO-3.md"
    text = path.read_text().replace("Priority: High", "Priority: Low", 1)
    text = text.replace("Agree on the wording", "Agree on my wording", 1)
    path.write_text(text.replace("**Expected:** it simply works.", "**Expected:** it works.", 1))
    other = bench.finds("DEMO-9")  # the assignee stands on the next line
    bench.site.edit("DEMO-3", priority=other.priority, assignee=other.assignee)
    bench.site.edit("DEMO-3", labels=("theirs",), summary="Their title")
    bench.site.edit("DEMO-4", summary="Their task", labels=("theirs",))
    (note,) = (await bench.pull()).conflicts
    assert note.reason == "changed here and in Jira: DEMO-3: Priority"
    return path


@pytest.mark.parametrize(
    ("take", "priority", "sent"),
    [(Take.MINE, "Low", ["Description", "Priority"]), (Take.JIRA, "Lowest", ["Description"])],
)
async def test_a_side_is_taken_of_what_clashes_and_of_nothing_else(
    bench: Bench, take: Take, priority: str, sent: list[str]
) -> None:
    path = await far_apart(bench)

    settle_by(bench, "DEMO-3", take)

    (ticket,) = parse(path.read_text()).tickets
    assert (ticket.title, ticket.fields["Priority"]) == ("Their title", priority)
    assert (ticket.fields["Labels"], ticket.fields["Assignee"]) == ("theirs", "Amara Okafor")
    assert "**Expected:** it works." in ticket.description
    tasks = [(task.title, task.fields["Labels"]) for task in ticket.tasks]
    assert tasks == [
        ("Their task", "theirs"),
        ("Agree on my wording", "q1-2026, search, security"),
    ]
    assert await planned(bench) == {"DEMO-3": sent, "DEMO-5": ["Title"]}


async def test_what_one_side_has_emptied_stands_between_markers(bench: Bench) -> None:
    bench.site.edit("DEMO-9", description=to_adf("old"))
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("## Description\nold\n\n", "", 1))
    bench.site.edit("DEMO-9", description=to_adf("new"))
    await bench.pull()

    settle_by(bench, "DEMO-9", Take.BOTH)

    assert "\n<<<<<<< here\n=======\n\n## Description\nnew\n>>>>>>> Jira\n\n" in path.read_text()


@pytest.mark.parametrize(("take", "second"), [(Take.MINE, "b, here"), (Take.JIRA, "b, there")])
async def test_lines_of_a_description_that_do_not_clash_are_of_both_sides(
    bench: Bench, take: Take, second: str
) -> None:
    bench.site.edit("DEMO-9", description=to_adf("a\n\nb\n\nc\n\nd"))
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("\na\n\nb\n", "\na, here\n\nb, here\n", 1))
    bench.site.edit("DEMO-9", description=to_adf("a\n\nb, there\n\nc\n\nd, there"))
    assert len((await bench.pull()).conflicts) == 1

    settle_by(bench, "DEMO-9", take)

    (ticket,) = parse(path.read_text()).tickets
    assert ticket.description == f"a, here\n\n{second}\n\nc\n\nd, there"


@pytest.mark.parametrize(("take", "wins"), [(Take.MINE, "Mine"), (Take.JIRA, "Theirs")])
async def test_without_a_last_sync_a_line_that_the_file_lacks_is_jiras(
    bench: Bench, tmp_path: Path, take: Take, wins: str
) -> None:
    bench.site.edit("DEMO-9", summary="Theirs")
    bench.root.mkdir(exist_ok=True)
    path = bench.root / "DEMO-9.md"
    path.write_text("# TICKET: [DEMO-9] Mine\n\n## Fields\nStatus: In Progress\n")
    await bench.pull()

    settle_by(bench, "DEMO-9", take)

    (ticket,) = parse(path.read_text()).tickets
    assert (ticket.title, ticket.fields["Story Points"]) == (wins, "3")


async def test_a_line_edited_since_the_conflict_was_found_counts(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-9", "Mine")
    bench.site.edit("DEMO-9", summary="Theirs")
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("Story Points: 3", "Story Points: 5"))

    settle_by(bench, "DEMO-9", Take.MINE)

    assert await planned(bench) == {"DEMO-9": ["Title", "Story Points"]}
