"""One run of a swept function: count its steps, make the injection, report the outcome."""

from __future__ import annotations

import ctypes
import inspect
import signal
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import suppress
from math import inf
from typing import Any

import outcome
import trio

from ticketr.testing._report import Injection, Outcome, StepReport

#: The reason of the injected cancellations.
CANCEL_REASON = "ticketr.testing: injected"
#: Seconds of virtual time in which a run must end after it was cancelled because it hung.
GRACE = 1e6
#: How often the tasks of a hanging run are woken with an error before the run is abandoned.
MOST_WAKES = 10
#: Steps in which a run must end after it was cancelled because it took too many.
MORE_STEPS = 1000


class Hung(Exception):
    """Raised in a task that hangs in spite of a cancellation."""


class Run(trio.abc.Instrument):
    """One run of a function, as a Trio instrument.

    Args:
        function: The function.
        injection: The injection; None makes none.
        step: The step after which the injection is made.
        timeout: Seconds of virtual time after which the run hangs.
        max_steps: Steps after which the run hangs.

    Attributes:
        fired: Whether the injection was made.
        length: The number of steps when the function ended.
        delivered: The exception of the injection, once an ``await`` of the function raised it.
        ended: Whether the function ended by itself.
        value: The function's return value.
        error: The exception that the function raised.
        check_error: The exception that the check raised.
        hung: Where each task waited at the timeout; None if the run does not hang.
    """

    def __init__(
        self,
        function: Callable[[], Awaitable[object]],
        *,
        injection: Injection | None,
        step: int,
        timeout: float,
        max_steps: int,
    ) -> None:
        self.function = function
        self.injection = injection
        self.step = step
        self.timeout = timeout
        self.max_steps = max_steps
        self.scope, self.outer, self.guard = (trio.CancelScope() for _ in range(3))
        self.step_count = 0
        self.fired = False
        self.length = 0
        self.delivered: BaseException | None = None
        self.ended = False
        self.value: object = None
        self.error: BaseException | None = None
        self.check_error: BaseException | None = None
        self.hung: str | None = None
        self.tasks: set[trio.lowlevel.Task] = set()
        self.exited: trio.lowlevel.Task | None = None
        self.root: trio.lowlevel.Task | None = None
        self.coroutine: Any = None
        self.too_many_steps = trio.Event()
        self.grace_period = trio.CancelScope()

    # The methods of an instrument, which Trio calls.

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        nursery = task.parent_nursery
        if nursery is not None and nursery.parent_task in self.tasks:
            self.tasks.add(task)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self.exited = task

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task not in self.tasks:
            return
        if task is self.exited:  # its last step, before its parent is notified
            self.tasks.discard(task)
        self.step_count += 1
        if self.step_count > self.max_steps:
            # Steps take no virtual time, so no deadline passes.
            self.too_many_steps.set()
            if self.step_count > self.max_steps + MORE_STEPS:
                self.grace_period.deadline = -inf
        elif self.step_count == self.step and not self.ended:
            self.inject()
            self.fired = True

    def inject(self) -> None:
        """Cancel a scope, or interrupt the program, as the injection says."""
        if self.injection is Injection.SCOPE:
            self.scope.cancel(CANCEL_REASON)
        elif self.injection is Injection.OUTER_SCOPE:
            self.outer.cancel(CANCEL_REASON)
        else:
            # Trio's own code is protected, so the main task's next checkpoint raises this.
            signal.raise_signal(signal.SIGINT)

    @property
    def interrupted(self) -> bool:
        """Whether a KeyboardInterrupt comes from the injection."""
        return self.fired and self.injection is Injection.KEYBOARD_INTERRUPT

    # The run itself.

    async def main(self, check: Callable[[StepReport], object] | None) -> None:
        """Call the function, in the main task, which gets interrupts; then call the check."""
        trio.lowlevel.spawn_system_task(self.end_when_hung)
        with self.guard:
            await self.call()
            if check is not None and self.hung is None:
                await self.verify(check)

    async def call(self) -> None:
        """Call the function; keep its value or its error."""
        try:
            with self.outer, self.scope:
                self.root = trio.lowlevel.current_task()
                self.tasks.add(self.root)
                await trio.lowlevel.cancel_shielded_checkpoint()
                self.coroutine = _body(self.function)
                self.value = await self.watch_deliveries(self.coroutine)
        except BaseException as error:  # noqa: BLE001, ASYNC103 - it is judged
            self.error = error
        self.ended = self.hung is None
        self.length = self.step_count
        # An interrupt that came too late for the function is still pending.
        with trio.CancelScope(shield=True), suppress(KeyboardInterrupt):
            await trio.lowlevel.checkpoint()

    @types.coroutine
    def watch_deliveries(
        self, coroutine: Coroutine[Any, Any, object]
    ) -> Generator[Any, Any, object]:
        """Run the function's coroutine, and record whether the injection is delivered to it."""
        resume: Callable[[Any], Any] = coroutine.send
        value: Any = None
        while True:
            try:
                request = resume(value)
            except StopIteration as end:
                return end.value
            try:
                value = yield request
            except BaseException as error:  # noqa: BLE001, ASYNC103 - it is passed on
                resume, value = coroutine.throw, error
            else:
                resume = coroutine.send
                self.delivered = self.delivered or self.delivered_injection(value)

    def delivered_injection(self, sent: object) -> BaseException | None:
        """Return the injection's exception if that is what Trio sends into the function."""
        error = getattr(sent, "error", None)
        if isinstance(error, trio.Cancelled):
            return error if error.reason == CANCEL_REASON else None
        return error if self.interrupted and isinstance(error, KeyboardInterrupt) else None

    async def verify(self, check: Callable[[StepReport], object]) -> None:
        """Call the check; keep what it raises."""
        try:
            answer = check(self.report())
            if inspect.isawaitable(answer):
                await answer
        except Exception as error:  # noqa: BLE001 - the sweep raises it
            self.check_error = error

    def report(self) -> StepReport:
        """Report how the function ended."""
        if self.error is not None:
            only_interrupts = all(
                isinstance(leaf, KeyboardInterrupt) for leaf in leaves(self.error)
            )
            outcome = Outcome.INTERRUPTED if only_interrupts else Outcome.EXCEPTION
        elif self.scope.cancelled_caught or self.outer.cancelled_caught:
            outcome = Outcome.CANCELLED
        else:
            outcome = Outcome.VALUE
        return StepReport(self.step, self.injection, self.fired, outcome, self.value, self.error)

    # Ending a run that hangs.

    async def end_when_hung(self) -> None:
        """Cancel the run at the timeout; if it still hangs, wake its tasks with an error.

        This is a system task, so it is not one of the function's and ends with the main task.
        """
        with trio.move_on_after(self.timeout):
            await self.too_many_steps.wait()
        self.hung = "; ".join(sorted(map(self.describe_wait, self.tasks)))
        self.guard.cancel("ticketr.testing: the run hangs")
        with self.grace_period:
            for _ in range(MOST_WAKES):
                await trio.sleep(GRACE)
                self.wake_blocked_tasks()
        self.abandon()
        # An exception in an abort function always ends Trio's whole run.
        with trio.CancelScope(deadline=-inf):
            await trio.lowlevel.wait_task_rescheduled(_abort_run)

    def wake_blocked_tasks(self) -> None:
        """Raise an error in the tasks that still wait, which must be in a shielded scope."""
        for task in self.tasks:
            if not any(nursery.child_tasks for nursery in task.child_nurseries):
                trio.lowlevel.reschedule(task, outcome.Error(Hung("woken from an endless wait")))

    def abandon(self) -> None:
        """Leak the run's tasks.

        Freeing them would close their coroutines outside of Trio: their clean-up would raise
        errors, and a loop that catches everything would never end.
        """
        root = trio.lowlevel.current_root_task()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(root))
        self.tasks.clear()
        self.root = self.coroutine = None

    def describe_wait(self, task: trio.lowlevel.Task) -> str:
        """Describe where a task waits: the innermost line that is not Trio's own."""
        is_function = task is self.root and not self.ended
        name, coroutine = ("it", self.coroutine) if is_function else (task.name, task.coro)
        place = "somewhere"
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
            if frame is not None and not frame.f_globals["__name__"].startswith("trio."):
                code = frame.f_code
                place = f"in {code.co_name} ({code.co_filename}:{frame.f_lineno})"
            coroutine = getattr(coroutine, "cr_await", None)
        return f"{name} waits {place}"


def _abort_run(_: object) -> trio.lowlevel.Abort:
    raise Hung("the run cannot be ended")


async def _body(function: Callable[[], Awaitable[object]]) -> object:
    return await function()


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors in a group and its inner groups, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
