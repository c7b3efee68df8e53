"""The live jobs that a new job conflicts with. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._job import OnConflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.jobs._job import JobID
    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._record import JobRecord


def id_or_key_conflicts(
    record: JobRecord, by_id: Mapping[JobID, JobRecord], key_slot: KeySlot[JobRecord] | None
) -> list[JobRecord]:
    """Return the live job with the new job's ID, or without an ID those with its key.

    Args:
        record: The new job.
        by_id: All jobs of the queue, by ID.
        key_slot: The slot of its key, if the key is in use.
    """
    if record.id:
        same_id = by_id.get(record.id)
        return [] if same_id is None or same_id.status.is_terminal else [same_id]
    if key_slot is None or record.on_conflict is OnConflict.WAIT:
        return []
    return [*key_slot.jobs]
