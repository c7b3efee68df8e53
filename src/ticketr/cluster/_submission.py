"""A submit, checked and packed: all that the server needs of a new job."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ticketr.cluster._keys import TaskName, level_of
from ticketr.cluster._record import RemoteRecord
from ticketr.jobs._function import resolve_function
from ticketr.jobs._job import OnConflict
from ticketr.jobs._links import After
from ticketr.jobs._options import checked_options
from ticketr.jobs._values import checked_text, safe_repr

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ticketr.cluster._signed import SignedCodec
    from ticketr.jobs._context import Job
    from ticketr.jobs._options import JobOptions
    from ticketr.jobs._retry import Retry

NO_LIMIT: Final = 10**15
_LIMIT: Final = 7
"""Where the arguments of ``enter`` have the limit of pending jobs."""
NO_TAGS: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for jobs whose submit does not say otherwise.

    Attributes:
        timeout: The limit in seconds for each attempt; ``math.inf`` for none.
        retry: When a failed job is tried again; None for never.
        max_pending: How many jobs may be pending in the whole queue; ``math.inf`` for any number.
    """

    timeout: float
    retry: Retry | None
    max_pending: float


@dataclass(frozen=True, slots=True)
class Submission:
    """A job to submit.

    Attributes:
        record: The mirror of the job.
        args: The arguments of the server's function ``enter``.
        fields: Those of them that are names and values of the server's record.
        conflict: What to do about a live job of its ID or key.
    """

    record: RemoteRecord
    args: tuple[object, ...]
    fields: tuple[object, ...]
    conflict: OnConflict

    @property
    def args_of_old(self) -> tuple[object, ...]:
        """The arguments for a job that has been in the queue: it waits for no room."""
        return (*self.args[:_LIMIT], NO_LIMIT, *self.args[_LIMIT + 1 :])


def make_submission(
    job: Job[object] | Callable[..., Awaitable[object]],
    call_args: tuple[object, ...],
    options: JobOptions,
    *,
    defaults: Defaults,
    codec: SignedCodec,
    shift: float,
    reader: str,
) -> Submission:
    """Check and pack a job.

    Args:
        job: What was submitted.
        call_args: The arguments that follow the context.
        options: The options of the submit.
        defaults: What holds if they do not say otherwise.
        codec: Packs the job.
        shift: The server's clock minus Trio's.
        reader: The stream of events that is told of the job.

    Raises:
        TypeError, ValueError: The job or an option is invalid.
        NotSendable: Another process could not rebuild the job.
    """
    _, name = resolve_function(job, call_args)
    given = checked_options(with_ids(options))
    key, conflict = checked_text_key(given.get("key")), _checked_conflict(given)
    task = TaskName(_text(given, "id") or uuid.uuid4().hex, uuid.uuid4().hex[:12])
    record = RemoteRecord(task, _text(given, "name") or name, shift)
    tags: Any = given.get("tags", NO_TAGS)
    priority: Any = given.get("priority", 0)
    timeout: Any = given.get("timeout", defaults.timeout)
    delay: Any = given.get("delay", 0.0)
    start_by: Any = given.get("start_by")
    retry: Any = given.get("retry", defaults.retry)
    record.set_options(key=key, tags=tags, priority=priority, timeout=timeout, delay=delay)
    limit = NO_LIMIT if defaults.max_pending == math.inf else int(defaults.max_pending)
    after: Any = given.get("after", After((), any_end=False))
    where = (conflict.value, int("id" in given), reader, key or "", delay, limit)
    expires = 0 if start_by is None else max(start_by + shift, 1e-6)
    fields = (
        *("name", record.name, "tags", json.dumps(sorted(tags)), "priority", priority),
        *("level", level_of(priority), "timeout", timeout),
        *("retry", codec.pack_retry(task, retry), "payload", codec.pack_job(task, job, call_args)),
    )
    before = (int(after.any_end), len(after.jobs), *after.jobs)
    args = (task.job_id, task.nonce, *where, expires, *before, *fields)
    return Submission(record, args, fields, conflict)


def with_ids(options: JobOptions) -> JobOptions:
    """Return the options with IDs in ``after`` instead of handles."""
    after: Any = options.get("after")
    if after is None or isinstance(after, str):
        return options
    return {**options, "after": [getattr(job, "id", job) for job in after]}


def _text(given: dict[str, object], option: str) -> str:
    return checked_text(option, given.get(option, ""))


def checked_text_key(key: object) -> str | None:
    """Return a key, which other processes must know by its text.

    Raises:
        TypeError: It is no text.
        ValueError: It is the empty text.
    """
    if key is None:
        return None
    if type(key) is not str:
        raise TypeError(f"a key across processes is text, not {safe_repr(key)}")
    if not key:
        raise ValueError("a key across processes has at least one character")
    return key


def _checked_conflict(given: dict[str, object]) -> OnConflict:
    conflict: Any = given.get("on_conflict")
    return conflict or (OnConflict.REJECT if "id" in given else OnConflict.WAIT)
