"""Conflicts that are settled: what clashes is of a side, or marked; all else is merged as ever."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from fakes.pulls import Bench

from ticketr.app.jira.adf import to_adf
from ticketr.app.sync import Side, State, Store, Take, resolve
from ticketr.app.tickets import parse


def settle(bench: Bench, take: Take, key: str = "DEMO-9") -> None:
    store = Store(bench.root, ".ticketr")
    with closing(State(store.state_path)) as state:
        resolve(store, state, key, take)


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


async def planned(bench: Bench) -> dict[str, list[str]]:
    """The parts of each issue that a push would send."""
    actions = (await bench.push(dry_run=True)).planned
    return {each.key: [name for name, _, _ in each.changes] for each in actions}


@pytest.mark.parametrize(
    ("take", "priority", "sent"),
    [(Take.MINE, "Low", ["Description", "Priority"]), (Take.JIRA, "Lowest", ["Description"])],
)
async def test_a_side_is_taken_of_what_clashes_and_of_nothing_else(
    bench: Bench, take: Take, priority: str, sent: list[str]
) -> None:
    path = await far_apart(bench)

    settle(bench, take, "DEMO-3")

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


@pytest.mark.parametrize("side", Side)
async def test_a_side_leads_to_what_the_strategy_of_a_pull_leads_to(
    bench: Bench, tmp_path: Path, side: Side
) -> None:
    await far_apart(bench)
    other = Bench(bench.site, tmp_path / "other")
    shutil.copytree(bench.root, other.root)

    settle(bench, Take(side.value), "DEMO-3")
    await other.pull(prefer=side)

    assert bench.files() == other.files()
    assert await planned(bench) == await planned(other)


@pytest.mark.parametrize("side", Side)
async def test_between_the_markers_stand_both_sides_and_outside_what_both_lead_to(
    bench: Bench, tmp_path: Path, side: Side
) -> None:
    path = await far_apart(bench)
    other = Bench(bench.site, tmp_path / "other")
    shutil.copytree(bench.root, other.root)

    settle(bench, Take.BOTH, "DEMO-3")
    settle(other, Take(side.value), "DEMO-3")

    marked = path.read_text()
    assert marked.count("<<<<<<< here\nPriority: Low\n=======\nPriority: Lowest\n>>>>>>> Jira") == 1
    assert marked.count("<<<<<<<") == 1
    chosen = (other.root / "DEMO-3.md").read_text()
    assert chosen == re.sub(
        r"<<<<<<< here\n(.*\n)=======\n(.*\n)>>>>>>> Jira\n",
        r"\1" if side is Side.LOCAL else r"\2",
        marked,
    )


async def test_what_one_side_has_emptied_stands_between_markers(bench: Bench) -> None:
    bench.site.edit("DEMO-9", description=to_adf("old"))
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("## Description\nold\n\n", "", 1))
    bench.site.edit("DEMO-9", description=to_adf("new"))
    await bench.pull()

    settle(bench, Take.BOTH)

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

    settle(bench, take)

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

    settle(bench, take)

    (ticket,) = parse(path.read_text()).tickets
    assert (ticket.title, ticket.fields["Story Points"]) == (wins, "3")


async def test_a_line_edited_since_the_conflict_was_found_counts(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-9", "Mine")
    bench.site.edit("DEMO-9", summary="Theirs")
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("Story Points: 3", "Story Points: 5"))

    settle(bench, Take.MINE)

    assert await planned(bench) == {"DEMO-9": ["Title", "Story Points"]}
