"""Which live jobs a new one is in conflict with. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._job import OnConflict

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from ticketr.jobs._job import JobID, JobRecord


def rivals_of(
    record: JobRecord,
    by_id: Mapping[JobID, JobRecord],
    live_by_key: Mapping[Hashable, Iterable[JobRecord]],
) -> list[JobRecord]:
    """The one that has its ID if it has one, otherwise those that have its key."""
    if record.id:
        namesake = by_id.get(record.id)
        return [] if namesake is None or namesake.status.is_terminal else [namesake]
    if record.key is None or record.on_conflict is OnConflict.WAIT:
        return []
    return list(live_by_key.get(record.key, ()))
