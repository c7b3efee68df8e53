"""Test your own job: cancel it at every step and find a seat that is not given back."""

from __future__ import annotations

import trio

from ticketr import JobContext, open_job_queue
from ticketr.testing import StepReport, SweepFailed, cancel_at_every_step


class Theatre:
    """A theatre with one seat."""

    free, sold = 1, 0

    async def careless(self, context: JobContext) -> None:
        """Give the seat back if paying fails, but not if it is cancelled."""
        self.free = 0
        try:
            await trio.sleep(1)  # pay
        except OSError:
            self.free = 1
            raise
        self.sold = 1

    async def careful(self, context: JobContext) -> None:
        """Give the seat back in every case."""
        self.free = 0
        try:
            await trio.sleep(1)
        except BaseException:
            self.free = 1
            raise
        self.sold = 1


def main() -> None:
    """Test both jobs. This is not an async function, since each step runs in its own trio.run."""
    theatre = Theatre()

    async def evening(job: str) -> None:
        nonlocal theatre
        theatre = Theatre()  # each run starts with new objects
        async with open_job_queue() as queue:
            await queue.run(getattr(theatre, job))

    def check(report: StepReport) -> None:
        assert theatre.free + theatre.sold == 1, "a seat is lost"

    for job in ("careless", "careful"):
        try:
            cancel_at_every_step(evening, job, check=check)
            print(f"{job}: in order")
        except SweepFailed as error:
            print(f"{job}: {error.injected}: {error.problem}")


if __name__ == "__main__":
    main()
