"""Test what users do with the queue of a cluster, with workers in the same process."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster, until

from ticketr import (
    CancelCause,
    CancelOutcome,
    JobCancelled,
    JobFailed,
    JobStatus,
    JobTimedOut,
    Keep,
    QueueClosed,
    Retry,
    UnknownJob,
)
from ticketr._errors import NotSendable
from ticketr.cluster import RemoteError

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr.cluster import ClusterHandle


async def test_a_job_gives_its_result(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.echo, {"a": (1, 2.5, None)})

        assert await handle.result() == {"a": (1, 2.5, None)}
        assert handle.status is JobStatus.COMPLETED
        assert await queue.run(jobs.echo, "x") == "x"


async def test_an_object_is_a_job(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.Greet("world"))

        assert await handle.result() == "hello world"
        snapshot = handle.snapshot()
        assert snapshot.name == "greeting"
        assert snapshot.progress is not None
        assert snapshot.progress.message == "greeted world"


async def test_a_job_sees_itself(url: str) -> None:
    async with open_cluster(url) as queue:
        value = await queue.run(jobs.seen, id="mine", name="me", key="k", tags=["a", "b"])

        assert value == ("mine", "me", "k", frozenset({"a", "b"}), 1)


async def test_a_snapshot_shows_what_the_submit_said(url: str) -> None:
    async with open_cluster(url, workers=0, detach=True) as queue:
        before = trio.current_time()
        handle = await queue.submit(
            jobs.echo, id="mine", name="me", key="k", tags=["a"], priority=3, delay=1000
        )
        snapshot = handle.snapshot()

        assert (snapshot.id, snapshot.name, snapshot.key) == ("mine", "me", "k")
        assert (snapshot.tags, snapshot.priority) == (frozenset({"a"}), 3)
        assert (snapshot.status, snapshot.waiting_for) == (JobStatus.PENDING, "time")
        assert snapshot.attempt == 0
        assert snapshot.started_at is None
        assert snapshot.due_at - snapshot.submitted_at == pytest.approx(1000)
        assert abs(snapshot.submitted_at - before) < 60  # both clocks are this machine's


async def test_progress_comes_in_order_and_ends_with_the_last(url: str) -> None:
    async with open_cluster(url) as queue:
        with queue.progress(until_idle=True) as updates:
            handle = await queue.submit(jobs.count, 50)
            seen = [progress.current async for progress in updates]

        assert seen == sorted(seen)
        assert seen[-1] == 50
        assert await handle.result() == 50


async def test_watch_ends_with_the_end_of_all_jobs(url: str) -> None:
    async with open_cluster(url) as queue:
        with queue.watch(until_idle=True) as updates:
            handle = await queue.submit(jobs.echo)
            seen = [snapshot.status async for snapshot in updates]

        assert seen[-1] is JobStatus.COMPLETED
        assert [snapshot.status async for snapshot in handle.watch()] == [JobStatus.COMPLETED]


async def test_an_error_comes_as_itself_and_as_text(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.fail, "no")

        with pytest.raises(JobFailed, match="ValueError: no") as caught:
            await handle.result()
        assert type(caught.value.__cause__) is ValueError
        assert "cluster_jobs.py" in "".join(caught.value.__notes__)
        error = handle.snapshot().error
        assert error is not None
        assert (error.type, error.message) == ("ValueError", "no")
        assert "cluster_jobs.py" in error.traceback


async def test_an_error_that_cannot_be_sent_comes_as_text(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.fail_oddly)

        with pytest.raises(JobFailed, match="UnsendableError: odd") as caught:
            await handle.result()
        cause = caught.value.__cause__
        assert isinstance(cause, RemoteError)
        assert (cause.error_type, cause.message) == ("UnsendableError", "odd")


async def test_a_result_that_cannot_be_sent_fails_the_job(url: str) -> None:
    async with open_cluster(url) as queue:
        with pytest.raises(JobFailed, match="NotSendable: the result"):
            await queue.run(jobs.give_lock)

        assert await queue.run(jobs.echo, 1) == 1  # the worker lives


async def test_a_job_that_would_end_the_program_fails(url: str) -> None:
    async with open_cluster(url) as queue:
        with pytest.raises(JobFailed, match="the job raised SystemExit"):
            await queue.run(jobs.leave)

        assert await queue.run(jobs.echo, 1) == 1


async def test_a_job_that_no_worker_can_import_is_refused(url: str) -> None:
    async def inner(context: object) -> None: ...

    async with open_cluster(url, workers=0) as queue:
        with pytest.raises(NotSendable, match="defined inside a function"):
            await queue.submit(inner)
        assert await queue.totals() == dict.fromkeys(JobStatus, 0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"key": 1}, "a key across processes is text, not 1"),
        ({"key": ""}, "at least one character"),
        ({"dealy": 1}, "did you mean 'delay'"),
    ],
)
async def test_a_wrong_option_is_refused(url: str, options: dict[str, object], text: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        with pytest.raises((TypeError, ValueError), match=text):
            await queue.submit(jobs.echo, **options)  # type: ignore[call-overload, call-arg]


async def test_retry_counts_attempts(url: str) -> None:
    async with open_cluster(url) as queue:
        retry = Retry(5, first=0.01, jitter=0)
        assert await queue.run(jobs.good_at, 3, retry=retry) == 3

        handle = await queue.submit(jobs.good_at, 9, retry=Retry(2, first=0.01))
        snapshot = await handle.wait()
        assert (snapshot.status, snapshot.attempt) == (JobStatus.FAILED, 2)
        assert snapshot.error is not None
        assert snapshot.error.message == "attempt 2"


async def test_retry_with_a_total_ends_in_time(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.good_at, 9, retry=Retry(total=30, first=60, jitter=0))

        assert (await handle.wait()).attempt == 1


async def test_retry_later_uses_up_no_attempt(url: str) -> None:
    async with open_cluster(url) as queue:
        assert await queue.run(jobs.later, 3, retry=Retry(1)) == 4


async def test_give_up_ends_the_retries(url: str) -> None:
    async with open_cluster(url) as queue:
        snapshot = await (await queue.submit(jobs.give_up, retry=Retry(5))).wait()

        assert snapshot.attempt == 1
        assert snapshot.error is not None
        assert snapshot.error.type == "GiveUp"


async def test_a_time_limit_ends_an_attempt(url: str) -> None:
    async with open_cluster(url, timeout=0.05) as queue:
        handle = await queue.submit(jobs.forever)

        with pytest.raises(JobTimedOut, match=r"timed out after 0.05 s"):
            await handle.result()
        assert handle.snapshot().cancel_cause is CancelCause.TIMEOUT


async def test_a_delayed_job_waits_for_its_time_and_run_now_ends_that(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.echo, 1, delay=0.01)
        assert await handle.result() == 1

        handle = await queue.submit(jobs.echo, 2, delay=1000)
        assert await queue.run_now(handle) is True
        assert await handle.result() == 2
        assert await queue.run_now(handle.id) is False
        with pytest.raises(UnknownJob):
            await queue.run_now("none")


async def test_a_job_that_starts_too_late_is_cancelled(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.echo, delay=1000, within=0.01)
        snapshot = await handle.wait()

        assert (snapshot.status, snapshot.attempt) == (JobStatus.CANCELLED, 0)
        assert snapshot.cancel_cause is CancelCause.EXPIRED


async def test_priorities_are_three_levels(url: str, tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    async with open_cluster(url, workers=1) as queue:
        gate = await queue.submit(jobs.until_file, str(tmp_path / "go"))
        await until(gate, JobStatus.RUNNING)
        order = [("low", -1), ("normal", 0), ("high", 1), ("higher", 9), ("normal2", 0)]
        for job_id, priority in order:
            await queue.submit(jobs.log, path, id=job_id, priority=priority)
        (tmp_path / "go").touch()
        await queue.wait_idle()

        starts = [line.split()[1] for line in _lines(path) if line.startswith("start")]
        assert starts == ["high", "higher", "normal", "normal2", "low"]


async def test_max_pending_holds_for_the_whole_queue(url: str) -> None:
    name = new_name()
    async with (
        open_cluster(url, workers=0, name=name, max_pending=2, detach=True) as queue,
        open_cluster(url, workers=0, name=name, max_pending=2, detach=True) as other,
    ):
        first = await queue.submit(jobs.echo)
        await other.submit(jobs.echo)
        with trio.move_on_after(0.1) as scope:
            await queue.submit(jobs.echo)
        assert scope.cancelled_caught

        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(other.submit, jobs.echo))
            await first.request_cancel()
        assert (await queue.totals())[JobStatus.PENDING] == 2


async def test_any_process_finds_a_job_by_its_id(url: str) -> None:
    name = new_name()
    async with open_cluster(url, workers=0, name=name, detach=True) as queue:
        await queue.submit(jobs.count, 20, id="mine", key="k", tags=["t"], priority=2)
    async with open_cluster(url, name=name) as queue:
        handle = await queue.attach("mine")
        snapshot = handle.snapshot()
        assert (snapshot.name, snapshot.key, snapshot.priority) == ("count", "k", 2)
        assert snapshot.tags == frozenset({"t"})
        assert await handle.result() == 20
        again = await queue.attach("mine")  # after its end
        assert again.snapshot() == handle.snapshot()
        assert queue.status("mine") is JobStatus.COMPLETED
        assert queue.handle("mine").id == "mine"
        assert queue.snapshot(handle) == handle.snapshot()

    async with open_cluster(url, workers=0, name=name) as queue:
        assert await (await queue.attach("mine")).result() == 20
        with pytest.raises(UnknownJob):
            await queue.attach("none")
        with pytest.raises(UnknownJob):
            queue.snapshot("none")


async def test_an_id_is_free_again_after_the_end(url: str) -> None:
    async with open_cluster(url) as queue:
        first = await queue.submit(jobs.echo, 1, id="mine")
        await first.wait()
        second = await queue.submit(jobs.echo, 2, id="mine")

        assert await second.result() == 2
        assert await first.result() == 1
        assert queue.snapshot("mine") == second.snapshot()


async def test_jobs_are_found_by_status_key_and_tag(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        a = await queue.submit(jobs.echo, key="k", tags=["t"], delay=1000)
        b = await queue.submit(jobs.echo, delay=1000)
        await b.request_cancel()
        await b.wait()

        assert [s.id for s in queue.jobs()] == [a.id, b.id]
        assert [s.id for s in queue.jobs(status=JobStatus.CANCELLED)] == [b.id]
        assert [s.id for s in queue.jobs(key="k")] == [a.id]
        assert [s.id for s in queue.jobs(tag="t")] == [a.id]
        numbers = queue.statistics()
        assert (numbers.pending, numbers.running, numbers.cancelled) == (1, 0, 1)
        await a.cancel_and_wait()


async def test_history_has_the_jobs_of_all_processes(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name) as queue:
        await queue.run(jobs.echo, 1, id="a")
        with pytest.raises(JobFailed):
            await queue.run(jobs.fail, "no", id="b")
    async with open_cluster(url, workers=0, name=name) as queue:
        second, first = await queue.history()

        assert (first.id, first.name, first.result, first.attempts) == ("a", "echo", "1", 1)
        assert (second.id, second.error_type, second.error_message) == ("b", "ValueError", "no")
        assert first.finished_at.tzinfo is UTC
        assert [job.id for job in await queue.history(limit=1)] == ["b"]
        assert [job.id for job in await queue.history(status=JobStatus.COMPLETED)] == ["a"]
        assert [job.id for job in await queue.history(id="a")] == ["a"]
        assert await queue.history(id="a", status=JobStatus.FAILED) == []
        assert await queue.history(id="none") == []


async def test_few_ended_jobs_are_kept_here(url: str) -> None:
    async with open_cluster(url, keep=Keep(jobs=2)) as queue:
        for number in range(5):
            await queue.run(jobs.echo, id=f"job-{number}")

        assert [snapshot.id for snapshot in queue.jobs()] == ["job-3", "job-4"]
        assert queue.statistics().evicted == 3
        assert queue.statistics().completed == 5


async def test_many_jobs_are_submitted_at_once(url: str) -> None:
    async with open_cluster(url, workers=8) as queue:
        handles = await queue.submit_many(jobs.echo, range(450), tags=["t"])

        assert [await handle.result() for handle in handles] == list(range(450))
        assert len(queue.jobs(tag="t")) == 450
        assert await queue.submit_many(jobs.echo, []) == []
        with pytest.raises(TypeError, match="has no option 'id'"):
            await queue.submit_many(jobs.echo, [1], id="mine")


async def test_many_jobs_wait_for_room(url: str) -> None:
    async with open_cluster(url, workers=2, max_pending=3) as queue:
        handles = await queue.submit_many(jobs.echo, range(20))

        assert [await handle.result() for handle in handles] == list(range(20))


async def test_many_jobs_that_find_no_room_are_withdrawn_by_a_cancel(url: str) -> None:
    async with open_cluster(url, workers=0, max_pending=3, detach=True) as queue:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.submit_many, jobs.echo, range(20))
            while len(queue.jobs()) < 3:  # noqa: ASYNC110 - the server takes so many
                await trio.sleep(0.005)
            nursery.cancel_scope.cancel()
        assert (await queue.totals())[JobStatus.PENDING] == 3
        assert queue.statistics().pending == 3


async def test_events_are_dropped_when_they_have_been_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticketr.cluster._events.DROPPED_AT_ONCE", 2)
    async with open_cluster(url) as queue:
        for number in range(10):  # of two events each, one read after the other
            await queue.run(jobs.echo, number)
        assert await queue._store.client.xlen(queue._events.stream) < 10


async def test_a_large_result_comes_whole(url: str) -> None:
    async with open_cluster(url) as queue:
        assert await queue.run(jobs.echo, "x" * 300_000) == "x" * 300_000


async def test_the_block_waits_for_its_jobs(url: str, tmp_path: Path) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.log, str(tmp_path / "log"), 0.05)

    assert handle.status is JobStatus.COMPLETED
    with pytest.raises(QueueClosed):
        await queue.submit(jobs.echo)


async def test_an_error_of_the_body_cancels_its_jobs(url: str) -> None:
    handles: list[ClusterHandle[object]] = []
    name = new_name()

    async def use() -> None:
        async with open_cluster(url, workers=0, name=name) as queue:
            handles.append(await queue.submit(jobs.echo))
            handles.append(await queue.submit(jobs.echo, delay=1000))
            raise KeyError("mine")

    with pytest.RaisesGroup(KeyError):  # of the nursery of the test's worker
        await use()
    async with open_cluster(url, workers=0, name=name) as queue:
        for handle in handles:
            assert await queue.request_cancel(handle.id) is CancelOutcome.ALREADY_FINISHED
            snapshot = (await queue.attach(handle.id)).snapshot()
            assert snapshot.cancel_cause is CancelCause.SCOPE


async def test_run_that_is_cancelled_cancels_its_job(url: str) -> None:
    async with open_cluster(url) as queue:
        with queue.watch() as updates, trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(queue.run, jobs.forever)
                async for snapshot in updates:
                    if snapshot.status is JobStatus.RUNNING:
                        scope.cancel()
        (snapshot,) = queue.jobs()
        assert snapshot.status is JobStatus.CANCELLED
        assert snapshot.cancel_cause is CancelCause.SCOPE
        with pytest.raises(JobCancelled, match="cause: scope"):
            await queue.handle(snapshot.id).result()


async def test_a_block_that_is_cancelled_leaves_nothing(url: str) -> None:
    name = new_name()
    for number in range(5):
        with trio.move_on_after(0.01 * number):
            async with open_cluster(url, workers=2, name=name) as queue:
                for _ in range(3):
                    await queue.submit(jobs.with_children)
                await trio.sleep_forever()
    async with open_cluster(url, workers=0, name=name) as queue:
        totals = await queue.totals()
        assert totals[JobStatus.PENDING] + totals[JobStatus.RUNNING] == 0


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a text that jobs are given
        return file.read().splitlines()
