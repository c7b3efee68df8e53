"""Which idle worker is woken, and when: the dispatcher by itself, with tasks that only note it."""

from __future__ import annotations

from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING

import trio
from fakes.records import pending_record
from trio.testing import wait_all_tasks_blocked

from ticketr.jobs._dispatch import Dispatcher
from ticketr.jobs._scheduling.schedule import Schedule
from ticketr.jobs._trio_internals import switch_context

if TYPE_CHECKING:
    from ticketr.jobs._record import JobRecord

variable: ContextVar[str] = ContextVar("variable", default="")


class Workers:
    """A dispatcher, and tasks that wait on it as workers do.

    Attributes:
        woken: The number and the context variable of each worker that has been woken, in order.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self.schedule = Schedule(10)
        self.running: list[JobRecord] = []
        self.dispatcher = Dispatcher(self.schedule, self.running, 2)
        self.woken: list[tuple[int, str]] = []
        self._nursery = nursery

    async def wait(self, number: int) -> None:
        """Wait once as a worker does."""
        task = trio.lowlevel.current_task()
        try:
            await self.dispatcher.wait_for_wakeup(task)
        finally:
            self.dispatcher.stop_waiting(task)
        self.woken.append((number, variable.get()))

    async def start(self, *numbers: int) -> None:
        """Let workers wait, one after the other."""
        for number in numbers:
            self._nursery.start_soon(self.wait, number)
            await wait_all_tasks_blocked()

    def add(self, value: str = "") -> JobRecord:
        """Add a pending job, with this value of the context variable."""
        context = copy_context()
        if value:
            context.run(variable.set, value)
        record = pending_record("job", context=context)
        self.schedule.add(record, 0.0)
        return record

    async def rest(self) -> list[tuple[int, str]]:
        """Let all that is under way happen."""
        await wait_all_tasks_blocked()
        return self.woken


async def test_a_worker_is_woken_only_for_a_job_that_could_run() -> None:
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        workers.dispatcher.wake()  # no worker is idle
        await workers.start(1)

        workers.dispatcher.wake()
        assert await workers.rest() == []  # there is no job

        workers.add()
        workers.schedule.pause(None)
        workers.dispatcher.wake()
        assert await workers.rest() == []  # it is paused

        workers.schedule.resume(None)
        workers.dispatcher.wake()
        assert await workers.rest() == [(1, "")]


async def test_one_wake_up_is_under_way_at_a_time() -> None:
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        await workers.start(1, 2)
        for _ in range(3):
            workers.add()
            workers.dispatcher.wake()

        assert workers.dispatcher.wakeup_sender.statistics().current_buffer_used == 0
        assert await workers.rest() == [(1, "")]  # the first that became idle

        workers.schedule.take()
        workers.dispatcher.job_taken()  # the woken worker wakes the next
        assert await workers.rest() == [(1, ""), (2, "")]


async def test_a_worker_wakes_up_in_the_context_of_the_best_job_by_then() -> None:
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        await workers.start(1)
        workers.add("first")
        workers.dispatcher.wake()
        better = workers.add("better")
        better.set_priority(1)
        workers.schedule.rerank(better)
        workers.dispatcher.wake()

        assert await workers.rest() == [(1, "better")]


async def test_a_job_of_a_submit_that_returns_wakes_no_worker_while_another_job_runs() -> None:
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        await workers.start(1)
        workers.running.append(pending_record("running"))

        workers.dispatcher.job_submitted(workers.add())
        assert await workers.rest() == []
        workers.dispatcher.job_taken()  # the pending job is left to the submit
        assert await workers.rest() == []
        workers.dispatcher.submit_returned()
        assert await workers.rest() == [(1, "")]

        await workers.start(2)
        workers.dispatcher.submit_returns()
        workers.schedule.take()  # by the worker that has ended its job meanwhile
        workers.dispatcher.submit_returned()
        assert await workers.rest() == [(1, "")]
        nursery.cancel_scope.cancel()


async def test_a_job_of_a_submit_that_returns_wakes_a_worker_if_no_other_job_runs() -> None:
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        await workers.start(1)

        workers.dispatcher.job_submitted(workers.add("first"))
        workers.dispatcher.job_submitted(workers.add())
        assert await workers.rest() == [(1, "first")]


async def test_a_job_of_a_map_wakes_a_worker_unless_a_reader_returns() -> None:
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        await workers.start(1, 2)

        workers.dispatcher.submit_returns()
        workers.dispatcher.job_fed(workers.add("first"))
        assert await workers.rest() == []
        workers.dispatcher.submit_returned()
        workers.dispatcher.job_fed(workers.add())  # it switches no context
        assert await workers.rest() == [(1, "first")]

        workers.dispatcher.job_fed(workers.add())
        assert await workers.rest() == [(1, "first"), (2, "first")]


async def test_a_worker_looks_again_one_step_later_while_a_submit_returns() -> None:
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        await workers.start(1)
        workers.dispatcher.submit_returns()

        await workers.wait(2)  # without a message
        assert await workers.rest() == [(2, "")]
        assert [*workers.dispatcher.idle] != []  # the other one still waits for its message

        workers.add()
        workers.dispatcher.submit_returned()
        assert await workers.rest() == [(2, ""), (1, "")]


async def test_a_job_that_enters_meanwhile_switches_the_context_of_the_worker_that_looks() -> None:
    task = trio.lowlevel.current_task()
    own = task.context
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        await workers.start(1)
        workers.running.append(pending_record("running"))
        workers.dispatcher.submit_returns()

        looking = workers.dispatcher.wait_for_wakeup(task)
        workers.dispatcher.job_submitted(workers.add("new"))
        await looking
        seen = variable.get()
        switch_context(task, own)
        workers.dispatcher.stop_waiting(task)

        assert seen == "new"
        assert await workers.rest() == []
        nursery.cancel_scope.cancel()


async def test_a_worker_that_was_never_idle_may_stop_waiting() -> None:
    dispatcher = Dispatcher(Schedule(10), [], 1)

    dispatcher.stop_waiting(trio.lowlevel.current_task())

    assert [*dispatcher.idle] == []


async def test_a_cancelled_worker_is_idle_no_more() -> None:
    async with trio.open_nursery() as nursery:
        workers = Workers(nursery)
        await workers.start(1)
        nursery.cancel_scope.cancel()

    assert [*workers.dispatcher.idle] == []
