"""The reports of a sweep: on one run, on all runs, and on a failure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

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
        finished_first: The number of runs in which the function returned a value in spite of it.
        cancelled_first: The number of runs that the cancellation or interrupt ended.
        failed: The number of runs that raised an allowed exception.
        missed: The number of runs that ended before the step.
    """

    steps: int
    runs: int
    finished_first: int
    cancelled_first: int
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
