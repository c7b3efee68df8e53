"""Edits of tickets that were moved to another project in Jira."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.sandbox.data.catalogue import BLANK
from ticketr.sync import Code, State, Store, Take, resolve

if TYPE_CHECKING:
    from fakes.pulls import Bench
    from trio.testing import MockClock


async def test_an_edit_of_a_ticket_that_was_moved_to_another_project_names_its_new_key(
    bench: Bench, autojump_clock: MockClock
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
        "Jira calls it BLANK-9 now; it was moved to another project. To push it, "
        "write BLANK-9 for DEMO-9 in the file, sync, and settle what differs with ticketr resolve"
    )
    assert "write BLANK-3 for DEMO-3, BLANK-4 for DEMO-4, BLANK-5 for DEMO-5 in" in family.reason
    assert bench.files() == files
    # What it says to do helps.
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("DEMO-9", "BLANK-9"))
    assert [each.key for each in (await bench.sync()).push.conflicts] == ["BLANK-9"]
    with closing(State(bench.root / ".ticketr" / "state.db")) as state:
        resolve(Store(bench.root, ".ticketr"), state, "BLANK-9", Take.LOCAL)
    assert (await bench.push()).updated == ("BLANK-9",)
    assert bench.finds("BLANK-9").summary == "Mine"


async def test_an_edit_of_a_sub_task_alone_that_was_moved_leaves_its_file_as_it_is(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-3.md"
    head, task, rest = path.read_text().partition("- [DEMO-5] ")
    path.write_text(f"{head}{task}Mine: {rest}")
    bench.site.put(replace(bench.finds("DEMO-5"), project=BLANK, number=5))
    files = bench.files()

    (note,) = (await bench.push()).failed

    assert (note.key, note.code) == ("DEMO-5", Code.MOVED)
    assert "Jira calls it BLANK-5 now" in note.reason
    assert bench.files() == files
