"""Pulls of named tickets alone, and of all tickets into one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.lossy import Changed
from fakes.pulls import Bench

from jira_sandbox.data.catalogue import BLANK
from ticketr import JobFailed
from ticketr.app.sync import Code, Note, tagged_keys_and_files

GONE = "Jira does not have it, or you may not see it"


def seen(bench: Bench) -> dict[str, float]:
    """Return when the last pull has confirmed each issue."""
    with bench.state() as state:
        return {each.key: each.seen_at for each in state.known_issues_by_id().values()}


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
            "DEMO-9",
            "DEMO-9.md",
            f"{GONE}; did you mean DEMO-8 or DEMO-7 or DEMO-6?",
            Code.NOT_FOUND,
        ),
        Note("DEMO-77", "", f"{GONE}; did you mean DEMO-7 or DEMO-8 or DEMO-6?", Code.NOT_FOUND),
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
    assert (tagged_keys_and_files(twice.ticket_tags), bench.job().ticket_tags) == (
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
    assert result.failed == (Note("DEMO-9", "DEMO-9.md", reason, Code.REQUEST_FAILED),)
    assert (result.total, result.updated) == (1, 1)


async def test_an_edit_in_a_file_of_many_tickets_is_pushed_and_the_others_stay(
    bench: Bench,
) -> None:
    await bench.pull()
    texts = bench.files()
    for name in texts:
        (bench.root / name).unlink()
    path = bench.root / "backlog.md"
    path.write_text("# Our backlog\n\nRead me first.\n\n" + "\n".join(texts.values()))
    assert (await bench.pull(full=True)).updated == 0
    edited = path.read_text().replace(bench.finds("DEMO-9").summary, "Mine", 1)
    path.write_text(edited)

    result = await bench.sync()

    assert result.push.updated == ("DEMO-9",)
    assert path.read_text() == edited
    assert [*bench.files()] == ["backlog.md"]


async def test_a_link_out_of_the_workspace_is_not_written_through(
    bench: Bench, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("Mine.\n")
    bench.root.mkdir()
    (bench.root / "DEMO-9.md").symlink_to(outside)

    result = await bench.pull(jql="key = DEMO-9")

    assert outside.read_text() == "Mine.\n"
    assert {note.reason for note in result.kept} == {
        "the file, or a folder on the way to it, is a link; nothing is written through a link"
    }
