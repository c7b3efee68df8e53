"""The internals of a queue, for tests that look at what it holds."""

from __future__ import annotations

from typing import Any

from ticketr import JobHandle, JobQueue
from ticketr.jobs._core import QueueCore


def core_of(queue: JobQueue) -> QueueCore:
    """Return the core of a queue."""
    return queue._core  # pyright: ignore[reportPrivateUsage]


def record_of(handle: JobHandle[Any]) -> Any:
    """Return the record that a handle holds."""
    return handle._record  # pyright: ignore[reportPrivateUsage]
