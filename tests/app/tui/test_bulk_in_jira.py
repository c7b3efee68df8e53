"""The app changes chosen tickets in Jira: a job on the queue, with an honest count when cancelled."""

from __future__ import annotations

from pathlib import Path

import trio
from fakes.apps import running_app
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobStatus
from ticketr.app.tickets import parse
from ticketr.app.tui.services.opening import open_workspace


async def test_chosen_tickets_are_deleted_by_a_job_after_their_number_was_typed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    async with running_app((open_workspace("work", bench.options()),)) as run:
        row = run.app.state.row
        assert row is not None
        ticket = parse((bench.root / row.path).read_text()).tickets[0]
        count = ticket.count()
        await run.press(" ", "b", *["KEY_DOWN"] * 8, "KEY_ENTER")
        await trio.sleep(2)
        assert bench.writes == []
        await run.press("KEY_ENTER")
        assert (
            f"type {count} to delete {count} ticket{'s' * (count != 1)} for ever:"
            in run.screen.text
        )
        await run.press(*str(count), "KEY_ENTER")
        await trio.sleep(10)

        (ended,) = run.queue.jobs()
        assert ended.status is JobStatus.COMPLETED
        assert ended.name == "Change 1 ticket"
        assert run.screen.rows[-1].startswith(
            "✓ Deleted 1 ticket · ticketr pull --prune moves the files away"
        )
    assert len(list(bench.site)) == 12 - count
    assert bench.writes == ["POST bulk/issues/delete"]


async def test_esc_cancels_it_and_says_how_many_may_be_changed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    bench.latency = 5.0
    async with running_app((open_workspace("work", bench.options()),)) as run:
        await run.press(" ", "b", *["KEY_DOWN"] * 6, "KEY_ENTER", *"demo-9", "KEY_ENTER")
        await trio.sleep(6)
        await run.press("KEY_ENTER")
        while not bench.writes:  # noqa: ASYNC110 - a virtual clock
            await trio.sleep(1)
        await run.press("KEY_ESCAPE")
        await trio.sleep(20)

        (ended,) = run.queue.jobs()
        assert ended.status is JobStatus.CANCELLED
        assert run.screen.rows[-1].startswith("⊘ Cancelled: 0/1 tickets changed, 1 may be")
        await run.press("J", "R")
        assert "A change in Jira is not run again unseen; b asks again" in run.screen.text
