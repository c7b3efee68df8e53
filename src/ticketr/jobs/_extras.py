"""What most jobs do not have: a key, jobs before or after them, a cause of their cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._calls.stored_call import StoredCall
    from ticketr.jobs._job import CancelCause, JobID, OnConflict
    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._links import After, JobLinks

T = TypeVar("T", bound="Hashable")

NO_TAGS: Final = frozenset[str]()


@final
class JobExtras(Generic[T]):
    """What most jobs do not have.

    Also written in ``_record``.

    A job without any of it shares ``NO_EXTRAS``, which saves each job the time to fill and to check
    these fields.

    Attributes:
        id: The ID that the submit gave; empty if it gave none.
        priority: The priority.
        key: The key, None for none.
        key_slot: What stands for its key, once the queue has accepted it.
        tags: The tags.
        on_conflict: What to do about a live job with the same ID or key.
        after: What the submit asked it to start after; None once it is accepted.
        links: The jobs that it starts after, and those that start after it; None for none.
        delay: The seconds from the submit until it is due.
        start_by: The time by which it must have started; None for no such time.
        uncounted_retries: How many attempts do not count against its ``Retry``.
        cancel_requested: Whether a cancel was requested.
        cancel_cause: Why it stops; None if it does not.
        outcome_seen: Whether a caller was given its outcome. It is only noted of jobs
            that fail.
        stored: What a store is to keep of its submit, until the queue has accepted it.
    """

    __slots__ = (
        "after",
        "cancel_cause",
        "cancel_requested",
        "delay",
        "id",
        "key",
        "key_slot",
        "links",
        "on_conflict",
        "outcome_seen",
        "priority",
        "start_by",
        "stored",
        "tags",
        "uncounted_retries",
    )

    def __init__(self) -> None:
        self.id: JobID = ""
        self.priority: int = 0
        self.key: Hashable = None
        self.key_slot: KeySlot[T] | None = None
        self.tags: frozenset[str] = NO_TAGS
        self.on_conflict: OnConflict | None = None
        self.after: After | None = None
        self.links: JobLinks[T] | None = None
        self.delay: float = 0.0
        self.start_by: float | None = None
        self.uncounted_retries: int = 0
        self.cancel_requested: bool = False
        self.cancel_cause: CancelCause | None = None
        self.outcome_seen: bool = False
        self.stored: StoredCall | None = None


NO_EXTRAS: Final[JobExtras[Any]] = JobExtras()
"""The extras of a job that has none; never written."""
