"""The change that a write makes to a site, for callbacks that store it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.registry import Record, RecordKey


@dataclass(frozen=True, slots=True)
class Counters:
    """The last assigned ID and numbers; they never decrease, so IDs and keys are not reused.

    Attributes:
        last_id: The last ID that was assigned.
        numbers: The last number that was assigned, by the project's key.
        last_part: The last ID of a comment, or of something else that belongs to an issue.
    """

    last_id: int = 10_000
    numbers: Mapping[str, int] = field(default_factory=dict)
    last_part: int = 10_000

    def after(self, issue: Issue) -> Counters:
        """Return the counters raised to an issue's ID and number, and to the IDs of its parts."""
        key = issue.project.key
        last = self.numbers.get(key, 0)
        part = max((part.id for part in issue.parts()), default=0)
        if issue.id <= self.last_id and issue.number <= last and part <= self.last_part:
            return self
        return Counters(
            max(self.last_id, issue.id),
            {**self.numbers, key: max(last, issue.number)},
            max(self.last_part, part),
        )

    def after_part(self, part: int) -> Counters:
        """Return the counters raised to the ID of a part, or of a component and the like."""
        return replace(self, last_part=max(self.last_part, part))


@dataclass(frozen=True, slots=True)
class SiteChange:
    """The change that one write makes, to be stored whole or not at all.

    Attributes:
        counters: The counters after the write.
        put: The new and the changed issues.
        removed: The IDs of the deleted issues.
        contents: The bytes of new attachments, by their IDs.
        removed_contents: The IDs of the deleted attachments.
        records: The new and the changed components, versions and sprints.
        removed_records: The keys of those that were removed.
    """

    counters: Counters
    put: tuple[Issue, ...] = ()
    removed: tuple[int, ...] = ()
    contents: Mapping[int, bytes] = field(default_factory=dict)
    removed_contents: tuple[int, ...] = ()
    records: tuple[Record, ...] = ()
    removed_records: tuple[RecordKey, ...] = ()


#: Called with each change before it becomes visible.
#:
#: If it raises, the site does not change and the error reaches the caller of the write. So the
#: stored site never lags behind the responses.
OnChange = Callable[[SiteChange], None]


def discard_change(_change: SiteChange) -> None:
    """Do nothing with a change."""
