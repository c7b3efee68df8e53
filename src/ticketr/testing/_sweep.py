"""The sweep: run a function again and again, each time stopped one step later."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVarTuple

import trio
from trio.testing import MockClock

from ticketr.testing._report import Injection, Outcome, StepReport, SweepFailed, SweepSummary
from ticketr.testing._run import Run, leaves

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
        length = sweep.run(None, 0)
        chosen = _choose_steps(length, every, limit, seed) if steps is None else tuple(steps)
        tallies = [sweep.inject(injection, chosen) for injection in injections]
    total = sum(tallies, Counter())
    return SweepSummary(
        steps=length,
        runs=len(chosen) * len(injections),
        finished_first=total[Outcome.VALUE],
        cancelled_first=total[Outcome.CANCELLED] + total[Outcome.INTERRUPTED],
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
    max_steps: int

    def inject(self, injection: Injection, steps: Sequence[int]) -> Counter[Outcome | None]:
        """Stop the function at each of the steps; count the outcomes, None for a late injection."""
        tally = Counter(self.run_step(injection, step)[1] for step in steps)
        if not tally.total() - tally[None]:
            raise SweepFailed(
                max(steps, default=0), injection, "never happened: the function ended before it"
            )
        return tally

    def run(self, injection: Injection | None, step: int) -> int:
        return self.run_step(injection, step)[0]

    def run_step(self, injection: Injection | None, step: int) -> tuple[int, Outcome | None]:
        """Run once; return the number of steps, and the outcome if the injection was made."""
        run = Run(
            self.function,
            injection=injection,
            step=step,
            timeout=self.timeout,
            max_steps=self.max_steps,
        )
        clock = MockClock(autojump_threshold=0)
        try:
            trio.run(run.main, self.check, clock=clock, instruments=[run])
        except trio.TrioInternalError as error:
            if run.hung is None:
                problem = f"Trio itself failed: {error.__cause__!r}"
                raise SweepFailed(step, injection, problem) from error
        report = run.report()
        self.verify(run, report)
        return run.length, report.outcome if run.fired else None

    def verify(self, run: Run, report: StepReport) -> None:
        """Raise `SweepFailed` if the run is a violation."""
        if run.error is not None and not run.interrupted and report.outcome is Outcome.INTERRUPTED:
            raise run.error  # a real Ctrl-C, not the injected one
        problem, cause = self.problem(run, report)
        if problem is not None:
            raise SweepFailed(run.step, run.injection, problem) from cause

    def problem(self, run: Run, report: StepReport) -> tuple[str | None, BaseException | None]:
        """Return what is wrong with a run, and the error behind it; None if nothing is."""
        if run.hung is not None:
            what = "the check" if run.ended else "the function"
            return f"{what} hangs: {run.hung}", run.error
        if report.error is not None:
            allowed = (self.allowed, KeyboardInterrupt) if run.interrupted else self.allowed
            wrong = [leaf for leaf in leaves(report.error) if not _isinstance(leaf, allowed)]
            if wrong:
                return f"the function raised {wrong[0]!r}", report.error
        if report.outcome is Outcome.VALUE and run.delivered is not None and not self.may_return:
            return (
                f"the function swallowed the injection and returned {report.value!r}",
                run.delivered,
            )
        if run.check_error is not None:
            return f"the check failed: {run.check_error!r}", run.check_error
        return None, None


def _isinstance(error: BaseException, kinds: object) -> bool:
    return isinstance(error, kinds)  # type: ignore[arg-type]  # nested tuples are allowed
