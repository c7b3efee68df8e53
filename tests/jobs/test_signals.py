from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
import trio
from fakes.small_jobs import sleep
from fakes.steps import AtStep, at_every_step
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    JobCancelled,
    JobQueue,
    JobStatus,
    QueueClosed,
    drain_on_signals,
    open_job_queue,
    plain,
)

COMPLETED = (JobStatus.COMPLETED, None)
SHUT_DOWN = (JobStatus.CANCELLED, CancelCause.SHUTDOWN)


async def send(number: signal.Signals, at: float) -> None:
    """Send this process a signal."""
    await trio.sleep_until(at)
    os.kill(os.getpid(), number)


def ends(queue: JobQueue) -> dict[str, tuple[JobStatus, CancelCause | None]]:
    return {job.id: (job.status, job.cancel_cause) for job in queue.jobs()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_gives_jobs_the_grace_and_ends_the_body_after_it(
    number: signal.Signals,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    handlers = [signal.getsignal(known) for known in (signal.SIGTERM, signal.SIGINT)]
    caplog.set_level(logging.INFO, "ticketr.jobs")
    async with open_job_queue(workers=2) as queue, drain_on_signals(queue, grace=10):
        await queue.submit(sleep, 5, id="short")
        await queue.submit(sleep, 3600, id="long")
        await queue.submit(sleep, 1, id="later", delay=60)
        nursery.start_soon(send, number, 1)
        await trio.sleep_forever()

    assert trio.current_time() == 11
    assert ends(queue) == {"short": COMPLETED, "long": SHUT_DOWN, "later": SHUT_DOWN}
    assert f"{number.name}: the job queue shuts down" in caplog.messages
    assert [signal.getsignal(known) for known in (signal.SIGTERM, signal.SIGINT)] == handlers


async def test_a_second_signal_cancels_the_jobs(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue, drain_on_signals(queue):
        await queue.submit(sleep, 3600, id="long")
        nursery.start_soon(send, signal.SIGTERM, 1)
        nursery.start_soon(send, signal.SIGTERM, 3)
        await trio.sleep_forever()

    assert trio.current_time() == 3
    assert ends(queue) == {"long": SHUT_DOWN}


async def test_a_body_that_submits_ends_at_its_next_submit(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with open_job_queue(max_pending=1) as queue, drain_on_signals(queue, grace=2):
        nursery.start_soon(send, signal.SIGTERM, 1.5)
        while True:
            await queue.submit(sleep, 1)

    assert trio.current_time() == 3
    assert [status for status, _ in ends(queue).values()] == [JobStatus.COMPLETED] * 3


async def test_the_body_gets_the_results_of_the_last_jobs(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    results = []
    async with open_job_queue(workers=2) as queue, drain_on_signals(queue, grace=10):
        nursery.start_soon(send, signal.SIGTERM, 1)
        results.append(await queue.run(sleep, 5))
        results.append(await queue.run(sleep, 5))

    assert results == [5]
    assert trio.current_time() == 5


async def test_a_job_that_the_body_waits_for_is_cancelled_after_the_grace(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with open_job_queue(workers=2) as queue, drain_on_signals(queue, grace=2):
        nursery.start_soon(send, signal.SIGTERM, 1)
        async with trio.open_nursery() as requests:
            requests.start_soon(queue.run, plain(trio.sleep_forever))
            requests.start_soon(queue.run, plain(trio.sleep_forever))

    assert trio.current_time() == 3


async def test_signals_are_received_until_the_jobs_of_the_body_have_ended(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue, drain_on_signals(queue, grace=2):
        await queue.submit(sleep, 3600, id="long")
        nursery.start_soon(send, signal.SIGTERM, 1)

    assert trio.current_time() == 3
    assert ends(queue) == {"long": SHUT_DOWN}


@pytest.mark.parametrize(
    "error",
    [ValueError(), SystemExit(), ExceptionGroup("", [QueueClosed(), ValueError()])],
    ids=["error", "exit", "group"],
)
@pytest.mark.parametrize("is_draining", [False, True])
async def test_an_error_of_the_body_leaves_as_the_same_object(
    error: BaseException, nursery: trio.Nursery, autojump_clock: MockClock, *, is_draining: bool
) -> None:
    with pytest.raises(type(error)) as caught:  # noqa: PT012 - it leaves three blocks
        async with open_job_queue() as queue, drain_on_signals(queue, grace=10):
            await queue.submit(sleep, 3600, id="long")
            if is_draining:
                nursery.start_soon(send, signal.SIGTERM, 1)
            await trio.sleep(2)
            raise error

    assert caught.value is error
    assert ends(queue) == {"long": SHUT_DOWN}
    assert trio.current_time() == 2


async def test_without_a_signal_a_closed_queue_is_an_error(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        await queue.shutdown()
        with pytest.raises(QueueClosed):
            async with drain_on_signals(queue):
                await queue.submit(sleep, 1)


async def test_a_job_that_somebody_else_cancelled_is_an_error(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    with pytest.raises(JobCancelled):  # noqa: PT012 - it leaves two blocks
        async with open_job_queue(workers=2) as queue, drain_on_signals(queue, grace=10):
            job = await queue.submit(sleep, 3600)
            await queue.submit(sleep, 3600)
            nursery.start_soon(send, signal.SIGTERM, 1)
            await trio.sleep(2)
            job.cancel()
            await job.result()


@pytest.mark.parametrize("numbers", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
def test_signals_at_any_step(numbers: list[signal.Signals]) -> None:
    async def answer(queue: JobQueue) -> None:
        with suppress(QueueClosed, JobCancelled):
            await queue.run(sleep, 1)

    def send_all() -> None:
        for number in numbers:
            signal.raise_signal(number)

    async def main(at_step: AtStep) -> JobQueue:
        with trio.fail_after(100):
            async with open_job_queue(workers=2) as queue, drain_on_signals(queue, grace=0.5):
                at_step.arm(send_all)
                async with trio.open_nursery() as requests:
                    for _ in range(3):
                        requests.start_soon(answer, queue)
                await queue.submit(sleep, 1)
                at_step.disarm()
        return queue

    queues = at_every_step(main)

    assert all(job.status.is_terminal for queue in queues for job in queue.jobs())
    assert len(queues) > 15


@pytest.mark.parametrize("grace", ["1", -1, float("nan"), True])
async def test_a_wrong_grace_is_refused(grace: Any) -> None:
    async with open_job_queue() as queue:
        with pytest.raises((TypeError, ValueError), match="grace"):
            async with drain_on_signals(queue, grace=grace):
                pass


SERVICE = """
import trio
from ticketr import drain_on_signals, open_job_queue

async def work(context, seconds):
    try:
        await trio.sleep(seconds)
    finally:
        with context.cleanup(5):
            print("cleaned up", flush=True)
            await trio.sleep(0)

async def main():
    async with open_job_queue() as queue, drain_on_signals(queue, grace=GRACE):
        for _ in range(3):
            await queue.submit(work, SECONDS)
        await trio.sleep(0.1)
        print("serving", flush=True)
        await trio.sleep_forever()
    print(queue.statistics().completed, "completed", flush=True)

trio.run(main)
"""


@pytest.mark.parametrize(
    ("grace", "seconds", "signals", "printed"),
    [
        (60.0, 0.5, [signal.SIGTERM], "3 completed"),
        (0.05, 3600, [signal.SIGINT], "0 completed"),
        (3600, 3600, [signal.SIGINT, signal.SIGTERM], "0 completed"),
    ],
)
def test_a_process_that_is_told_to_stop(
    grace: float, seconds: float, signals: list[signal.Signals], printed: str
) -> None:
    program = SERVICE.replace("GRACE", str(grace)).replace("SECONDS", str(seconds))
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        for number in signals:
            process.send_signal(number)
        out, err = process.communicate(timeout=100)

    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == printed
    assert "cleaned up" in out
