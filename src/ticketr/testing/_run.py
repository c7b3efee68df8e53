"""One run of a swept function: counts its steps, makes something happen, sees what comes out."""

from __future__ import annotations

import ctypes
import inspect
import signal
import types
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any

import outcome
import trio

from ticketr.testing._report import Injection, Outcome, StepReport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator

MARK = "ticketr.testing: injected"
"""The reason that our cancellations carry."""
GRACE = 1e6
"""Seconds of virtual time that a run has to end when it was cancelled because it hung."""
KICKS = 10
"""How often a hanging task is woken with an error before the run is given up."""
MORE_STEPS = 1000
"""Steps that a run has to end when it was cancelled because it took too many."""


class Hung(Exception):
    """Raised in what hangs and does not listen to a cancellation."""


class Run(trio.abc.Instrument):
    """One run, and what is known of it afterwards."""

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
        self.own, self.outer, self.guard = (trio.CancelScope() for _ in range(3))
        self.seen = 0
        self.fired = False
        self.length = 0
        """Steps that were over when the function ended."""
        self.told: BaseException | None = None
        """The injection, once it has come out of an ``await`` of the function itself."""
        self.ended = False
        self.value: object = None
        self.error: BaseException | None = None
        self.check_error: BaseException | None = None
        self.hung: str | None = None
        """Where each task waited when the time was over."""
        self.tasks: set[trio.lowlevel.Task] = set()
        self.exited: trio.lowlevel.Task | None = None
        self.root: trio.lowlevel.Task | None = None
        self.body: Any = None
        self.busy = trio.Event()
        self.patience = trio.CancelScope()

    # What Trio tells an instrument.

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        nursery = task.parent_nursery
        if nursery is not None and nursery.parent_task in self.tasks:
            self.tasks.add(task)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self.exited = task

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task not in self.tasks:
            return
        if task is self.exited:  # its last step, before its parent hears of it
            self.tasks.discard(task)
        self.seen += 1
        if self.seen > self.max_steps:
            # Steps take no time, so the clock does not get to any deadline.
            self.busy.set()
            if self.seen > self.max_steps + MORE_STEPS:
                self.patience.deadline = -inf
        elif self.seen == self.step and not self.ended:
            self.inject()
            self.fired = True

    def inject(self) -> None:
        if self.injection is Injection.SCOPE:
            self.own.cancel(MARK)
        elif self.injection is Injection.OUTER_SCOPE:
            self.outer.cancel(MARK)
        else:
            # Trio's own code is protected, so this goes to the main task's next checkpoint.
            signal.raise_signal(signal.SIGINT)

    @property
    def interrupted(self) -> bool:
        """Whether a KeyboardInterrupt is of our making."""
        return self.fired and self.injection is Injection.KEYBOARD_INTERRUPT

    # What runs.

    async def main(self, check: Callable[[StepReport], object] | None) -> None:
        """Call the function in the main task, where interrupts go; then the check."""
        trio.lowlevel.spawn_system_task(self.watch)
        with self.guard:
            await self.call()
            if check is not None and self.hung is None:
                await self.judge(check)

    async def call(self) -> None:
        try:
            with self.outer, self.own:
                self.root = trio.lowlevel.current_task()
                self.tasks.add(self.root)
                await trio.lowlevel.cancel_shielded_checkpoint()
                self.body = _body(self.function)
                self.value = await self.listen(self.body)
        except BaseException as error:  # noqa: BLE001, ASYNC103 - it is judged
            self.error = error
        self.ended = self.hung is None
        self.length = self.seen
        # An interrupt that came too late for the function is still on its way.
        with trio.CancelScope(shield=True), suppress(KeyboardInterrupt):
            await trio.lowlevel.checkpoint()

    @types.coroutine
    def listen(self, body: Coroutine[Any, Any, object]) -> Generator[Any, Any, object]:
        """Run the function's coroutine, and see whether the injection arrives in it."""
        resume: Callable[[Any], Any] = body.send
        value: Any = None
        while True:
            try:
                request = resume(value)
            except StopIteration as end:
                return end.value
            try:
                value = yield request
            except BaseException as error:  # noqa: BLE001, ASYNC103 - it is passed on
                resume, value = body.throw, error
            else:
                resume = body.send
                self.told = self.told or self.injected_in(value)

    def injected_in(self, sent: object) -> BaseException | None:
        """The injection, if it is what Trio sends into the function."""
        error = getattr(sent, "error", None)
        if isinstance(error, trio.Cancelled):
            return error if error.reason == MARK else None
        return error if self.interrupted and isinstance(error, KeyboardInterrupt) else None

    async def judge(self, check: Callable[[StepReport], object]) -> None:
        try:
            answer = check(self.report())
            if inspect.isawaitable(answer):
                await answer
        except Exception as error:  # noqa: BLE001 - the sweep raises it
            self.check_error = error

    def report(self) -> StepReport:
        """What there is to say once the function has ended."""
        if self.error is not None:
            only_interrupts = all(
                isinstance(leaf, KeyboardInterrupt) for leaf in leaves(self.error)
            )
            outcome = Outcome.INTERRUPTED if only_interrupts else Outcome.EXCEPTION
        elif self.own.cancelled_caught or self.outer.cancelled_caught:
            outcome = Outcome.CANCELLED
        else:
            outcome = Outcome.VALUE
        return StepReport(self.step, self.injection, self.fired, outcome, self.value, self.error)

    # What ends a run that would not end.

    async def watch(self) -> None:
        """Cancel what is left when the time is over; if that does not help, use force.

        A system task, so that it is none of the function's and ends with it.
        """
        with trio.move_on_after(self.timeout):
            await self.busy.wait()
        self.hung = "; ".join(sorted(map(self.place, self.tasks)))
        self.guard.cancel("ticketr.testing: the run hangs")
        with self.patience:
            for _ in range(KICKS):
                await trio.sleep(GRACE)
                self.kick()
        self.abandon()
        # What an abort function raises ends Trio's whole run, come what may.
        with trio.CancelScope(deadline=-inf):
            await trio.lowlevel.wait_task_rescheduled(_give_up)

    def kick(self) -> None:
        """Wake what waits in a shielded place: it is blocked, or the clock had not moved."""
        for task in self.tasks:
            if not any(nursery.child_tasks for nursery in task.child_nurseries):
                trio.lowlevel.reschedule(task, outcome.Error(Hung("woken: it waited for ever")))

    def abandon(self) -> None:
        """Leak the run's tasks, on purpose.

        Freeing them would close their coroutines outside of Trio: their clean-up would
        fail noisily, and a loop that catches everything would never end.
        """
        root = trio.lowlevel.current_root_task()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(root))
        self.tasks.clear()
        self.root = self.body = None

    def place(self, task: trio.lowlevel.Task) -> str:
        """Where a task waits: the innermost line that is not Trio's own."""
        own = task is self.root and not self.ended
        name, coroutine = ("it", self.body) if own else (task.name, task.coro)
        place = "somewhere"
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
            if frame is not None and not frame.f_globals["__name__"].startswith("trio."):
                code = frame.f_code
                place = f"in {code.co_name} ({code.co_filename}:{frame.f_lineno})"
            coroutine = getattr(coroutine, "cr_await", None)
        return f"{name} waits {place}"


def _give_up(_: object) -> trio.lowlevel.Abort:
    raise Hung("it cannot be ended")


async def _body(function: Callable[[], Awaitable[object]]) -> object:
    return await function()


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group and its groups, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
