"""Tickets that are read again: how often Jira is asked, and what a cancel leaves."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import pytest
import trio
from fakes.lossy import Lossy
from fakes.pulls import Bench, Recorder
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr import open_job_queue
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, PushJob, State
from ticketr.app.sync.concurrency import CONCURRENT_REQUESTS

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

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
        keys = {each.key for each in state.known_issues_by_id().values()}
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


def edit_all(bench: Bench) -> None:
    for path in bench.root.glob("*.md"):
        path.write_text(path.read_text().replace("] ", "] Mine: ", 1))


async def test_tickets_are_read_again_while_others_are_sent(bench: Bench) -> None:
    bench.latency = 1.0
    await bench.pull()
    edit_all(bench)
    began = trio.current_time()

    assert len((await bench.push()).updated) == COUNT

    kinds = ["read" if at.startswith("issue/bulkfetch") else "sent" for at in bench.asked]
    after = kinds[kinds.index("sent", 1) :]  # the login is the first of all
    assert after.index("read") < COUNT // 2
    assert after[-1] == "read"
    before, read_again = 2, len(fetched(bench)) - 3
    sent = math.ceil((COUNT + read_again - 1) / CONCURRENT_REQUESTS)
    assert trio.current_time() - began == before + sent + 1
    synced = await bench.sync()
    assert (synced.pull.total - synced.pull.unchanged, synced.push.total) == (0, 0)


async def test_a_read_that_fails_while_others_are_sent_stops_nothing(bench: Bench) -> None:
    await bench.pull()
    edit_all(bench)

    class Failing(Recorder):
        """Gives no issue once the first edit was sent, until half of them were."""

        async def send(self, request: Request) -> Response:
            if request.url.endswith("bulkfetch") and 0 < len(self.writes) < COUNT // 2:
                return Response(400, {}, b"{}", request.url)
            return await super().send(request)

    result = await bench.push(transport=Failing(create_app(bench.site)))

    assert len(result.updated) == COUNT
    unread = {note.key for note in result.warnings}
    assert 0 < len(unread) < COUNT
    assert all("could not be read again" in note.reason for note in result.warnings)
    synced = await bench.sync()
    assert (synced.pull.conflicts, synced.pull.failed, synced.push.total) == ((), (), 0)


async def test_the_disk_keeps_no_request_waiting(bench: Bench) -> None:
    """Each edit is on the disk before and after it is sent; others are sent meanwhile."""
    bench.latency = 1.0
    await bench.pull()
    edit_all(bench)
    times: list[float] = []

    def before(method: str, _: str) -> None:
        if method == "PUT":
            times.append(trio.current_time())

    async def slow(
        sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False
    ) -> T:
        await trio.sleep(0.1)
        return sync_fn(*args)

    wire = Lossy(create_app(bench.site, latency=1.0), lambda *_: None, before=before)

    assert len((await bench.push(transport=wire, run_sync=slow)).updated) == COUNT
    sent = math.ceil(COUNT / CONCURRENT_REQUESTS)
    assert times[-1] - times[0] < 1.1 * sent


async def test_a_cancel_while_a_clone_is_taken_in_keeps_what_was(bench: Bench) -> None:
    await clone(bench)
    bench.retitles("DEMO-1", "Mine")  # in the first batch, for so are the names of the files
    bench.latency = 1.0

    with trio.move_on_after(4.5):  # the login, the fields, and two batches and a half
        await bench.push()

    assert trio.current_time() == 4.5
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
