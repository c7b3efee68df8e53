"""A job that only sleeps and reports progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from ticketr import JobContext


@dataclass(frozen=True)
class FakeJob:
    """A job that sleeps and reports ``Step i/steps``; its value is ``steps``.

    ::

        handle = await queue.submit(FakeJob(duration=2, fail=ValueError("no"), fail_after=3))

    Attributes:
        duration: The seconds that all steps take together.
        steps: The number of steps, each reported when it is done.
        fail: The exception, or its class, that the job raises; None raises nothing, or a
            RuntimeError if ``fail_after`` is given.
        fail_after: The number of steps after which the job fails; None for all of them.
        name: The job's name.
    """

    duration: float = 1.0
    steps: int = 10
    fail: BaseException | type[BaseException] | None = None
    fail_after: int | None = None
    name: str = "FakeJob"

    def __post_init__(self) -> None:
        if not self.duration >= 0:
            raise ValueError(f"duration is in seconds, 0 or more, not {self.duration!r}")
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, not {self.steps!r}")
        if self.fail_after is not None and not 0 <= self.fail_after <= self.steps:
            raise ValueError(f"fail_after is of 0 to {self.steps} steps, not {self.fail_after!r}")

    async def execute(self, context: JobContext) -> int:
        """Sleep and report, step by step.

        Cancellation:
            Ends it at once.
        """
        self._fail_if_due(0)
        for step in range(1, self.steps + 1):
            await trio.sleep(self.duration / self.steps)
            context.report(current=step, total=self.steps, message=f"Step {step}/{self.steps}")
            self._fail_if_due(step)
        return self.steps

    def _fail_if_due(self, step: int) -> None:
        if self.fail is None and self.fail_after is None:
            return
        if step == (self.steps if self.fail_after is None else self.fail_after):
            raise self.fail or RuntimeError(f"FakeJob was told to fail after step {step}")
