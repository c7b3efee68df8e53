"""What is probably a ticket without its key is refused before Jira is asked to create anything."""

from __future__ import annotations

import pytest
from fakes.pulls import Bench

from ticketr.app.sync import Code


def change(bench: Bench, name: str, old: str, new: str) -> None:
    path = bench.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


async def refused(bench: Bench) -> str:
    """Push, and give the reason why nothing was; nothing was sent."""
    before = bench.site.revision
    result = await bench.push()
    assert bench.site.revision == before
    (note,) = result.failed
    assert note.code is Code.BROKEN
    return note.reason


@pytest.mark.parametrize("heading", ["DEMO-9 Mine", "[DEMO 9] Mine", "[DEMO9] Mine", "demo-9: x"])
async def test_a_title_that_begins_like_a_key_of_the_project_is_refused_with_its_place(
    bench: Bench, heading: str
) -> None:
    bench.root.mkdir()
    (bench.root / "a.md").write_text(f"Notes.\n\n# TICKET: {heading}\n")

    reason = await refused(bench)

    assert reason.startswith("a.md:3:11: this begins like the key of DEMO-9; write [DEMO-9] before")
    assert reason.endswith(f'"# TICKET: {heading}"')


async def test_so_is_a_sub_task_that_begins_like_a_key_of_a_pulled_project(bench: Bench) -> None:
    await bench.pull()
    change(bench, "DEMO-3.md", "- [DEMO-4] ", "- DEMO-4 ")

    reason = await refused(bench)

    assert reason.startswith("DEMO-3.md:")
    assert ":3: this begins like the key of DEMO-4" in reason


async def test_titles_like_those_of_no_project_here_are_created(bench: Bench) -> None:
    bench.root.mkdir()
    (bench.root / "a.md").write_text("# TICKET: UTF-8 is broken\n\n# TICKET: [P1] COVID-19 leave\n")

    assert len((await bench.push()).created) == 2


@pytest.mark.parametrize("new", ["", "Another title: ", "[TODO] "])
async def test_a_pulled_ticket_that_has_lost_its_key_is_not_created_again(
    bench: Bench, new: str
) -> None:
    await bench.pull()
    change(bench, "DEMO-3.md", "[DEMO-3] ", new)

    reason = await refused(bench)

    assert reason.startswith(
        "DEMO-3.md:1:11: the heading of DEMO-3 has lost its key; write [DEMO-3]"
    )


async def test_a_sub_task_that_has_lost_its_key_is_not_created_again(bench: Bench) -> None:
    await bench.pull()
    change(bench, "DEMO-3.md", "- [DEMO-4] ", "- ")

    assert "the line of DEMO-4 has lost its key; write [DEMO-4] again" in await refused(bench)


async def test_a_copy_in_another_file_and_one_beside_the_ticket_are_created(bench: Bench) -> None:
    await bench.pull()
    text = (bench.root / "DEMO-9.md").read_text()
    copy = text.replace("[DEMO-9] ", "")
    (bench.root / "copy.md").write_text(copy)
    (bench.root / "DEMO-9.md").write_text(f"{copy}\n{text}")

    assert len((await bench.push()).created) == 2


async def test_a_new_ticket_in_the_file_of_one_that_is_missing_is_created(bench: Bench) -> None:
    await bench.pull()
    (bench.root / "DEMO-9.md").write_text("# TICKET: Something else\n\n## Fields\nType: Task\n")

    assert len((await bench.push()).created) == 1


async def test_a_sync_creates_no_ticket_again_either(bench: Bench) -> None:
    await bench.pull()
    change(bench, "DEMO-9.md", "[DEMO-9] ", "")

    (note,) = (await bench.sync()).push.failed

    assert "lost its key" in note.reason
    assert bench.site.find("DEMO-13") is None
