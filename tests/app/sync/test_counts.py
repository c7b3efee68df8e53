"""What a job counts, each issue once, and what it says while a site is silent."""

from __future__ import annotations

from pathlib import Path

import trio
from fakes.pulls import Bench, Recorder
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr import open_job_queue
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import PullResult, Side, SyncJob
from ticketr.app.sync.session import REPORT_SILENCE_AFTER_SECONDS


def edit(bench: Bench, *changes: tuple[str, str], name: str = "DEMO-3.md") -> None:
    path = bench.root / name
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def counts(result: PullResult) -> dict[str, int]:
    """The counts that are not zero, which have to make up the total."""
    names = (
        "new",
        "updated",
        "merged",
        "unchanged",
        "in_conflict",
        "left_alone",
        "failed_issue_count",
    )
    told = {name: getattr(result, name) for name in names}
    assert sum(told.values()) == result.total
    return {name: count for name, count in told.items() if count}


async def last_words(bench: Bench) -> str:
    """The last message of a sync."""
    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(SyncJob(**bench.settings()))
        await handle.wait()
        progress = handle.snapshot().progress
    assert progress is not None
    return progress.message


async def test_of_a_family_only_what_jira_has_changed_is_updated(bench: Bench) -> None:
    await bench.pull()
    bench.site.edit("DEMO-4", summary="Theirs")

    assert counts(await bench.pull()) == {"updated": 1, "unchanged": 11}
    assert counts(await bench.pull(full=True)) == {"unchanged": 12}


async def test_of_a_family_only_what_both_sides_have_changed_is_merged(bench: Bench) -> None:
    await bench.pull()
    edit(bench, ("Priority: High", "Priority: Low"), ("Agree on the wording", "Mine"))
    bench.site.edit("DEMO-3", summary="Theirs")
    bench.site.edit("DEMO-4", summary="Theirs")

    assert counts(await bench.pull()) == {"merged": 1, "updated": 1, "unchanged": 10}


async def test_a_sub_task_that_joins_its_ticket_is_new_and_nothing_else_is(bench: Bench) -> None:
    await bench.pull()
    parent, like = bench.finds("DEMO-3"), bench.finds("DEMO-5")
    bench.site.create(project=like.project, type=like.type, summary="New", parent=parent.id)

    assert counts(await bench.pull()) == {"new": 1, "unchanged": 12}


async def test_of_a_family_in_conflict_what_is_held_back_is_in_conflict(bench: Bench) -> None:
    await bench.pull()
    edit(bench, ("Priority: High", "Priority: Low"))
    bench.site.edit("DEMO-3", priority=bench.finds("DEMO-9").priority)
    bench.site.edit("DEMO-4", summary="Theirs")

    told = await last_words(bench)
    result = await bench.pull()

    assert told == "Sync complete: 10 tickets pulled, 0 pushed, 2 in conflict"
    assert counts(result) == {"in_conflict": 2, "unchanged": 10}
    assert [note.key for note in result.conflicts] == ["DEMO-3"]
    settled = await bench.pull(prefer=Side.LOCAL)
    assert counts(settled) == {"updated": 1, "unchanged": 11}


async def test_what_is_merged_without_a_last_sync_counts_as_merged_where_it_changes(
    bench: Bench,
) -> None:
    bench.root.mkdir()
    text = (
        "# TICKET: [DEMO-3] Mine\n\n## Tasks\n- [DEMO-4] Translate the new texts (de, fr, pt-BR)\n"
    )
    (bench.root / "DEMO-3.md").write_text(text)

    told = counts(await bench.pull(prefer=Side.REMOTE))

    assert told == {"merged": 2, "new": 10}


async def test_a_file_that_is_in_the_way_is_counted_with_all_its_ticket_holds(bench: Bench) -> None:
    bench.root.mkdir()
    (bench.root / "DEMO-3.md").write_text("Notes of mine\n")

    assert counts(await bench.pull()) == {"left_alone": 3, "new": 9}
    assert await last_words(bench) == "Sync complete: 9 tickets pulled, 0 pushed, 3 kept"


async def test_a_push_counts_the_edits_that_it_leaves_alone(bench: Bench) -> None:
    await bench.pull()
    edit(bench, ("Priority: High", "Priority: Low"), ("Agree on the wording", "Mine"))
    edit(bench, ("Rebuild the index", "Mine"), name="DEMO-9.md")
    bench.site.edit("DEMO-3", summary="Theirs")

    result = await bench.push()

    assert (result.in_conflict, result.updated) == (2, ("DEMO-9",))
    assert [note.key for note in result.conflicts] == ["DEMO-3"]


class Silent(Recorder):
    """A transport whose first search is answered after twelve and a half seconds."""

    is_silent = True

    async def send(self, request: Request) -> Response:
        if self.is_silent and "/search" in request.url:
            self.is_silent = False
            await trio.sleep(12.5)
        return await super().send(request)


async def test_a_site_that_does_not_answer_is_named_within_five_seconds(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=3, seed=1), tmp_path)
    job = bench.job(transport=Silent(create_app(bench.site)))
    told: list[tuple[float, str]] = []

    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(job)
        with handle.watch() as updates:
            async for snapshot in updates:
                if snapshot.progress is not None:
                    told.append((trio.current_time(), snapshot.progress.message))

    silent = [(at, words) for at, words in told if words.startswith("no answer")]
    assert [words for _, words in silent] == [f"no answer for {n}s" for n in range(3, 13)]
    assert silent[0][0] == REPORT_SILENCE_AFTER_SECONDS
    assert told[-1][1] == "Pull complete: 3 tickets"
