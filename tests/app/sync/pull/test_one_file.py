"""All tickets in one file."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from fakes.pulls import Bench

from jira_sandbox import make_site
from ticketr.app.sync.workspace.files import TEMPORARY
from ticketr.app.tickets import parse

INTO = "notes/backlog.md"


async def test_every_new_ticket_goes_there_and_a_second_pull_changes_nothing(bench: Bench) -> None:
    first = await bench.pull(into=INTO)
    before = bench.files()

    second = await bench.pull(into=INTO, full=True)

    assert [*before] == [INTO]
    assert sorted(bench.keys()) == sorted(issue.key for issue in bench.site)
    assert (first.new, second.new, second.updated, second.unchanged) == (12, 0, 0, 12)
    assert bench.files() == before


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_a_text_of_ones_own_and_its_line_ends_stay(bench: Bench, end: str) -> None:
    path = bench.root / INTO
    path.parent.mkdir(parents=True)
    own = f"# Our backlog{end}{end}Read me first.{end}{end}# TICKET: A draft{end}{end}"
    path.write_bytes(own.encode())

    await bench.pull(into=INTO)

    data = path.read_bytes()
    assert data.startswith(own.encode())
    assert data.count(b"\r\n") == (data.count(b"\n") if end == "\r\n" else 0)
    assert len(parse(data.decode()).tickets) == 1 + 6
    assert (await bench.pull(into=INTO, full=True)).updated == 0
    assert path.read_bytes() == data


async def test_tickets_that_stand_elsewhere_stay_there(bench: Bench) -> None:
    await bench.pull(jql="key = DEMO-9")
    before = bench.files()["DEMO-9.md"]

    await bench.pull(into=INTO)

    assert bench.files()["DEMO-9.md"] == before
    assert "[DEMO-9]" not in bench.files()[INTO]


async def test_an_edit_of_one_ticket_is_pushed_and_the_others_stay_byte_for_byte(
    bench: Bench,
) -> None:
    await bench.pull(into=INTO)
    path = bench.root / INTO
    found = bench.finds("DEMO-9")
    edited = path.read_text().replace(found.summary, "Mine", 1)
    path.write_text(edited)

    result = await bench.sync()

    assert result.push.updated == ("DEMO-9",)
    assert path.read_text() == edited


async def test_a_cancelled_pull_leaves_whole_tickets_and_the_next_one_brings_the_rest(
    bench: Bench,
) -> None:
    bench.site = make_site(tickets=150, seed=1)

    with trio.CancelScope() as scope:
        await bench.pull(into=INTO, on_written=lambda _: scope.cancel())

    some = len(bench.keys())
    assert 0 < some < 150
    assert not [*bench.root.rglob(f"{TEMPORARY}*")]
    await bench.pull(into=INTO)
    assert sorted(bench.keys()) == sorted(issue.key for issue in bench.site)
    assert [*bench.files()] == [INTO]


async def test_a_link_out_of_the_workspace_is_not_written_through(
    bench: Bench, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("Mine.\n")
    bench.root.mkdir()
    (bench.root / "backlog.md").symlink_to(outside)

    result = await bench.pull(into="backlog.md")

    assert outside.read_text() == "Mine.\n"
    assert len(result.kept) == 6
    assert {note.reason for note in result.kept} == {
        "the file, or a folder on the way to it, is a link; nothing is written through a link"
    }
