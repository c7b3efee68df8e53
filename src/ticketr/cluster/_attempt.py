"""One attempt at a job: what the server says of it, and its state in the worker."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import trio

if TYPE_CHECKING:
    from ticketr.cluster._keys import TaskName
    from ticketr.jobs._handle import JobHandle


@dataclass(frozen=True, slots=True)
class Call:
    """What the server says of a job that is to run.

    Attributes:
        elapsed: The seconds since its first attempt started.
        name: The job's name.
        payload: The packed job.
        attempt: The number of this attempt.
        used: How many attempts count against the retry rule, this one included.
        timeout: The limit in seconds for the attempt.
        retry: The packed retry rule.
        key: The job's key; None for none.
        tags: The job's tags.
    """

    elapsed: float
    name: str
    payload: bytes
    attempt: int
    used: int
    timeout: float
    retry: bytes
    key: str | None
    tags: frozenset[str]

    @classmethod
    def of(cls, answer: list[Any]) -> Call:
        """Read the answer of ``begin``."""
        elapsed, name, payload, attempt, uncounted, timeout, retry, key, tags = answer[1:]
        return cls(
            elapsed=float(elapsed),
            name=name.decode(),
            payload=payload,
            attempt=int(attempt),
            used=int(attempt) - int(uncounted or 0),
            timeout=float(timeout or "inf"),
            retry=retry,
            key=key.decode() or None,
            tags=frozenset(json.loads(tags or b"[]")),
        )


@final
class Attempt:
    """The state of one attempt.

    Attributes:
        task: The submit that it is of.
        level: The level of the message that has brought it.
        message: The message's ID.
        token: Identifies the attempt to the server.
        handle: The attempt in the local queue, once it is there.
        cancel_requested: Whether somebody asked the job to stop.
        is_given_back: Whether another worker, or another attempt here, is to run the job.
        over: Set when nothing more happens here.
    """

    def __init__(self, task: TaskName, level: str, message: str) -> None:
        self.task: Final = task
        self.level: Final = level
        self.message: Final = message
        self.token: Final = uuid.uuid4().hex
        self.handle: JobHandle[object] | None = None
        self.cancel_requested: bool = False
        self.is_given_back: bool = False
        self.over: Final = trio.Event()

    @property
    def is_running(self) -> bool:
        """Whether the job's function has been called, or is about to be, and has not ended."""
        return self.handle is not None and not self.handle.status.is_terminal

    def stop(self) -> None:
        """Stop the job: somebody asked for it, perhaps before the server said that it may run."""
        self.cancel_requested = True
        if self.handle is not None:
            self.handle.cancel(reason="cancelled in another process")

    def give_back(self) -> None:
        """Stop the job, which is to run elsewhere, or again."""
        self.is_given_back = True
        if self.handle is not None:
            self.handle.cancel(reason="the job is given back to the queue")

    def start(self, handle: JobHandle[object]) -> None:
        """Note the attempt in the local queue, and stop it if it was to stop before."""
        self.handle = handle
        if self.cancel_requested or self.is_given_back:
            handle.cancel()
