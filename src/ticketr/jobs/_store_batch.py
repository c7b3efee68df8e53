"""What a store writes in one transaction, and what it knows of a live job."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import trio

from ticketr.jobs._store_file import Changes

if TYPE_CHECKING:
    from ticketr._errors import StoreFailed
    from ticketr.jobs._codecs import CodecName
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._store_repeats import RepeatRow
    from ticketr.jobs._store_rows import EndValues, LiveValues, NewRow


@final
class Batch:
    """What is written in one transaction.

    Attributes:
        new: The jobs that were submitted, by number.
        live: The changes of live jobs.
        ended: How jobs have ended.
        repeats: The repeats that have changed, by ID; None for one that has ended.
        awaited: The new jobs that do not count as submitted if they cannot be written.
        is_over: Set when it is written, or has failed.
        error: Why it failed; None if it has not.
    """

    def __init__(self) -> None:
        self.new: dict[int, NewRow] = {}
        self.live: dict[int, LiveValues] = {}
        self.ended: dict[int, EndValues] = {}
        self.repeats: dict[str, RepeatRow | None] = {}
        self.awaited: dict[int, JobRecord] = {}
        self.is_over: trio.Event = trio.Event()
        self.error: StoreFailed | None = None

    def __bool__(self) -> bool:
        return bool(self.new or self.live or self.ended or self.repeats)

    def add_job(self, row: NewRow, awaited: JobRecord | None) -> None:
        """Add a job that was submitted; one that is awaited is not submitted if that fails."""
        self.new[row.number] = row
        if awaited is not None:
            self.awaited[row.number] = awaited

    def set_live(self, number: int, values: LiveValues) -> None:
        """Note what a live job's row is to be."""
        self.live[number] = values

    def set_ended(self, number: int, values: EndValues) -> None:
        """Note how a job has ended."""
        self.live.pop(number, None)
        self.ended[number] = values

    def set_repeat(self, repeat_id: str, row: RepeatRow | None) -> None:
        """Note what a repeat's row is to be; None if it has ended."""
        self.repeats[repeat_id] = row

    def forget(self, number: int) -> None:
        """Remove a job from the batch."""
        for rows in (self.new, self.live, self.ended, self.awaited):
            rows.pop(number, None)

    def add_older(self, older: Batch) -> None:
        """Add what an older batch has and this one has not."""
        self.new = {**older.new, **self.new}
        self.live = {**older.live, **self.live}
        self.ended = {**older.ended, **self.ended}
        self.repeats = {**older.repeats, **self.repeats}
        for number in self.ended:
            self.live.pop(number, None)

    def fail(self, error: StoreFailed) -> None:
        """Note why it was not written."""
        self.error = error

    def changes(self) -> Changes:
        """Return what to write."""
        return Changes(self.new, self.live, self.ended, self.repeats)


@final
class StoredJob:
    """A live job of the store: the number of its row, and the values that were noted last."""

    __slots__ = ("codec", "number", "values")

    def __init__(self, number: int, codec: CodecName, values: LiveValues | None) -> None:
        self.number = number
        self.codec = codec
        self.values = values

    def note(self, values: LiveValues) -> None:
        """Keep the values that were noted last."""
        self.values = values
