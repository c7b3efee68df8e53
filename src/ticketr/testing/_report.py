"""What a sweep says: of one run, of all of them, and of one that went wrong."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ticketr import TicketrError


class Injection(enum.StrEnum):
    """What is made to happen to the function."""

    SCOPE = "scope"
    """The scope right around the function is cancelled."""
    OUTER_SCOPE = "outer scope"
    """A scope further out is cancelled, and with it all inside."""
    KEYBOARD_INTERRUPT = "KeyboardInterrupt"
    """Somebody presses Ctrl-C, and Trio delivers it as it always does."""


class Outcome(enum.StrEnum):
    """What came out of the function."""

    VALUE = "value"
    EXCEPTION = "exception"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """A KeyboardInterrupt, alone or in a group with nothing but its like."""


@dataclass(frozen=True)
class StepReport:
    """What happened in one run; a sweep's ``check`` is given it.

    Attributes:
        step: The step of the function after which something was made to happen; 1 is
            before it begins, 0 the run in which nothing was.
        injected: What was made to happen; None in the run of step 0.
        fired: Whether it came to that. Trio shuffles the tasks that are ready, so a
            run can be a step or two shorter than the one that was counted.
        outcome: What came out.
        value: What the function returned, if it did.
        error: What came out instead.
    """

    step: int
    injected: Injection | None
    fired: bool
    outcome: Outcome
    value: object = None
    error: BaseException | None = None


@dataclass(frozen=True)
class SweepSummary:
    """How a sweep went that found nothing wrong.

    Attributes:
        steps: How many steps the function has when nothing happens to it.
        runs: How often something was made to happen to it.
        finished_first: How often it returned its value all the same.
        cancelled_first: How often the cancellation or the interrupt ended it.
        failed: How often it raised an exception that it may raise.
        missed: How often it had ended before the step.
    """

    steps: int
    runs: int
    finished_first: int
    cancelled_first: int
    failed: int
    missed: int


class SweepFailed(TicketrError):
    """Raised by a sweep that found something; the error it found is its ``__cause__``.

    Attributes:
        step: The step after which something was made to happen, 0 if nothing was.
        injected: What was made to happen; None if nothing was.
        problem: What is wrong, in words.
    """

    def __init__(self, step: int, injected: Injection | None, problem: str) -> None:
        super().__init__(step, injected, problem)
        self.step = step
        self.injected = injected
        self.problem = problem

    def __str__(self) -> str:
        if self.injected is None:
            return f"with nothing injected: {self.problem}"
        return f"at step {self.step}, {self.injected}: {self.problem}"
