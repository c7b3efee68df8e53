"""Tickets that are read again: how often Jira is asked, and what a cancel leaves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import trio
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import open_job_queue
from ticketr.app.sync import Code, PushJob, State

COUNT = 201
"""How many issues the site has; three bulk fetches."""


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    """A site of tickets without sub-tasks."""
    bench = Bench(make_site(tickets=1, seed=1), tmp_path / "work")
    first = bench.finds("DEMO-1")
    for number in range(2, COUNT + 1):
        bench.site.create(project=first.project, type=first.type, summary=f"Number {number}")
    return bench


async def clone(bench: Bench) -> None:
    """Leave the files without their state, as git brings them."""
    await bench.pull()
    shutil.rmtree(bench.root / ".ticketr")


def fetched(bench: Bench) -> list[list[str]]:
    """What each bulk fetch asked for."""
    bodies = (each.partition(" ") for each in bench.asked)
    return [json.loads(body)["issueIdsOrKeys"] for at, _, body in bodies if at == "issue/bulkfetch"]


def known(bench: Bench) -> tuple[set[str], list[str]]:
    """The keys that the state knows, and those of its conflicts."""
    state = State(bench.root / ".ticketr" / "state.db")
    try:
        keys = {each.key for each in state.known().values()}
        return keys, [each.key for each in state.conflicts.all()]
    finally:
        state.close()


async def test_a_clone_without_a_state_is_asked_for_by_the_hundred(bench: Bench) -> None:
    await clone(bench)

    result = await bench.push()

    assert [len(each) for each in fetched(bench)] == [100, 100, 1]
    assert (result.total, result.conflicts, result.failed) == (0, (), ())
    assert known(bench) == ({f"DEMO-{number}" for number in range(1, COUNT + 1)}, [])
    await bench.push()
    assert fetched(bench) == []


async def test_it_is_told_how_many_tickets_of_a_clone_are_compared(bench: Bench) -> None:
    await clone(bench)
    bench.latency = 1.0

    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(PushJob(**bench.settings()))
        with handle.watch() as updates:
            told = [each.progress.message async for each in updates if each.progress]

    assert [each for each in dict.fromkeys(told) if each.startswith("Comp")] == [
        "Comparing with Jira: 0/201 tickets",
        "Comparing with Jira: 100/201 tickets",
        "Comparing with Jira: 200/201 tickets",
    ]


async def test_a_cancel_while_a_clone_is_taken_in_keeps_what_was(bench: Bench) -> None:
    await clone(bench)
    bench.retitles("DEMO-1", "Mine")  # in the first batch, for so are the names of the files
    bench.latency = 1.0

    with trio.move_on_after(5.5):  # the login, the fields, the time, and two batches and a half
        await bench.push()

    assert trio.current_time() == 5.5
    assert [len(each) for each in fetched(bench)] == [100, 100, 1]
    keys, conflicts = known(bench)
    assert (len(keys), conflicts) == (199, ["DEMO-1"])
    bench.latency = 0.0
    result = await bench.push()
    (rest,) = fetched(bench)
    assert set(rest) == {f"DEMO-{number}" for number in range(1, COUNT + 1)} - keys
    assert [(note.key, note.code) for note in result.conflicts] == [("DEMO-1", Code.CONFLICT)]


async def test_tickets_are_not_torn_apart_unless_one_is_more_than_a_request_may_hold(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    parent, task = bench.finds("DEMO-3"), bench.finds("DEMO-4")
    for number in range(110):
        bench.site.create(
            project=task.project, type=task.type, summary=f"Part {number}", parent=parent.id
        )
    await clone(bench)

    result = await bench.push()

    assert (result.conflicts, result.failed) == ((), ())
    # DEMO-1, 11 and 2 with a task each; DEMO-3 with 112; DEMO-6 with two, and 9
    assert [len(each) for each in fetched(bench)] == [5, 100, 13, 4]
    assert known(bench) == ({each.key for each in bench.site}, [])
