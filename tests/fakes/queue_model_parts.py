"""What the model of a job queue is made of: jobs, rates and repeats."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ticketr import CancelCause, JobStatus, OnConflict

BACK_OFF = 2.0
"""Seconds before the second attempt; they double with each."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The options of a submit."""

    label: str = ""
    priority: int = 0
    key: str | None = None
    id: str | None = None
    on_conflict: OnConflict | None = None
    once: bool = False
    delay: float = 0.0
    start_by: float = float("inf")
    attempts: int = 1
    total: float = float("inf")
    """Seconds for all attempts."""
    after: tuple[str, ...] = ()
    """The labels of the jobs that it starts after."""
    after_any_end: bool = False
    stubborn: bool = False
    """Goes on when it is interrupted, until it is told how to end."""
    in_thread: bool = False
    """Runs in a thread, which no interrupt reaches."""
    by_map: bool = False
    """Submitted by a map of this one item; for the queue it is a submit that waits for room."""
    map: str = ""
    """The label of the map of several items that it is one of."""
    retried: ModelJob | None = None
    """The failed job that it is a retry of."""

    @property
    def goes_on(self) -> bool:
        return self.stubborn or self.in_thread


@dataclass(eq=False)
class ModelJob:
    """A job in the queue."""

    wish: Wish
    priority: int
    submitted_at: float
    due_at: float
    starts_after: list[ModelJob] = field(default_factory=list)
    """Those before it that have not ended as it needs."""
    superseded: list[ModelJob] = field(default_factory=list)
    """The running job with its ID, whose end it waits for, however that is."""
    status: JobStatus = JobStatus.PENDING
    attempt: int = 0
    snoozes: int = 0
    cancel_requested: bool = False
    cancel_cause: CancelCause | None = None
    started_at: float | None = None
    finished_at: float | None = None
    total_ends_at: float = float("inf")
    timed_out: bool = False
    is_late: bool = False
    """Whether its time was over before its first step, which it does not take."""
    done: int | None = None
    """What it reported last in this attempt."""

    @property
    def is_live(self) -> bool:
        return self.status in {JobStatus.PENDING, JobStatus.RUNNING}

    @property
    def rank(self) -> tuple[int, float]:
        return -self.priority, self.due_at


@dataclass(eq=False)
class Submission:
    """The result of a submit: a job (another one if it was joined), a refusal, or none yet."""

    wish: Wish
    job: ModelJob | None = None
    refusal: type[Exception] | None = None


@dataclass(eq=False)
class ModelMap:
    """A map of several items, with a reader that reads all that it can.

    Attributes:
        wish: What its jobs have in common.
        left: The number of items that are not drawn.
        window: The most jobs that are unread.
        is_ordered: Whether the jobs are read in the order of the items.
        is_strict: Whether a job without a value stops it; else it gives outcomes.
        unread: What was drawn and is not read, in this order.
        outside: The job that waits for room.
        read: The labels of the jobs that were read.
        jobs: All that was drawn.
    """

    wish: Wish
    left: int
    window: int
    is_ordered: bool
    is_strict: bool
    unread: list[Submission] = field(default_factory=list)
    outside: Submission | None = None
    read: list[str] = field(default_factory=list)
    jobs: list[Submission] = field(default_factory=list)
    is_stopped: bool = False

    @property
    def is_feeding(self) -> bool:
        return bool(self.left) or self.outside is not None

    @property
    def is_over(self) -> bool:
        """Whether the block is left, or is to be left as the last jobs end."""
        return self.is_stopped or not (self.is_feeding or self.unread)

    def next_wish(self) -> Wish:
        """Draw an item."""
        self.left -= 1
        number = len(self.jobs) + 1
        return replace(self.wish, label=f"{self.wish.label}.{number}", map=self.wish.label)

    def refuse(self) -> None:
        """Draw no more items: the queue has refused the job of the last one."""
        self.left, self.outside = 0, None
        self.jobs.pop()
        self.unread.pop()

    def read_all(self) -> None:
        """Read all that can be read."""
        while not self.is_stopped:
            some = self.unread[:1] if self.is_ordered else self.unread
            ended = [one for one in some if one.job is not None and not one.job.is_live]
            if not ended:
                return
            for one in ended:
                self.unread.remove(one)
                self.read.append(one.wish.label)


@dataclass(eq=False)
class ModelRate:
    """A bucket of starts."""

    interval: float
    burst: float
    held: float
    """The starts that it held when one was last taken."""
    since: float

    def level(self, now: float) -> float:
        return min(self.burst, self.held + (now - self.since) / self.interval)

    def ready_at(self, now: float) -> float:
        """Return when it holds a start, if it holds none."""
        missing = 1 - self.level(now)
        return now + missing * self.interval if missing > 0 else float("inf")

    def take(self, now: float) -> None:
        self.held, self.since = self.level(now) - 1, now


@dataclass(eq=False)
class ModelRepeat:
    """A repeat; its runs have the label of its wish and a number."""

    wish: Wish
    every: float
    due: float
    run: ModelJob | None = None
    runs: int = 0
    missed: int = 0
    due_is_used: bool = False
    is_paused: bool = False
    has_ended: bool = False

    @property
    def has_run(self) -> bool:
        return self.run is not None and self.run.is_live

    @property
    def is_waiting(self) -> bool:
        return not (self.has_ended or self.is_paused or self.has_run)

    def go_on(self, now: float, *, is_counted: bool = True) -> None:
        """Go on to the first due time that has had no run and is not past."""
        while self.is_waiting and (self.due_is_used or self.due < now):
            self.missed += is_counted and not self.due_is_used
            self.due_is_used = False
            self.due += self.every
