"""Pulls of named tickets alone, and of all tickets into one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.lossy import Changed
from fakes.pulls import Bench

from jira_sandbox import make_site
from jira_sandbox.data.catalogue import BLANK
from ticketr import JobFailed
from ticketr.app.sync import Code, Note, tagged_tickets
from ticketr.app.sync.workspace.files import TEMPORARY
from ticketr.app.tickets import parse

GONE = "Jira does not have it, or you may not see it"


def seen(bench: Bench) -> dict[str, float]:
    """Return when the last pull has confirmed each issue."""
    with bench.state() as state:
        return {each.key: each.seen for each in state.known().values()}


async def test_only_the_named_tickets_are_fetched(bench: Bench) -> None:
    result = await bench.pull(keys=["DEMO-1", "DEMO-9"])

    assert sorted(bench.files()) == ["DEMO-1.md", "DEMO-9.md"]
    assert (result.total, result.new, result.failed) == (2, 2, ())
    assert [each for each in bench.asked if each.startswith("search")] == []
    whole = await bench.pull()
    assert (whole.new, whole.unchanged) == (10, 2)
    assert (await bench.pull()).unchanged == 12


async def test_a_ticket_comes_with_its_sub_tasks_and_a_sub_task_with_its_ticket(
    bench: Bench,
) -> None:
    result = await bench.pull(keys=["DEMO-3"])

    assert result.total == 3
    assert "- [DEMO-5]" in bench.files()["DEMO-3.md"]
    bench.site.edit("DEMO-4", summary="Theirs")
    result = await bench.pull(keys=("DEMO-4",))
    assert (result.total, result.updated, result.unchanged) == (3, 1, 2)
    assert "- [DEMO-4] Theirs" in bench.files()["DEMO-3.md"]
    assert sorted(bench.files()) == ["DEMO-3.md"]


async def test_a_sub_task_whose_ticket_is_not_here_is_a_ticket(bench: Bench) -> None:
    await bench.pull(keys=["DEMO-4"])

    assert sorted(bench.files()) == ["DEMO-4.md"]
    assert "Parent: DEMO-3" in bench.files()["DEMO-4.md"]
    assert (await bench.pull(keys=["DEMO-4"])).total == 1


async def test_a_sub_task_with_a_file_of_its_own_comes_without_its_ticket(bench: Bench) -> None:
    await bench.pull(keys=["DEMO-4"])
    await bench.pull(keys=["DEMO-3"])
    assert sorted(bench.files()) == ["DEMO-3.md", "DEMO-4.md"]

    assert (await bench.pull(keys=["DEMO-4"])).total == 1
    assert (await bench.pull(keys=["DEMO-5"])).total == 3


async def test_a_ticket_is_fetched_though_its_clock_has_not_moved(bench: Bench) -> None:
    await bench.pull()
    bench.site.put(replace(bench.finds("DEMO-9"), summary="Theirs"))
    assert (await bench.pull()).updated == 0

    result = await bench.pull(keys=["DEMO-9"])

    assert (result.total, result.updated) == (1, 1)
    assert bench.files()["DEMO-9.md"].startswith("# TICKET: [DEMO-9] Theirs\n")


async def test_the_next_pull_searches_since_the_same_moment(bench: Bench) -> None:
    await bench.pull()
    before = seen(bench)
    bench.site.edit("DEMO-1", summary="Theirs")

    await bench.pull(keys=["DEMO-9"])

    after = seen(bench)
    assert {key for key in after if after[key] != before[key]} <= {"DEMO-9"}
    assert (await bench.pull()).updated == 1


async def test_a_key_that_jira_does_not_have_is_named_with_near_ones(bench: Bench) -> None:
    await bench.pull()
    bench.site.delete("DEMO-9")

    result = await bench.pull(keys=["DEMO-9", "DEMO-1", "DEMO-77"])

    assert result.failed == (
        Note(
            "DEMO-9", "DEMO-9.md", f"{GONE}; did you mean DEMO-8 or DEMO-7 or DEMO-6?", Code.MISSING
        ),
        Note("DEMO-77", "", f"{GONE}; did you mean DEMO-7 or DEMO-8 or DEMO-6?", Code.MISSING),
    )
    assert result.total == 1


async def test_a_malformed_key_is_refused(bench: Bench) -> None:
    await bench.pull()

    with pytest.raises(
        JobFailed, match="DEMO9 is not an issue key, such as PROJ-123; did you mean DEMO-9"
    ) as it:
        await bench.pull(keys=["DEMO-1", "DEMO9"])

    assert type(it.value.__cause__).__name__ == "UnknownTicket"


async def test_a_moved_ticket_comes_under_its_new_key(bench: Bench) -> None:
    await bench.pull(keys=["DEMO-9"])
    bench.site.put(replace(bench.finds("DEMO-9"), project=BLANK))
    bench.site.put(replace(bench.finds("DEMO-8"), project=BLANK))

    result = await bench.pull(keys=["DEMO-9", "DEMO-8"])

    assert result.failed == ()
    assert bench.files()["DEMO-9.md"].startswith("# TICKET: [BLANK-9]")
    assert "# TICKET: [BLANK-8]" in bench.files()["BLANK-8.md"]


async def test_the_job_is_named_after_its_tickets(bench: Bench) -> None:
    assert bench.job().name == "Pull DEMO"
    assert bench.job(keys=["DEMO-1", "DEMO-2"]).name == "Pull DEMO-1, DEMO-2"
    assert bench.job(keys=[f"DEMO-{n}" for n in range(1, 6)]).name == (
        "Pull DEMO-1, DEMO-2, DEMO-3 and 2 more"
    )
    twice = bench.job(keys=["DEMO-10", "DEMO-9", "DEMO-9"])
    assert twice.name == "Pull DEMO-10, DEMO-9"
    assert (tagged_tickets(twice.tags), bench.job().tags) == (
        ("DEMO-9", "DEMO-10"),
        frozenset(),
    )


async def test_a_ticket_that_jira_cannot_give_stops_no_other(bench: Bench) -> None:
    await bench.pull()
    bench.site.edit("DEMO-1", summary="Theirs")

    def withhold(answer: Any) -> None:
        held = [each for each in answer["issues"] if each["key"] == "DEMO-9"]
        answer["issues"] = [each for each in answer["issues"] if each not in held]
        answer["issueErrors"] = [{"id": each["id"], "errorMessage": "away"} for each in held]

    transport = Changed(bench, "POST issue/bulkfetch", withhold)
    result = await bench.pull(keys=["DEMO-9", "DEMO-1"], transport=transport)

    reason = "Jira could not give it (away)"
    assert result.failed == (Note("DEMO-9", "DEMO-9.md", reason, Code.UNREACHED),)
    assert (result.total, result.updated) == (1, 1)


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
