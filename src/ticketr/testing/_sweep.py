"""The sweep: run a function again and again, each time stopped one step later."""

from __future__ import annotations

import ctypes
import enum
import inspect
import random
import signal
import threading
import types
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple, NoReturn, TypeVarTuple

import outcome
import trio
from trio.testing import MockClock

from ticketr import TicketrError


class Injection(enum.StrEnum):
    """What a sweep injects into a run of the function.

    Attributes:
        SCOPE: Cancels the scope directly around the function.
        OUTER_SCOPE: Cancels a scope further out, and with it all scopes inside.
        KEYBOARD_INTERRUPT: Sends SIGINT, as Ctrl-C does; Trio delivers it as usual.
    """

    SCOPE = "scope"
    OUTER_SCOPE = "outer scope"
    KEYBOARD_INTERRUPT = "KeyboardInterrupt"


class Outcome(enum.StrEnum):
    """How the function ended.

    Attributes:
        VALUE: It returned a value.
        EXCEPTION: It raised an exception.
        CANCELLED: The injected cancellation ended it.
        INTERRUPTED: It raised KeyboardInterrupt, alone or in a group of nothing else.
    """

    VALUE = "value"
    EXCEPTION = "exception"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class StepReport:
    """The result of one run, passed to a sweep's ``check``.

    Attributes:
        step: The step of the function after which the injection was made; 1 is before the
            function begins, 0 the run without injection.
        injected: The injection; None in the run of step 0.
        fired: Whether the injection was made. Trio shuffles the tasks that are ready, so a run
            can be a step or two shorter than the run that counted the steps.
        outcome: How the function ended.
        value: The function's return value, if any.
        error: The exception that the function raised, if any.
    """

    step: int
    injected: Injection | None
    fired: bool
    outcome: Outcome
    value: object = None
    error: BaseException | None = None


@dataclass(frozen=True)
class SweepSummary:
    """The result of a sweep without violations.

    Attributes:
        steps: The number of steps of the function without injection.
        runs: The number of runs with an injection.
        returned: The number of runs in which the function returned a value in spite of it.
        cancelled: The number of runs that the cancellation or interrupt ended.
        failed: The number of runs that raised an allowed exception.
        missed: The number of runs that ended before the step.
    """

    steps: int
    runs: int
    returned: int
    cancelled: int
    failed: int
    missed: int


@dataclass(eq=False, repr=False)
class SweepFailed(TicketrError):
    """A sweep found a violation; ``__cause__`` is the underlying error, if any.

    Attributes:
        step: The step after which the injection was made; 0 without injection.
        injected: The injection; None without injection.
        problem: A description of the violation.
    """

    step: int
    injected: Injection | None
    problem: str

    def __str__(self) -> str:
        if self.injected is None:
            return f"with nothing injected: {self.problem}"
        return f"at step {self.step}, {self.injected}: {self.problem}"


#: The reason of the injected cancellations.
CANCEL_REASON = "ticketr.testing: injected"
#: Seconds of virtual time in which a hanging run must end after its cancel, or after each wake-up but the last.
VIRTUAL_SECONDS_BEFORE_WAKEUP = 1e6
#: How often its tasks are woken with an error before it is abandoned.
HUNG_TASK_WAKEUPS = 10
#: Steps in which a run must end after it was cancelled because it took too many.
GRACE_STEPS_AFTER_LIMIT = 1000


class TaskHung(Exception):
    """Raised in a task that hangs in spite of a cancellation."""


@dataclass(eq=False)
class Run(trio.abc.Instrument):
    """One run of a function, as a Trio instrument.

    Args:
        function: The function.
        injection: The injection; None makes none.
        inject_after_step: The step after which the injection is made.
        timeout: Seconds of virtual time after which the run hangs.
        max_steps: Steps after which the run hangs.

    Attributes:
        fired: Whether the injection was made.
        steps_at_end: The number of steps when the function ended.
        delivered_error: The exception of the injection, once an ``await`` of the function raised it.
        function_ended: Whether the function ended by itself.
        value: The function's return value.
        error: The exception that the function raised.
        check_error: The exception that the check raised.
        where_hung: Where each task waited at the timeout; None if the run does not hang.
    """

    function: Callable[[], Awaitable[object]]
    injection: Injection | None
    inject_after_step: int
    timeout: float
    max_steps: int
    function_scope: trio.CancelScope = field(default_factory=trio.CancelScope, init=False)
    outer_scope: trio.CancelScope = field(default_factory=trio.CancelScope, init=False)
    whole_run_scope: trio.CancelScope = field(default_factory=trio.CancelScope, init=False)
    step_count: int = 0
    fired: bool = False
    steps_at_end: int = 0
    delivered_error: BaseException | None = None
    function_ended: bool = False
    value: object = None
    error: BaseException | None = None
    check_error: BaseException | None = None
    where_hung: str | None = None
    tasks: set[trio.lowlevel.Task] = field(default_factory=set[trio.lowlevel.Task], init=False)
    last_exited_task: trio.lowlevel.Task | None = None
    function_task: trio.lowlevel.Task | None = None
    function_coroutine: Any = None
    too_many_steps: trio.Event = field(default_factory=trio.Event, init=False)
    hung_wakeup_scope: trio.CancelScope = field(default_factory=trio.CancelScope, init=False)

    # The methods of an instrument, which Trio calls.

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        nursery = task.parent_nursery
        if nursery is not None and nursery.parent_task in self.tasks:
            self.tasks.add(task)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self.last_exited_task = task

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task not in self.tasks:
            return
        if task is self.last_exited_task:  # its last step, before its parent is notified
            self.tasks.discard(task)
        self.step_count += 1
        if self.step_count > self.max_steps:
            # Steps take no virtual time, so no deadline passes.
            self.too_many_steps.set()
            if self.step_count > self.max_steps + GRACE_STEPS_AFTER_LIMIT:
                self.hung_wakeup_scope.deadline = -inf
        elif self.step_count == self.inject_after_step and not self.function_ended:
            self.inject()
            self.fired = True

    def inject(self) -> None:
        """Cancel a scope, or interrupt the program, as the injection says."""
        if self.injection is Injection.SCOPE:
            self.function_scope.cancel(CANCEL_REASON)
        elif self.injection is Injection.OUTER_SCOPE:
            self.outer_scope.cancel(CANCEL_REASON)
        else:
            # Trio's own code is protected, so the main task's next checkpoint raises this.
            signal.raise_signal(signal.SIGINT)

    @property
    def was_keyboard_interrupt_injected(self) -> bool:
        """Whether a KeyboardInterrupt comes from the injection."""
        return self.fired and self.injection is Injection.KEYBOARD_INTERRUPT

    # The run itself.

    async def main(self, check: Callable[[StepReport], object] | None) -> None:
        """Call the function, in the main task, which gets interrupts; then call the check."""
        trio.lowlevel.spawn_system_task(self.end_when_hung)
        with self.whole_run_scope:
            await self.call_function()
            if check is not None and self.where_hung is None:
                await self.call_check(check)

    async def call_function(self) -> None:
        """Call the function; keep its value or its error."""
        try:
            with self.outer_scope, self.function_scope:
                self.function_task = trio.lowlevel.current_task()
                self.tasks.add(self.function_task)
                await trio.lowlevel.cancel_shielded_checkpoint()
                self.function_coroutine = _call_function(self.function)
                self.value = await self.run_noting_injection_delivery(self.function_coroutine)
        except BaseException as error:  # noqa: BLE001, ASYNC103 - it is judged
            self.error = error
        self.function_ended = self.where_hung is None
        self.steps_at_end = self.step_count
        # An interrupt that came too late for the function is still pending.
        with trio.CancelScope(shield=True), suppress(KeyboardInterrupt):
            await trio.lowlevel.checkpoint()

    @types.coroutine
    def run_noting_injection_delivery(
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
                self.delivered_error = self.delivered_error or self.delivered_injection(value)

    def delivered_injection(self, sent: object) -> BaseException | None:
        """Return the injection's exception if that is what Trio sends into the function."""
        error = getattr(sent, "error", None)
        if isinstance(error, trio.Cancelled):
            return error if error.reason == CANCEL_REASON else None
        is_interrupt = self.was_keyboard_interrupt_injected and isinstance(error, KeyboardInterrupt)
        return error if is_interrupt else None

    async def call_check(self, check: Callable[[StepReport], object]) -> None:
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
        elif self.function_scope.cancelled_caught or self.outer_scope.cancelled_caught:
            outcome = Outcome.CANCELLED
        else:
            outcome = Outcome.VALUE
        return StepReport(
            self.inject_after_step, self.injection, self.fired, outcome, self.value, self.error
        )

    # Ending a run that hangs.

    async def end_when_hung(self) -> None:
        """Cancel the run at the timeout; if it still hangs, wake its tasks with an error.

        This is a system task, so it is not one of the function's and ends with the main task.
        """
        with trio.move_on_after(self.timeout):
            await self.too_many_steps.wait()
        self.where_hung = "; ".join(sorted(map(self.describe_wait, self.tasks)))
        self.whole_run_scope.cancel("ticketr.testing: the run hangs")
        with self.hung_wakeup_scope:
            for _ in range(HUNG_TASK_WAKEUPS):
                await trio.sleep(VIRTUAL_SECONDS_BEFORE_WAKEUP)
                self.wake_hung_tasks_with_error()
        self.leak_tasks()
        # An exception in an abort function always ends Trio's whole run.
        with trio.CancelScope(deadline=-inf):
            await trio.lowlevel.wait_task_rescheduled(_raise_task_hung)

    def wake_hung_tasks_with_error(self) -> None:
        """Raise an error in the tasks that still wait, which must be in a shielded scope."""
        for task in self.tasks:
            if not any(nursery.child_tasks for nursery in task.child_nurseries):
                error = TaskHung("woken from an endless wait")
                trio.lowlevel.reschedule(task, outcome.Error(error))

    def leak_tasks(self) -> None:
        """Leak the run's tasks.

        Freeing them would close their coroutines outside of Trio: their clean-up would raise
        errors, and a loop that catches everything would never end.
        """
        root = trio.lowlevel.current_root_task()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(root))
        self.tasks.clear()
        self.function_task = self.function_coroutine = None

    def describe_wait(self, task: trio.lowlevel.Task) -> str:
        """Describe where a task waits: the innermost line that is not Trio's own."""
        is_function = task is self.function_task and not self.function_ended
        name, coroutine = ("it", self.function_coroutine) if is_function else (task.name, task.coro)
        place = "somewhere"
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
            if frame is not None and not frame.f_globals["__name__"].startswith("trio."):
                code = frame.f_code
                place = f"in {code.co_name} ({code.co_filename}:{frame.f_lineno})"
            coroutine = getattr(coroutine, "cr_await", None)
        return f"{name} waits {place}"


def _raise_task_hung(_: object) -> NoReturn:
    raise TaskHung("the run cannot be ended")


async def _call_function(function: Callable[[], Awaitable[object]]) -> object:
    return await function()


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors in a group and its inner groups, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


Ts = TypeVarTuple("Ts")


def cancel_at_every_step(
    async_fn: Callable[[*Ts], Awaitable[object]],
    /,
    *args: *Ts,
    check: Callable[[StepReport], Awaitable[None] | None] | None = None,
    inject: Iterable[Injection] = tuple(Injection),
    allowed: type[BaseException] | tuple[type[BaseException], ...] = (),
    may_return: bool = False,
    steps: Iterable[int] | None = None,
    every: int = 1,
    limit: int | None = None,
    seed: int = 0,
    timeout: float = 1e6,
    max_steps: int = 100_000,
) -> SweepSummary:
    """Stop a function at each of its steps, each time in a run of its own.

    A step is one turn of the function's task, or of a task that it has started, from one
    checkpoint to the next. One run counts the steps. Then there is one run for each step and
    each injection, in virtual time, so sleeping costs nothing. Each run starts Trio: call this
    from a plain function. A run passes if the function returns its value, ends with the injected
    cancellation or interrupt, or raises an allowed exception, and if ``check`` raises nothing.

    Args:
        async_fn: The function. Each call has to set up its own state.
        args: The function's arguments.
        check: Called after each run, including the one without injection, inside the same Trio
            run; may be async. An exception that it raises is a violation.
        inject: The injections, by default all three.
        allowed: Exceptions that the function may raise at any time.
        may_return: Whether the function may return normally although a cancellation or an
            interrupt was delivered to it.
        steps: The steps to stop at, for instance to repeat a failure; None stops at all.
        every: Stop only at each n-th step, beginning with one that ``seed`` selects.
        limit: Stop at so many steps at most, which ``seed`` selects.
        seed: The seed of the selection.
        timeout: Seconds of virtual time after which a run hangs.
        max_steps: Steps after which a run that takes no time hangs.

    Returns:
        The summary. A test of a race asserts that both outcomes occurred.

    Raises:
        SweepFailed: A run is a violation, or an injection was never made.
        RuntimeError: Trio runs already, or interrupts are to be injected outside of the main
            thread.
    """
    injections = tuple(inject)
    if every < 1 or (limit is not None and limit < 1) or not injections:
        raise ValueError(
            "nothing to sweep: every and limit are at least 1, and inject is not empty"
        )
    if trio.lowlevel.in_trio_run():
        raise RuntimeError("cancel_at_every_step runs Trio itself: call it from a plain function")
    sweep = _Sweep(lambda: async_fn(*args), check, allowed, may_return, timeout, max_steps)
    with _default_sigint(needed=Injection.KEYBOARD_INTERRUPT in injections):
        length, _ = sweep.run_step(None, 0)
        chosen = _choose_steps(length, every, limit, seed) if steps is None else tuple(steps)
        tallies = [sweep.inject_at_steps(injection, chosen) for injection in injections]
    total = sum(tallies, Counter())
    return SweepSummary(
        steps=length,
        runs=len(chosen) * len(injections),
        returned=total[Outcome.VALUE],
        cancelled=total[Outcome.CANCELLED] + total[Outcome.INTERRUPTED],
        failed=total[Outcome.EXCEPTION],
        missed=total[None],
    )


def _choose_steps(length: int, every: int, limit: int | None, seed: int) -> Sequence[int]:
    choice = random.Random(seed)  # noqa: S311 - a choice of steps, no secret
    steps = range(1 + choice.randrange(min(every, length)), length + 1, every)
    return steps if limit is None or limit >= len(steps) else sorted(choice.sample(steps, limit))


@contextmanager
def _default_sigint(*, needed: bool) -> Generator[None]:
    """Install Python's default SIGINT handler, the only one that Trio replaces by its own."""
    if not needed:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "a KeyboardInterrupt can be injected in the main thread only:"
            " give inject= without Injection.KEYBOARD_INTERRUPT"
        )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Sweep(NamedTuple):
    function: Callable[[], Awaitable[object]]
    check: Callable[[StepReport], object] | None
    allowed: type[BaseException] | tuple[type[BaseException], ...]
    may_return: bool
    timeout: float
    max_steps_per_run: int

    def inject_at_steps(
        self, injection: Injection, steps: Sequence[int]
    ) -> Counter[Outcome | None]:
        """Stop the function at each of the steps; count the outcomes, None for a late injection."""
        tally = Counter(self.run_step(injection, step)[1] for step in steps)
        if not tally.total() - tally[None]:
            raise SweepFailed(
                max(steps, default=0), injection, "never happened: the function ended before it"
            )
        return tally

    def run_step(self, injection: Injection | None, step: int) -> tuple[int, Outcome | None]:
        """Run once; return the number of steps, and the outcome if the injection was made."""
        run = Run(self.function, injection, step, self.timeout, self.max_steps_per_run)
        clock = MockClock(autojump_threshold=0)
        try:
            trio.run(run.main, self.check, clock=clock, instruments=[run])
        except trio.TrioInternalError as error:
            if run.where_hung is None:
                what = f"Trio itself failed: {error.__cause__!r}"
                raise SweepFailed(step, injection, what) from error
        report = run.report()
        if (
            run.error is not None
            and not run.was_keyboard_interrupt_injected
            and report.outcome is Outcome.INTERRUPTED
        ):
            raise run.error  # a real Ctrl-C, not the injected one
        problem, cause = self.find_problem(run, report)
        if problem is not None:
            raise SweepFailed(step, injection, problem) from cause
        return run.steps_at_end, report.outcome if run.fired else None

    def find_problem(self, run: Run, report: StepReport) -> tuple[str | None, BaseException | None]:
        """Return what is wrong with a run, and the error behind it; None if nothing is."""
        if run.where_hung is not None:
            what = "the check" if run.function_ended else "the function"
            return f"{what} hangs: {run.where_hung}", run.error
        if report.error is not None:
            allowed: Any = self.allowed
            if run.was_keyboard_interrupt_injected:
                allowed = (allowed, KeyboardInterrupt)  # nested tuples, too
            wrong = [leaf for leaf in leaves(report.error) if not isinstance(leaf, allowed)]
            if wrong:
                return f"the function raised {wrong[0]!r}", report.error
        if (
            report.outcome is Outcome.VALUE
            and run.delivered_error is not None
            and not self.may_return
        ):
            return (
                f"the function swallowed the injection and returned {report.value!r}",
                run.delivered_error,
            )
        if run.check_error is not None:
            return f"the check failed: {run.check_error!r}", run.check_error
        return None, None
