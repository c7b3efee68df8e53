"""Random intervals, durations and actions: a repeat does what a simple model of it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import trio
from fakes.examples import examples
from hypothesis import given, strategies as st
from trio.testing import MockClock

from ticketr import JobContext, open_job_queue

SECONDS = 40
QUARTERS = 4 * SECONDS
ACTIONS = ["pause", "resume", "run_now", "cancel"]


@dataclass
class Model:
    """A repeat, in steps of a quarter of a second.

    Due times are whole seconds, actions come in the middle of a second, and runs end a quarter
    after one of these. So no two of them happen at the same time.
    """

    every: int
    due: float
    durations: Sequence[int]
    starts: list[float] = field(default_factory=list)
    missed: int = 0
    ends_at: float | None = None
    is_paused: bool = False
    is_used: bool = False
    has_ended: bool = False

    def step(self, now: float, action: str | None) -> None:
        if self.ends_at == now:
            self.ends_at = None
            if not self.is_paused:
                self.missed += self.move_on(now)
        if action == "cancel":
            self.has_ended = True
        if self.has_ended:
            return
        if action == "pause":
            self.is_paused = True
        if action == "resume" and self.is_paused:
            self.is_paused = False
            if self.ends_at is None:
                self.move_on(now)
        if action == "run_now" and self.ends_at is None:
            self.start(now)
        if self.due == now and self.ends_at is None and not self.is_paused:
            self.is_used = True
            self.start(now)

    def start(self, now: float) -> None:
        self.ends_at = now + self.durations[len(self.starts) % len(self.durations)] + 0.25
        self.starts.append(now)

    def move_on(self, now: float) -> int:
        if self.has_ended:
            return 0
        missed = 0
        while self.is_used or self.due < now:
            missed += not self.is_used
            self.is_used = False
            self.due += self.every
        return missed


async def real(
    every: int, first: int, durations: Sequence[int], actions: Mapping[int, str]
) -> tuple[list[float], int]:
    starts: list[float] = []

    async def job(context: JobContext) -> None:
        starts.append(trio.current_time())
        await trio.sleep(durations[(len(starts) - 1) % len(durations)] + 0.25)

    async with open_job_queue() as queue:
        handle = queue.repeat(job, every=every, first=first)
        for second, action in sorted(actions.items()):
            await trio.sleep_until(second + 0.5)
            getattr(handle, action)()
        await trio.sleep_until(SECONDS - 0.125)
        missed = handle.missed
    return starts, missed


@given(
    every=st.integers(1, 9),
    first=st.integers(0, 9),
    durations=st.lists(st.integers(0, 20), min_size=1, max_size=5),
    actions=st.dictionaries(st.integers(0, SECONDS - 2), st.sampled_from(ACTIONS), max_size=12),
)
@examples(500, in_gate=50)
def test_repeat_does_what_its_model_does(
    every: int, first: int, durations: list[int], actions: dict[int, str]
) -> None:
    model = Model(every, first, durations)
    for quarter in range(QUARTERS):
        second, part = divmod(quarter, 4)
        model.step(quarter / 4, actions.get(second) if part == 2 else None)

    clock = MockClock(autojump_threshold=0)
    found = trio.run(real, every, first, durations, actions, clock=clock)

    assert found == (model.starts, model.missed)
