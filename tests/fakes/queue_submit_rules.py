"""Opening a queue and its model, and submitting jobs to both."""

from __future__ import annotations

import dataclasses
from typing import Any

import trio
from fakes.queue_driver import QueueDriver
from fakes.queue_driver_parts import MapReader, Reader, Submitter
from fakes.queue_model import QueueModel
from fakes.queue_model_parts import ModelJob, ModelMap, ModelRepeat, Submission, Wish
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ticketr import (
    DuplicateJob,
    JobHandle,
    OnConflict,
    QueueClosed,
    QueueFull,
    RepeatHandle,
)

INDEX = st.integers(0, 20)
KEYS = st.sampled_from(["k", None, "k", None, "l"])
SECONDS = st.sampled_from([0.0, 0.0, 1.0, 2.0, 31.0])
PRIORITIES = st.sampled_from([0, 1, -1])
NEVER = float("inf")
RETRIES = st.sampled_from([(1, NEVER), (2, NEVER), (3, NEVER), (2, 9.0), (3, 9.0), (1, 1.0)])
"""Attempts, and the seconds for all of them."""
BODIES = st.sampled_from(["", "", "", "stubborn", "stubborn", "in_thread"])
AFTER = st.sampled_from([(), (), (0,), (1,), (3,), (0, 2), (1, 5)])
"""The jobs that one starts after, by index."""


def make_wish(retry: tuple[int, float], body: str, **options: Any) -> Wish:
    attempts, total = retry
    own: dict[str, Any] = {body: True} if body else {}
    waits = options.get("on_conflict") is OnConflict.WAIT
    if waits and options["id"] is not None and options["key"] is None:
        options["on_conflict"] = None
    if options.get("id") is None:
        options["once"] = False
    return Wish(attempts=attempts, total=total, **own, **options)


SIMPLE_WISHES = st.builds(make_wish, priority=PRIORITIES, key=KEYS, retry=RETRIES, body=BODIES)
TIMED_WISHES = st.builds(
    make_wish,
    priority=PRIORITIES,
    key=KEYS,
    delay=SECONDS,
    start_by=st.sampled_from([NEVER, NEVER, 0.0, 1.0, 5.0]),  # relative to the current time
    retry=RETRIES,
    body=BODIES,
    after_any_end=st.booleans(),
)
WISHES = st.builds(
    make_wish,
    priority=PRIORITIES,
    key=KEYS,
    delay=SECONDS,
    retry=RETRIES,
    body=BODIES,
    id=st.sampled_from([None, "x", "y"]),
    on_conflict=st.sampled_from(OnConflict),
    once=st.booleans(),
    after_any_end=st.booleans(),
)
RATES = st.sampled_from([(1.0, 1.0), (2.0, 2.0), (0.5, 1.0), None])
"""Seconds from start to start, and the starts that may come at once."""


class SubmitRules(RuleBasedStateMachine):
    """The rules of submits; subclasses add the others."""

    driver: QueueDriver
    model: QueueModel

    def __init__(self) -> None:
        super().__init__()
        self.submissions: list[tuple[Submission, Submitter]] = []
        self.handles: dict[ModelJob, JobHandle[object]] = {}
        self.readers: list[tuple[Reader, JobHandle[object] | None, list[ModelJob]]] = []
        self.repeats: list[tuple[ModelRepeat, RepeatHandle]] = []
        self.maps: list[tuple[ModelMap, MapReader]] = []
        self.shutdowns: list[trio.Event] = []
        self.labels = 0
        self.checked_starts = 0
        self.checked_ends = 0
        self.left = self.left_normally = self.left_by_error = False

    @initialize(
        workers=st.integers(1, 3),
        max_pending=st.integers(1, 5),
        keep=st.sampled_from([99, 2, 0]),
        lasts_for=st.sampled_from([6, 12, 99]),
        first=st.lists(SIMPLE_WISHES, min_size=1, max_size=6),
        has_around=st.booleans(),
        cancels_on_error=st.sampled_from([False, False, True]),
    )
    def open(
        self,
        workers: int,
        max_pending: int,
        keep: int,
        lasts_for: int,
        first: list[Wish],
        has_around: bool,
        cancels_on_error: bool,
    ) -> None:
        self.lasts_for = lasts_for
        self.cancels_on_error = cancels_on_error
        self.has_around = has_around
        self.driver = QueueDriver(
            workers=workers,
            max_pending=max_pending,
            keep=keep,
            has_around=has_around,
            cancels_on_error=cancels_on_error,
        )
        self.model = QueueModel(workers, max_pending, keep, cancels_on_error)
        for wish in first:
            self.submit(wish, wait=True)
            self.agree()

    def agree(self) -> None:
        """Compare the queue with the model."""
        raise NotImplementedError

    # Objects that a rule picks by index.

    def some_job(self, index: int) -> ModelJob:
        known = [job for job in self.model.jobs if job in self.handles]
        return known[-1 - index % len(known)]

    def some_running(self, index: int) -> ModelJob:
        running = self.model.running
        return running[index % len(running)]

    def has_room_for_interrupts(self) -> bool:
        """Return whether no submitter from outside can enter when interrupted jobs end."""
        soft = [job for job in self.model.running if not job.wish.goes_on]
        return not (soft and self.model.outside)

    def has_order_of_interrupts(self) -> bool:
        """Return whether at most one of the jobs that an interrupt ends lets others start."""
        waits = {before for job in self.model.pending for before in job.starts_after}
        return len([job for job in waits if not job.wish.goes_on]) < 2

    def is_known_by_its_id(self, job: ModelJob) -> bool:
        kept = job.is_live or len(self.model.ended) <= self.model.keep
        return kept and not self.model.has_namesake(job)

    # Submits.

    @rule(wishes=st.lists(SIMPLE_WISHES, min_size=1, max_size=3))
    def submit_simply(self, wishes: list[Wish]) -> None:
        for wish in wishes:
            self.submit(wish, wait=True)

    @precondition(lambda self: not self.is_fragile)
    @rule(wish=SIMPLE_WISHES, is_strict=st.booleans())
    def submit_by_a_map(self, wish: Wish, is_strict: bool) -> None:
        wish = self.labelled(dataclasses.replace(wish, by_map=True))
        submission = self.model.submit(wish, wait=True)
        submitter = self.driver.map(wish, is_strict=is_strict)
        self.submissions.append((submission, submitter))
        self.model.settle()

    # Maps of several items. All of them are of the lowest priority, so a job that is submitted in
    # the instant in which another one ends is never the best. One map at a time submits jobs.

    @property
    def is_feeding(self) -> bool:
        """Whether a map may submit a job."""
        return any(one.is_feeding for one, _ in self.maps)

    @property
    def is_fragile(self) -> bool:
        """Whether a map is open that cancels all its jobs as soon as one gives no value.

        Several jobs may then end at one time, so nothing may wait for room meanwhile.
        """
        return any(one.is_strict and not one.is_over for one, _ in self.maps)

    @precondition(lambda self: not (self.is_feeding or self.cancels_on_error or self.is_fragile))
    @rule(
        wish=SIMPLE_WISHES,
        items=st.sampled_from([12, 12, 5, 2, 1]),
        is_ordered=st.booleans(),
        is_async=st.booleans(),
        is_strict=st.booleans(),
    )
    def map_items(
        self, wish: Wish, items: int, is_ordered: bool, is_async: bool, is_strict: bool
    ) -> None:
        if is_strict and self.model.outside:
            return
        self.labels += 1
        wish = dataclasses.replace(wish, label=f"m{self.labels}", priority=-1, total=NEVER)
        one = self.model.map(wish, items, is_ordered=is_ordered, is_strict=is_strict)
        wishes = [
            dataclasses.replace(wish, label=f"{wish.label}.{number + 1}") for number in range(items)
        ]
        reader = self.driver.map_all(
            wishes, wish.label, is_ordered=is_ordered, is_async=is_async, is_strict=is_strict
        )
        self.maps.append((one, reader))
        self.model.settle()

    @precondition(lambda self: self.maps and self.has_room_for_interrupts())
    @rule()
    def leave_the_last_map(self) -> None:
        one, reader = self.maps[-1]
        self.driver.run.do(reader.scope.cancel)
        if not (one.is_over or one.is_stopped):
            self.model.stop_map(one)
        self.model.settle()

    @rule(wish=TIMED_WISHES, after=AFTER)
    def submit_for_a_time(self, wish: Wish, after: tuple[int, ...]) -> None:
        self.submit(wish, wait=True, after=after)

    @rule(wish=WISHES, wait=st.booleans(), after=AFTER)
    def submit_whatever(self, wish: Wish, wait: bool, after: tuple[int, ...]) -> None:
        if wish.on_conflict is OnConflict.SUPERSEDE:
            wait = False
            if not self.has_room_for_interrupts():
                return
        self.submit(wish, wait=wait, after=after)

    def submit(self, wish: Wish, *, wait: bool, after: tuple[int, ...] = ()) -> None:
        jobs = [self.some_job(index) for index in after if self.handles]
        jobs = [job for job in jobs if not job.wish.map]  # several of a map may end together
        labels = tuple(job.wish.label for job in jobs)
        wish = self.labelled(dataclasses.replace(wish, after=labels))
        wait = wait and not self.is_fragile
        submission = self.model.submit(wish, wait=wait)
        handles = [self.handles[job] for job in jobs]
        submitter = self.driver.submit(wish, handles) if wait else self.submit_nowait(wish, handles)
        self.submissions.append((submission, submitter))
        self.model.settle()

    def labelled(self, wish: Wish) -> Wish:
        """Return a wish with the next label, and with times from now on."""
        self.labels += 1
        return dataclasses.replace(
            wish,
            label=str(self.labels),
            start_by=self.model.now + wish.start_by,
            total=wish.total + fraction(self.labels),
        )

    def submit_nowait(self, wish: Wish, after: list[JobHandle[object]]) -> Submitter:
        submitter = Submitter()
        try:
            submitter.handle = self.driver.submit_nowait(wish, after)
        except (DuplicateJob, QueueClosed, QueueFull) as refusal:
            submitter.refusal = type(refusal)
        return submitter

    def submitters(self) -> list[Submission]:
        """Return what waits for room, without the maps of several items."""
        return [submission for submission in self.model.outside if not submission.wish.map]

    @precondition(lambda self: self.submitters())
    @rule(index=INDEX)
    def a_submitter_gives_up(self, index: int) -> None:
        submission = self.submitters()[index % len(self.submitters())]
        submitter = dict(self.submissions)[submission]
        self.driver.run.do(submitter.scope.cancel)
        self.model.give_up(submission)
        self.submissions.remove((submission, submitter))
        assert submitter.scope.cancelled_caught


def fraction(label: int) -> float:
    """Return a part of a second, of its own for each job: no two limits pass at one time."""
    return label * 648055 % 2**20 / 2**20


def has_jobs(rules: SubmitRules) -> bool:
    return bool(rules.handles)


def has_running(rules: SubmitRules) -> bool:
    return bool(rules.model.running)


def is_time_to_end(rules: SubmitRules) -> bool:
    return rules.labels > rules.lasts_for
