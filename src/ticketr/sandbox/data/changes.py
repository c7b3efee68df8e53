"""What a write did to a site, for whoever keeps the site somewhere else too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.sandbox.data.model import Issue


@dataclass(frozen=True, slots=True)
class Counters:
    """The last ID and, for each project's key, the last number that were given out.

    They never fall, whatever is deleted, so neither an ID nor a key is ever used again.
    """

    last_id: int = 10_000
    numbers: Mapping[str, int] = field(default_factory=dict)

    def after(self, issue: Issue) -> Counters:
        """Give the counters as they must be once an issue exists."""
        key = issue.project.key
        last = self.numbers.get(key, 0)
        if issue.id <= self.last_id and issue.number <= last:
            return self
        numbers = {**self.numbers, key: max(last, issue.number)}
        return replace(self, last_id=max(self.last_id, issue.id), numbers=numbers)


@dataclass(frozen=True, slots=True)
class SiteChange:
    """All that one write did; keep the whole of it, or nothing.

    Attributes:
        counters: The counters after the write.
        put: The issues that are new or different, each as it is now, properties included.
        removed: The IDs of the issues that are gone.
    """

    counters: Counters
    put: tuple[Issue, ...] = ()
    removed: tuple[int, ...] = ()


OnChange = Callable[[SiteChange], None]
"""Called with each change just before the site shows it.

If it raises, the write did not happen and the error goes to the writer. So what was kept
is never behind what was answered.
"""


def discard_change(_change: SiteChange) -> None:
    """Keep nothing."""
