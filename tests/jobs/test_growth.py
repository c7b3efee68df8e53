"""What a step costs while many jobs wait, counted in bytecodes of Python, not in time."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import pytest
import trio
from fakes.bytecodes import Bytecodes
from fakes.small_jobs import nothing, sleep
from trio.testing import MockClock

from ticketr import JobQueue, Keep, Rate, open_job_queue

Step = Callable[[JobQueue], Awaitable[object]]
Wait = Callable[[JobQueue, int], Awaitable[object]]

LONG = 1e6
FEW = 50
MANY = FEW**2


# What waits, and what is done meanwhile.


async def wait_for_a_rate(queue: JobQueue, count: int) -> None:
    queue.set_rate(Rate(1, per=1.0))
    await queue.run(nothing)
    for _ in range(count):
        queue.submit_nowait(nothing)
    await trio.sleep(0.5)


async def wait_for_rates_of_keys(queue: JobQueue, count: int) -> None:
    for key in range(count):
        queue.set_rate(Rate(1, per=LONG), key)
        queue.submit_nowait(nothing, key=key)
        queue.submit_nowait(nothing, key=key)
    queue.set_rate(Rate(1, per=1.0), count)
    for _ in range(4):
        queue.submit_nowait(nothing, key=count)
    await trio.sleep(0.5)  # the first job of each key has run


async def wait_for_one_job(queue: JobQueue, count: int) -> None:
    queue.submit_nowait(sleep, LONG, id="first")
    for _ in range(count):
        queue.submit_nowait(nothing, after=["first"])


async def wait_for_one_job_each(queue: JobQueue, count: int) -> None:
    queue.submit_nowait(sleep, LONG, id="0")
    for number in range(count):
        queue.submit_nowait(nothing, after=[str(number)], id=str(number + 1))


async def wait_for_repeats(queue: JobQueue, count: int) -> None:
    for _ in range(count):
        queue.repeat(nothing, every=LONG, first=LONG)


async def shut_down(queue: JobQueue) -> None:
    """Begin a bounded shutdown in which four jobs run, a second each and one after the other."""
    last = "first"
    for _ in range(4):
        last = queue.submit_nowait(sleep, 1, after=[] if last == "first" else [last]).id
    await trio.sleep(0.5)
    with trio.move_on_after(0):
        await queue.shutdown(grace=LONG)


async def shut_down_while_jobs_wait_for_another(queue: JobQueue, count: int) -> None:
    queue.set_rate(Rate(1, per=0.1))
    await wait_for_one_job(queue, count)
    await trio.sleep(1)
    await shut_down(queue)


async def shut_down_while_jobs_wait_for_a_key(queue: JobQueue, count: int) -> None:
    queue.set_rate(Rate(1, per=0.1))
    for _ in range(count + 1):
        queue.submit_nowait(sleep, LONG, key="held")
    await trio.sleep(1)
    await shut_down(queue)


async def shut_down_while_rates_of_keys_are_empty(queue: JobQueue, count: int) -> None:
    for key in range(count):
        queue.set_rate(Rate(1, per=LONG), key)
        queue.submit_nowait(nothing, key=key)
    await trio.sleep(1)
    await shut_down(queue)


async def let_a_rate_pass(queue: JobQueue) -> None:
    before = queue.statistics().completed
    await trio.sleep(1)
    assert queue.statistics().completed == before + 1


async def submit_and_cancel(queue: JobQueue) -> None:
    queue.submit_nowait(nothing, key=0).cancel()


async def run_two(queue: JobQueue) -> None:
    before = queue.submit_nowait(sleep, 1)
    await queue.run(nothing, after=[before])


async def cancel_one_before(queue: JobQueue) -> None:
    before = queue.submit_nowait(nothing, delay=1)
    after = queue.submit_nowait(nothing, after=[before])
    before.cancel()
    assert after.status.is_terminal


async def repeat_once(queue: JobQueue) -> None:
    repeat = queue.repeat(nothing, every=LONG, first=1)
    await trio.sleep(1.5)
    assert repeat.runs == 1
    repeat.pause()
    repeat.resume()
    repeat.cancel()


CASES = [
    (wait_for_a_rate, let_a_rate_pass),
    (wait_for_a_rate, submit_and_cancel),
    (wait_for_rates_of_keys, let_a_rate_pass),
    (wait_for_rates_of_keys, submit_and_cancel),
    (wait_for_one_job, run_two),
    (wait_for_one_job, cancel_one_before),
    (wait_for_one_job_each, run_two),
    (wait_for_one_job_each, cancel_one_before),
    (wait_for_repeats, repeat_once),
    (shut_down_while_jobs_wait_for_another, let_a_rate_pass),
    (shut_down_while_jobs_wait_for_a_key, let_a_rate_pass),
    (shut_down_while_rates_of_keys_are_empty, let_a_rate_pass),
]


def cost(wait: Wait, step: Step, count: int) -> int:
    """Return the bytecodes of a step while so many wait."""
    bytecodes = Bytecodes()

    async def main() -> None:
        async with open_job_queue(workers=2, max_pending=None, keep=Keep(jobs=9)) as queue:
            await wait(queue, count)
            await step(queue)
            with bytecodes.counted():
                await step(queue)
            await queue.shutdown(grace=0)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return bytecodes.count


def check(wait: Wait, step: Step, many: int) -> None:
    few_cost, many_cost = cost(wait, step, FEW), cost(wait, step, many)
    assert few_cost > 100
    assert many_cost <= few_cost * math.log(many, FEW)


@pytest.mark.unmeasured
@pytest.mark.parametrize(("wait", "step"), CASES)
def test_a_step_costs_no_more_than_the_logarithm_of_what_waits(wait: Wait, step: Step) -> None:
    check(wait, step, MANY)


@pytest.mark.stress
@pytest.mark.parametrize(("wait", "step"), CASES)
def test_a_step_costs_no_more_while_100_000_wait(wait: Wait, step: Step) -> None:
    check(wait, step, 100_000)
